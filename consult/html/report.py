"""`consult report --html`: the report of a run as one page, with the consultations most worth reading inside it.

Owns what the page shows of a `Report` and which transcripts it takes in. Computes no statistics and reads no store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from consult.clean import one_line
from consult.html import grid
from consult.html.consultation import Reader
from consult.html.matrix import Matrix, matrix
from consult.html.page import render
from consult.html.picture import LineChart, line_chart, share_chart
from consult.report.model import By, LineUp, Report
from consult.report.tables import sections, why_read
from consult.show.names import Names
from consult.show.words import ENDS
from consult.store.transcript import Transcript

NOTABLE: Final = 60
"""Consultations worth reading that are taken into the page, at most: of every line-up the first of its lists."""
AT_FAULT: Final = 8
"""Consultations with the simulated patient at fault that are taken into the page, at most."""
SAMPLED: Final = 12
"""Consultations taken evenly from the whole run, beside those worth reading."""
_TOGETHER: Final = 5
"""Lines of a drawing: as many as can be told apart."""
_LEAST: Final = 0.05
"""A turn that a smaller share of the consultations reached is not drawn: its mean is that of a few."""
_GROUPS: Final[dict[By, str]] = {
    "persona": "Temperament",
    "department": "Department",
    "urgency": "Urgency",
    "condition": "Condition",
    "strategy": "Strategy",
}
_COURSES: Final = {
    "trust": "Trust",
    "belief": "Belief in the right diagnosis",
    "irritation": "Irritation",
    "anxiety": "Anxiety",
}
_COST: Final = ("inquiry.questions", "inquiry.order_cost", "inquiry.new_facts_per_turn")
_OF_MODELS: Final = ("Models", "Diagnoses matched by a model", "Agreement of judges", "Judged by models")
_ONE_SCORE: Final = ("condition",)
"""Groups that are many: shown by the first score only."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A consultation inside the page: why it is there, and what is shown of it."""

    anchor: str
    kinds: tuple[str, ...]
    why: tuple[str, ...]
    line_up: str
    right: bool | None
    reader: Reader


@dataclass(frozen=True, slots=True)
class Grouped:
    """One way of grouping: its table for each score, the first open."""

    by: By
    title: str
    tables: tuple[grid.Grid, ...]


def wanted(report: Report, ids: Sequence[str]) -> list[str]:
    """The consultations to take into the page, each once: notable ones, some at fault, and of `ids` an even sample."""
    place: Counter[tuple[str, str]] = Counter()
    ranked = []
    for n in report.notable:
        ranked.append((place[n.line_up, n.kind], n.consultation))
        place[n.line_up, n.kind] += 1
    first = {consultation for _, consultation in sorted(ranked, key=lambda r: r[0])[:NOTABLE]}
    notable = [n.consultation for n in report.notable if n.consultation in first]
    faults = [f.consultation for f in report.audit.faults[:AT_FAULT]]
    step = max(1, len(ids) // SAMPLED)
    return list(dict.fromkeys([*notable, *faults, *ids[step // 2 :: step][:SAMPLED]]))


def page(report: Report, transcripts: Sequence[Transcript], names: Names) -> str:
    """The page. `transcripts`: those of `wanted`; `names`: the words for ids."""
    embedded = _embedded(report, transcripts, names)
    return render(
        "report.html.jinja",
        scripts=("common.js", "report.js"),
        report=report,
        headline=_headline(report),
        without_faults=_without_faults(report),
        groups=[g for by in _GROUPS if (g := _grouped(report, by, names))],
        temperaments=_temperaments(report),
        doses=report.doses,
        matrices=_matrices(report, names),
        courses=_courses(report),
        calibrations=_calibrations(report),
        maque=_maque(report),
        repeats=_repeats(report),
        cost=_line_ups(report, "Score", [s for s in _COST if s in report.line_ups[0].scores]),
        everything=_line_ups(report, "Score", list(report.line_ups[0].scores)),
        models=[s for s in sections(report) if s.title in _OF_MODELS],
        silent=_silent(report),
        stops=[(_end(reason), n) for reason, n in report.counts.stop_reasons.items()],
        embedded=embedded,
        at={e.reader.header.consultation_id: e for e in embedded},
        name=names.of,
        why_read=why_read,
        score_name=grid.score_name,
        not_embedded=report.design.consultations - len(embedded),
    )


def _end(reason: str) -> str:
    return next((words for end, words in ENDS.items() if end == reason), one_line(reason).replace("_", " "))


def _line_ups(report: Report, first: str, scores: Sequence[str]) -> grid.Grid:
    columns = tuple(u.name for u in report.line_ups)
    rows = grid.by_score({u.name: u.scores for u in report.line_ups}, scores, columns)
    return grid.Grid("", first, columns, rows)


def _headline(report: Report) -> grid.Grid:
    return _line_ups(report, "Score", report.headline)


def _without_faults(report: Report) -> grid.Grid | None:
    """The headline once more, without the consultations whose patient was at fault; None where there are none."""
    if not report.counts.at_fault:
        return None
    columns = tuple(u.name for u in report.line_ups)
    rows = grid.by_score({u.name: u.without_faults for u in report.line_ups}, report.headline, columns)
    return grid.Grid("", "Score", columns, rows)


def _grouped(report: Report, by: By, names: Names) -> Grouped | None:
    found = [g for g in report.groups if g.by == by]
    if not found:
        return None
    columns = tuple(u.name for u in report.line_ups)
    if by == "strategy":
        columns = tuple(dict.fromkeys(g.line_up for g in found))
    fields = {(g.name, g.line_up): g for g in found}
    rows = list(dict.fromkeys(g.name for g in found))
    scores = report.headline[:1] if by in _ONE_SCORE else report.headline
    tables = []
    for score in scores:
        listed = [
            (names.of(row), score, [g.scores.get(score) if (g := fields.get((row, c))) else None for c in columns])
            for row in rows
        ]  # fmt: skip
        tables.append(grid.Grid(grid.score_name(score), _GROUPS[by], columns, grid.estimates(listed, score)))
    return Grouped(by, _GROUPS[by], tuple(tables))


def _temperaments(report: Report) -> tuple[grid.Grid, ...]:
    """A table for each score: what each persona does to it, by line-up."""
    columns = tuple(u.name for u in report.line_ups)
    by_score: dict[str, dict[tuple[str, str], Any]] = {}
    for t in report.temperaments:
        by_score.setdefault(t.score, {})[t.persona, t.line_up] = t.difference
    out = []
    for score, found in by_score.items():
        personas = dict.fromkeys(persona for persona, _ in found)
        rows = [(p.capitalize(), [found.get((p, c)) for c in columns]) for p in personas]
        out.append(grid.Grid(grid.score_name(score), "Temperament", columns, grid.differences(rows, score)))
    return tuple(out)


def _matrices(report: Report, names: Names) -> list[tuple[str, list[Matrix]]]:
    return [(u.name, [matrix(c, names) for c in u.classifications]) for u in report.line_ups]


def _courses(report: Report) -> list[LineChart]:
    out = []
    for what, title in _COURSES.items():
        lines = [(u.name, points) for u in report.line_ups if (points := _course(u, what))]
        for n in range(0, len(lines), _TOGETHER):
            shown = lines[n : n + _TOGETHER]
            turns = max(turn for _, points in lines for turn, _ in points)
            text = f"{title} over the questions asked, mean of each line-up, from 0 to 100 %."
            out.append(line_chart(title, text, shown, turns=turns))
    return out


def _course(line_up: LineUp, what: str) -> list[tuple[int, float]]:
    enough = _LEAST * max((p.n for p in line_up.course), default=0)
    return [(p.turn, value) for p in line_up.course if (value := getattr(p, what)) is not None and p.n >= enough]


def _calibrations(report: Report) -> list[tuple[LineUp, LineChart]]:
    out = []
    for u in report.line_ups:
        if u.calibration is not None:
            points = [
                (b.confidence, b.accuracy)
                for b in u.calibration.bins
                if b.confidence is not None and b.accuracy is not None
            ]
            text = "How often the first diagnosis is right, against the probability given to it; on the diagonal they agree."
            out.append((u, share_chart(u.name, text, [("right", points), ("as said", [(0.0, 0.0), (1.0, 1.0)])])))
    return out


def _maque(report: Report) -> grid.Grid | None:
    families = dict.fromkeys((m.family, m.score) for u in report.line_ups for m in u.maque)
    if not families:
        return None
    columns = tuple(u.name for u in report.line_ups)
    found = {(m.family, u.name): m.value for u in report.line_ups for m in u.maque}
    rows = [(family.capitalize(), score, [found.get((family, c)) for c in columns]) for family, score in families]
    made = grid.estimates(rows)
    named = tuple(grid.Row(r.name, s, r.cells) for r, (_, s) in zip(made, families, strict=True))
    return grid.Grid("MAQuE's families", "Family", columns, named)


def _repeats(report: Report) -> grid.Grid | None:
    line_ups = [u for u in report.line_ups if u.repeats is not None]
    if not line_ups:
        return None
    ks = sorted({k for u in line_ups if u.repeats for k in u.repeats.pass_hat_k})
    top1 = "diagnosis.top1"
    rows = [(f"pass^{k}", top1, [u.repeats.pass_hat_k.get(k) if u.repeats else None for u in line_ups]) for k in ks]
    rows.append(("flip rate", top1, [u.repeats.flip_rate if u.repeats else None for u in line_ups]))
    return grid.Grid("Repeated epochs", "Measure", tuple(u.name for u in line_ups), grid.estimates(rows, top1))


def _silent(report: Report) -> list[str]:
    """Models of line-ups whose transcripts say nothing of what they took."""
    specs = {spec for u in report.line_ups if not u.taken for spec in u.agents.values()}
    return sorted(s for s in specs if s.startswith("llm:"))


def _embedded(report: Report, transcripts: Sequence[Transcript], names: Names) -> list[Embedded]:
    notable: dict[str, list[Any]] = {}
    for n in report.notable:
        notable.setdefault(n.consultation, []).append(n)
    faults = {f.consultation: f for f in report.audit.faults}
    out = []
    for number, t in enumerate(transcripts, 1):
        found = notable.get(t.id, [])
        kinds = tuple(dict.fromkeys([n.kind for n in found] + (["at fault"] if t.id in faults else []))) or ("sample",)
        why = tuple(why_read(n, names.of) for n in found)
        reader = Reader(t, names)
        answer = reader.answer()
        line_up = found[0].line_up if found else _line_up_of(report, t)
        right = answer.right if answer is not None and answer.judged else None
        out.append(Embedded(f"c{number}-", kinds, why, line_up, right, reader))
    return out


def _line_up_of(report: Report, t: Transcript) -> str:
    agents = dict(t.header.agents)
    return next((u.name for u in report.line_ups if u.agents == agents), agents.get("inquirer", "?"))
