"""What was seen, in words for people who are not statisticians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from detector.findings import Gap, Measurement, Reason, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.findings import Finding, Subject

SHARE = "share"
"""The unit of shares of rows, which sentences give in percent."""

LONGEST_NAME = 60
"""Characters of a column name that a sentence quotes; the finding keeps the whole name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """How to speak of one measurement.

    Attributes:
        seen: What was seen; may use `{subject}`, `{value}`, `{least}` (the interval's low
            end), and from the evidence `{listed}`
            (the columns, if it names any) and `{how}` (the direction, or from what to what).
        advice: What to do when it is too much; names no subject, so that it is said once.
        unclear: What was seen where the interval holds the value of no difference.
        below: What was seen where the interval lies wholly below that value.
        untold: What to do where the data cannot tell it, however many rows there are.

    """

    seen: str
    advice: str
    unclear: str = ""
    below: str = ""
    untold: str = ""


_ADD = "Add the missing columns, or list them under `ignore` in the policy."
_DROP = "Drop the new columns, or take a reference that has them."
_CONVERT = "Convert the columns, or set their kinds under `[kinds]` in the policy."
_COMPARE = "Compare both files for changed units, filters, sources or dates."
_PAIRS = "Look at how the listed columns are joined or made; a generator may have lost the tie."
_COPIED = "Drop the copied rows, or ask how the generator was stopped from memorising."
_MADE = "Ask how the batch was made; a mark alone proves nothing."
_LEARN = "Look at the classes that are lost; give the model real rows of them."
_TELL_APART = "Look at the columns that give the candidate away."
_TAILS = "Look for clipped or filtered values; a generator may have lost what is rare."
_VARIED = "Look at the seed, temperature and training of the generator, and for copied rows."
_PLACES = "See which rows vanished; ask the generator for those, or add real ones."

PHRASES: Mapping[str, Phrase] = {
    "column_missing": Phrase(seen="the candidate lacks {subject}", advice=_ADD),
    "column_extra": Phrase(seen="only the candidate has {subject}", advice=_DROP),
    "column_retyped": Phrase(seen="{subject} is of another kind", advice=_CONVERT),
    "columns_missing": Phrase(
        seen="columns that the candidate lacks: {value}{listed}",
        advice=_ADD,
    ),
    "columns_extra": Phrase(
        seen="columns that only the candidate has: {value}{listed}",
        advice=_DROP,
    ),
    "columns_retyped": Phrase(
        seen="columns of another kind than in the reference: {value}{listed}",
        advice=_CONVERT,
    ),
    "same_rows": Phrase(
        seen="the candidate is the reference itself: the same {value} rows",
        advice="Give the batch under question; rows that are trusted already tell nothing new.",
    ),
    "unseen_levels_share": Phrase(
        seen="{value} of the rows have a level of {subject} that the reference never has",
        advice="Check spelling and encoding of the new levels, or renew the reference.",
    ),
    "out_of_range_share": Phrase(
        seen="{value} of the rows lie outside the reference's range of {subject}",
        advice="Check units and limits of the column.",
    ),
    "infinite_share": Phrase(
        seen="{value} of the rows are infinite in {subject}",
        advice="Look for a division by zero upstream, or write them as missing.",
    ),
    "missing_share": Phrase(
        seen="{value} of the rows have no value of {subject}",
        advice="Find out where the values were lost.",
    ),
    "wasserstein": Phrase(seen="{subject} moved by {value}{how}", advice=_COMPARE),
    "total_variation": Phrase(
        seen="{value} of the rows of {subject} went to another level", advice=_COMPARE
    ),
    "missing_rate_change": Phrase(
        seen="the share of missing values of {subject} changed by {value}",
        advice="Find out where values were lost or filled in.",
    ),
    "dependence_change": Phrase(
        seen="an association between columns changed by {value}{listed}", advice=_PAIRS
    ),
    "association_change": Phrase(
        seen="the association between {subject} changed by {value}{how}", advice=_PAIRS
    ),
    "mmd": Phrase(
        seen="whole rows differ by {value} (maximum mean discrepancy)", advice=_TELL_APART
    ),
    "alibi_mmd": Phrase(seen="alibi-detect's MMD² of whole rows is {value}", advice=_TELL_APART),
    "alibi_lsdd": Phrase(seen="alibi-detect's LSDD of whole rows is {value}", advice=_TELL_APART),
    "alibi_learned_kernel": Phrase(
        seen="the MMD² of a kernel that alibi-detect trained is {value}", advice=_TELL_APART
    ),
    "alibi_classifier": Phrase(
        seen="alibi-detect's classifier scores both sides {value} apart (Kolmogorov-Smirnov)",
        advice=_TELL_APART,
    ),
    "alibi_spot_the_diff": Phrase(
        seen="alibi-detect's one difference sets both sides {value} apart (Kolmogorov-Smirnov)",
        advice=_TELL_APART,
    ),
    "alibi_context_mmd": Phrase(
        seen="given the context, alibi-detect's MMD² is {value}", advice=_TELL_APART
    ),
    "declared_synthetic_share": Phrase(
        seen="{value} of the rows are declared synthetic",
        advice="Ask for real rows, or let the batch be a smaller part of the training set.",
    ),
    "generation": Phrase(
        seen="the batch declares that it is generation {value}, where real rows are 0",
        advice="Take an earlier generation, or real rows.",
    ),
    "unknown_parents": Phrase(
        seen="declared parents that are none of the data sets at hand: {value}",
        advice="Find out what the batch was made from.",
    ),
    "digest_mismatch": Phrase(
        seen="declared digests that these rows do not have: {value}",
        advice="Find out what changed the rows, then write the manifest again.",
    ),
    "declared_real_auc": Phrase(
        seen="rows that are declared real are told from the reference's with an AUC of {value}",
        advice="Ask where the batch comes from: its manifest may be wrong.",
    ),
    "auc": Phrase(
        seen="a trained classifier tells the candidate's rows from the reference's with an AUC "
        "of {value}{listed}",
        advice=_TELL_APART,
        unclear="a trained classifier that should tell the candidate's rows from the reference's "
        "has an AUC of {value}, and a coin has 0.5",
        below="rows of the candidate look copied: a trained classifier takes them for the "
        "reference's, with an AUC of {value}",
    ),
    "tail_mass": Phrase(
        seen="{value} of the rows lie in the outer 2 % of {subject}{how}", advice=_TAILS
    ),
    "extreme_mass": Phrase(
        seen="{value} of the rows lie in the outermost 0.2 % of {subject}{how}", advice=_TAILS
    ),
    "lost_level_mass": Phrase(
        seen="levels of {subject} that held {value} of the reference's rows are gone",
        advice="See which levels vanished; a generator may leave out what is rare.",
    ),
    "joint_tail_mass": Phrase(
        seen="{value} of the rows are further out than 95 % of the reference's{how}",
        advice=_TAILS,
    ),
    "rarest_visible_level": Phrase(
        seen="the loss of a level that holds {value} of the rows would just be seen",
        advice="Judge a larger batch to see rarer levels.",
    ),
    "log_det_change": Phrase(
        seen="the log-determinant of the rows' covariance changed by {value}", advice=_VARIED
    ),
    "entropy_change": Phrase(seen="the entropy of columns changed by {value}", advice=_VARIED),
    "vendi_1": Phrase(seen="rows are as varied as {value} (Vendi score)", advice=_VARIED),
    "vendi_2": Phrase(seen="rows are as varied as {value} (Vendi score, order 2)", advice=_VARIED),
    "vendi_inf": Phrase(
        seen="rows are as varied as {value} (Vendi score, order infinity)", advice=_VARIED
    ),
    "duplicate_share": Phrase(seen="{value} of the rows repeat another row", advice=_VARIED),
    "effective_row_share": Phrase(
        seen="repeats leave {value} of the rows that count as different", advice=_VARIED
    ),
    "coverage": Phrase(
        seen="{value} of the reference's neighbourhoods hold a row of the candidate",
        advice=_PLACES,
    ),
    "density": Phrase(
        seen="rows crowd the reference's neighbourhoods {value} times as much as its own",
        advice=_PLACES,
    ),
    "precision": Phrase(
        seen="{value} of the rows lie in a neighbourhood of the reference", advice=_PLACES
    ),
    "recall": Phrase(
        seen="{value} of the reference's rows lie in a neighbourhood of the candidate",
        advice=_PLACES,
    ),
    "mode_left": Phrase(
        seen="of the mode that lost most, {value} of the share is left{how}", advice=_PLACES
    ),
    "modes_lost": Phrase(seen="modes that are more than half gone: {value}", advice=_PLACES),
    "exact_copies": Phrase(
        seen="{value} of the candidate's rows equal a row of the reference",
        advice=_COPIED,
    ),
    "reappearing_rows": Phrase(
        seen="{value} of the reference's rows reappear in the candidate",
        advice=_COPIED,
    ),
    "near_copies": Phrase(
        seen="{value} of the reference's rows have a near copy in the candidate",
        advice=_COPIED,
    ),
    "authenticity": Phrase(
        seen="{value} of the candidate's rows lie farther from their nearest reference row than "
        "that row lies from its own nearest",
        advice=_COPIED,
    ),
    "data_copying": Phrase(
        seen="candidate rows crowd around reference rows, unlike a holdout's rows: the "
        "data-copying statistic is {value}",
        advice=_COPIED,
        unclear="candidate rows lie about as near to reference rows as a holdout's do: the "
        "data-copying statistic is {value}",
    ),
    "repeated_rows": Phrase(
        seen="{value} of the candidate's rows repeat another row of the candidate",
        advice="Drop rows that occur twice, or find out why the source repeats itself.",
    ),
    "lattice_columns": Phrase(
        seen="columns whose values lie on an even grid with a step that nobody rounds to: "
        "{value}{listed}",
        advice=_MADE,
    ),
    "register_columns": Phrase(
        seen="columns with exactly 8, 16, 32 ... levels, as a register of bits has: "
        "{value}{listed}",
        advice=_MADE,
    ),
    "piled_columns": Phrase(
        seen="columns whose values pile up at the smallest or the largest one: {value}{listed}",
        advice="Find out what cuts the values off.",
    ),
    "even_digit_columns": Phrase(
        seen="columns whose last digits are more even than chance makes them: {value}{listed}",
        advice=_MADE,
    ),
    "exact_equations": Phrase(
        seen="exact equations between columns that the reference breaks: {value}{listed}",
        advice=_MADE,
    ),
    "determined_columns": Phrase(
        seen="columns that another one determines, where the reference has exceptions: "
        "{value}{listed}",
        advice=_MADE,
    ),
    "twin_rows": Phrase(
        seen="{value} of the rows equal another in every column whose values hardly repeat",
        advice="Find out why rows occur twice.",
    ),
    "support_bits": Phrase(seen="{value} would number the candidate's distinct rows", advice=_MADE),
    "known_synthetic_share": Phrase(
        seen="{value} of the rows are known to come from a generator{how}",
        advice="Ask where the batch comes from; take the known rows out, or real rows instead.",
    ),
    "quarantined_share": Phrase(
        seen="{value} of the rows can be named that do not look like the reference's",
        advice="Hold the named rows back; `detector gate --rows FILE` writes their list.",
    ),
    "training_log_det_change": Phrase(
        seen="the spread of what is trained on changed by {value} in log determinant{how}",
        advice="Keep real rows in every training (`accumulate`, `fixed` or `fresh` with a real "
        "share), or train on more rows.",
        untold="Ask for more generations, or leave out columns that others nearly determine: a "
        "recipe that breaks such a tie spreads the rows at once, and hides later losses.",
    ),
    "risk_increase": Phrase(
        seen="the distance to real rows rose by {value} between generation 1 and the last one",
        advice="Stop before the generation at which the distance to real rows begins to rise.",
        unclear="the distance to real rows changed by {value} between generation 1 and the last",
    ),
    "rare_recall_change": Phrase(
        seen="trained on the candidate, a model finds the rarest class of {subject} less often "
        "than trained on the reference: recall changed by {value}",
        advice=_LEARN,
        unclear="trained on the candidate, a model finds the rarest class of {subject} about as "
        "often as trained on the reference: recall changed by {value}",
    ),
    "recall_change": Phrase(
        seen="the mean recall of {subject} changed by {value} when trained on the candidate",
        advice=_LEARN,
    ),
    "error_change": Phrase(
        seen="the error in predicting {subject} changed by {value} when trained on the candidate",
        advice=_LEARN,
    ),
    "foreign_share": Phrase(
        seen="at least {least} of the rows are foreign, by contamination or by drift; the best "
        "guess is {value}",
        advice="Look at the rows that stand out. Give known synthetic rows with `--synthetic` to "
        "tell contamination from drift.",
        unclear="no share of foreign rows is certain; the best guess is {value}",
    ),
    "synthetic_share": Phrase(
        seen="{value} of the rows are like the known synthetic rows",
        advice="Ask for real rows, or let the batch be a smaller part of the training set.",
    ),
    "ordered_columns": Phrase(
        seen="columns in an order that no shuffle leaves, unlike the reference's: {value}{listed}",
        advice="Shuffle before training. A sampler that returns sorted states or a chain leaves "
        "such an order, and so does a sorted export.",
    ),
}

_LETTERS = {"auc": "AUC", "mmd": "MMD", "declared_real_auc": "AUC"}

GAP_ADVICE: Mapping[Reason, str] = {
    Reason.TOO_FEW_GROUPS: "Judge a batch with more groups.",
    Reason.NO_COMMON_COLUMNS: "Compare two tables with the same column names.",
    Reason.NEEDS_ROWS: "Use a reference profile that keeps a sample of rows.",
    Reason.NEEDS_HOLDOUT: "Give a holdout.",
    Reason.NEEDS_SYNTHETIC: "Give a synthetic sample.",
    Reason.NEEDS_REGISTRY: "Collect known rows with `detector registry add`.",
    Reason.NEEDS_MANIFEST: "Write a provenance manifest beside the candidate.",
    Reason.MISSING_EXTRA: "Install the extra that the check needs.",
    Reason.FIT_FAILED: "Look at the recipe; what was computed before is in the report.",
    Reason.NOT_IDENTIFIABLE: "Nothing shows it, which is not to say that there is none.",
    Reason.CHECK_FAILED: "Report this as a bug; nothing was learned about the batch from it.",
}


def gap_advice(gap: Gap) -> str:
    """Return what to do about what could not be measured; nothing where nothing can be done."""
    known = PHRASES.get(gap.name)
    if gap.reason is Reason.NOT_IDENTIFIABLE and known and known.untold:
        return known.untold
    return GAP_ADVICE.get(gap.reason, "")


def seen(finding: Finding, *, corrected_p: float | None = None) -> str:
    """Return what was seen and how sure it is, without a judgement."""
    measurement = finding.outcome
    sure = []
    if isinstance(measurement, Measurement):
        if corrected_p is not None and measurement.null_value:
            sure.append(f"by chance {quantity(measurement.null_value, measurement)}")
        if measurement.interval:
            sure.append(f"95 % interval {interval(measurement)}")
        if corrected_p is not None:
            sure.append(p_text(corrected_p))
    said = brief(finding)
    return f"{said} ({', '.join(sure)})" if sure else said


def brief(finding: Finding) -> str:
    """Return what was seen."""
    outcome = finding.outcome
    looked_at = subject(finding.subject)
    if isinstance(outcome, Gap):
        name = _LETTERS.get(outcome.name, outcome.name.replace("_", " "))
        return f"the {name} of {looked_at} could not be measured"
    return _wording(outcome).format(
        subject=looked_at,
        value=quantity(outcome.value, outcome),
        least=quantity(min(outcome.interval or (outcome.value,)), outcome),
        listed=_listed(finding.evidence),
        how=_how(finding.evidence),
    )


def _wording(measurement: Measurement) -> str:
    """Return the wording that fits where the interval lies."""
    said, null = phrase(measurement), measurement.null_value
    if measurement.interval is None or null is None:
        return said.seen
    low, high = measurement.interval
    if high < null:
        return said.below or said.seen
    return (low <= null and said.unclear) or said.seen


def sentence(*clauses: str) -> str:
    """Return a sentence: clauses joined by a colon, a capital in front, a full stop behind.

    >>> sentence("the table is small", "look again")
    'The table is small: look again.'
    """
    joined = ": ".join(clause for clause in clauses if clause).rstrip(".")
    return f"{joined[:1].upper()}{joined[1:]}."


def phrase(measurement: Measurement) -> Phrase:
    """Return how to speak of a measurement; any check may be spoken of."""
    spaced = measurement.name.replace("_", " ")
    return PHRASES.get(measurement.name) or Phrase(
        seen=f"the {spaced} of {{subject}} is {{value}}",
        advice=f"Look at what drives the {spaced}.",
    )


def subject(looked_at: Subject) -> str:
    """Return a subject as a sentence names it."""
    if not looked_at.columns:
        return "the table" if looked_at.kind is SubjectKind.TABLE else f"the {looked_at.kind}"
    return " and ".join(quoted(name) for name in looked_at.columns)


def quoted(name: str) -> str:
    """Return a column name in quotes, cut if it is longer than a sentence bears.

    >>> quoted("age"), len(quoted("x" * 1_000_000))
    ('`age`', 63)
    """
    return f"`{name}`" if len(name) <= LONGEST_NAME else f"`{name[:LONGEST_NAME]}…`"


def number(value: float) -> str:
    """Return a number as people write it, with three digits that count at most.

    >>> [number(value) for value in (0.0, 0.5123, 12.0, 12345.6, 0.000012, -3.0)]
    ['0', '0.512', '12', '12,346', '1.2e-05', '-3']
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2g}" if 0 < abs(value) < 0.01 else f"{value:.3g}"


def percent(share: float) -> str:
    """Return a share as a percentage.

    >>> [percent(share) for share in (0.0, 0.051, 1.0, 0.00012)]
    ['0 %', '5.1 %', '100 %', '0.012 %']
    """
    return f"{number(100 * share)} %"


def quantity(value: float, measurement: Measurement) -> str:
    """Return a value in the unit of a measurement."""
    if measurement.unit == SHARE:
        return percent(value)
    return number(value) if measurement.unit == "1" else f"{number(value)} {measurement.unit}"


def interval(measurement: Measurement) -> str:
    """Return a measurement's interval, the unit said once."""
    low, high = measurement.interval or (measurement.value, measurement.value)
    if measurement.unit == SHARE:
        return f"{number(100 * low)} to {percent(high)}"
    return f"{number(low)} to {number(high)}"


def p_text(p_value: float) -> str:
    """Return a p-value as people write it, never as zero.

    >>> p_text(0.5), p_text(0.0123), p_text(1e-300)
    ('p = 0.5', 'p = 0.012', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def listed(names: tuple[str, ...], *, most: int = 5) -> str:
    """Return names as a list, the first few of them.

    >>> listed(("a", "b")), listed(tuple("abcdefg"), most=2)
    ('`a`, `b`', '`a`, `b` and 5 more')
    """
    shown = ", ".join(quoted(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _listed(evidence: Mapping[str, object]) -> str:
    """Return the columns that a finding lists, with a colon before them."""
    columns = evidence.get("columns")
    if not isinstance(columns, list | tuple) or not columns:
        return ""
    names = (each.get("name") if isinstance(each, dict) else each for each in columns)
    return f": {listed(tuple(map(str, names)))}"


def _how(evidence: Mapping[str, object]) -> str:
    """Return in which direction it went, or from what to what."""
    before, after = evidence.get("reference"), evidence.get("candidate")
    if isinstance(before, int | float) and isinstance(after, int | float):
        return f", from {number(before)} to {number(after)}"
    direction = evidence.get("direction")
    return f", {direction}" if isinstance(direction, str) else ""
