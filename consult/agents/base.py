"""What agents see and what they return: one small protocol a role. See docs/agents.md.

An agent is handed a view and returns plain values or events; it holds no state between turns, so that a consultation
can be resumed, replayed or forked anywhere. Must not import `consult.sim`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

from consult.actions import Ask, Conclude, Order, Refer
from consult.events import Event, Query, Statement, StopReason, Told
from consult.hospital import Hospital
from consult.knowledge.belief import Known
from consult.knowledge.model import Knowledge
from consult.language.context import talk_of
from consult.language.resolver import resolve
from consult.persona import Mood, Persona
from consult.scenario import Patient, Scenario
from consult.terms import Department, Resolver, Urgency

ROLES = ("inquirer", "patient", "recipient", "triage", "examiner", "assessor")


@dataclass(frozen=True, slots=True)
class World:
    """What all agents of a consultation share: the knowledge, the hospital, how questions are understood."""

    knowledge: Knowledge
    hospital: Hospital
    resolver: Resolver = Resolver.LEXICON
    """How questions are understood; the same for all who read them."""

    def read(self, question: str, told: Iterable[Told]) -> Query:
        """What a question asks, of a patient who has told so much: "Where is it?" is of what was told."""
        return resolve(question, self.knowledge, self.resolver, talk_of(told, self.knowledge))


@dataclass(frozen=True)
class Record:
    """The structured record as it stands: statements by finding, newest first in time order of first mention."""

    statements: Mapping[str, Statement] = field(default_factory=dict)
    complaint: str | None = None
    """The finding of the chief complaint."""

    @cached_property
    def known(self) -> Mapping[str, Known]:
        """What is known, ready for the belief; things answered "I don't know" are left out."""
        told = (s for s in self.statements.values() if s.state != "unknown")
        return MappingProxyType({s.finding: Known(s.state, s.values) for s in told})

    def holds(self, spec: str, state: str = "present") -> bool:
        """Whether the record says so of a finding (`id` or `id=value`)."""
        name, _, value = spec.partition("=")
        s = self.statements.get(name)
        return s is not None and s.state == state and (not value or value in s.values)


@dataclass(frozen=True, slots=True)
class Guidance:
    """What triage hands the inquirer for the department it predicts."""

    department: str
    ask_first: tuple[str, ...] = ()
    danger_signs: tuple[str, ...] = ()
    must_ask: tuple[str, ...] = ()
    discriminators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TriageView:
    """What triage sees."""

    world: World
    patient: Patient
    record: Record
    round: int
    last: Mapping[str, Any] | None
    """Its own event of the round before, as plain data."""


class TriageResult(NamedTuple):
    """What triage says in a round."""

    department: Department
    runner_up: Department
    urgency: Urgency
    rules: tuple[Any, ...]
    guidance: str
    """The primary department whose inquiry guidance the inquirer is handed; empty: it is handed none."""
    compared: tuple[str, ...]
    in_question: tuple[str, ...] = ()
    """The pairs ("a/b") whose rules the next round gets; empty: the pair just predicted."""


class Line(NamedTuple):
    """One line of the dialogue."""

    speaker: str
    text: str


@dataclass(frozen=True)
class InquirerView:
    """What the inquirer sees: the patient's words, the record, triage and its guidance; never facts or gold."""

    world: World
    patient: Patient
    hear: Callable[[], tuple[Line, ...]]
    """Gives the dialogue; use `dialogue`."""
    record: Record
    triage: Mapping[str, Any] | None
    guidance: Guidance | None
    asked: frozenset[str]
    """Findings its questions have asked for so far."""
    ordered: frozenset[str]
    """Orders it has placed so far."""
    results: Sequence[Mapping[str, Any]]
    """The examiner's results so far, as plain data."""
    images: Sequence[str]
    turn: int
    questions_left: int
    orders_left: int
    cue: str
    """The cue in the patient's last words, if any ("worry", "outcome")."""
    seed: int
    """Differs by consultation and turn; the only source of chance."""
    facts: Mapping[str, Known] | None = None
    """Every fact of the case, for the built-in `oracle` only; no plug-in can ask for them. Never the answer."""

    @cached_property
    def dialogue(self) -> tuple[Line, ...]:
        """What was said so far."""
        return self.hear()


class Act(NamedTuple):
    """An inquirer's action, and its belief if it keeps one: (condition, probability), most probable first; entropy in bits."""

    action: Ask | Order | Conclude | Refer
    belief: tuple[tuple[str, float], ...] = ()
    entropy: float = 0.0


class Inquirer(Protocol):
    """The doctor under test."""

    def act(self, view: InquirerView) -> Any:
        """The next action: an action model, plain data of one, or an `Act`."""


@dataclass(frozen=True, slots=True)
class PatientView:
    """What the simulated patient works from."""

    world: World
    scenario: Scenario
    persona: Persona
    mood: Mood
    memory: Mapping[str, Any]
    """Its own notes from earlier turns, plain data."""
    told: tuple[Told, ...]
    """Facts told so far."""
    question: str
    """Empty at the opening."""
    turn: int
    seed: int


@dataclass(frozen=True, slots=True)
class PatientReply:
    """The patient's events of a turn (mood changes, guard breaches, one utterance), and what it carries on."""

    events: tuple[Event, ...]
    mood: Mood
    memory: Mapping[str, Any]
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How the inquirer ended it, as the patient meets it."""

    reason: StopReason
    explanation: str = ""
    """What the patient is told; empty where nothing was."""
    grave: bool = False
    """Whether it is called an emergency."""


class PatientAgent(Protocol):
    """The simulated patient."""

    def open(self, view: PatientView) -> PatientReply:
        """The first words."""

    def reply(self, view: PatientView) -> PatientReply:
        """The answer to `view.question`."""


@runtime_checkable
class Closes(Protocol):
    """A patient that has a last word, too. One without it is asked for none."""

    def close(self, view: PatientView, ending: Ending) -> PatientReply:
        """The last word, and the mood in which they go."""


class TriageAgent(Protocol):
    """Predicts department, runner-up and urgency each round."""

    def triage(self, view: TriageView) -> TriageResult:
        """The prediction of this round."""
