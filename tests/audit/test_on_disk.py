"""Checkpoints and profiles: a killed run goes on, and every generation can be kept."""

from __future__ import annotations

import pytest

import detector
from detector.errors import DetectorError
from tests.audit import recipes
from tests.audit.quick import mixed, quick


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
