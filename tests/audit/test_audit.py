"""The audit as people call it: what it returns, what it refuses, what it survives."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.audits.which import chosen
from detector.errors import DetectorError, ReportError
from detector.findings import Gap, Reason
from tests.audit import recipes


def normal(rows=300, columns=3, *, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns))


def mixed(rows=240, *, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(rows)
    gaps, level = rng.random(rows) < 0.1, np.searchsorted([0.6, 0.95], rng.random(rows))
    return pa.table(
        {
            "age": np.round(40 + 10 * z),
            "income": pa.array(np.where(gaps, np.nan, np.exp(z)), from_pandas=True),
            "color": np.array(["red", "green", "blue"])[level],
            "member": rng.random(rows) < 0.3,
        }
    )


def quick(data=None, recipe="gaussian", **asked):
    asked = {"generations": 3, "replicates": 2, "refits": 20, **asked}
    return detector.audit(normal() if data is None else data, recipe=recipe, **asked)


def gaps(report):
    return {f.outcome.name: f.outcome for f in report.findings if isinstance(f.outcome, Gap)}


@pytest.fixture(scope="module")
def collapsed():
    return detector.audit(normal(columns=10), recipe="gaussian", rows=60, generations=8)


def test_a_loop_without_real_rows_is_refused_with_its_generation(collapsed):
    assert collapsed.decision is detector.Decision.REJECT
    assert 1 <= collapsed.alarm_generation <= 5
    assert int(collapsed.exit_code) == 1


def test_the_trajectory_is_a_table_of_every_measure(collapsed):
    table = collapsed.trajectory
    assert table.column_names == ["replicate", "generation", "measure", "value"]
    frame = table.to_pandas()
    assert set(frame.replicate) == {1, 2, 3}
    assert set(frame.generation) == set(range(9))
    wanted = {"risk", "risk_slope", "scaling_exponent", "log_det", "effective_rows", "coverage"}
    assert wanted | {"tail_mass", "hallucinated", "training_log_det"} <= set(frame.measure)
    assert np.isfinite(frame.value).all()


def test_log_det_is_that_of_the_covariance_with_n_in_the_columns_units():
    data = normal(100, 3) * [1.0, 10.0, 100.0]
    frame = quick(data).trajectory.to_pandas()
    first = frame[(frame.measure == "log_det") & (frame.generation == 0)].value
    assert first.to_numpy() == pytest.approx(np.linalg.slogdet(np.cov(data.T, bias=True))[1])


def test_a_forecast_of_a_collapsing_loop_has_two_ends(collapsed):
    low, high = collapsed.forecast.interval
    assert 1 <= low <= collapsed.forecast.median <= high
    assert not collapsed.forecast.abstains


def test_a_loop_that_keeps_all_rows_gets_no_alarm_and_no_forecast():
    report = detector.audit(
        normal(columns=10), recipe="gaussian", regime="accumulate", rows=60, generations=12
    )
    assert report.alarm_generation is None
    assert report.forecast.interval[1] is None
    assert report.decision is detector.Decision.ADMIT


def test_one_column_and_few_rounds_cannot_tell_and_say_how_many_could():
    report = quick(normal(100, 1))
    assert report.decision is detector.Decision.UNDECIDED
    assert int(report.exit_code) == 3
    gap = gaps(report)["training_log_det_change"]
    assert gap.reason is Reason.TOO_FEW_ROWS
    assert gap.detail.startswith("cannot tell: ")
    assert "6 replicates x generations of" in gap.detail


def test_a_loop_that_spreads_out_is_an_alarm_too():
    report = detector.audit(
        normal(100, 2), recipe="kde", options={"bandwidth": 0.7}, generations=12
    )
    assert report.audit["alarm"]["direction"] == "grown"
    assert report.forecast.threshold == 2.0


@pytest.mark.parametrize(
    "asked",
    [
        {"regime": "replace"},
        {"regime": "accumulate"},
        {"regime": "accumulate_subsample"},
        {"regime": "fresh", "real_share": 0.2, "rows": 80},
        {"regime": "fixed", "real_share": 0.2},
        {"keep": "best:0.8", "temperature": 0.9},
    ],
)
def test_one_seed_gives_the_same_numbers_whatever_the_order_of_rows(asked):
    data = mixed()
    shuffled = data.take(np.random.default_rng(1).permutation(len(data)))
    one, two = (quick(d, "gaussian_copula", seed=4, **asked) for d in (data, shuffled))
    assert one.trajectory.equals(two.trajectory)
    assert one.audit["alarm"] == two.audit["alarm"]
    other = quick(data, "gaussian_copula", seed=5, **asked)
    assert not one.trajectory.equals(other.trajectory)


def test_a_report_of_an_audit_reads_back_exactly(collapsed):
    text = collapsed.to_json()
    again = detector.Report.from_json(text)
    assert again == collapsed
    assert again.to_json() == text
    assert again.trajectory.equals(collapsed.trajectory)
    assert again.forecast == collapsed.forecast
    assert json.loads(text)["audit"]["kind"] == "audit"


def test_the_report_of_a_gate_has_no_generations():
    report = detector.gate(normal(), normal(seed=1))
    assert "audit" not in json.loads(report.to_json())
    with pytest.raises(ReportError, match=r"it has no generations\. Run `detector audit`"):
        report.trajectory  # noqa: B018 - it raises


def test_what_disappears_is_named():
    rng = np.random.default_rng(0)
    color = np.where(np.arange(200) < 4, "rare", "common")
    table = pa.table({"color": color, "x": rng.standard_normal(200)})
    report = quick(table, "histogram", generations=25, replicates=3)
    assert "color = rare" in [one["name"] for one in report.audit["lost"]]


def test_options_rows_and_wrong_names_are_refused_in_one_line():
    said = {
        r"`generations` is 0\. Give a whole number from 1": {"generations": 0},
        r"`replicates` is 0": {"replicates": 0},
        r"there is no regime `replce`\. There are: replace": {"regime": "replce"},
        r"`fresh` needs a real share above 0": {"regime": "fresh"},
        r"`replace` has no real share to set": {"real_share": 0.1},
        r"`real_share` is 1.5": {"regime": "fixed", "real_share": 1.5},
        r"`worst:0.8` says nothing about which rows to keep": {"keep": "worst:0.8"},
        r"`threshold` is 2": {"threshold": 2.0},
        r"needs 400 = 400 real rows; there are 300, so 100 are missing": {"rows": 400},
        r"no recipe named `gausian`": {"recipe": "gausian"},
        r"`tests.audit.recipes:Nobody` cannot be imported": {
            "recipe": "tests.audit.recipes:Nobody"
        },
        r"a NoRecipe is no recipe: it has no `fit`": {"recipe": recipes.NoRecipe},
        r"the seed is -1": {"seed": -1},
    }
    for message, asked in said.items():
        with pytest.raises(DetectorError, match=message):
            quick(**asked)


def test_a_regime_that_runs_out_of_real_rows_says_how_many_are_missing():
    message = r"`fresh` needs 100 \+ 9 x 50 = 550 real rows; there are 120, so 430 are missing"
    with pytest.raises(DetectorError, match=message):
        quick(normal(120), regime="fresh", real_share=0.5, rows=100, generations=10)
    with pytest.raises(DetectorError, match="are missing"):
        quick(normal(120), regime="fresh", real_share=0.5, generations=10)


def test_five_rows_are_trained_on_and_nothing_is_promised():
    report = quick(normal(5))
    assert report.decision is detector.Decision.UNDECIDED
    assert (
        gaps(report)["training_log_det_change"].detail
        == "cannot tell: 5 rows in a generation, 20 needed"
    )
    assert report.trajectory.num_rows > 0


def test_one_row_is_refused():
    with pytest.raises(DetectorError, match="there is 1 real row; an audit needs 2"):
        quick(normal(1))


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (recipes.Short, "it returned 150 rows where 300 were asked for"),
        (recipes.NoNumbers, "values of `c0` that are no number"),
        (recipes.OtherColumns, "its sample lacks the column `c0`"),
        (recipes.Failing(good=0), "its fit failed (RuntimeError: out of luck)"),
    ],
)
def test_a_bad_recipe_ends_its_chains_and_says_why(recipe, said):
    report = quick(recipe=recipe)
    assert report.decision is detector.Decision.UNDECIDED
    found = gaps(report)
    assert said in found["chain_1"].detail
    assert found["chain_1"].reason is Reason.FIT_FAILED
    assert "no chain reached generation 1" in found["training_log_det_change"].detail
    assert report.trajectory.num_rows > 0  # the real rows were measured


def test_a_recipe_that_fails_later_keeps_what_was_computed():
    report = quick(recipe=recipes.Failing(good=2), replicates=1, generations=5)
    frame = report.trajectory.to_pandas()
    assert frame.generation.max() == 2
    assert report.audit["ended"] == [
        {"replicate": 1, "why": "generation 3: its fit failed (RuntimeError: out of luck)"}
    ]


def test_a_fit_that_never_ends_is_given_up():
    report = quick(recipe=recipes.Endless, fit_timeout=0.2, replicates=1)
    assert "its fit did not end within 0.2 seconds" in gaps(report)["chain_1"].detail


def test_anybodys_recipe_is_found_as_a_module_and_a_class():
    report = quick(recipe="tests.audit.recipes:Faithful")
    assert report.audit["recipe"]["name"] == "faithful"
    assert report.trajectory.equals(quick(recipe=recipes.Faithful()).trajectory)


def test_marginals_go_through_the_model():
    assert chosen("rbm").rematch_marginals is False
    assert chosen(detector.recipe("rbm", steps=5)).rematch_marginals is False


def test_a_run_that_was_killed_goes_on_to_the_identical_report(tmp_path):
    data = mixed()
    asked = {"regime": "accumulate", "generations": 4, "recipe": "gaussian_copula"}
    whole = quick(data, **asked)

    def stop(_stage, done):
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick(data, **asked, checkpoint=tmp_path, progress=stop)
    kept = sorted(tmp_path.rglob("*.json"))
    assert kept
    resumed = quick(data, **asked, checkpoint=tmp_path)
    assert resumed.audit == whole.audit
    assert resumed.findings == whole.findings


def test_finished_rounds_are_not_fitted_again(tmp_path):
    first = quick(recipe=recipes.Faithful, checkpoint=tmp_path)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert quick(recipe=recipes.Faithful, checkpoint=tmp_path).trajectory.equals(first.trajectory)
    assert files == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    quick(recipe=recipes.Faithful, checkpoint=tmp_path, seed=1)
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_every_generation_has_a_profile_that_stands_in_for_it(tmp_path):
    asked = {"rows": 100, "profiles": tmp_path / "first", "checkpoint": tmp_path / "kept"}
    assert quick(mixed(), **asked).audit == quick(mixed(), rows=100).audit
    names = [f"chain-{k}-generation-{g}.profile" for k in (1, 2) for g in range(4)]
    files = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
    assert sorted(files) == [*names, "real.profile"]
    # From finished rounds the same bytes are made again.
    quick(mixed(), **asked | {"profiles": tmp_path / "second"})
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()}
    paths = [str(tmp_path / "first" / name) for name in names[:4]]
    rows = [detector.Profile.load(path).sample.table for path in paths]
    assert detector.lineage(paths).audit["path"] == detector.lineage(rows).audit["path"]
    batch = detector.gate(str(tmp_path / "first" / "real.profile"), paths[1])
    assert [one.rows for one in batch.inputs] == [240, 100]


def test_a_profile_that_lacks_rows_is_no_generation(tmp_path):
    whole = detector.profile(mixed(), name="real")
    with pytest.raises(DetectorError, match="the profile `real` keeps 0 of 240 rows"):
        detector.lineage([whole, whole.without_rows()])
    (tmp_path / "taken").write_text("")
    with pytest.raises(DetectorError, match="the folder of profiles cannot be made"):
        quick(profiles=tmp_path / "taken")


def test_a_damaged_checkpoint_is_made_again(tmp_path):
    first = quick(checkpoint=tmp_path)
    for path in list(tmp_path.rglob("*.json"))[:3] + list(tmp_path.rglob("*.arrow"))[3:5]:
        path.write_bytes(b"{")
    assert quick(checkpoint=tmp_path).trajectory.equals(first.trajectory)


def test_a_table_in_which_nothing_varies_is_no_collapse():
    report = quick({"x": [1.0] * 40, "c": ["a"] * 40}, "bootstrap")
    assert gaps(report)["training_log_det_change"].reason is Reason.CONSTANT_COLUMN


def test_the_real_share_is_searched_and_told_in_a_sentence():
    report = quick(normal(400, 2), rows=60, find_real_share=True, keep_variance=0.95)
    found = report.audit["real_share"]
    assert found["sentence"] in " ".join(detector.render(report, "markdown").split())
    rows = [point["rows"] for point in found["points"]]
    assert rows == sorted(rows)


@pytest.mark.parametrize("name", ["text", "json", "html", "markdown", "junit", "sarif"])
def test_every_format_draws_an_audit(collapsed, name):
    drawn = detector.render(collapsed, name)
    assert not re.search(r"(?i)\bnan\b", drawn)
    if name in ("text", "markdown", "html"):
        assert "healthy loops from generation" in drawn


def test_the_page_has_the_charts_the_band_and_the_filmstrip(collapsed):
    page = detector.render(collapsed, "html")
    assert page.count('class="band"') >= 2
    assert page.count("Rows of generation") >= 5
    assert "Eight definitions of collapse" in page
    assert "<script" not in page


def drifting(share, *, generations=10, rows=300, columns=4, seed=0):
    """Return data sets of a normal loop in which a share of each training is new real rows."""
    rng = np.random.default_rng(seed)
    found = [rng.standard_normal((rows, columns))]
    training = found[0]
    for _ in range(generations):
        root = np.linalg.cholesky(np.cov(training.T, bias=True))
        made = training.mean(axis=0) + rng.standard_normal((rows, columns)) @ root.T
        found.append(made)
        real = rng.standard_normal((int(share * rows), columns))
        training = np.vstack([real, made[: rows - len(real)]])
    return found


def test_a_lineage_that_collapses_is_refused():
    shrinking = [normal(200, 4, seed=g) * 0.85**g for g in range(6)]
    report = detector.lineage(shrinking)
    assert report.decision is detector.Decision.REJECT
    assert report.alarm_generation <= 3
    assert report.trajectory.to_pandas().generation.max() == 5
    assert [source.role for source in report.inputs][:2] == ["reference", "generation"]
    assert detector.Report.from_json(report.to_json()) == report


def test_a_lineage_of_fresh_samples_raises_no_alarm():
    report = detector.lineage([normal(100, 10, seed=g) for g in range(6)])
    assert report.alarm_generation is None


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_the_effective_real_share_is_estimated_with_an_interval(share):
    report = detector.lineage(drifting(share, generations=16, columns=8))
    found = [f.outcome for f in report.findings if f.outcome.name == "effective_real_share"]
    low, high = found[0].interval
    assert low <= share <= high
    assert "The means move as with a real share of" in report.audit["lineage"]["sentences"][0]


def test_a_sudden_change_in_a_lineage_is_found():
    data = [normal(400, 3, seed=g) * (1.0 if g < 5 else 0.6) for g in range(10)]
    said = " ".join(detector.lineage(data).audit["lineage"]["sentences"])
    assert "The spread changes most after generation 4" in said


def test_manifests_that_contradict_the_order_are_named(tmp_path):
    real = tmp_path / "real.parquet"
    import pyarrow.parquet as pq

    pq.write_table(mixed(60), real)
    model = detector.recipe("gaussian_copula").fit(str(real), np.random.default_rng(0))
    drawn = model.sample(60, np.random.default_rng(1))
    report = detector.lineage([str(real), str(real), drawn])
    assert "declares generation 1, not 2" in " ".join(report.audit["lineage"]["sentences"])


def test_lineages_that_cannot_be_compared_are_refused():
    with pytest.raises(DetectorError, match="a lineage of 1 generation says nothing"):
        detector.lineage([normal()])
    with pytest.raises(DetectorError, match="lacks the column `c2`"):
        detector.lineage([normal(), normal(columns=2)])
    with pytest.raises(DetectorError, match="a lineage is a list of data sets"):
        detector.lineage("real.parquet")


@pytest.mark.parametrize("recipe", ["bootstrap", "gaussian", "gaussian_copula", "kde"])
@pytest.mark.parametrize(
    "table",
    [
        pa.table({"x": [np.inf, -np.inf, *np.arange(38.0)]}),
        pa.table({"x": np.linspace(-1, 1, 40) * 1.7e308}),
        pa.table({"x": pa.array([None] * 30, pa.float64())}),
        pa.table({"b": [True, False, None] * 20}),
        pa.table({"a/b\n": np.linspace(0, 1, 40) ** 2, "<b>|": ["x<", "y|"] * 20}),
        pa.table({f"x{i}": np.sin(np.arange(40.0) * (i + 1)) for i in range(50)}),
    ],
    ids=["infinite", "huge", "missing", "booleans", "hostile", "wide"],
)
def test_odd_tables_are_audited_without_a_word(recipe, table):
    report = quick(table, recipe)
    for name in ("text", "html", "markdown", "junit", "sarif"):
        assert detector.render(report, name)
    assert detector.Report.from_json(report.to_json()) == report
