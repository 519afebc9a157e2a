"""A batch on the screen: where every cell stands, how fast it goes, what it takes, and how good the doctors are so far.

It looks into the store again and again, in a thread, so a run that goes on in another process is seen like one of this
process. Owns what the keys do; the batch itself is `consult.batch.going`'s.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Static

from consult.batch import figures
from consult.batch.board import Board, Mark, Watcher, cells_of
from consult.batch.cells import Cells
from consult.batch.going import Going
from consult.batch.plan import Plan
from consult.errors import ConsultError
from consult.store.db import Store
from consult.tui.grid import SIGNS, Grid
from consult.tui.help import Keys
from consult.tui.tape import Tape

if TYPE_CHECKING:
    from consult.tui.app import ConsultApp

PAUSE: Final = 0.5
"""Seconds between two looks at the least; more where a look takes long, so that it never takes a tenth of the time."""
RECENT: Final = 30.0
"""Seconds over which the rate is taken."""
GOING: Final[dict[tuple[Path, str], Going]] = {}
"""What goes on in this process, by database and run: it stays when its screen is left."""

_QUESTION: Final = """\
It can go on behind the other screens for as long as consult is open. If it stops, what was begun is finished first. \
Either way nothing is lost, and g on this screen goes on with what is missing."""


def begin(db: Path, plan: Plan, cells: Cells, jobs: int | None = None) -> None:
    """Begins a batch, or goes on with it, unless it goes on already."""
    old = GOING.get((db, plan.run))
    if old is None or old.over:
        GOING[db, plan.run] = going = Going(plan, cells, db, jobs=jobs)
        going.start()


class Leaving(ModalScreen[str]):
    """What is to become of a batch whose screen is left."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "dismiss('go')", "Let it go on"),
        Binding("s", "dismiss('stop')", "Stop it"),
        Binding("escape", "dismiss('')", "Stay here"),
    ]

    def compose(self) -> ComposeResult:
        """A question and its answers."""
        with Vertical(id="leaving") as box:
            box.border_title = "The batch is going on"
            yield Static(_QUESTION, markup=False)
            with Horizontal(id="buttons"):
                yield Button("Let it go on (g)", id="go", variant="primary", compact=True)
                yield Button("Stop (s)", id="stop", compact=True)
                yield Button("Stay (Esc)", id="stay", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss({"go": "go", "stop": "stop"}.get(event.button.id or "", ""))


class BatchScreen(Screen[None]):
    """A run, cell by cell."""

    HELP = """\
Every sign is one consultation: a row for each scenario, a group of columns for each
temperament and doctor, in a group one column for each epoch. Enter opens the marked one.
w and f go to the next wrong and the next failed one. A batch that was begun here goes on when
you leave, if you say so, and ends with consult; s stops it after what was begun, g goes on
with whatever is missing. A batch of another process is only watched."""
    app: ConsultApp
    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", key_display="Esc"),
        Binding("w", "seek('wrong')", "Next wrong"),
        Binding("f", "seek('failed')", "Next failed"),
        Binding("g", "go_on", "Go on"),
        Binding("s", "stop", "Stop"),
        Binding("question_mark,f1", "app.help", "Help", key_display="?"),
    ]

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run_name = run
        self.board = Board()
        self.looks = 0
        """How often it was looked at."""
        self._recent: deque[tuple[float, int]] = deque()
        self._moved = -RECENT
        """When another process was last seen to have kept something."""
        self._here = False
        self._left = Event()

    def compose(self) -> ComposeResult:
        """A title, how far it is, the figures, the cells, what the signs mean, and the marked one."""
        yield Static(f"Batch {self.run_name}", id="title", markup=False)
        yield Tape(id="tape")
        yield Static(id="figures", markup=False)
        yield Grid(id="grid")
        yield Static(id="legend", markup=False)
        yield Static(id="detail", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        """The first look is taken when the screen has been drawn."""
        self.query_one(Grid).focus()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw())
        self.call_after_refresh(self._watch)

    @property
    def going(self) -> Going | None:
        """The batch, if it was begun in this process."""
        return GOING.get((self.app.db, self.run_name))

    @work(thread=True, group="watch")
    def _watch(self) -> None:
        try:
            while not self.app.db.exists():
                if self._left.wait(PAUSE):
                    return
            with Store(self.app.db, readonly=True) as store:
                self._look(store)
        except ConsultError as e:
            self.app.call_from_thread(self.app.tell, e)

    def _look(self, store: Store) -> None:
        watcher = Watcher(self.run_name, self.going.cells if self.going else cells_of(store, self.run_name))
        pause = 0.0
        while not self._left.wait(pause):
            began, going = monotonic(), self.going
            here = going is not None and not going.over  # before the look: it may end meanwhile
            taken, raised = (tuple(going.taken), dict(going.raised)) if going else ((), {})
            board = watcher.look(store, taken, raised)
            _ = board.top1, board.shares  # loads scipy, counts all cells: not where the screen is drawn
            self.app.call_from_thread(self._seen, board, here=here)
            pause = max(PAUSE, 9 * (monotonic() - began))

    def on_unmount(self) -> None:
        """Nobody looks any more; the batch goes on."""
        self._left.set()

    # What is seen

    def _seen(self, board: Board, *, here: bool = False) -> None:
        if not self.query(Grid):  # the screen is being left
            return
        now, done = monotonic(), board.done
        if self.looks and done != self.board.done and not self._here:
            self._moved = now
        self._here = here  # what changes from here on is its doing, the last cells before its end too
        self._recent.append((now, done))
        while now - self._recent[0][0] > RECENT:
            self._recent.popleft()
        self.board = board
        self.looks += 1
        self.query_one(Grid).show(board)
        self._draw()

    def _draw(self) -> None:
        board, n = self.board, len(self.board.scenarios)
        doctors = len({line_up for _, line_up in board.groups})
        people = len({persona for persona, _ in board.groups})
        parts = ((n, "scenario"), (people, "temperament"), (doctors, "doctor"), (board.epochs, "epoch"))
        size = " × ".join(f"{k} {what}{'' if k == 1 else 's'}" for k, what in parts)
        self.query_one("#title", Static).update(Text(f"Batch {self.run_name} · {size}"))
        done, total = board.done, board.total
        self.query_one(Tape).set(self.state, done / total if total else 0.0, f"{done} of {total}")
        self.query_one("#figures", Static).update(Text(" · ".join(self._figures())))
        self.query_one("#legend", Static).update(self._legend())
        self._told()
        self.refresh_bindings()

    @property
    def state(self) -> str:
        """Whether it runs, and where."""
        going, board = self.going, self.board
        if going is not None and not going.over:
            return "■ stopping" if going.stopping else "▶ running here"
        if board.planned and board.done == board.total:
            return "✓ done"
        return "▶ running elsewhere" if monotonic() - self._moved < RECENT else "– at rest"

    def _legend(self) -> Text:
        out, grid = Text(), self.query_one(Grid)
        for mark, sign in SIGNS.items():
            if (count := self.board.counts[mark]) or mark not in (Mark.TAKEN, Mark.UNJUDGED):
                style = grid.get_component_rich_style(f"grid--{mark.name.lower()}")
                out.append(f"{sign} ", Style(color=style.color, bold=style.bold)).append(f"{count} {mark}  ")
        return out

    def _figures(self) -> list[str]:
        going, board = self.going, self.board
        out = [f"✗ {going.problem}"] if going is not None and going.problem else []
        out += [] if board.planned else ["the plan's files have changed: what is missing is not known"]
        out += self._speed()
        return [*out, *figures.top1_in_words(board.top1), *figures.taken(board.tokens, board.cost)]

    def _speed(self) -> list[str]:
        (then, before), (now, done) = self._recent[0], self._recent[-1]
        return figures.speed(done - before, now - then, self.board.total - done)

    @on(Grid.Moved)
    def _told(self) -> None:
        grid = self.query_one(Grid)
        here, spot = grid.place, grid.spot
        words = ""
        if here is not None:
            what = f"{SIGNS[spot.mark]} {spot.mark}{f': {spot.words}' if spot.words else ''}"
            words = f"{what} · {here.scenario} · {here.persona} · {here.line_up} · epoch {here.epoch}"
        self.query_one("#detail", Static).update(Text(words, overflow="ellipsis"))

    # What the keys do

    @on(Grid.Chosen)
    def _chosen(self, event: Grid.Chosen) -> None:
        from consult.tui.opening import kept

        if event.spot.id:
            self.app.push_screen(kept(self.app.db, event.spot.id))
        else:
            self.app.notify("nothing is kept of it", timeout=3)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that do nothing now are not there."""
        going, board = self.going, self.board
        runs = going is not None and not going.over
        now = {
            "stop": going is not None and runs and not going.stopping,
            "go_on": not runs and not (board.planned and board.done == board.total),
        }
        return now.get(action, super().check_action(action, parameters))

    def action_seek(self, name: str) -> None:
        """The next cell that stands so."""
        if not self.query_one(Grid).seek(Mark[name.upper()]):
            self.app.notify(f"no cell is {Mark[name.upper()]}", timeout=3)

    def action_stop(self) -> None:
        """Nothing new is begun."""
        if self.going is not None:
            self.going.stop()
            if self.looks:
                self._draw()

    def action_go_on(self) -> None:
        """Whatever is missing is played here."""
        self._go_on()

    @work(thread=True, group="go on", exclusive=True)
    def _go_on(self) -> None:
        try:
            with Store(self.app.db, readonly=True) as store:
                cells = cells_of(store, self.run_name)
        except ConsultError as e:
            self.app.call_from_thread(self.app.tell, e)
            return
        if cells is None:
            why = "the plan's files are not what they were (mend: `consult batch` with the same plan says what changed)"
            self.app.call_from_thread(self.app.tell, why)
        else:
            begin(self.app.db, cells.plan, cells)

    def action_leave(self) -> None:
        """Back; what is to become of a batch that runs is asked first."""
        if self.going is None or self.going.over or self.going.stopping:
            self.app.pop_screen()
        else:
            self.app.push_screen(Leaving(), self._leave)

    def _leave(self, answer: str | None) -> None:
        if answer == "stop":
            self.action_stop()
        if answer:
            self.app.pop_screen()
