"""How things stood at any event of a consultation: the record, triage, belief, mood, facts, orders, flags.

Takes events as they come and answers for any number of them (`upto`: the first so many), so that live, replayed and
scrubbed look the same. Pure; must not import rich, sim, agents or score.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from consult.events import (
    Audited,
    Event,
    Guarded,
    Header,
    MoodChange,
    Question,
    RecordUpdate,
    Result,
    Scored,
    Statement,
    Stopped,
    Told,
    Triaged,
    Utterance,
)
from consult.files import Record
from consult.show.words import reading_time

_MADE_OF_IT: Final = (RecordUpdate, Triaged)

E = TypeVar("E", bound=Record)


class Mark(NamedTuple):
    """A place in the consultation worth a look: a flag, or what a score rests on."""

    seq: int
    """The event to look at."""
    turn: int
    words: str
    flag: bool
    """Whether something is wrong there."""


class Heard(NamedTuple):
    """What became of a finding: when it was first asked for, and when and how it was told."""

    asked: int | None
    """The turn; None: never."""
    told: int | None
    by: Told | None = None


class Timeline:
    """The events so far, found again by kind and place."""

    def __init__(self, header: Header, events: Iterable[Event] = ()) -> None:
        self.header = header
        self.events: list[Event] = []
        self._of: dict[type, tuple[list[int], list[Any]]] = {}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Takes note of the next event."""
        places, found = self._of.setdefault(type(event), ([], []))
        places.append(len(self.events))
        found.append(event)
        self.events.append(event)

    def __len__(self) -> int:
        return len(self.events)

    def all(self, kind: type[E], upto: int) -> list[E]:
        """The events of a kind among the first `upto`."""
        places, found = self._of.get(kind, ((), ()))
        return list(found[: bisect_left(places, upto)])

    def last(self, kind: type[E], upto: int) -> E | None:
        """The last of a kind among the first `upto`, or None."""
        places, found = self._of.get(kind, ((), ()))
        n = bisect_left(places, upto)
        return found[n - 1] if n else None

    def turn(self, upto: int) -> int:
        """Questions asked."""
        return bisect_left(self._of.get(Question, ((), ()))[0], upto)

    def start_of(self, turn: int) -> int:
        """The place of the question of that number; 0 for the beginning, the number of events where there is none."""
        places = self._of.get(Question, ((), ()))[0]
        if turn <= 0:
            return 0
        return places[turn - 1] if turn <= len(places) else len(self.events)

    def answered(self, turn: int) -> int:
        """The place behind the question of that number and all that came of it; 0: behind the first words."""
        return self.after(self.after(self.start_of(turn))) if turn > 0 else self.after(0)

    def after(self, upto: int) -> int:
        """The next place to stop at: behind the next words, and what record and triage made of them."""
        n = upto
        while n < len(self.events):
            n += 1
            if reading_time(self.events[n - 1]):
                break
        while n < len(self.events) and isinstance(self.events[n], _MADE_OF_IT):
            n += 1
        return n

    def before(self, upto: int) -> int:
        """The place to stop at that `after` comes from; 0 at the beginning."""
        start = max(0, self.start_of(max(0, self.turn(upto) - 1)) - 1)
        stops = [0 if start <= 1 else start]
        while (n := self.after(stops[-1])) < upto:
            stops.append(n)
        return stops[-1]

    @property
    def end(self) -> int | None:
        """The place of the end of the dialogue; None while it goes on, or where it was cut off."""
        places = self._of.get(Stopped, ((), ()))[0]
        return places[0] if places else None

    def record(self, upto: int) -> tuple[str, list[Statement]]:
        """The chief complaint, and the lines of the record in the order in which they were first written."""
        lines: dict[str, Statement] = {}
        complaint = ""
        for update in self.all(RecordUpdate, upto):
            complaint = update.chief_complaint
            lines |= {s.finding: s for s in update.statements}
        return complaint, list(lines.values())

    def mood(self, upto: int) -> list[MoodChange]:
        """The mood at the end of each turn so far."""
        by_turn = {m.turn: m for m in self.all(MoodChange, upto)}
        return list(by_turn.values())

    def heard(self, upto: int) -> Mapping[str, Heard]:
        """What was asked for and told, by finding."""
        out: dict[str, Heard] = {}
        said: list[Utterance | Result] = [
            *self.all(Utterance, upto),
            *self.all(Result, upto),
        ]  # a tenth of all there is
        for event in sorted(said, key=lambda e: e.seq):
            if isinstance(event, Utterance) and event.query:
                for finding in event.query.findings:
                    old = out.get(finding, Heard(None, None))
                    out[finding] = old if old.asked is not None else old._replace(asked=event.turn)
            for t in event.told:
                old = out.get(t.finding, Heard(None, None))
                if t.state != "withheld" and old.told is None:
                    out[t.finding] = old._replace(told=event.turn, by=t)
        return out

    def cost(self, upto: int) -> tuple[float, float]:
        """What orders have cost so far, and the minutes they took."""
        results = self.all(Result, upto)
        return sum(r.cost for r in results), sum(r.delay for r in results)

    def marks(self) -> list[Mark]:
        """What can be jumped to, in order of place: the guard's and the audit's flags, and each score's evidence."""
        n = len(self.events)
        out = [Mark(e.seq, e.turn, f"guard: {e.breach.replace('_', ' ')}", flag=True) for e in self.all(Guarded, n)]
        audit = self.last(Audited, n)
        places = audit.evidence if audit else ()
        out += [self._mark(seq, "audit: against the law", flag=True) for seq in places if seq < n]
        stop = self.last(Stopped, n)
        if stop is not None and not stop.reason.clinical:
            out.append(Mark(stop.seq, stop.turn, f"end: {stop.reason.replace('_', ' ')}", flag=True))
        for score in self.all(Scored, n):
            out += [self._mark(seq, score.name, flag=False) for seq in score.evidence if seq < n]
        return sorted(out, key=lambda mark: (mark.seq, not mark.flag))

    def _mark(self, seq: int, words: str, *, flag: bool) -> Mark:
        return Mark(seq, self.events[seq].turn, words, flag)
