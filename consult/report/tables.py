"""The tables of a report and of a comparison, as words: what the terminal prints and what Markdown holds, made once for both.

Draws from `model` alone. Must not read the store or compute a statistic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from consult.report.classified import Classification
from consult.report.comparison import Comparison
from consult.report.model import By, Counts, Difference, Estimate, LineUp, Notable, Report

NONE: Final = "–"
_TITLES: Final[dict[By, str]] = {
    "persona": "By persona",
    "condition": "By condition",
    "department": "By department",
    "urgency": "By urgency",
    "strategy": "By strategy",
}
_NAMED: Final = ("condition", "department")
"""What a report is grouped by that has a name in the knowledge or the hospital."""
_WHAT: Final = {"label": "label of 3MDBench", "condition": "condition", "urgency": "urgency"}


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its title and what must be said above it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: str = ""
    brief: bool = False
    """Whether a summary shows it too."""


Name = Callable[[str], str]
"""The words for the id of a condition or a department."""


def sections(r: Report, name: Name = str) -> Iterator[Section]:
    """Every table of a report, in the order to be read."""
    made = chain(
        _headline(r), _counts(r), _without_faults(r), _judged(r), _taken(r), _matched(r), _answers(r), _repeats(r), _groups(r, name),
        _temperaments(r), _doses(r),
        _maque(r), _all_scores(r), _missing(r), _urgencies(r), _confused(r, name), _calibration(r), _listed(r, name),
    )  # fmt: skip
    return (section for section in made if section.rows)


def figure(e: Estimate | None) -> str:
    """A mean with its interval."""
    if e is None or e.mean is None:
        return NONE
    within = f" ({_short(e.low)} to {_short(e.high)})" if e.low is not None and e.high is not None else ""
    return f"{_short(e.mean)}{within}"


def _short(value: float | None) -> str:
    return NONE if value is None else f"{value:.3g}"


def _signed(d: Difference) -> str:
    within = f" ({d.low:+.3g} to {d.high:+.3g})" if d.low is not None and d.high is not None else ""
    return f"{d.mean:+.3g}{within}"


def p_value(p: float | None) -> str:
    """A p-value, never 0."""
    return NONE if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _names(r: Report) -> tuple[str, ...]:
    return tuple(line_up.name for line_up in r.line_ups)


def _headline(r: Report) -> Iterator[Section]:
    text = f"Means with 95 % intervals, clustered over {r.design.scenarios} scenarios; failures around the doctor left out."
    yield Section("Headline", ("score", *_names(r)), _by_score(r.headline, [x.scores for x in r.line_ups]), text, True)


def _by_score(scores: Sequence[str], columns: Sequence[dict[str, Estimate]]) -> tuple[tuple[str, ...], ...]:
    return tuple((score, *(figure(column.get(score)) for column in columns)) for score in scores)


def _counts(r: Report) -> Iterator[Section]:
    rows = tuple((line_up.name, *_counted(line_up.counts)) for line_up in r.line_ups)
    columns = ("line-up", "consultations", "judged", "failed", "no diagnosis", "patient at fault", "ended by")
    yield Section("Consultations", columns, rows, "", True)


def _counted(c: Counts) -> tuple[str, ...]:
    ends = ", ".join(f"{reason} {n}" for reason, n in c.stop_reasons.items())
    fault = f"{c.at_fault} of {c.audited}"
    return str(c.consultations), str(c.judged), str(c.failed), str(c.abstained), fault, ends


def _without_faults(r: Report) -> Iterator[Section]:
    if r.counts.at_fault:
        text = "The headline without the consultations in which the simulated patient was at fault."
        rows = _by_score(r.headline, [x.without_faults for x in r.line_ups])
        yield Section("Without faults of the patient", ("score", *_names(r)), rows, text, True)


def _judged(r: Report) -> Iterator[Section]:
    """What models judged, each score with how many have it not; and how far the votes agree."""
    rows = [
        (x.name, score, figure(e), str(e.n), str(e.missing))
        for x in r.line_ups
        for score, e in x.scores.items()
        if score.startswith("judge.") and not score.endswith(".agreement")
    ]
    text = "What models judged, beside the scores by rule; what is missing is left out of the mean."
    judged = ("line-up", "score", "mean", "judged", "missing")
    yield Section("Judged by models", judged, tuple(rows), text, brief=False)
    votes = tuple(
        (x.name, a.rubric, ", ".join(a.judges), str(a.units), *map(_short, (a.raw, a.kappa, a.ac1, a.alpha)))
        for x in r.line_ups
        for a in x.agreed
    )
    columns = ("line-up", "rubric", "votes of", "items", "equal", "kappa", "AC1", "alpha")
    text = "Between votes: Cohen's kappa of two, Fleiss' of more; Gwet's AC1; Krippendorff's alpha (interval)."
    yield Section("Agreement of judges", columns, votes, text, brief=True)


def _taken(r: Report) -> Iterator[Section]:
    """What models took, by line-up and role."""
    rows = tuple(
        (
            x.name, t.role, ", ".join(t.models), str(t.consultations), str(t.calls), _count(t.prompt_tokens),
            _count(t.completion_tokens), money(t.cost), money(None if t.cost is None else t.cost / t.consultations),
            _short(t.median), _short(t.p95), str(t.given_back),
        )
        for x in r.line_ups
        for t in x.taken
    )  # fmt: skip
    text = (
        "What models took, as their servers said; what one of them did not say is unknown, not 0. Seconds of an answer: "
        "median and 95th percentile of those that were waited for; a ledger or a cassette gave back the last column."
    )
    columns = (
        "line-up", "role", "model", "in", "calls", "tokens read", "written", "cost", "each", "median s", "95 % s",
        "given back",
    )  # fmt: skip
    yield Section("Models", columns, rows, text, brief=True)


def _matched(r: Report) -> Iterator[Section]:
    """What a model made of names that the knowledge does not match, and what that did to the scores."""
    rows = tuple(
        (
            x.name, m.matcher, str(m.consultations), str(m.named), str(m.asked), str(m.matched), str(m.unanswered),
            f"{_short(m.top1_by_rule)} → {_short(m.top1)}", f"{_short(m.top3_by_rule)} → {_short(m.top3)}",
        )
        for x in r.line_ups
        for m in x.matched
    )  # fmt: skip
    text = (
        "Diagnoses that no name or code of the knowledge matches were put to a model; top-1 and top-3 by rule alone, and with it. "
        "Where it gave no answer that counts, nothing is judged."
    )
    columns = ("line-up", "matcher", "in", "named", "not matched", "by the model", "not judged", "top-1", "top-3")
    yield Section("Diagnoses matched by a model", columns, rows, text, brief=True)


def _count(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def money(cost: float | None) -> str:
    """Dollars."""
    return "unknown" if cost is None else f"${cost:.4g}"


def _answers(r: Report) -> Iterator[Section]:
    rows: list[tuple[str, ...]] = []
    for line_up in r.line_ups:
        for c in line_up.classifications:
            shares = (_short(c.accuracy), _short(c.macro_f1), _short(c.weighted_f1))
            rows.append((line_up.name, _WHAT[c.what], str(c.n), str(c.abstained), str(c.outside), *shares))
            if c.as_3mdbench is not None:
                k = c.as_3mdbench
                kept = (_short(k.accuracy), _short(k.macro_f1), _short(k.weighted_f1))
                rows.append(
                    (line_up.name, f"{_WHAT[c.what]}, 3mdbench way", str(k.n), f"{k.dropped} dropped", "", *kept)
                )
    text = "Abstentions and answers outside the labels count as wrong; the 3mdbench way drops them, to compare with that paper only."
    columns = ("line-up", "by", "cases", "abstained", "outside", "accuracy", "macro F1", "weighted F1")
    yield Section("Answers", columns, tuple(rows), text, True)


def _repeats(r: Report) -> Iterator[Section]:
    those = [(x.name, x.repeats) for x in r.line_ups if x.repeats is not None]
    ks = sorted({k for _, repeats in those for k in repeats.pass_hat_k})
    rows = tuple(
        (name, str(x.cells), *(figure(x.pass_hat_k.get(k)) for k in ks), figure(x.flip_rate)) for name, x in those
    )
    text = (
        "pass^k: the chance that k epochs of a cell are all right; flips: pairs of epochs whose first diagnoses differ."
    )
    columns = ("line-up", "cells", *(f"pass^{k}" for k in ks), "flips")
    yield Section("Over epochs", columns, rows, text, True)


def _groups(r: Report, name: Name) -> Iterator[Section]:
    for by, title in _TITLES.items():
        groups = [g for g in r.groups if g.by == by]
        names = list(dict.fromkeys(g.name for g in groups))
        columns = tuple(dict.fromkeys(g.line_up for g in groups)) if by == "strategy" else _names(r)
        for score in r.headline:
            held = {(g.name, g.line_up): g for g in groups}
            rows = tuple(
                (
                    name(one) if by in _NAMED else one,
                    *(figure(g.scores.get(score)) if (g := held.get((one, x))) else NONE for x in columns),
                )
                for one in names
            )
            brief = score == r.headline[0] and by != "condition" and len(rows) > 1
            yield Section(f"{title}: {score}", (by, *columns), rows, "", brief)


def _temperaments(r: Report) -> Iterator[Section]:
    rows = tuple(
        (t.line_up, t.persona, t.score, _signed(t.difference), p_value(t.difference.adjusted), t.difference.verdict)
        for t in r.temperaments
    )
    base = r.temperaments[0].base if r.temperaments else ""
    columns = ("line-up", "persona", "score", "difference", "p", "verdict")
    text = f"Each persona against {base} on the same scenarios, epochs and seeds; p by Holm over each family of scores."
    first = tuple(row for row in rows if row[2] == r.headline[0])
    yield Section(f"What temperament does to {r.headline[0]}", columns, first, text, True)
    yield Section("What temperament does", columns, rows, text)


def _doses(r: Report) -> Iterator[Section]:
    rows = tuple(
        (
            d.line_up, d.temperament, d.score,
            ", ".join(f"{_short(mean)} at {grade:g}" for grade, mean in zip(d.grades, d.means, strict=True)),
            _signed(d.slope), p_value(d.slope.adjusted), d.slope.verdict,
        )
        for d in r.doses
    )  # fmt: skip
    text = "Slope of the score over the grade of the temperament, within scenarios: the change from grade 0 to 1."
    columns = ("line-up", "temperament", "score", "means", "slope", "p", "verdict")
    yield Section("Grades of temperament", columns, rows, text, brief=False)


def _maque(r: Report) -> Iterator[Section]:
    rows = tuple((x.name, m.family, m.score, figure(m.value)) for x in r.line_ups for m in x.maque)
    text = "After MAQuE (arXiv 2509.24958), which gives no formulas; what stands for each family is ours. Coherence is not scored."
    yield Section("Families of MAQuE", ("line-up", "family", "as", "value"), rows, text)


def _all_scores(r: Report) -> Iterator[Section]:
    names = list(dict.fromkeys(score for x in r.line_ups for score in x.scores))
    yield Section("Every score", ("score", *_names(r)), _by_score(names, [x.scores for x in r.line_ups]))


def _missing(r: Report) -> Iterator[Section]:
    rows = tuple(
        (x.name, m.score, str(m.n), "; ".join(f"{why} ({n})" for why, n in m.reasons.items()))
        for x in r.line_ups
        for m in x.missing
    )
    yield Section(
        "Missing scores",
        ("line-up", "score", "missing", "reasons"),
        rows,
        "Never 0 and never 1: left out of the means.",
    )


def _classes(r: Report, what: str) -> Iterator[tuple[LineUp, Classification]]:
    return ((x, c) for x in r.line_ups for c in x.classifications if c.what == what)


def _urgencies(r: Report) -> Iterator[Section]:
    for line_up, c in _classes(r, "urgency"):
        said = list(dict.fromkeys((*c.labels, *(f.answered for f in c.confusion))))
        held = {(f.gold, f.answered): f.n for f in c.confusion}
        rows = tuple(
            (gold, *(str(held.get((gold, a), 0)) for a in said)) for gold in c.labels if c.labels[gold].support
        )
        yield Section(f"Urgency said by triage: {line_up.name}", ("gold", *said), rows)


def _confused(r: Report, name: Name) -> Iterator[Section]:
    """A full matrix would be wider than any page: what was taken for what, the most frequent first."""
    for line_up, c in _classes(r, "condition"):
        wrong = sorted((f for f in c.confusion if f.gold != f.answered), key=lambda f: (-f.n, f.gold, f.answered))
        rows = tuple((name(f.gold), name(f.answered), str(f.n)) for f in wrong[:30])
        yield Section(f"Taken for something else: {line_up.name}", ("gold", "answered", "times"), rows)


def _calibration(r: Report) -> Iterator[Section]:
    for line_up in r.line_ups:
        c = line_up.calibration
        if c is not None:
            bins = [b for b in c.bins if b.n]
            rows = tuple((f"{b.low:g} to {b.high:g}", str(b.n), _short(b.confidence), _short(b.accuracy)) for b in bins)
            text = f"Expected calibration error {_short(c.ece)}, Brier score {_short(c.brier)}, over {c.n} of {c.of}."
            columns = ("probability said", "times", "mean said", "share right")
            yield Section(f"Calibration of the first diagnosis: {line_up.name}", columns, rows, text)


def why_read(n: Notable, name: Name) -> str:
    """Why a consultation is worth reading."""
    return n.why.replace(n.top, name(n.top)) if n.top else n.why


def _listed(r: Report, name: Name) -> Iterator[Section]:
    rows = tuple(
        (n.kind, n.consultation, n.scenario, n.persona, n.line_up, name(n.gold), why_read(n, name)) for n in r.notable
    )
    columns = ("kind", "consultation", "scenario", "persona", "line-up", "gold", "why")
    yield Section("Worth reading", columns, rows, "`consult show ID` prints one.")
    faults = tuple(
        (f.consultation, f.scenario, f.persona, f.line_up, ", ".join(f"{k} {n}" for k, n in f.breaches.items()))
        for f in r.audit.faults
    )
    text = f"{r.audit.at_fault} in all."
    yield Section("The patient at fault", ("consultation", "scenario", "persona", "line-up", "breaches"), faults, text)
    failed = tuple((f.consultation, f.scenario, f.persona, f.line_up, f.stop_reason, f.detail) for f in r.failures)
    yield Section("Failures", ("consultation", "scenario", "persona", "line-up", "stop reason", "detail"), failed)


def comparison(c: Comparison) -> Section:
    """The table of a comparison."""
    rows = tuple(
        (
            s.score, _short(s.a), _short(s.b), _signed(s.difference), p_value(s.difference.adjusted), str(s.difference.pairs),
            _short(s.difference.smallest), s.difference.verdict,
        )
        if s.difference is not None
        else (s.score, NONE, NONE, NONE, NONE, "0", NONE, "no pair has it")
        for s in c.scores
    )  # fmt: skip
    columns = ("score", "A", "B", "B - A", "p", "pairs", "would have shown", "B is")
    return Section("Scores", columns, rows)
