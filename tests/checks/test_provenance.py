"""Claims are read, held against the rows, and never invented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import detector
from detector.data.provenance import METADATA_KEY, SUFFIX, Origin, Provenance, parse
from detector.findings import Gap, Measurement, Reason

if TYPE_CHECKING:
    from pathlib import Path


def rows(count: int, *, seed: int, shift: float = 0.0) -> pa.Table:
    """Return rows of one column."""
    return pa.table({"x": np.random.default_rng(seed).standard_normal(count) + shift})


def saved(folder: Path, table: pa.Table, manifest: Provenance | None = None) -> str:
    """Write a batch and its manifest; return its path."""
    path = folder / "batch.parquet"
    parquet.write_table(table, path)
    if manifest is not None:
        manifest.write(path)
    return str(path)


def outcomes(reference: object, candidate: object) -> dict[str, Measurement | Gap]:
    """Return what the check says, by name."""
    findings = detector.measure(reference, candidate, checks=["provenance"])
    return {finding.outcome.name: finding.outcome for finding in findings}


def test_no_manifest_is_no_claim(tmp_path: Path) -> None:
    found = outcomes(rows(100, seed=0), saved(tmp_path, rows(100, seed=1)))
    (gap,) = found.values()
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.NEEDS_MANIFEST
    assert "declares nothing" in gap.detail


def test_a_synthetic_batch_says_its_share_and_generation(tmp_path: Path) -> None:
    manifest = Provenance(origin=Origin.MIXED, real_share=0.25, generation=2, recipe="gan")
    found = outcomes(rows(100, seed=0), saved(tmp_path, rows(100, seed=1), manifest))
    share, generation = found["declared_synthetic_share"], found["generation"]
    assert isinstance(share, Measurement)
    assert isinstance(generation, Measurement)
    assert (share.value, generation.value) == (0.75, 2)


def test_a_claim_inside_a_parquet_file_is_read(tmp_path: Path) -> None:
    table = rows(100, seed=1).replace_schema_metadata({METADATA_KEY: '{"origin": "synthetic"}'})
    share = outcomes(rows(100, seed=0), saved(tmp_path, table))["declared_synthetic_share"]
    assert isinstance(share, Measurement)
    assert share.value == 1.0


def test_rows_declared_real_that_are_told_apart_are_measured(tmp_path: Path) -> None:
    path = saved(tmp_path, rows(600, seed=1, shift=2), Provenance(origin=Origin.REAL))
    area = outcomes(rows(600, seed=0), path)["declared_real_auc"]
    assert isinstance(area, Measurement)
    assert area.value > 0.85


def test_parents_and_digest_are_held_against_the_data(tmp_path: Path) -> None:
    reference, batch = rows(100, seed=0), rows(90, seed=1)
    digests = [detector.profile(table).digest for table in (reference, batch)]
    good = Provenance(origin=Origin.SYNTHETIC, parents=(digests[0],), digest=digests[1])
    found = outcomes(reference, saved(tmp_path, batch, good))
    assert [getattr(found[k], "value", None) for k in ("unknown_parents", "digest_mismatch")] == [
        0,
        0,
    ]
    bad = Provenance(origin=Origin.SYNTHETIC, parents=("ff",), digest="00")
    found = outcomes(reference, saved(tmp_path, batch, bad))
    assert [getattr(found[k], "value", None) for k in ("unknown_parents", "digest_mismatch")] == [
        1,
        1,
    ]


def test_a_manifest_survives_writing_and_reading() -> None:
    manifest = Provenance(
        origin=Origin.MIXED, generation=1, real_share=0.5, options={"layers": 3}, parents=("ab",)
    )
    assert parse(manifest.to_json(), name="it") == manifest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "has no `origin`"),
        ('{"origin": "made up"}', "`origin` is 'made up'; it must be real, synthetic"),
        ('{"origin": "real", "age": 3}', "unknown field `age`"),
        ('{"origin": "real", "generation": -1}', "`generation` is -1"),
        ('{"origin": "real", "generation": true}', "`generation` is True"),
        ('{"origin": "mixed", "real_share": 1.5}', "a number from 0 to 1"),
        ('{"origin": "mixed", "real_share": NaN}', "a number from 0 to 1"),
        ('{"origin": "real", "parents": "abc"}', "a list of digests"),
        ('{"origin": ["real"]}', "`origin` is"),
    ],
)
def test_a_manifest_that_cannot_be_understood_is_an_error(
    tmp_path: Path, text: str, message: str
) -> None:
    path = saved(tmp_path, rows(50, seed=1))
    (tmp_path / f"batch.parquet{SUFFIX}").write_text(text)
    with pytest.raises(detector.InputError, match=message):
        outcomes(rows(50, seed=0), path)
