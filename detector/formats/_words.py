"""Numbers, states and names in words that need no course in statistics."""

from __future__ import annotations

from detector.findings import Measurement, Reason
from detector.formats._escape import visible
from detector.verdicts import Decision, Level

DECISIONS = {
    Decision.ADMIT: "This batch may enter training.",
    Decision.CAP: "This batch may enter as part of a training set, not as all of it.",
    Decision.QUARANTINE: "Hold back the listed rows; the rest may enter.",
    Decision.UNDECIDED: "This batch cannot be judged yet.",
    Decision.REJECT: "Do not train on this batch.",
}

LEVELS = {
    Level.PASS: "Pass",
    Level.WARN: "Warning",
    Level.UNKNOWN: "Undecided",
    Level.FAIL: "Fail",
}

CHECKS = {
    "schema": ("Columns and values", "Are the expected columns there, with values as expected?"),
    "marginals": ("Single columns", "Does each column, taken alone, look the same?"),
    "dependence": ("Pairs of columns", "Do columns still move together as they did?"),
    "joint": ("Whole rows", "Do whole rows, all columns at once, look the same?"),
    "discriminator": (
        "Telling rows apart",
        "Can a trained model tell the two sides apart?",
    ),
    "indistinguishability": ("Proof of sameness", "Is it shown that rows cannot be told apart?"),
    "provenance": ("Declared origin", "Does the batch match what its manifest declares?"),
    "tails": ("Rare cases", "Are the rare values, levels and rows still there?"),
    "diversity": ("Variety", "Are rows as varied as the reference's?"),
    "coverage": ("Places and modes", "Does the batch fill every place that the reference fills?"),
    "copies": ("Copied rows", "Are rows copied from the reference, or from each other?"),
    "fingerprints": ("Marks of making", "Does the batch carry marks of how it was made?"),
    "known_synthetic": ("Known synthetic rows", "Are rows known to come from a generator?"),
    "quarantine": ("Rows to hold back", "Which rows do not belong, and why?"),
    "audit": ("Recursive training", "Does the recipe collapse when it learns from itself?"),
    "lineage": ("Lineage", "Do the generations drift away from the first one?"),
    "utility": ("Use in training", "Does a model learn as much from the batch?"),
    "contamination": ("Foreign rows", "How much of the batch comes from elsewhere?"),
    "alibi_mmd": ("alibi-detect: kernel test", "Do whole rows look the same to alibi-detect?"),
    "alibi_lsdd": ("alibi-detect: densities", "Do whole rows lie as densely for alibi-detect?"),
    "alibi_learned_kernel": (
        "alibi-detect: trained kernel",
        "Do whole rows look the same to a kernel that alibi-detect trains?",
    ),
    "alibi_classifier": (
        "alibi-detect: classifier",
        "Can a network of alibi-detect tell the two sides apart?",
    ),
    "alibi_spot_the_diff": (
        "alibi-detect: the difference",
        "Does alibi-detect find one difference that tells the two sides apart?",
    ),
    "alibi_context_mmd": (
        "alibi-detect: beyond context",
        "Do rows differ beyond what their context explains, for alibi-detect?",
    ),
}
"""A title and a question in plain words for each check that comes with the product."""

MEASUREMENTS = {
    "alibi_classifier": "alibi-detect's KS distance of a classifier",
    "alibi_context_mmd": "alibi-detect's MMD² given the context",
    "alibi_learned_kernel": "alibi-detect's MMD² of a trained kernel",
    "alibi_lsdd": "alibi-detect's LSDD",
    "alibi_mmd": "alibi-detect's MMD²",
    "alibi_spot_the_diff": "alibi-detect's KS distance of one difference",
    "association_change": "change of association",
    "auc": "AUC",
    "declared_real_auc": "AUC of rows declared real",
    "dependence_change": "change of dependence",
    "missing_rate_change": "change of missing share",
    "mmd": "MMD",
    "total_variation": "total variation",
    "wasserstein": "Wasserstein distance",
    "effective_row_share": "effective share of rows",
    "entropy_change": "change of entropy",
    "extreme_mass": "mass beyond 0.1 and 99.9 %",
    "joint_tail_mass": "share of far-out rows",
    "log_det_change": "change of log-determinant",
    "lost_level_mass": "mass of lost levels",
    "mode_left": "share of a mode left",
    "tail_mass": "mass beyond 1 and 99 %",
    "vendi_1": "Vendi score",
    "vendi_2": "Vendi score, order 2",
    "vendi_inf": "Vendi score, order infinity",
    "authenticity": "share of authentic rows",
    "near_copies": "share of reference rows with a near copy",
    "exact_copies": "share of exact copies",
    "reappearing_rows": "share of reference rows that reappear",
    "repeated_rows": "share of repeated rows",
    "data_copying": "data-copying statistic",
    "lattice_columns": "columns on an even grid",
    "register_columns": "columns with 2^k levels",
    "piled_columns": "columns that pile up at an edge",
    "even_digit_columns": "columns with too even digits",
    "twin_rows": "share of twin rows",
    "support_bits": "bits of the distinct rows",
    "known_synthetic_share": "share of known synthetic rows",
    "quarantined_share": "share of rows to hold back",
    "training_log_det_change": "change of spread (log determinant)",
    "log_det": "log determinant",
    "training_log_det": "log determinant of the next training",
    "gini": "diversity of levels",
    "entropy": "entropy of levels",
    "effective_rows": "effective rows",
    "levels_kept": "levels left",
    "rare_kept": "rare levels left",
    "hallucinated": "rows far from any real one",
    "correlation_kept": "strength of correlations",
    "risk": "distance to real rows",
    "risk_slope": "slope of the distance",
    "scaling_exponent": "exponent of risk in rows",
    "risk_increase": "rise of the distance",
    "error_change": "change of error",
    "rare_recall_change": "change of recall, rarest class",
    "recall_change": "change of recall, mean of classes",
    "foreign_share": "share of foreign rows",
    "synthetic_share": "share of synthetic rows",
    "ordered_columns": "columns in an order",
}
"""Names of measurements that are not their technical name with spaces; the glossary has more."""

REASONS = {
    Reason.TOO_FEW_ROWS: "too few rows",
    Reason.TOO_FEW_GROUPS: "too few groups of rows",
    Reason.NO_COMMON_COLUMNS: "no column in common",
    Reason.COLUMN_ABSENT: "the column is absent",
    Reason.CONSTANT_COLUMN: "the column never varies",
    Reason.ALL_MISSING: "every value is missing",
    Reason.KIND_NOT_SUPPORTED: "not defined for this kind of column",
    Reason.NEEDS_ROWS: "needs rows, and the profile holds none",
    Reason.NEEDS_HOLDOUT: "needs a holdout",
    Reason.NEEDS_SYNTHETIC: "needs a synthetic sample",
    Reason.NEEDS_MANIFEST: "needs a provenance manifest",
    Reason.NEEDS_REGISTRY: "needs a registry of known rows",
    Reason.MISSING_EXTRA: "needs an optional package",
    Reason.NOT_IDENTIFIABLE: "these rows cannot tell",
    Reason.CHECK_FAILED: "the check itself failed",
    Reason.FIT_FAILED: "the recipe failed",
}


def check_title(name: str) -> str:
    """Return a check's title in plain words, safe to show."""
    return CHECKS[name][0] if name in CHECKS else visible(name.replace("_", " ").capitalize())


def measurement(name: str) -> str:
    """Return what a measurement is called, safe to show."""
    return MEASUREMENTS.get(name) or visible(name.replace("_", " "))


def number(value: float) -> str:
    """Return a number with three significant digits.

    >>> [number(value) for value in (0.0, 0.51234, -2.0, 1234567.8, 0.0000123)]
    ['0', '0.512', '-2', '1,234,568', '1.23e-05']
    """
    size = abs(value)
    return f"{value:,.0f}" if 1000 <= size < 1e12 else f"{value:.3g}"


def percent(share: float) -> str:
    """Return a share of rows as a percentage.

    >>> [percent(share) for share in (0.0, 0.0004, 0.052, 0.5)]
    ['0 %', '<0.1 %', '5.2 %', '50 %']
    """
    if 0 < abs(share) < 0.001:
        return "<0.1 %" if share > 0 else ">-0.1 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def p_value(value: float | None) -> str:
    """Return a p-value, never as zero.

    >>> [p_value(value) for value in (None, 3e-9, 0.0123, 0.5, 1.0)]
    ['', '< 0.001', '0.012', '0.5', '1']
    """
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def quantity(value: float | None, unit: str) -> str:
    """Return a number with its unit, or nothing."""
    if value is None:
        return ""
    if unit == "share":
        return percent(value)
    return number(value) if unit == "1" else f"{number(value)} {visible(unit, limit=20)}"


def interval(found: Measurement) -> str:
    """Return a measurement's 95 % interval, or nothing."""
    if found.interval is None:
        return ""
    low, high = found.interval
    if found.unit == "share":
        return f"{number(100 * low)} to {percent(high)}"
    return f"{number(low)} to {number(high)}"


def count(rows: int, noun: str) -> str:
    """Return a count with its noun.

    >>> count(1, "row"), count(12_000, "row")
    ('1 row', '12,000 rows')
    """
    return f"{rows:,} {noun}" if rows == 1 else f"{rows:,} {noun}s"


def chance(probability: float) -> str:
    """Return how often chance alone would do it, as people say it.

    >>> chance(1e-9), chance(0.0012), chance(0.2)
    ('in fewer than 1 of a million batches', 'in about 1 of 830 batches', 'in about 1 of 5 batches')
    """
    if probability < 1e-6:
        return "in fewer than 1 of a million batches"
    if probability > 0.5:
        return "in most batches"
    one_in = float(f"{1 / probability:.2g}")
    return f"in about 1 of {one_in:,.0f} batches"
