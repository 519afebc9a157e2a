"""The feed of a consultation that happens now: agents play it while it is watched, and a human may take a seat in it.

One thread owns all that changes; whatever is asked of it comes in by one queue, and each turn is played in a thread of
its own, so that a slow model can be left, or given up. After every turn the consultation is written to a folder `open`
beside the database, one file each, whole or not at all; it is taken up where it was left. Must not import textual; sim is
imported in the thread.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Final

from consult.clean import one_line
from consult.errors import ConsultError, DataError, InfrastructureError, StoreError
from consult.events import Event, Ordered, Question, Stopped, StopReason
from consult.players import DOCTOR, HUMAN, SEATS
from consult.tui.feed import (
    Brought,
    Choice,
    Ended,
    Failed,
    Heard,
    Menu,
    Opened,
    Post,
    Seated,
    YourTurn,
    scene_of,
    setup_of,
)
from consult.tui.left import open_file

if TYPE_CHECKING:
    from consult.sim.session import Setup
    from consult.sim.sitting import Action, Sitting

_FAILED: Final = (StopReason.MODEL_ERROR, StopReason.INFRASTRUCTURE_ERROR)


class Table:
    """One consultation that happens now. All but `run` comes back at once, from any thread."""

    live = True

    def __init__(self, db: Path, choice: Choice) -> None:
        self._db = db
        self._choice = dict(choice)
        self.seat = next((role for role in SEATS if choice.get(role) == HUMAN), "")
        """Whose seat the human has at the beginning; empty: nobody's."""
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._done: list[Event] = []
        self._begun = False
        self._post: Post = _nobody
        self._kept = ""
        self._turn = 0
        """The number of the turn that is being played, or waited for; one that was given up has another."""
        self._playing = False
        self._action: Action | None = None
        self._problem = ""
        self._seen = 0
        self._free = False
        """Agents need not wait until what they did has been seen."""
        self._left = False
        self._over = Flag()

    def say(self, action: Action) -> None:
        """The human's action."""
        self._asked.put(partial(self._act, action))

    def refused(self, action: Action) -> str:
        """Why an action would be wasted, in a line for whoever typed it: an order that nobody knows; empty if it would not."""
        from consult.actions import Order
        from consult.agents.examiner import find_order, orders_like

        if not isinstance(action, Order) or find_order(action.order, self._setup.knowledge) is not None:
            return ""
        near = ", ".join(orders_like(action.order, self._setup.knowledge))
        what = f"near to it: {near}" if near else "say it in other words, for example: /order ecg"
        return f"“{one_line(action.order, limit=40)}” is no order here; {what}"

    def take(self, seat: str) -> None:
        """The human takes a seat (inquirer, patient) or hands back (empty); a turn that is being played is given up."""
        self._asked.put(partial(self._sit, seat))

    def again(self) -> None:
        """The turn that failed is tried again."""
        self._asked.put(self._retry)

    def seen(self, events: int) -> None:
        """So many events have been seen: agents do not play on before all of them have."""
        self._asked.put(partial(self._looked, events))

    def follow(self) -> None:
        """Agents play on without waiting for anybody to look."""
        self._asked.put(self._let_go)

    def leave(self, post: Post | None) -> None:
        """This one looks no more: agents play to the end, or to the human's next turn; then it is kept."""
        self._asked.put(partial(self._leave, post))

    def stop(self) -> None:
        """Nothing more happens; a turn that is being played is given up, all before it is kept."""
        self._over.set()
        self._asked.put(self._play_on)  # wakes the thread, which sees it

    @property
    def going(self) -> bool:
        """Whether something may still happen."""
        return not self._over.is_set()

    def run(self, post: Post) -> None:
        """Plays until it is over, stopped, or left; of one that is played already, brings what there was and what comes."""
        if self._begun:
            self._asked.put(partial(self._attach, post))
            return
        self._begun, self._post = True, post
        try:
            self._begin()
            from consult.agents.llm.talk import in_touch

            with in_touch(self._setup.models):
                self._next()
                while self.going:
                    self._asked.get()()
        except ConsultError as e:
            self._fail(str(e))
        except Exception as e:  # a fault of a plug-in or of ours: the screen says it, and stays
            self._fail(f"internal error: {type(e).__name__}: {e}")

    # In the table's own thread

    def _begin(self) -> None:
        self._setup = setup_of(self._choice, self._db)
        from consult.show.names import Names
        from consult.sim.sitting import Sitting
        from consult.store.db import Store

        if self._db.exists():  # if nothing can be kept there, better said now than at the end
            with Store(self._db, readonly=True):
                pass
        self._sitting = Sitting(self._setup, self.seat)
        head = self._sitting.header
        self._path = open_file(self._db, self._sitting.setup.cell)
        kept = _kept(self._path)
        self._done += self._sitting.take_up(kept) if kept else self._sitting.start()
        names = Names.among(self._setup.knowledge, self._setup.hospital)
        scene = scene_of(head, facts=self._sitting.setup.case.facts, names=names)
        self._opened = Opened(head, scene, _menu(self._setup))
        self._keep()
        self._show(self._post)

    def _show(self, post: Post) -> None:
        post(replace(self._opened, past=len(self._done)))
        post(Seated(self._sitting.seat))
        post(tuple(self._done))

    def _attach(self, post: Post) -> None:
        self._post, self._left, self._seen = post, False, 0
        self._show(post)
        if self._problem:
            post(Failed(self._problem))
        elif self._waiting:
            self._your_turn()

    @property
    def _waiting(self) -> bool:
        """Whether it is the human's turn."""
        return not self._playing and bool(self._sitting.seat) and self._sitting.turn == self._sitting.seat

    def _your_turn(self) -> None:
        asked = sum(isinstance(e, Question) for e in self._done)
        ordered = sum(isinstance(e, Ordered) for e in self._done)
        limits = self._setup.limits
        self._post(YourTurn(limits.max_turns - asked, limits.max_orders - ordered))

    def _next(self) -> None:
        """Between two turns: lets whoever's turn it is begin."""
        if self._sitting.over:
            try:
                kept = self._save()
            except ConsultError as e:
                self._failed(str(e))
                return
            self._path.unlink(missing_ok=True)
            self._over.set()
            self._post(Ended(kept, header=self._sitting.header))
            return
        if self._waiting:
            if self._left:
                self._over.set()
            else:
                self._your_turn()
        else:
            self._play_on()

    def _keep(self) -> None:
        """Writes what has happened, before anybody sees it: what was seen is not lost. Raises StoreError."""
        if self._done and not self._sitting.over:  # before a patient's first words there is nothing to keep
            kept = self._sitting.kept()
            try:
                _write(self._path, self._choice, self._sitting, self._done, kept)
            except OSError as e:
                raise StoreError(
                    f"{self._path}: cannot be kept: {e.strerror} (mend: see to the disk, and try again)"
                ) from None
            self._kept = kept

    def _play_on(self) -> None:
        """Lets an agent play its turn, if what was before has been seen."""
        idle = self.going and not (self._playing or self._problem or self._waiting)
        if idle and (self._free or self._seen >= len(self._done)):
            self._play(None)

    def _play(self, action: Action | None) -> None:
        self._turn += 1
        self._playing, self._action, self._problem = True, action, ""
        self._sitting.heard_by(partial(self._asked_to_tell, self._turn))
        Thread(target=self._played, args=(self._turn, self._sitting, action), name="turn", daemon=True).start()

    def _played(self, turn: int, sitting: Sitting, action: Action | None) -> None:
        """In a thread that nobody waits for: one turn, reported as a whole."""
        events: list[Event] = []
        problem = ""
        try:
            events += sitting.step(action)
        except ConsultError as e:
            problem = one_line(str(e), limit=300)
        except Exception as e:
            problem = one_line(f"internal error: {type(e).__name__}: {e}", limit=300)
        self._asked.put(partial(self._came, turn, events, problem))

    def _asked_to_tell(self, turn: int, words: str | None) -> None:
        self._asked.put(partial(self._tell, turn, words))

    def _tell(self, turn: int, words: str | None) -> None:
        if turn == self._turn and not self._left:
            self._post(Heard(words))

    def _came(self, turn: int, events: list[Event], problem: str) -> None:
        if turn != self._turn:
            return  # it was given up
        self._playing = False
        before = list(self._done)
        try:
            if failure := next((e for e in events if isinstance(e, Stopped) and e.reason in _FAILED), None):
                raise InfrastructureError(failure.detail)
            if problem:
                raise InfrastructureError(problem)
            self._done += events
            self._keep()
        except ConsultError as e:
            self._done = before
            self._back()
            self._failed(str(e))
            return
        self._post(tuple(events))
        self._next()

    def _failed(self, problem: str) -> None:
        self._problem = one_line(problem, limit=300)
        if self._left:
            self._over.set()
        self._post(Failed(self._problem))

    def _back(self) -> None:
        """Gives up the turn that is played, or failed: back to where it began."""
        self._turn += 1
        self._playing = False
        if self._kept:
            self._sitting.take_up(self._kept)
        else:
            list(self._sitting.start())

    def _act(self, action: Action) -> None:
        if self._waiting:
            self._play(action)

    def _retry(self) -> None:
        if self._problem and self._sitting.over:
            self._next()
        elif self._problem:
            self._play(self._action)

    def _sit(self, seat: str) -> None:
        if self._playing:  # what the sitting says of itself counts between two turns only
            if not self._kept:
                return  # before the first words nobody can take over
            self._back()
        elif self._sitting.over:
            return  # it could not be kept yet
        said = self._sitting.seated(seat)
        self._problem = ""
        self._free = False
        self._done += said
        self._keep()
        self._post(Seated(self._sitting.seat))
        if said:
            self._post(said)
        self._next()

    def _looked(self, events: int) -> None:
        self._seen = max(self._seen, events)
        self._play_on()

    def _let_go(self) -> None:
        self._free = True
        self._play_on()

    def _leave(self, post: Post | None) -> None:
        if post is not self._post:
            return  # somebody else looks
        self._left = True
        if self._problem or self._waiting:
            self._over.set()
        else:
            self._let_go()

    def _save(self) -> str:
        from consult.store.db import Store

        with Store(self._db) as store:
            return store.save(self._sitting.transcript, cell=self._sitting.setup.cell)

    def _fail(self, problem: str) -> None:
        self._over.set()
        self._post(Ended(problem=one_line(problem, limit=300)))


def _nobody(brought: Brought) -> None:
    """Nobody looks."""


def _menu(setup: Setup) -> Menu:
    k = setup.knowledge
    places = tuple(
        (p.id, s.id, one_line(f"{p.name} › {s.name}", limit=100))
        for p in setup.hospital.departments
        for s in p.secondary
    )
    return Menu(tuple(sorted(c.name for c in k.conditions)), tuple(sorted(o.name for o in k.orders)), places)


def _kept(path: Path) -> str | None:
    try:
        return json.dumps(json.loads(path.read_text("utf-8"))["sitting"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise DataError(
            f"cannot be read: {type(e).__name__}", file=str(path), mend="remove it, and start again"
        ) from None


def _write(path: Path, choice: Choice, sitting: Sitting, done: list[Event], kept: str) -> None:
    h = sitting.header
    so_far = {
        "turns": sum(isinstance(e, Question) for e in done), "id": sitting.setup.cell[:16],
        "scenario": h.scenario, "persona": h.persona, "inquirer": h.agents.get(DOCTOR),
    }  # fmt: skip
    text = f'{{"choice": {json.dumps(choice)}, "so_far": {json.dumps(so_far)}, "sitting": {kept}}}'
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".tmp")
    scratch.write_text(text, "utf-8")
    os.replace(scratch, path)
