"""The past of a fork: the events of another consultation up to a turn, and the state that they leave behind.

Nothing is said again: what was said, found and decided is taken from the events. Owns the way from events back to a
state; must not import langgraph or `consult.sim.session`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consult.actions import Ask
from consult.agents.base import Inquirer, InquirerView, PatientView, Record
from consult.agents.patient.reference import ReferencePatient
from consult.errors import UsageError
from consult.events import (
    Actor,
    Changed,
    Event,
    MoodChange,
    Query,
    Question,
    RecordUpdate,
    Result,
    Statement,
    Triaged,
    Utterance,
)
from consult.files import Record as Model
from consult.language.manner import understood
from consult.mood import Notes
from consult.persona import Mood
from consult.players import HUMAN, PATIENT
from consult.score.audit import Teller
from consult.seeds import digest
from consult.sim.state import Context, Plain, State, initial

OURS: Final = "consult."
"""Where our own patients come from; they all carry the notes of the reference patient."""
GIVEN: Final = "put into the doctor's mouth at the fork"
"""The rationale of such words."""


@dataclass(frozen=True, slots=True)
class Past:
    """What happened before the fork, in another consultation."""

    parent: str
    """The id of that consultation."""
    events: tuple[Event, ...]
    memory: Plain
    """The patient's notes, see `memory_of`."""
    say: str = ""
    """Words that somebody else puts into the doctor's mouth first; the doctor goes on from the answer."""
    changes: tuple[Changed, ...] = ()
    """What is otherwise from here on; they follow the past."""
    earlier: tuple[Teller, ...] = ()
    """Who told what before each change of the temperament, in this past and here."""
    results: tuple[Result, ...] = ()
    """What the examiner answers otherwise than the case has it."""

    @property
    def key(self) -> str:
        """Equal parents, pasts, words and results, equal key."""
        own: Plain = {"parent": self.parent, "events": [_plain(e) for e in self.events], "say": self.say}
        return digest(own | ({"results": [_plain(r) for r in self.results]} if self.results else {}))

    @property
    def whole(self) -> tuple[Event, ...]:
        """The past, and what is otherwise from its end on."""
        turn = self.events[-1].turn
        changes = (e.model_copy(update={"seq": n, "turn": turn}) for n, e in enumerate(self.changes, len(self.events)))
        return (*self.events, *changes)

    def led(self, inquirer: Inquirer) -> Inquirer:
        """The doctor, after those words."""
        return _Led(inquirer, self.say, sum(isinstance(e, Question) for e in self.events)) if self.say else inquirer

    def state(self, context: Context) -> State:
        """The state at the end of it, from which the graph goes on."""
        state = initial(context)
        state["events"] = list(self.whole)
        state["memory"] = dict(self.memory)
        for event in self.events:
            _happened(state, event, context)
        last = next(e for e in reversed(self.events) if not isinstance(e, Changed))
        if not isinstance(last, Triaged):  # another hospital's or triage's rounds begin here
            state["triage"] = None
        return state


@dataclass(frozen=True, slots=True)
class _Led:
    inquirer: Inquirer
    say: str
    turn: int
    """The turn at which they are said."""

    def act(self, view: InquirerView) -> Any:
        """The words given, and from then on whatever the doctor does."""
        return Ask(text=self.say, rationale=GIVEN) if view.turn == self.turn else self.inquirer.act(view)


def _plain(event: Model) -> Plain:
    return event.model_dump(mode="json")


def _happened(state: State, e: Event, c: Context) -> None:
    """What an event leaves in the state, as the nodes do."""
    if isinstance(e, MoodChange):
        state["mood"] = {"trust": e.trust, "irritation": e.irritation, "anxiety": e.anxiety}
    elif isinstance(e, Utterance):
        state["told"] = [*state["told"], *e.told]
        state["cue"] = e.cue
    elif isinstance(e, Question):
        found = c.world.read(e.text, state["told"]).findings
        state |= {"turn": e.turn, "question": e.text, "asked": [*state["asked"], *found]}
    elif isinstance(e, Result):
        state["told"] = [*state["told"], *e.told]
        state["ordered"] = [*state["ordered"], e.order]
    elif isinstance(e, RecordUpdate):
        state["record"] = _recorded(state["record"], e.statements)
    elif isinstance(e, Triaged):
        state["triage"] = e


def along(events: Iterable[Event], context: Context) -> Iterator[tuple[Event, State]]:
    """Each event, with the state in front of it; the state is the same object throughout, to be read at once."""
    state = initial(context)
    for event in events:
        yield event, state
        state["events"].append(event)
        _happened(state, event, context)


def _recorded(record: Record, new: Iterable[Statement]) -> Record:
    statements, complaint = dict(record.statements), record.complaint
    for s in new:
        statements[s.finding] = s
        if complaint is None and (s.section, s.heading) == ("chief_complaint", "main symptom"):
            complaint = s.finding
    return Record(statements, complaint)


def up_to(events: Sequence[Event], turn: int, *, triaged: bool = True) -> tuple[Event, ...]:
    """The events until the doctor's first move after question `turn` was answered (0: after the first words).

    `triaged`: with the triage of that round; without it, another one can judge. Raises UsageError if the doctor had no
    move then.
    """
    asked = sum(isinstance(e, Question) for e in events)
    if not 0 <= turn <= asked:
        raise UsageError(
            f"--turn: the consultation has {asked} questions, so none is number {turn} (mend: 0 to {asked})"
        )
    place = next((n for n, e in enumerate(events) if isinstance(e, Question) and e.turn == turn), -1)
    ours = (Actor.INQUIRER, Actor.SYSTEM, Actor.ASSESSOR)
    later = enumerate(events[place + 1 :], place + 1)
    end = next((n for n, e in later if e.actor in ours and not isinstance(e, Changed)), len(events))
    last = end
    while last and isinstance(events[last - 1], Changed):
        last -= 1
    if not isinstance(events[last - 1] if last else None, Triaged):
        raise UsageError(
            f"--turn: after question {turn} it was not the doctor's turn any more (mend: give an earlier turn)"
        )
    return tuple(events[: end if triaged else last - 1])


def memory_of(events: Sequence[Event], contexts: Sequence[Context]) -> Plain:
    """The patient's notes after these events; `contexts`: the one they began in, and one after each change of temperament.

    They stand in no event. They hang on what was asked and told, so the patient hears the recorded questions once more,
    in its recorded moods; of what it would say now nothing is used. What a human said for it leaves no notes.
    """
    context, *later = contexts
    spoken = False
    ours = type(context.patient).__module__.startswith(OURS)
    state = initial(context)
    for e in events:
        if isinstance(e, MoodChange) and e.cause != "start":
            continue  # the answer finds the mood as it was before the question
        if isinstance(e, Changed):
            spoken = e.now == HUMAN if e.what == PATIENT else spoken
            context = later.pop(0) if e.what == "persona" else context
        if isinstance(e, Utterance) and not spoken:
            view = _view(state, context)
            patient = _Asked(e.query) if ours else context.patient
            reply = patient.open(view) if e.query is None else patient.reply(view)
            state["memory"] = dict(reply.memory)
            if ours and e.query is not None:
                state["memory"] |= Notes.of(reply.memory).answered(e.query, e.told, e.cue).plain()
            state["mood"] = _mood_at(events, e.seq, state["mood"])
        _happened(state, e, context)
    return state["memory"]


class _Asked(ReferencePatient):
    """The reference patient, whom a question asks what it was taken to ask, by whomever."""

    def __init__(self, query: Query | None) -> None:
        self._query = query

    def understand(self, view: PatientView) -> tuple[Query, list[Event]]:
        """As it is recorded; by rule where that comes to the same, since the record does not say what was lost on the way."""
        own, events = super().understand(view)
        by_rule = understood(view.question, own, view.world.knowledge, view.persona.health_literacy)
        return (own if self._query is None or self._query == by_rule else self._query), events


def _mood_at(events: Sequence[Event], seq: int, before: Plain) -> Plain:
    last = next((e for e in reversed(events[:seq]) if isinstance(e, MoodChange)), None)
    return before if last is None else {"trust": last.trust, "irritation": last.irritation, "anxiety": last.anxiety}


def _view(state: State, c: Context) -> PatientView:
    return PatientView(
        c.world, c.scenario, c.persona, Mood(**state["mood"]), state["memory"], tuple(state["told"]), state["question"],
        state["turn"], c.patient_seed,
    )  # fmt: skip
