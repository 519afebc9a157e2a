"""The graph's state (changed only by what nodes return) and its context (static, never in the state)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import add
from typing import Annotated, Any, TypedDict

from consult.agents.base import Inquirer, PatientAgent, RecipientAgent, Record, TriageAgent, World
from consult.agents.llm.talk import Talk
from consult.events import Event, Result, Told, Triaged
from consult.knowledge.belief import Known
from consult.persona import Persona
from consult.scenario import Scenario
from consult.score.audit import Teller
from consult.settings import Limits
from consult.sim.bench import Bench

Plain = dict[str, Any]


class State(TypedDict, total=False):
    """Everything that changes in a consultation: plain data and frozen records, so that langgraph's serialiser can keep it."""

    events: Annotated[list[Event], add]
    """In order; `seq` is the index."""
    turn: int
    """Questions asked so far."""
    mood: Plain
    memory: Plain
    """The patient's own notes."""
    told: Annotated[list[Told], add]
    """Facts told so far."""
    asked: Annotated[list[str], add]
    """Findings asked for so far."""
    ordered: Annotated[list[str], add]
    """Orders placed so far, by id (as given, where nothing here is called so)."""
    record: Record
    """As the recipient keeps it."""
    triage: Triaged | None
    """The last triage event."""
    question: str
    """The inquirer's last words to the patient, "" before the first."""
    cue: str
    """The cue in the patient's last words."""
    next: str
    """Where the inquirer's action leads: ask, order, end."""
    stop: str | None
    """The stop reason, once there is one."""


class Played(TypedDict):
    """What comes out of a consultation; langgraph reads no more of the state after each step."""

    events: Annotated[list[Event], add]


@dataclass(frozen=True, slots=True)
class Context:
    """What does not change: who plays, in which world, within which limits."""

    world: World
    scenario: Scenario
    persona: Persona
    limits: Limits
    inquirer: Inquirer
    patient: PatientAgent
    recipient: RecipientAgent
    triage: TriageAgent
    patient_seed: int
    """Depends on the case and the persona only, so that two inquirers meet the same patient."""
    inquirer_seed: int
    facts: Mapping[str, Known] | None = None
    """Every fact, where the inquirer is the built-in oracle."""
    results: Mapping[str, Result] = field(default_factory=dict)
    """What the examiner answers otherwise than the case has it, by order."""
    earlier: tuple[Teller, ...] = ()
    """Who told what before each change of the temperament."""
    talk: Talk | None = None
    """By which models are asked, where any play."""
    given: tuple[Event, ...] = ()
    """What the inquirer is given beside what is said, to be written before its first action."""
    bench: Bench | None = None
    """The models that are asked when it is over, where there are any."""


def initial(context: Context) -> State:
    """The state before the first word."""
    return State(
        events=[],
        turn=0,
        mood=context.persona.temper.start.model_dump(),
        memory={},
        told=[],
        asked=[],
        ordered=[],
        record=Record(),
        triage=None,
        question="",
        cue="",
        next="",
        stop=None,
    )
