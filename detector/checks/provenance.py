"""What the batch declares about itself, against what was observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from detector.checks._told_apart import ADDRESS, told_apart
from detector.data.provenance import Origin, find_provenance
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse
from detector.profiles.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.data.provenance import Provenance as Manifest
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Reads the candidate's manifest and holds it against the rows.

    Attributes:
        rows: Sampled rows of each side by which a claim of being real is looked at; with the
            same number as `discriminator` both share one fit.

    """

    name: ClassVar[str] = "provenance"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset(
        {
            "declared_synthetic_share",
            "generation",
            "unknown_parents",
            "digest_mismatch",
            "declared_real_auc",
        }
    )
    address: ClassVar[str] = ADDRESS

    rows: int = 10_000

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure each claim that was made; what was not declared is a gap."""
        candidate = comparison.candidate
        manifest = find_provenance(candidate.source, candidate.metadata)
        if manifest is None:
            detail = f"{candidate.name} declares nothing about where it comes from"
            yield self._finding(comparison, _gap("declared_synthetic_share", detail))
            return
        evidence: dict[str, object] = {"origin": manifest.origin.value}
        if manifest.recipe is not None:
            evidence["recipe"] = manifest.recipe
        share, generation = manifest.synthetic_share, manifest.generation
        yield self._finding(comparison, _claim("declared_synthetic_share", share), evidence)
        yield self._finding(comparison, _claim("generation", generation), evidence)
        if manifest.parents:
            unknown = _strange_parents(manifest, comparison)
            claim = _claim("unknown_parents", len(unknown))
            yield self._finding(comparison, claim, {"parents": unknown})
        if manifest.digest is not None:
            yield self._finding(comparison, _digest(manifest.digest, comparison), evidence)
        if manifest.origin is Origin.REAL:
            yield self._claimed_real(comparison, streams)

    def _claimed_real(self, comparison: Comparison, streams: Streams) -> Finding:
        """Measure how well rows that are declared real are told from the reference."""
        made = told_apart(comparison, check=self.name, rows=self.rows, streams=streams)
        if isinstance(made, Finding):
            assert isinstance(made.outcome, Gap)  # noqa: S101 - told_apart's only findings
            gap = Gap(
                name="declared_real_auc", reason=made.outcome.reason, detail=made.outcome.detail
            )
            return self._finding(comparison, gap)
        return self._finding(comparison, made.area("declared_real_auc"))

    def _finding(
        self,
        comparison: Comparison,
        outcome: Measurement | Gap,
        evidence: dict[str, object] | None = None,
    ) -> Finding:
        return Finding(
            check=self.name,
            subject=TABLE,
            outcome=outcome,
            n_reference=comparison.reference.n_rows,
            n_candidate=comparison.candidate.n_rows,
            evidence=evidence or {},
        )


def _claim(name: str, value: float | None) -> Measurement | Gap:
    if value is None:
        return _gap(name, f"the manifest does not say its {name.replace('_', ' ')}")
    unit = "share" if name.endswith("share") else "1"
    return Measurement(name=name, value=value, worse=Worse.HIGHER, null_value=0.0, unit=unit)


def _strange_parents(manifest: Manifest, comparison: Comparison) -> list[str]:
    """Return the declared parents that are none of the data sets at hand."""
    held = (comparison.reference, comparison.holdout, comparison.synthetic)
    known = {profile.digest for profile in held if profile is not None}
    return [parent for parent in manifest.parents if parent not in known]


def _digest(declared: str, comparison: Comparison) -> Measurement | Gap:
    """Compare the declared digest with that of the rows, where both hash the same columns."""
    name = "digest_mismatch"
    if comparison.missing or comparison.extra or comparison.retyped:
        return _gap(name, "its columns differ from the reference's, so its digest does too")
    return _claim(name, float(declared != comparison.candidate.digest))


def _gap(name: str, detail: str) -> Gap:
    return Gap(name=name, reason=Reason.NEEDS_MANIFEST, detail=detail)
