"""How the reference doctor went on from the place where the doctor had most to gain: a fork, played and not kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from consult.batch.forking import fork_of
from consult.debrief.missed import WORTH
from consult.debrief.model import Better, Line, Otherwise
from consult.debrief.subject import BITS, Move, Subject
from consult.errors import ConsultError
from consult.events import Concluded, Event, Ordered, Question, Referred, Result, Scored, Stopped, Utterance, Verdict
from consult.players import HUMAN
from consult.sim.session import play
from consult.store.summary import last

COMPARED: Final = (
    "inquiry.efficiency", "inquiry.coverage", "safety.red_flags_asked", "communication.composite", "communication.trust",
)  # fmt: skip
REFERENCE: Final = "reference"


def otherwise(s: Subject, weakest: Sequence[Better] = ()) -> tuple[Otherwise | None, str]:
    """The other future; or None, and why there is none.

    It begins where most was to be gained; where nothing much was, at the first of the `weakest` words that is a question.
    """
    line_up = s.setup.line_up
    if line_up["inquirer"] == REFERENCE:
        return None, "the doctor was the reference doctor"
    firsts = [m for n, m in enumerate(s.moves) if n == 0 or s.moves[n - 1].view.turn != m.view.turn]
    if not firsts:
        return None, "the doctor never had a move"
    move = _place(s, firsts, weakest)
    changes = {"inquirer": REFERENCE}
    if HUMAN in line_up["patient"].split("+") or line_up["patient"].startswith("llm:"):
        changes["patient"] = REFERENCE  # a debrief asks nobody and pays nothing
    try:
        setup = fork_of(s.transcript, move.view.turn, changes, s.folders)
        events = play(setup).events
    except ConsultError as e:
        return None, str(e)
    past = len(setup.past.whole) if setup.past is not None else 0
    return _told(s, move, events[past:]), ""


def _place(s: Subject, firsts: Sequence[Move], weakest: Sequence[Better]) -> Move:
    most = max(firsts, key=lambda m: (round(shortfall(s, m), 6), -m.event.seq))
    by_seq = {m.event.seq: m for m in firsts if isinstance(m.event, Question)}
    weak = [by_seq[b.cite.seq] for b in weakest if b.cite.seq in by_seq]
    return weak[0] if weak and shortfall(s, most) < WORTH else most


def shortfall(s: Subject, move: Move) -> float:
    """Bits by which the best move was expected to tell more than the doctor's; an open question is never short (ours)."""
    best = move.best.gain * BITS if move.best is not None else 0.0
    return max(0.0, best - _expected(s, move, best))


def _expected(s: Subject, move: Move, best: float) -> float:
    if move.meant is not None:
        return best if move.meant.open else max((move.gains.get(f, 0.0) for f in move.meant.findings), default=0.0)
    if isinstance(move.event, Ordered):
        order = s.knowledge.order.get(move.event.order)
        return move.of_order(order.reveals) if order is not None else 0.0
    return 0.0


def _told(s: Subject, move: Move, events: Sequence[Event]) -> Otherwise:
    verdict = last(events, Verdict)
    here, there = _scores(s.transcript.events), _scores(events)
    return Otherwise(
        cite=move.cite,
        missed=shortfall(s, move),
        lines=tuple(_lines(s, events)),
        questions=sum(isinstance(e, Question) for e in events),
        orders=sum(isinstance(e, Ordered) for e in events),
        top=s.name(verdict.top) if verdict is not None and verdict.top else "",
        right=verdict is not None and verdict.rank == 1,
        scores={name: (here.get(name), there.get(name)) for name in COMPARED if name in here or name in there},
    )


def _scores(events: Sequence[Event]) -> dict[str, float | None]:
    return {e.name: e.value for e in events if isinstance(e, Scored)}


def _lines(s: Subject, events: Sequence[Event]) -> Iterator[Line]:
    for e in events:
        if isinstance(e, Question):
            yield Line(who="doctor", text=e.text)
        elif isinstance(e, Utterance):
            yield Line(who="patient", text=e.text)
        elif isinstance(e, Ordered):
            yield Line(who="order", text=s.name(e.order))
        elif isinstance(e, Result):
            yield Line(who="result", text=e.text)
        elif isinstance(e, (Concluded, Referred)):
            yield Line(who="doctor", text=" ".join(t for t in (e.explanation, e.safety_net) if t))
        elif isinstance(e, Stopped):
            yield Line(who="end", text=e.reason.replace("_", " "))
