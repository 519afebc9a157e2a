"""The events of a consultation: immutable records, one discriminated union. The transcript is their list.

Events are what graph nodes return. `seq` counts from 0; `turn` is the number of questions asked so far. They hold no
clock time: the same seed gives the same bytes. See docs/transcript.md.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from consult.events.base import Actor, StopReason
from consult.events.beside import (
    Audited,
    ByModel,
    Judgement,
    Named,
    Pictured,
    Quoted,
    Ruling,
    Scored,
    Shown,
    Suggested,
    Used,
    Verdict,
)
from consult.events.dialogue import (
    Belief,
    Changed,
    Concluded,
    FiredRule,
    Guarded,
    Hinted,
    MoodChange,
    Ordered,
    Query,
    Question,
    RecordUpdate,
    Referred,
    Result,
    Statement,
    Stopped,
    Told,
    Triaged,
    Utterance,
)
from consult.header import (  # a transcript is read as a whole: whoever needs one needs both
    SCHEMA_VERSION,
    Header,
    Provenance,
)

__all__ = [
    "EVENT",
    "EVENTS",
    "SCHEMA_VERSION",
    "Actor",
    "Audited",
    "Belief",
    "ByModel",
    "Changed",
    "Concluded",
    "Event",
    "FiredRule",
    "Guarded",
    "Header",
    "Hinted",
    "Judgement",
    "MoodChange",
    "Named",
    "Ordered",
    "Pictured",
    "Provenance",
    "Query",
    "Question",
    "Quoted",
    "RecordUpdate",
    "Referred",
    "Result",
    "Ruling",
    "Scored",
    "Shown",
    "Statement",
    "StopReason",
    "Stopped",
    "Suggested",
    "Told",
    "Triaged",
    "Used",
    "Utterance",
    "Verdict",
]

Event = Annotated[
    Utterance
    | MoodChange
    | Guarded
    | Question
    | Belief
    | Ordered
    | Hinted
    | Changed
    | Result
    | RecordUpdate
    | Triaged
    | Concluded
    | Referred
    | Stopped
    | Used
    | Shown
    | Suggested
    | Verdict
    | Scored
    | Judgement
    | Audited,
    Field(discriminator="type"),
]
EVENT: TypeAdapter[Any] = TypeAdapter(Event)
EVENTS: TypeAdapter[Any] = TypeAdapter(tuple[Event, ...])
