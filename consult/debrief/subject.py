"""The consultation that is debriefed: its case, its plain names, and how things stood at each of the doctor's moves.

Hears the transcript once, as the graph's nodes would; nothing is played. The belief is the knowledge's, whoever the doctor was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import log
from pathlib import Path
from typing import Final

from consult.agents.base import InquirerView
from consult.agents.inquirers.choice import Choice, best_choice, posterior
from consult.batch.forking import parent_setup
from consult.debrief.model import Cite
from consult.errors import UsageError
from consult.events import Concluded, Event, Ordered, Query, Question, Referred, Stopped
from consult.knowledge.belief import Array, Belief, belief, entropy
from consult.knowledge.model import Knowledge
from consult.score import Case
from consult.show.names import Names
from consult.sim.nodes import inquirer_view
from consult.sim.past import along
from consult.sim.session import Setup, context
from consult.sim.state import Context, State
from consult.store.rows import dialogue
from consult.store.transcript import Transcript
from consult.terms import Department

BITS: Final = 1 / log(2)


@dataclass(frozen=True)
class Move:
    """A move of the doctor's, and what was to be seen before it."""

    event: Question | Ordered | Concluded | Referred
    view: InquirerView
    meant: Query | None = None
    """What a question asks, as it is put: the patient may have understood less."""

    @property
    def cite(self) -> Cite:
        """Its place."""
        return _cite(self.event)

    @property
    def belief(self) -> Belief:
        """The knowledge's."""
        return belief(self.view.world.knowledge)

    @cached_property
    def p(self) -> Array:
        """The belief over conditions, given the record."""
        return posterior(self.view, self.belief)

    @cached_property
    def gains(self) -> dict[str, float]:
        """Bits to be expected of each finding that could be asked or looked for."""
        all_ = self.belief.gains(self.p, self.view.record.known, guessing=False)
        return {name: round(max(0.0, gain) * BITS, 6) for name, gain in all_.items()}

    @cached_property
    def best(self) -> Choice | None:
        """What the reference doctor would think worth most."""
        return best_choice(self.view, self.belief, self.p)

    def of_order(self, reveals: Iterable[str]) -> float:
        """Bits to be expected of an order; no more than are open."""
        return min(sum(self.gains.get(name, 0.0) for name in reveals), round(entropy(self.p) * BITS, 6))


def _read(e: Event, state: State, c: Context) -> Query | None:
    return c.world.read(e.text, state["told"]) if isinstance(e, Question) else None


def _cite(e: Event) -> Cite:
    return Cite(seq=e.seq, turn=e.turn, end=isinstance(e, (Concluded, Referred, Stopped)))


@dataclass(frozen=True, eq=False)
class Subject:
    """A finished consultation with all it was played from."""

    transcript: Transcript
    setup: Setup
    context: Context
    case: Case
    folders: tuple[Path, ...] = ()

    @classmethod
    def of(cls, transcript: Transcript, folders: tuple[Path, ...] = ()) -> Subject:
        """Raises UsageError if it is not over, or if some of what it was played from has changed or is gone."""
        if not any(isinstance(e, (Stopped, Concluded, Referred)) for e in transcript.events):
            raise UsageError(f"ID: {transcript.id} is not over, so there is nothing to debrief (mend: end it first)")
        setup = parent_setup(transcript, folders, to_be="debriefed")
        case = Case(setup.case, setup.knowledge, setup.hospital, dialogue(transcript))
        return cls(transcript, setup, context(replace(setup, agents={})), case, folders)

    @property
    def knowledge(self) -> Knowledge:
        """What it is coded in."""
        return self.setup.knowledge

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """The doctor's moves, in order."""
        return tuple(
            Move(event, inquirer_view(state, self.context), _read(event, state, self.context))
            for event, state in along(self.case.events, self.context)
            if isinstance(event, (Question, Ordered, Concluded, Referred))
        )

    def cites(self, seqs: Iterable[int]) -> tuple[Cite, ...]:
        """The places of events, one for each turn, and the end apart."""
        events: Sequence[Event] = self.transcript.events
        all_ = (_cite(events[seq]) for seq in sorted(seqs, reverse=True) if seq < len(events))
        found = {(c.end, c.turn): c for c in all_}
        return tuple(found[key] for key in sorted(found))

    def cite(self, seq: int | None) -> Cite | None:
        """The place of one event."""
        return next(iter(self.cites(() if seq is None else (seq,))), None)

    @cached_property
    def names(self) -> Names:
        """The words for ids."""
        return Names.among(self.knowledge, self.setup.hospital)

    def name(self, identifier: str) -> str:
        """Of a condition, an order or a department."""
        return self.names.of(identifier)

    def place(self, d: Department) -> str:
        """Of a department and the one below it."""
        return f"{self.name(d.primary)} › {self.name(d.secondary)}"

    def finding(self, identifier: str, values: Iterable[str] = ()) -> str:
        """Of a finding, with its values."""
        return self.names.finding(identifier, values)
