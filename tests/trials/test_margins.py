from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.findings import TABLE, Finding, Measurement, Worse
from detector.policy.parse import parse
from detector.trials.margins import margins, prediction_bound, widened
from tests.formats import reports

POLICY = parse(
    """
[[rule]]
name = "apart"
check = "discriminator"
measurement = "auc"
kind = "significant"
negligible = 0.05

[[rule]]
name = "moved"
check = "marginals"
measurement = "wasserstein"
kind = "significant"
origin = 0

[[rule]]
name = "same"
check = "indistinguishability"
measurement = "auc"
kind = "equivalent"
margin = 0.05
action = "warn"

[[rule]]
name = "none missing"
check = "schema"
measurement = "column_missing"
kind = "limit"
at_most = 0

[[rule]]
name = "few infinite"
check = "schema"
measurement = "infinite_share"
kind = "limit"
at_most = 0.01
""",
    source="test",
)


def report(**values):
    """Return a report with these measurements."""
    homes = {"apart": ("discriminator", "auc", Worse.HIGHER, 0.5)}
    homes["moved"] = ("marginals", "wasserstein", Worse.HIGHER, 0.02)
    homes["same"] = ("indistinguishability", "auc", Worse.BOTH, 0.5)
    homes["missing"] = ("schema", "column_missing", Worse.HIGHER, 0.0)
    homes["infinite"] = ("schema", "infinite_share", Worse.HIGHER, 0.0)

    def finding(name, value):
        check, measured, worse, null = homes[name]
        made = Measurement(name=measured, value=value, worse=worse, null_value=null)
        return Finding(check=check, subject=TABLE, outcome=made, n_reference=9, n_candidate=9)

    findings = tuple(finding(name, value) for name, value in values.items())
    return replace(reports.rejected(), findings=findings, verdicts=())


def test_the_bound_is_the_normal_prediction_bound():
    # t(0.99, 3) = 4.540703, sd = 1, sqrt(1 + 1/4) = 1.118034
    sizes = [1.0, 2.0, 3.0, 2.0]
    sd = np.std(sizes, ddof=1)
    assert prediction_bound(sizes) == pytest.approx(2.0 + 4.540703 * sd * 1.118034, rel=1e-6)


def test_the_bound_is_never_below_what_was_seen():
    assert prediction_bound([0.0] * 200 + [5.0]) == 5.0


@pytest.mark.calibration
def test_one_more_batch_lies_beyond_it_one_time_in_a_hundred(calibration_runs):
    runs, rng = calibration_runs(bounded=4_000, full=40_000), np.random.default_rng(5)
    sizes = rng.normal(1.0, 0.3, (runs, 9))
    beyond = sum(row[-1] > prediction_bound(row[:-1]) for row in sizes)
    assert beyond <= runs * 0.01 + 3.3 * np.sqrt(runs * 0.01)
    assert beyond >= runs * 0.004


def test_a_margin_counts_from_where_the_rule_counts():
    good = [report(apart=0.6, moved=0.3, same=0.42)] * 3
    found = {margin.rule: margin for margin in margins(POLICY, good, new=True)}
    assert found["apart"].now == pytest.approx(0.1)
    assert found["apart"].was == 0.05
    assert found["moved"].now == pytest.approx(0.3)  # from 0, not from 0.02
    assert found["moved"].was is None
    assert found["same"].now == pytest.approx(0.08)
    assert found["same"].option == "margin"


def test_a_margin_never_shrinks():
    assert margins(POLICY, [report(apart=0.51, same=0.5, infinite=0.002)] * 3) == ()


def test_none_at_all_is_no_size():
    good = [report(missing=1.0, infinite=0.02)] * 3
    (only,) = margins(POLICY, good)
    assert (only.rule, only.option, only.now) == ("few infinite", "at_most", 0.02)


def test_a_rule_without_a_size_gets_one_only_from_batches():
    assert margins(POLICY, [report(moved=0.3)] * 3) == ()


def test_a_margin_has_two_digits_and_lets_what_was_seen_pass():
    (only,) = margins(POLICY, [report(apart=0.5 + 0.1231)] * 3)
    assert only.now == 0.13
    assert only.seen == pytest.approx(0.1231)


def test_the_policy_takes_the_margins_and_nothing_else_changes():
    made = margins(POLICY, [report(apart=0.7)] * 3)
    wide = widened(POLICY, made)
    assert wide.rules[0].options == {"negligible": 0.2}
    assert wide.rules[1:] == POLICY.rules[1:]
