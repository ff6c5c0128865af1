"""Reports built by hand: every level, gaps, charts, hostile names, many columns."""

from __future__ import annotations

import math

from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse, column, pair
from detector.report import InputSummary, Report
from detector.verdicts import Action, Decision, Level, Verdict

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "::error file=a.py,line=1::gotcha",
    "##[error]gotcha",
    "a|b|c",
    "`rm -rf`",
    "@torvalds",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "=HYPERLINK('http://evil.example','x')",
    "\x1b[31mred\x1b[0m\x07",
    "line\nbreak\r\n::warning::x",
    "total\u202egnp.exe\u2066",
    "zero\u200bwidth\ufeff",
    "nul\x00byte",
    "lone \ud800 surrogate",
    "]]>&amp;<![CDATA[x",
    "-->",
    "</style></svg>",
    "{{ 7*7 }}{% raw %}",
    "#1 heading https://evil.example",
    "[bold red]markup[/bold red]",
    "x" * 1_000_000,
)


def measured(name="wasserstein", value=0.51, **more):
    known = {
        "unit": "spreads",
        "null_value": 0.012,
        "interval": (value - 0.02, value + 0.02),
        "p_value": 1e-12,
        "detectable": 0.034,
        "worse": Worse.HIGHER,
    }
    return Measurement(name=name, value=value, **{**known, **more})


def bell(center, bins=24, low=-3.0, high=3.0):
    places = [low + (high - low) * (place + 0.5) / bins for place in range(bins)]
    weights = [math.exp(-((place - center) ** 2) / 2) for place in places]
    return [weight / sum(weights) for weight in weights]


def histogram(shift=0.8):
    edges = [10 * (-3 + 6 * place / 22) for place in range(23)]
    return {"edges": edges, "reference_share": bell(0.0), "candidate_share": bell(shift)}


def levels():
    return {
        "levels": ["UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX"],
        "reference_share": [0.17, 0.16, 0.15, 0.14, 0.1, 0.08, 0.07, 0.06, 0.04, 0.03],
        "candidate_share": [0.12, 0.19, 0.13, 0.14, 0.09, 0.1, 0.06, 0.02, 0.08, 0.07],
    }


def discriminator():
    return {
        "score_edges": [place / 20 for place in range(21)],
        "reference_share": bell(-1.0, bins=20),
        "candidate_share": bell(1.1, bins=20),
        "columns": [
            {"name": "dep_delay", "importance": 0.41},
            {"name": "carrier", "importance": 0.22},
            {"name": "air_time", "importance": 0.05},
        ],
    }


def finding(check, subject, outcome, evidence=None, rows=(27_004, 29_425)):
    return Finding(
        check=check,
        subject=subject,
        outcome=outcome,
        n_reference=rows[0],
        n_candidate=rows[1],
        evidence=evidence or {},
    )


def verdict(found, level, rule="columns-alike", message="", advice="", **more):
    return Verdict(
        rule=rule,
        finding=found,
        level=level,
        action=more.pop("action", Action.REJECT),
        message=message or f"`{found.subject}` is as in the reference.",
        advice=advice,
        **more,
    )


def report(decision, headline, verdicts, findings=None, **more):
    verdicts = tuple(sorted(verdicts, key=lambda one: -one.level))
    if findings is None:
        findings = [one.finding for one in verdicts]
    known = {
        "inputs": (
            source("reference", "flights-january.parquet", 27_004),
            source("candidate", "flights-july.parquet", 29_425),
        ),
        "policy": {"name": "built-in", "digest": "5f1d0c3ab2e49a7715c0"},
        "seed": 0,
        "versions": {"collapse-detector": "0.1.0", "numpy": "1.26.4", "scipy": "1.12.0"},
        "timings": {"read": 0.42, "checks": 2.71, "judge": 0.01},
    }
    return Report(
        decision=decision,
        headline=headline,
        verdicts=verdicts,
        findings=tuple(findings),
        **{**known, **more},
    )


def source(role, name, rows, columns=()):
    return InputSummary(
        role=role,
        name=name,
        rows=rows,
        digest="9c1185a5c5e9fc54612808977ee8f548b2258d31",
        columns=columns
        or (
            {"name": "dep_delay", "kind": "numeric", "role": "feature"},
            {"name": "carrier", "kind": "category", "role": "feature"},
            {"name": "air_time", "kind": "numeric", "role": "feature"},
            {"name": "month", "kind": "integer", "role": "feature"},
            {"name": "time_hour", "kind": "datetime", "role": "time"},
        ),
        provenance={"origin": "real", "recipe": "export"} if role == "reference" else {},
        sampled_rows=min(rows, 20_000),
    )


def rejected():
    delay = finding("marginals", column("dep_delay"), measured(value=0.512), histogram())
    missing = finding(
        "marginals",
        column("dep_delay"),
        measured("missing_rate_change", 0.021, unit="1", null_value=0.0, interval=(0.018, 0.024)),
    )
    carrier = finding(
        "marginals",
        column("carrier"),
        measured("total_variation", 0.115, unit="1", null_value=0.004, interval=(0.108, 0.122)),
        levels(),
    )
    lost = finding(
        "dependence",
        pair("dep_delay", "arr_delay"),
        measured("association_change", 0.31, unit="1", null_value=0.0, interval=(0.28, 0.34)),
        {"reference": 0.92, "candidate": 0.61},
    )
    apart = finding(
        "discriminator",
        TABLE,
        measured("auc", 0.871, unit="1", null_value=0.5, interval=(0.862, 0.88), detectable=0.507),
        discriminator(),
    )
    joint = finding("joint", TABLE, measured("mmd", 0.0041, unit="1", null_value=0.0, p_value=0.31))
    no_holdout = finding(
        "indistinguishability",
        TABLE,
        Gap(name="copying", reason=Reason.NEEDS_HOLDOUT, detail="pass --holdout with real rows"),
    )
    no_manifest = finding(
        "provenance",
        TABLE,
        Gap(name="manifest", reason=Reason.NEEDS_MANIFEST, detail="no manifest beside the file"),
    )
    constant = finding(
        "marginals",
        column("year"),
        Gap(name="wasserstein", reason=Reason.CONSTANT_COLUMN, detail="always 2013"),
    )
    verdicts = [
        verdict(
            delay,
            Level.FAIL,
            message="`dep_delay` moved by 0.51 spreads (95 % interval 0.49 to 0.53); "
            "at most 0.1 is allowed.",
            advice="Look at how `dep_delay` is produced; retrain on rows of the same season.",
            corrected_p=3e-11,
        ),
        verdict(
            missing,
            Level.WARN,
            rule="missing-alike",
            action=Action.WARN,
            message="`dep_delay` is missing in 2.1 % more rows than in the reference.",
            advice="Find out why values go missing.",
            corrected_p=2e-4,
        ),
        verdict(
            carrier,
            Level.FAIL,
            message="In `carrier` 11.5 % of the rows changed level; at most 10 % may.",
            advice="Compare the levels of `carrier` with those of the reference.",
            corrected_p=1e-9,
        ),
        verdict(
            lost,
            Level.FAIL,
            rule="pairs-alike",
            message="The association of `arr_delay` and `dep_delay` fell from 0.92 to 0.61.",
            advice="Check whether the two columns were sampled or joined apart from each other.",
            corrected_p=4e-8,
        ),
        verdict(
            apart,
            Level.FAIL,
            rule="rows-alike",
            message="A model tells the rows apart with an AUC of 0.871 (0.862 to 0.880); "
            "at most 0.55 is allowed.",
            advice="Start with the columns that give the rows away: `dep_delay`, `carrier`.",
            corrected_p=1e-12,
        ),
        verdict(joint, Level.PASS, message="Whole rows show no difference.", corrected_p=0.62),
        verdict(
            no_holdout,
            Level.UNKNOWN,
            rule="no-copies",
            action=Action.WARN,
            message="Copying was not examined: there is no holdout.",
            advice="Pass real rows that no generator has seen with `--holdout`.",
        ),
        verdict(no_manifest, Level.PASS, rule="declared", message="No manifest; none is required."),
        *(
            verdict(
                finding(
                    "marginals",
                    column(name),
                    measured(value=0.01 + 0.002 * place, p_value=0.2 + 0.1 * place),
                    histogram(0.05),
                ),
                Level.PASS,
                corrected_p=1.0,
            )
            for place, name in enumerate(("distance", "air_time", "hour", "minute"))
        ),
    ]
    return report(
        Decision.REJECT,
        "4 of 13 rules failed: `dep_delay`, `carrier`, one pair of columns and whole rows differ "
        "from the reference.",
        verdicts,
        [*(one.finding for one in verdicts), constant],
    )


def admitted():
    verdicts = [
        verdict(
            finding(
                "marginals",
                column(name),
                measured(value=0.012, p_value=0.4, interval=(0.004, 0.026)),
                histogram(0.02),
            ),
            Level.PASS,
            corrected_p=1.0,
        )
        for name in ("carat", "depth", "table", "price", "x", "y", "z")
    ]
    inputs = (
        source("reference", "diamonds-a.parquet", 26_970),
        source("candidate", "diamonds-b.parquet", 26_970),
    )
    return report(Decision.ADMIT, "All 7 rules pass.", verdicts, inputs=inputs)


def undecided():
    verdicts = [
        verdict(
            finding(
                "discriminator",
                TABLE,
                measured("auc", 0.56, unit="1", null_value=0.5, interval=(0.47, 0.65), p_value=0.1),
                rows=(120, 90),
            ),
            Level.UNKNOWN,
            message="The AUC is 0.56 (0.47 to 0.65): the limit 0.55 lies inside the interval.",
            advice="Bring about 2,100 candidate rows.",
            rows_needed=2_100,
        ),
        *(
            verdict(
                finding(
                    "marginals",
                    column(f"column {place}"),
                    Gap(
                        name="wasserstein",
                        reason=Reason.TOO_FEW_ROWS,
                        detail="2 rows on one side, 8 needed",
                    ),
                ),
                Level.UNKNOWN,
                message="Cannot be measured: 2 rows on one side, 8 needed.",
                advice="Bring more rows.",
                rows_needed=8,
            )
            for place in range(12)
        ),
    ]
    return report(Decision.UNDECIDED, "13 questions have no answer yet.", verdicts)


def empty():
    return report(Decision.ADMIT, "No rule applies.", [], inputs=())


def hostile():
    verdicts = []
    for place, name in enumerate(HOSTILE):
        shown = {
            "levels": [name, "b"],
            "reference_share": [0.2, 0.8],
            "candidate_share": [0.6, 0.4],
        }
        verdicts += [
            verdict(
                finding("marginals", column(name), measured(), shown),
                Level.FAIL,
                rule=name,
                message=f"`{name}` moved: {name}",
                advice=f"Look at `{name}` and {name}.",
            ),
            verdict(
                finding(
                    "dependence",
                    pair(name, "b"),
                    Gap(name=name, reason=Reason.TOO_FEW_ROWS, detail=name),
                ),
                [Level.UNKNOWN, Level.WARN, Level.PASS][place % 3],
                waived=name,
            ),
            verdict(finding(name, TABLE, measured(name, unit=name)), Level.WARN),
        ]
    everything = "".join(HOSTILE[:-1])
    inputs = tuple(
        source(role, everything, 10, ({"name": everything, "kind": "text", "role": everything},))
        for role in ("reference", "candidate", everything)
    )
    return report(
        Decision.REJECT,
        everything,
        verdicts,
        inputs=inputs,
        policy={"name": everything, everything: everything},
        versions={everything: everything},
        timings={everything: 1.0},
    )


def wide(columns):
    """Every fourth column fails, with four measurements a column and a chart for each failure."""
    names = [f"measurement_{place:04d}" for place in range(columns)]
    verdicts = []
    for place, name in enumerate(names):
        bad = place % 4 == 0
        verdicts += [
            verdict(
                finding(
                    "marginals",
                    column(name),
                    measured(kind, value=0.5 + place / 1e4 if bad else 0.01),
                    histogram() if bad else {},
                ),
                Level.FAIL if bad else Level.PASS,
                message=f"`{name}` moved by 0.51 spreads (95 % interval 0.49 to 0.53); "
                "at most 0.1 is allowed.",
                advice=f"Look at how `{name}` is produced.",
                corrected_p=1e-9 if bad else 1.0,
            )
            for kind in ("wasserstein", "kolmogorov_smirnov", "missing_rate", "out_of_range")
        ]
    columns = tuple({"name": name, "kind": "numeric", "role": "feature"} for name in names)
    return report(
        Decision.REJECT,
        "Columns differ.",
        verdicts,
        inputs=tuple(source(role, role, 1_000, columns) for role in ("reference", "candidate")),
    )


ALL = {
    "rejected": rejected,
    "admitted": admitted,
    "undecided": undecided,
    "empty": empty,
    "hostile": hostile,
    "wide": lambda: wide(50),
}
