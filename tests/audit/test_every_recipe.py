"""Every recipe of this project goes through the audit, with its marginals going through it too."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector import catalogue
from detector.audits.loop import run
from detector.audits.plan import Plan
from detector.audits.result import prepare
from detector.audits.which import chosen
from detector.data.opening import open_data
from detector.errors import DetectorError
from detector.findings import Gap, Reason
from detector.recipes import GROUP, option_names, recipe_class
from tests.audit.chains import silent
from tests.audit.recipes import Drawn

ROWS = 120
SMALL = {
    "bootstrap": {},
    "rules": {},
    "gaussian": {},
    "gaussian_copula": {},
    "histogram": {},
    "kde": {},
    "rbm": {"steps": 10, "burn_in": 5, "bits": 2},
    "vae": {"steps": 4, "width": 8, "depth": 1, "components": 2},
    "gan": {"steps": 2, "width": 8, "depth": 1, "pack": 1, "batch": 32},
    "qcbm": {"qubits": 6, "layers": 2, "steps": 10},
    "qgan": {"qubits": 6, "steps": 5},
    "qvae": {"qubits": 5, "steps": 5},
    "qbm": {"qubits": 6, "steps": 10},
}
WITH_REMATCH = sorted(
    name
    for name in catalogue.names(GROUP)
    if "rematch_marginals" in option_names(recipe_class(name))
)


def mixed(rows=240):
    """Return three numbers, one with gaps, and a category with a rare level."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal(rows)
    gaps, level = rng.random(rows) < 0.1, np.searchsorted([0.6, 0.95], rng.random(rows))
    return pa.table(
        {
            "age": np.round(40 + 10 * z),
            "income": pa.array(np.where(gaps, np.nan, np.exp(z)), from_pandas=True),
            "height": 0.5 * z + rng.standard_normal(rows),
            "color": np.array(["red", "green", "blue"])[level],
        }
    )


def log_dets(frame):
    """Return the log determinants by replicate and generation."""
    table = frame[frame.measure == "log_det"]
    return table.pivot_table(index="replicate", columns="generation", values="value").to_numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_recipe_is_audited_and_one_seed_gives_one_result(name):
    plan = Plan(generations=2, replicates=1, rows=ROWS, seed=3)
    asked = {"generations": 2, "replicates": 2, "rows": ROWS, "refits": 20, "seed": 3}
    report = detector.audit(mixed(), recipe=name, options=SMALL[name], **asked)
    assert report.audit["ended"] == []
    found = log_dets(report.trajectory.to_pandas())
    assert found.shape == (2, 3)  # replicates, generations with the real rows
    assert np.isfinite(found).all()
    ground, sized = prepare(open_data(mixed()), chosen(name, SMALL[name]), plan)
    again = run(ground, sized, tell=silent)[0].generations
    assert [one.measures["log_det"] for one in again] == found[0].tolist()


def test_there_is_a_small_form_of_every_recipe():
    assert set(SMALL) == set(catalogue.names(GROUP))


@pytest.mark.parametrize("name", WITH_REMATCH)
def test_marginals_go_through_the_model_however_the_recipe_is_named(name):
    kind = recipe_class(name)
    place = f"{kind.__module__}:{kind.__qualname__}"
    for named in (name, place, kind, kind()):
        assert chosen(named).rematch_marginals is False
    assert kind().rematch_marginals  # what was given has not been changed


class Rematching:
    """Somebody's recipe with the option, and no dataclass."""

    def __init__(self, *, rematch_marginals=True):
        self.rematch_marginals = rematch_marginals

    def fit(self, dataset, rng):
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class AlwaysRematching:
    """A recipe that nothing can tell."""

    rematch_marginals: bool = dataclasses.field(default=True, init=False)

    def fit(self, dataset, rng):
        raise NotImplementedError


def test_a_class_of_somebody_else_is_told_too():
    assert chosen(Rematching).rematch_marginals is False
    assert chosen(f"{__name__}:Rematching").rematch_marginals is False
    assert chosen(Rematching(rematch_marginals=False)).rematch_marginals is False


@pytest.mark.parametrize("made", [Rematching(), AlwaysRematching()])
def test_a_recipe_that_hides_the_collapse_of_columns_is_refused(made):
    with pytest.raises(DetectorError, match="`rematch_marginals` set, which hides the collapse"):
        chosen(made)


class Stubborn:
    """Draws one law, whatever it is trained on: its rounds do not add up."""

    def fit(self, dataset, rng):
        return Drawn(lambda n, rng: rng.standard_normal((n, 10)))


def test_a_loop_without_real_rows_that_defies_its_own_rounds_is_not_admitted():
    data = np.random.default_rng(0).standard_normal((2000, 10))
    report = detector.audit(data, recipe=Stubborn, rows=100, generations=20, refits=20)
    assert report.alarm_generation is None
    assert report.decision is detector.Decision.UNDECIDED
    said = [f.outcome for f in report.findings if isinstance(f.outcome, Gap)]
    assert [one.reason for one in said] == [Reason.NOT_IDENTIFIABLE]
    assert said[0].detail.startswith("cannot tell: by its single rounds this loop without real")
    said = report._repr_markdown_()
    assert "Ask for more generations, or leave out columns that others nearly determine" in said
    assert "That no alarm was raised says nothing of this loop." in said
