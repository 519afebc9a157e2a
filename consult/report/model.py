"""The report of a run as data: what every renderer draws from, and nothing else. See docs/report.md.

Owns the shape and no computation. A number that could not be had is null, never 0. Shares are 0..1. Every interval is a 95 %
interval, clustered by scenario. Must not import the store or anything that computes.
"""

from __future__ import annotations

from typing import Literal

from consult.files import Record
from consult.report.classified import Calibrated, Classification

By = Literal["persona", "condition", "department", "urgency", "strategy"]
"""What consultations are grouped by beside the line-up."""


class Estimate(Record):
    """A mean with its interval."""

    mean: float | None
    """Null where no consultation has the score."""
    low: float | None
    """Null where the data cannot give an interval: under two scenarios."""
    high: float | None
    """Likewise."""
    n: int
    """Consultations that have it."""
    missing: int = 0
    """Consultations of the group that do not have it."""
    scenarios: int
    """Clusters: the scenarios that these consultations are of."""
    method: Literal["wilson", "bootstrap"]
    """Wilson for what is 0 or 1, the studentised bootstrap for the rest."""


class Counts(Record):
    """How many consultations there are, and what became of them."""

    consultations: int
    judged: int
    """Came to an end that says something about the doctor; abstentions are among them, and count as wrong."""
    failed: int
    """`infrastructure_error` or `cancelled`: no scores, no wrong answers. Counted here and nowhere else."""
    abstained: int
    """Judged, and no diagnosis was named."""
    audited: int
    at_fault: int
    """The audit found the simulated patient at fault. They stay in every mean; `LineUp.without_faults` leaves them out."""
    stop_reasons: dict[str, int]
    """How many ended so, the most frequent first."""


class Group(Record):
    """The consultations of one line-up that share something: a persona, a condition, a department or an urgency."""

    by: By
    name: str
    """The persona; the gold condition's id; the gold's primary department; the gold's urgency; the inquirer's strategy."""
    line_up: str
    """For `strategy`: the model that inquires, over all its line-ups of that strategy."""
    counts: Counts
    scores: dict[str, Estimate]
    """The headline scores (`Report.headline`)."""


class Repeated(Record):
    """The same cell (scenario, persona, seed) in several epochs."""

    cells: int
    """Cells with two judged epochs or more."""
    pass_hat_k: dict[int, Estimate]
    """By k from 1: the chance that k epochs of a cell, drawn without replacement, are all right (top-1)."""
    flip_rate: Estimate
    """Share of pairs of epochs of a cell whose first diagnoses differ."""


class Missing(Record):
    """A score that some consultations do not have, and why."""

    score: str
    n: int
    reasons: dict[str, int]
    """The reasons that were recorded with their numbers, the most frequent first; at most eight."""


class Point(Record):
    """A turn of the mean course over a line-up's consultations."""

    turn: int
    """Questions asked so far; 0 is the opening."""
    n: int
    """Consultations that got so far."""
    trust: float | None
    irritation: float | None
    anxiety: float | None
    belief: float | None
    """Probability of the accepted conditions, of the inquirers that keep a belief and name them among their first."""


class Maque(Record):
    """The families of MAQuE (arXiv 2509.24958), by what stands for each here; the formulas are ours."""

    family: Literal["coverage", "relevance", "efficiency", "robustness", "adherence", "clarity", "empathy"]
    score: str
    """What it is: a score's name, or what is done to one."""
    value: Estimate


class Taken(Record):
    """What the models of one role took; what is not known of every consultation is null, never 0."""

    role: str
    models: tuple[str, ...]
    """Model ids as returned."""
    consultations: int
    """Those in which it was asked, of `LineUp.looked_into`; the sums are theirs."""
    calls: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: float | None
    """In dollars."""
    measured: int = 0
    """Answers of a server whose time was taken while they were played; of what was played elsewhere it is not known."""
    given_back: int = 0
    """Answers that a ledger or a cassette gave back meanwhile; no part of the two below."""
    median: float | None = None
    """Seconds of one answer."""
    p95: float | None = None
    """The 95th percentile of the same."""


class Agreed(Record):
    """How far the votes of several judges agree on the items of a rubric; see `consult.stats.agreement`."""

    rubric: str
    judges: tuple[str, ...]
    """The judge of each vote."""
    units: int
    """What two votes or more have judged: items, over the consultations that were looked into."""
    raters: int
    raw: float | None
    kappa: float | None
    """Cohen's of two votes, Fleiss' of more."""
    ac1: float | None
    alpha: float | None


class Matched(Record):
    """What a model made of the diagnoses that nothing in the knowledge matches, in consultations that were looked into."""

    matcher: str
    """Its spec."""
    consultations: int
    """Those in which it is settled what was named; all below but `unanswered` is of them."""
    unanswered: int
    """Consultations in which it gave no answer on a name that counts: not judged."""
    named: int
    """Diagnoses named."""
    asked: int
    """Of them, those that nothing in the knowledge matches."""
    matched: int
    """Of those, the ones that the model found a condition for."""
    top1_by_rule: float | None
    """Share of consultations whose first diagnosis is right, without the model."""
    top1: float | None
    """With it."""
    top3_by_rule: float | None
    top3: float | None


class LineUp(Record):
    """Everything about one line-up of agents."""

    name: str
    """The plan's name for it; else the inquirer's spec, with the other roles that differ within the run behind it."""
    agents: dict[str, str]
    """Agent specs by role."""
    counts: Counts
    """What became of its consultations."""
    scores: dict[str, Estimate]
    """Every score of the run, in the order of docs/scoring.md."""
    without_faults: dict[str, Estimate]
    """The headline scores without the consultations in which the simulated patient was at fault."""
    missing: tuple[Missing, ...]
    """Scores that some consultations do not have, and why."""
    maque: tuple[Maque, ...]
    """The families of MAQuE."""
    classifications: tuple[Classification, ...]
    """`label` (if a gold has one), `condition`, `urgency`."""
    calibration: Calibrated | None
    """Null where no probabilities were given."""
    repeats: Repeated | None
    """Null with a single epoch."""
    course: tuple[Point, ...]
    """Mood and belief over turns, in a sample evenly spread."""
    course_of: int
    """Consultations in that sample."""
    looked_into: int
    """Transcripts that were read for calibration and for why scores are missing; all, or a sample evenly spread."""
    taken: tuple[Taken, ...] = ()
    """What models took, by role."""
    agreed: tuple[Agreed, ...] = ()
    """How far judges agree, by rubric."""
    matched: tuple[Matched, ...] = ()
    """What a model made of diagnoses that nothing in the knowledge matches, where one was asked."""
    itself: dict[str, int] = {}
    """Consultations in which a judge was the model that it judged, by who that was."""


class Difference(Record):
    """A paired difference with its interval and test."""

    base: float
    """Mean of what is compared with, over the pairs."""
    mean: float
    """Mean difference."""
    low: float | None
    """Null where the data cannot give an interval: under two scenarios."""
    high: float | None
    """Likewise."""
    p: float | None
    """Of no difference; null under two scenarios."""
    adjusted: float | None
    """p after Holm's correction over its family."""
    smallest: float | None
    """The smallest difference that this design would have shown, with a power of 80 %."""
    pairs: int
    """Pairs of consultations that both have the score."""
    scenarios: int
    """Clusters."""
    test: Literal["mcnemar", "bootstrap"]
    """McNemar for what is 0 or 1."""
    verdict: Literal["better", "worse", "higher", "lower", "not told apart"]
    """Higher and lower for scores of which neither end is the better one."""


class Temperament(Record):
    """What a persona does to a score: the same scenarios, epochs and seeds under it and under the base persona."""

    line_up: str
    persona: str
    base: str
    """Neutral, or the first persona of the run."""
    score: str
    difference: Difference


class Dose(Record):
    """What a temperament does to a score per grade: slope of the score over the grade, within scenarios. Ours."""

    line_up: str
    temperament: str
    score: str
    grades: tuple[float, ...]
    means: tuple[float | None, ...]
    """Mean score at each grade."""
    slope: Difference
    """`mean` is the change from grade 0 to 1 along the line; `base` the mean at the least grade; `pairs` the consultations."""


class Fault(Record):
    """A consultation in which the audit found the simulated patient at fault."""

    consultation: str
    scenario: str
    persona: str
    line_up: str
    breaches: dict[str, int]
    """leaks, unreleased, inventions, contradictions, role_breaks, early_end; only those above 0."""


class Failure(Record):
    """A consultation that failed around the doctor, or whose doctor's model failed."""

    consultation: str
    scenario: str
    persona: str
    line_up: str
    stop_reason: str
    detail: str


class Notable(Record):
    """A consultation worth reading."""

    kind: Literal["worst", "surprising"]
    """Worst: least probability on the right diagnosis. Surprising: unlike most others of its scenario. Ours."""
    consultation: str
    scenario: str
    persona: str
    line_up: str
    epoch: int
    gold: str
    top: str | None
    why: str


class Audit(Record):
    """What the audit of the simulated patient found over the whole run."""

    audited: int
    at_fault: int
    share: Estimate
    """Share of audited consultations at fault."""
    breaches: dict[str, int]
    """How many of each kind, over the consultations of `faults`."""
    faults: tuple[Fault, ...]
    """The first of them, at most 200; `at_fault` counts all."""


class Design(Record):
    """What was run."""

    consultations: int
    scenarios: int
    line_ups: tuple[str, ...]
    personas: tuple[str, ...]
    epochs: int
    seeds: tuple[int, ...]
    """At most twenty."""
    hospitals: tuple[str, ...]
    knowledges: tuple[str, ...]
    conditions: int
    """Different gold conditions."""
    superseded: int
    """Consultations of cells that were run again from changed content: not counted."""
    plan: dict[str, object]
    """As it was stored: what differs from the defaults."""


class Report(Record):
    """The report of a run."""

    format: Literal["consult-report-1"] = "consult-report-1"
    """The shape of this object; another number where it changes."""
    run: str
    """Its name."""
    consult: str
    """Version that made the report."""
    scorers: tuple[str, ...]
    """Hashes of the scorers behind the scores (empty: unknown); more than one: the means mix them."""
    design: Design
    """What was run."""
    counts: Counts
    """What became of all consultations."""
    headline: tuple[str, ...]
    """The scores shown first, and in every group."""
    line_ups: tuple[LineUp, ...]
    """In the order of the plan."""
    groups: tuple[Group, ...]
    """In the order of `By`, then by name, then in the order of the line-ups."""
    temperaments: tuple[Temperament, ...]
    """What each persona does to each headline score, against the base persona."""
    doses: tuple[Dose, ...]
    """Slopes over the grades of a temperament, where there are several."""
    audit: Audit
    """Faults of the simulated patient."""
    failures: tuple[Failure, ...]
    """The first of them, at most 200."""
    notable: tuple[Notable, ...]
    """Consultations worth reading."""
    notes: tuple[str, ...]
    """What a reader must know before the numbers, in sentences."""
