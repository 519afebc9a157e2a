"""The recipient: keeps the structured record from what was said. Merge, no duplicates, newest wins, nothing inferred.

Source of the record's form: collaborative medical triage (arXiv 2507.22504). It reads words only, never the scenario. Who
reads them may be another (`consult.agents.llm.recipient`); how they go on record is `merged`, whoever has read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from consult.agents.base import RecipientView, Record
from consult.events import RecordUpdate, Result, Statement, Utterance
from consult.knowledge.model import BACKGROUND, Finding, Knowledge, Source
from consult.language.extractor import Reading, extract
from consult.scenario import Speaker

Section = Literal["chief_complaint", "present_illness", "past_history"]
_PAST: Final = {
    "past": "diseases", "risk": "general health", "family": "family history", "medicines": "medication and allergy",
    "social": "social history", "vaccination": "vaccination", "surgery": "surgery and trauma",
}  # fmt: skip
NOT_GIVEN: Final = "not given"


class ReferenceRecipient:
    """Reads by the knowledge's phrases."""

    def read(self, view: RecipientView) -> tuple[Reading, ...]:
        """What the words say."""
        world, other = view.world, view.patient.speaker is not Speaker.SELF
        asked = world.read(view.question, view.record.statements.values()).findings if view.question else ()
        return extract(view.said.text, world.knowledge, asked, for_other=other)


def found_by(result: Result) -> tuple[Reading, ...]:
    """What a result says: it comes coded."""
    return tuple(Reading(t.finding, t.state, t.values) for t in result.told if t.state != "withheld")


def merged(
    record: Record, source: Utterance | Result, readings: Sequence[Reading], knowledge: Knowledge
) -> tuple[Record, RecordUpdate | None]:
    """The record with what was read in `source`, by whomever, and what changed; None if nothing did."""
    complaint = record.complaint
    if complaint is None and isinstance(source, Utterance):  # nobody comes with what an examination found
        complaint = _main(readings, knowledge)
    statements = dict(record.statements)
    new: list[Statement] = []
    for r in readings:
        s = _statement(r, knowledge.finding[r.finding], complaint, source.seq)
        if _tells_more(statements.get(r.finding), s):
            statements[r.finding] = s
            new.append(s)
    if not new:
        return record, None
    after = Record(statements, complaint)
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
