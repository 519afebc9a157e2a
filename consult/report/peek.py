"""What only the transcripts say: probabilities, the course of mood and belief, why scores are missing, the gold's place.

Looks into a sample, evenly spread and the same every time, because reading 100,000 transcripts takes minutes. Must not compute
statistics beyond plain means.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from consult.errors import ConsultError
from consult.knowledge.load import load_knowledge
from consult.report.model import Failure, Fault, Missing, Point
from consult.report.models import JUDGED, USED, Models
from consult.report.table import Table, spread
from consult.store.db import Store
from consult.store.glance import glimpse, lines

SAMPLE: Final = 8000
"""Transcripts looked into for all line-ups together; of each the same number."""
FOLLOWED: Final = 400
"""Of each line-up, those whose moods and beliefs are read too."""
LISTED: Final = 200
"""Consultations that a report names, of each kind."""
_AT_ONCE: Final = 200
_TURNS: Final = 60
"""Turns that a course goes on for."""
_REASONS: Final = 8
_COURSE: Final = ("mood", "belief")
_NULL: Final = '"value":null'
_RIGHT: Final = "diagnosis.top1"
_MOODS: Final = ("trust", "irritation", "anxiety")
_BREACHES: Final = ("leaks", "unreleased", "inventions", "contradictions", "role_breaks", "early_end")


class Gold(NamedTuple):
    """Where the patient of a scenario belongs, and how soon they must be seen."""

    department: str
    urgency: str


@dataclass
class Peeked:
    """What the sampled transcripts of one line-up said."""

    n: int = 0
    followed: int = 0
    """Of them, those that are in the course."""
    said: list[float] = field(default_factory=list)
    """Probability of the first diagnosis, of those that gave one."""
    right: list[bool] = field(default_factory=list)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    """By score."""
    golds: dict[str, Gold] = field(default_factory=dict)
    """By scenario."""
    models: Models = field(default_factory=Models)
    sums: dict[str, list[float]] = field(default_factory=lambda: {k: [0.0] * _TURNS for k in (*_MOODS, "belief")})
    counts: dict[str, list[int]] = field(default_factory=lambda: {k: [0] * _TURNS for k in (*_MOODS, "belief", "all")})

    def add(self, scenario: str, text: str, marks: str | None, *, course: bool) -> None:
        """Take in a transcript; `marks`: what later scorers said instead of its own; `course`: with moods and beliefs."""
        self.n += 1
        self._marked(scenario, text if marks is None else marks)
        turns: list[dict[str, Any]] = []
        accepted: set[str] = set()
        last = 0
        for kind, line in lines(text, *(_COURSE if course else ()), "verdict", "stop", USED):
            if kind == USED:
                self.models.used(line)
                continue
            event = json.loads(line)
            if kind == "verdict":
                accepted = set(event["accepted"])
            elif kind == "stop":
                last = event["turn"]
            else:
                turns.append(event)
        if course:
            self._course(turns, accepted, last)

    def _marked(self, scenario: str, text: str) -> None:
        """Take in what the assessor said."""
        judgements, verdict, missing = [], dict[str, Any](), set[str]()
        for kind, line in lines(text, "verdict", "score", JUDGED):
            if kind == JUDGED:
                judgements.append(line)
            elif kind == "verdict":
                verdict = json.loads(line)
                self._verdict(scenario, verdict)
            elif _NULL in line:
                event = json.loads(line)
                missing.add(event["name"])
                self.reasons.setdefault(event["name"], Counter())[event["reason"] or "not given"] += 1
        self.models.judged(judgements)
        if "by_model" in verdict:
            self.models.verdict(verdict, settled=_RIGHT not in missing)

    def _verdict(self, scenario: str, event: Mapping[str, Any]) -> None:
        self.golds[scenario] = Gold(event["department"]["primary"], event["urgency"])
        first = event["differential"][0] if event["differential"] else {}
        if first.get("probability") is not None:
            self.said.append(first["probability"])
            self.right.append(event["rank"] == 1)

    def _course(self, turns: list[dict[str, Any]], accepted: set[str], last: int) -> None:
        """A value stands until the next one of its kind."""
        self.followed += 1
        values: dict[str, float | None] = dict.fromkeys((*_MOODS, "belief"))
        at = 0
        for turn in range(min(last + 1, _TURNS)):
            while at < len(turns) and turns[at]["turn"] <= turn:
                event = turns[at]
                if event["type"] == "mood":
                    values.update({k: event[k] for k in _MOODS})
                else:
                    values["belief"] = sum(p for name, p in event["top"] if name in accepted)
                at += 1
            self.counts["all"][turn] += 1
            for kind, value in values.items():
                if value is not None:
                    self.sums[kind][turn] += value
                    self.counts[kind][turn] += 1

    @property
    def course(self) -> tuple[Point, ...]:
        """The means by turn."""

        def mean(kind: str, turn: int) -> float | None:
            n = self.counts[kind][turn]
            return round(self.sums[kind][turn] / n, 6) if n else None

        return tuple(
            Point(turn=t, n=n, **{kind: mean(kind, t) for kind in (*_MOODS, "belief")})
            for t, n in enumerate(self.counts["all"])
            if n
        )

    def missing(self, counts: Mapping[str, int]) -> tuple[Missing, ...]:
        """The scores that are missing somewhere (`counts`), with the reasons met."""
        return tuple(
            Missing(score=s, n=n, reasons=dict(_most(self.reasons.get(s, Counter()), _REASONS)))
            for s, n in counts.items()
            if n
        )


def _most(counter: Counter[str], n: int) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))[:n]


def peek(store: Store, part: Table, most: int, version: int | None = None) -> Peeked:
    """Look into at most `most` of the consultations of one line-up, as scored by a version (None: the latest)."""
    chosen = part.select(spread(np.arange(len(part)), most))
    followed = set(spread(np.arange(len(chosen)), FOLLOWED).tolist())
    out = Peeked()
    for start in range(0, len(chosen), _AT_ONCE):
        rows = range(start, min(start + _AT_ONCE, len(chosen)))
        ids = [chosen.ids[row] for row in rows]
        texts, marks, waits = dict(store.texts(ids)), store.marks(ids, version), store.waits(ids)
        for row in rows:  # in the table's order: a sum may not depend on the store's
            if chosen.ids[row] in texts:
                scenario = chosen.text("scenario", row) or ""
                ident = chosen.ids[row]
                out.add(scenario, texts[ident], marks.get(ident), course=row in followed)
                out.models.waited(waits.get(ident, {}))
    return out


def golds(store: Store, table: Table, known: Mapping[str, Gold]) -> tuple[dict[str, Gold], int]:
    """The gold of each scenario, and how many of them come from the knowledge for want of a look at their transcripts."""
    out = dict(known)
    first = np.unique(table.codes["scenario"], return_index=True)[1]
    rest = [int(row) for row in first if table.text("scenario", int(row)) not in out]
    look = rest[:SAMPLE]
    by_id = {table.ids[row]: table.text("scenario", row) or "" for row in look}
    for ident, text in store.texts(list(by_id)):
        for event in glimpse(text, "verdict"):
            out[by_id[ident]] = Gold(event["department"]["primary"], event["urgency"])
    guessed = 0
    for row in rest[SAMPLE:]:
        gold = _of_condition(table.text("knowledge", row) or "", table.text("gold", row) or "")
        if gold is not None:
            guessed += 1
            out[table.text("scenario", row) or ""] = gold
    return out, guessed


def _of_condition(knowledge: str, condition: str) -> Gold | None:
    """As the knowledge places a condition; of sampled scenarios that is their gold."""
    try:
        found = load_knowledge(knowledge).condition.get(condition)
    except ConsultError:
        return None
    return Gold(found.department.primary, str(found.urgency)) if found else None


def faults(store: Store, table: Table) -> tuple[tuple[Fault, ...], dict[str, int]]:
    """The first consultations in which the patient was at fault, and their breaches by kind."""
    rows = np.flatnonzero(table.numbers["clean"] == 0)[:LISTED]
    events = _last_of(store, table, rows, "audit")
    out = []
    for row in rows:
        event = events.get(table.ids[row], {})
        breaches = {kind: int(event[kind]) for kind in _BREACHES if event.get(kind)}
        out.append(Fault(breaches=breaches, **_whose(table, int(row))))
    sums: Counter[str] = Counter()
    for fault in out:
        sums.update(fault.breaches)
    return tuple(out), {kind: sums[kind] for kind in _BREACHES if sums[kind]}


def failures(store: Store, table: Table) -> tuple[Failure, ...]:
    """The first consultations that failed around the doctor, or whose doctor's model failed."""
    rows = np.flatnonzero(~table.judged | table.of("stop_reason", "model_error"))[:LISTED]
    events = _last_of(store, table, rows, "stop")
    return tuple(
        Failure(
            stop_reason=table.text("stop_reason", int(row)) or "(no end)",
            detail=events.get(table.ids[row], {}).get("detail", ""),
            **_whose(table, int(row)),
        )
        for row in rows
    )


def _last_of(store: Store, table: Table, rows: Iterable[int], kind: str) -> dict[str, dict[str, Any]]:
    return {
        ident: event for ident, text in store.texts([table.ids[row] for row in rows]) for event in glimpse(text, kind)
    }


def _whose(table: Table, row: int) -> dict[str, str]:
    return {
        "consultation": table.ids[row],
        **{column: table.text(column, row) or "" for column in ("scenario", "persona", "line_up")},
    }
