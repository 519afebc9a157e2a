"""The recipient: keeps the structured record from what was said. Merge, no duplicates, newest wins, nothing inferred.

Source of the record's form: collaborative medical triage (arXiv 2507.22504). It reads words only, never the scenario.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from consult.agents.base import Record
from consult.events import RecordUpdate, Result, Statement, Utterance
from consult.knowledge.model import BACKGROUND, Finding, Knowledge, Source
from consult.language.context import talk_of
from consult.language.extractor import Reading, extract
from consult.language.resolver import resolve
from consult.terms import Resolver

Section = Literal["chief_complaint", "present_illness", "past_history"]
_PAST: Final = {
    "past": "diseases", "risk": "general health", "family": "family history", "medicines": "medication and allergy",
    "social": "social history", "vaccination": "vaccination", "surgery": "surgery and trauma",
}  # fmt: skip
NOT_GIVEN: Final = "not given"


def receive(
    record: Record,
    source: Utterance | Result,
    question: str,
    knowledge: Knowledge,
    *,
    resolver: Resolver = Resolver.LEXICON,
    for_other: bool = False,
) -> tuple[Record, RecordUpdate | None]:
    """The record after an utterance or result, and what changed; None if nothing did.

    `question` is what was asked before, "" for none: a bare "no" has no meaning without it. `for_other`: a parent or
    carer speaks.
    """
    if isinstance(source, Result):
        readings = [Reading(t.finding, t.state, t.values) for t in source.told if t.state != "withheld"]
    else:
        talk = talk_of(record.statements.values(), knowledge)
        asked = resolve(question, knowledge, resolver, talk).findings if question else ()
        readings = list(extract(source.text, knowledge, asked, for_other=for_other))
    complaint = record.complaint
    if complaint is None and isinstance(source, Utterance):  # nobody comes with what an examination found
        complaint = _main(readings, knowledge)
    merged = dict(record.statements)
    new: list[Statement] = []
    for r in readings:
        s = _statement(r, knowledge.finding[r.finding], complaint, source.seq)
        if _tells_more(merged.get(r.finding), s):
            merged[r.finding] = s
            new.append(s)
    if not new:
        return record, None
    after = Record(merged, complaint)
    return after, RecordUpdate(statements=tuple(new), chief_complaint=chief_complaint(after, knowledge))


def _main(readings: Sequence[Reading], knowledge: Knowledge) -> str | None:
    """The main symptom: the first thing said to be present, leaving out courses, histories and ideas."""
    for r in readings:
        f = knowledge.finding[r.finding]
        if r.state == "present" and not r.implied and f.topic not in BACKGROUND:
            return r.finding
    return next((r.finding for r in readings if r.state == "present"), None)


def _tells_more(old: Statement | None, new: Statement) -> bool:
    if old is None:
        return True
    if new.state in ("unknown", "not_noticed") and old.state in ("present", "absent"):
        return False
    return (old.state, old.values, old.text) != (new.state, new.values, new.text) and bool(
        new.state != old.state or new.values or new.text
    )


def _statement(r: Reading, f: Finding, complaint: str | None, seq: int) -> Statement:
    section, heading = _place(f, complaint)
    return Statement(
        section=section, heading=heading, finding=f.id, state=r.state, values=r.values, text=r.text[:500], source=seq
    )


def _place(f: Finding, complaint: str | None) -> tuple[Section, str]:
    if f.id == complaint:
        return "chief_complaint", "main symptom"
    if f.id == "complaint.duration":
        return "chief_complaint", "duration"
    if f.topic in _PAST:
        return "past_history", _PAST[f.topic]
    if f.source is not Source.HISTORY:
        return "present_illness", "examination and tests"
    if f.topic == "course" or f.id.endswith(".onset"):
        return "present_illness", "onset and course"
    if f.topic == "ice":
        return "present_illness", "ideas, concerns, expectations"
    if complaint is not None and f.parent == complaint:
        return "present_illness", "main symptom"
    return "present_illness", "general state" if f.topic == "general" else "accompanying symptoms"


def chief_complaint(record: Record, knowledge: Knowledge) -> str:
    """Main symptom and duration in words; "not given" while there is none."""
    if record.complaint is None:
        return NOT_GIVEN
    text = knowledge.finding[record.complaint].plain
    duration = record.statements.get("complaint.duration")
    if duration is not None and duration.values:
        plain = {v.id: v.plain for v in knowledge.finding["complaint.duration"].values}
        text += f", {plain.get(duration.values[0], duration.values[0])}"
    return text
