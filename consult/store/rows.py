"""What the database says of a consultation: the rows it is kept in, made where it was played.

Pure: no database, so that a worker makes them and the writer only writes. What the fields mean is in `summary`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from consult.events import Actor, Event, Judgement, Scored, Verdict
from consult.stats.waits import Waits
from consult.store.packed import packed, searchable
from consult.store.summary import last, summary
from consult.store.transcript import Transcript, dumps, jsonl
from consult.store.versions import ScoredBy, judged_by

PLAYED: Final = (
    "id", "run", "parent", "scenario", "persona", "hospital", "knowledge", "inquirer", "agents", "epoch", "seed",
    "stop_reason", "turns", "orders", "created",
)  # fmt: skip
"""Columns of `consultations`: what happened, and stays so."""
JUDGED: Final = (
    "gold", "top", "rank", "correct", "correct_primary", "correct_secondary", "urgency_error", "clean",
)  # fmt: skip
"""Columns of `results`: what the scorers of a version made of it."""
COLUMNS: Final = (*PLAYED[:-1], *JUDGED, "created")
_KEYS: Final = ("consultation_id", *COLUMNS[1:])
BOOLEANS: Final = ("correct", "correct_primary", "correct_secondary", "clean")


@dataclass(frozen=True, slots=True)
class Judged:
    """A row of `results`: the verdict, and the scores in the order of `names`."""

    by: ScoredBy
    columns: dict[str, Any]
    names: str
    units: str
    scores: str
    """JSON: a list of values."""
    reasons: str
    """JSON: what is said about a value, by its place in the list."""
    marks: bytes | None = None
    """The assessor's events, packed as a transcript is; None: they are in the transcript."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A consultation that scorers could not judge, and why."""

    by: ScoredBy
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A consultation as it is kept."""

    id: str
    columns: dict[str, Any]
    transcript: bytes
    size: int
    """Bytes of the transcript's text."""
    said: str
    """What can be searched for."""
    judged: Judged
    waits: Mapping[str, Waits] = field(default_factory=dict, compare=False)
    """How long models' answers took, by role: measured, so never the same twice."""


def prepared(transcript: Transcript) -> Kept:
    """The rows of a consultation that was scored by this consult."""
    text = dumps(transcript.header, transcript.events)
    p = transcript.header.provenance
    judges = transcript.header.agents.get("assessor", "") if last(transcript.events, Judgement) else ""
    verdict = last(transcript.events, Verdict)
    asked = verdict.by_model if verdict is not None else None
    matcher = asked.matcher if asked is not None and asked.unanswered is None else ""
    by = judged_by(judges, p.prompts, p.version, p.commit, matcher=matcher)
    s = summary(transcript)
    return Kept(
        transcript.id, _played(transcript, s), packed(text), len(text.encode()), searchable(text),
        judged(by, s, transcript.events), transcript.waits,
    )  # fmt: skip


def _played(transcript: Transcript, s: Mapping[str, Any]) -> dict[str, Any]:
    header = transcript.header
    return {
        "id": header.consultation_id,
        "parent": header.parent,
        "scenario": header.scenario,
        "persona": header.persona,
        "hospital": header.hospital,
        "knowledge": header.knowledge,
        "inquirer": header.agents.get("inquirer"),
        "agents": json.dumps(header.agents, ensure_ascii=False),
        "epoch": header.epoch,
        "seed": str(header.seed),  # 64 bits without a sign: more than an INTEGER holds
        "stop_reason": s["stop_reason"],
        "turns": s["turns"],
        "orders": s["orders"],
    }


def judged(by: ScoredBy, s: Mapping[str, Any], events: Iterable[Event], marks: Sequence[Event] = ()) -> Judged:
    """What scorers made of a consultation whose summary is `s`; `marks`: theirs, where the transcript has others."""
    scores = list({e.name: e for e in events if isinstance(e, Scored)}.values())
    diagnosis, triage = s["diagnosis"], s["triage"]
    columns = {name: diagnosis[name] for name in ("gold", "top", "rank", "correct")}
    columns |= {name: triage[name] for name in ("correct_primary", "correct_secondary", "urgency_error")}
    columns["clean"] = s["audit"]["clean"] if s["audit"] else None
    return Judged(
        by,
        columns,
        names=_json([e.name for e in scores]),
        units=_json([e.unit for e in scores]),
        scores=_json([e.value for e in scores]),
        reasons=_json({str(n): e.reason for n, e in enumerate(scores) if e.reason}),
        marks=packed(jsonl(marks)) if marks else None,
    )


def rejudged(transcript: Transcript, marks: Sequence[Event], by: ScoredBy) -> Judged:
    """The row of a consultation that was scored again."""
    again = with_marks(transcript, marks)
    return judged(by, summary(again), again.events, again.events[len(dialogue(transcript)) :])


def dialogue(transcript: Transcript) -> tuple[Event, ...]:
    """What happened, without what an assessor said about it."""
    return tuple(e for e in transcript.events if e.actor is not Actor.ASSESSOR)


def with_marks(transcript: Transcript, marks: Iterable[Event]) -> Transcript:
    """The same consultation with other marks."""
    before = dialogue(transcript)
    turn = before[-1].turn if before else 0
    after = (e.model_copy(update={"seq": n, "turn": turn}) for n, e in enumerate(marks, len(before)))
    return replace(transcript, events=(*before, *after))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def as_row(values: Iterable[Any]) -> dict[str, Any]:
    """A row of the database, its columns in the order of `COLUMNS`, as it is given out; without its scores."""
    out = dict(zip(_KEYS, values, strict=False))
    for name in BOOLEANS:
        if out[name] is not None:
            out[name] = bool(out[name])
    out["agents"] = dict(_agents(out["agents"]))
    out["seed"] = int(out["seed"])
    return out


@lru_cache(maxsize=256)
def _agents(text: str) -> dict[str, str]:
    line_up: dict[str, str] = json.loads(text)
    return line_up
