"""`consult play`: a human takes a side in the bare terminal, line by line; a screen reader reads it as it comes.

The same table as in the terminal application: what is typed is asked for when it is the human's turn, and where they have
handed back, between two turns of the agents. Must not import textual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import click

from consult.clean import one_line
from consult.cli import options
from consult.cli.ending import ask_ending
from consult.cli.main import BAD_INPUT, INTERRUPTED
from consult.cli.output import note

if TYPE_CHECKING:
    from consult.events import Event
    from consult.show import EventPrinter
    from consult.show.panels import Scene
    from consult.sim.sitting import Action
    from consult.tui.feed import Brought, Opened
    from consult.tui.table import Table
    from consult.tui.typed import Typed

_SIGNS: Final = {"present": "+", "absent": "-"}
_DOCTOR, _PATIENT = "inquirer", "patient"
_OWN: Final = {_DOCTOR: {"question", "order"}, _PATIENT: {"utterance"}}
"""What a human has typed who has this seat."""
_TURNS: Final = {"question", "order", "utterance"}


@click.command("play")
@click.argument("scenario", required=False)
@options.option(
    "--as",
    "seat",
    type=click.Choice(["inquirer", "patient"]),
    metavar="inquirer|patient",
    default="inquirer",
    show_default=True,
    help="Your side.",
)
@options.option("--persona", metavar="NAME[@GRADE][+AXIS=V]", help="The patient's temperament. Default: neutral.")
@options.option("--inquirer", metavar="SPEC", help="The doctor, where you are the patient. Default: reference.")
@options.option("--hospital", metavar="NAME|FILE", help="Where it takes place. Default: general.")
@options.option("--seed", type=int, default=0, show_default=True, help="Same seed, same words: same answers.")
@options.db
@options.option("--plain", is_flag=True, help="Lines of plain text, without rules and columns, for a screen reader.")
@options.option(
    "--debrief",
    type=click.Choice(["short", "full", "none"]),
    metavar="short|full|none",
    default="short",
    show_default=True,
    help="How much is said of what can be learnt, at the end.",
)
@click.pass_context
def play(
    ctx: click.Context, /, *, scenario: str | None, seat: str, db: Path, plain: bool, debrief: str, **given: Any
) -> None:
    """Be the doctor, or the patient, in the terminal. SCENARIO is an id (`consult list scenarios`) or a file.

    What you type is said. /help says what else can be typed. After each turn the consultation is kept: end the input,
    press Ctrl-C or close the terminal, and the same command takes it up again.
    """
    from consult.players import HUMAN
    from consult.tui.table import Table

    choice = {name: str(value) for name, value in {**given, "scenario": scenario}.items() if value is not None}
    table = Table(db, {**choice, seat: HUMAN})
    desk = _Desk(table, plain=plain)
    try:
        desk.sit()
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)
        note("kept; the same command takes it up again")
        ctx.exit(INTERRUPTED)
    if desk.problem:
        note(desk.problem)
        ctx.exit(BAD_INPUT)
    if desk.kept and debrief != "none":
        own = (Path(scenario),) if scenario is not None and Path(scenario).is_file() else ()
        _debrief(desk.kept, db, own, brief=debrief == "short", plain=plain)


def _debrief(kept: str, db: Path, own: tuple[Path, ...], *, brief: bool, plain: bool) -> None:
    """What can be learnt of it; where that cannot be had, the consultation is none the worse."""
    from consult.cli.debrief import print_debrief
    from consult.cli.showing import find
    from consult.debrief.build import debrief
    from consult.errors import ConsultError

    try:
        print_debrief(debrief(find(kept, db), own), brief=brief, plain=plain)
    except ConsultError as e:
        note(f"no debrief: {e}")


class _Desk:
    """Prints what happens, and reads what the human says."""

    def __init__(self, table: Table, *, plain: bool) -> None:
        self._table, self._plain = table, plain
        self._seat: str | None = None
        """The human's; empty: agents have both; None: it is not known yet."""
        self._opened: Opened | None = None
        self._printer: EventPrinter | None = None
        self._events = 0
        self._typing = False
        self._asks = True
        """Whether the human is asked between two turns of the agents."""
        self._done = False
        self.problem = ""
        self.kept = ""
        """The id it is kept under, once it is over."""

    def sit(self) -> None:
        """Until it is over, or left.

        The table has a thread of its own: Ctrl-C comes in this one alone, and never in the middle of a turn or of keeping it.
        """
        brought: SimpleQueue[Brought] = SimpleQueue()
        Thread(target=self._table.run, args=(brought.put,), name="table", daemon=True).start()
        while not self._done:
            self.take(brought.get())

    def take(self, brought: Brought) -> None:
        """What the table brings."""
        from consult.tui.feed import Ended, Failed, Opened, Seated, YourTurn

        try:
            if isinstance(brought, Opened):
                self._open(brought)
            elif isinstance(brought, Seated):
                self._sit(brought.seat)
            elif isinstance(brought, Failed):
                self._failed(brought.problem)
            elif isinstance(brought, YourTurn):
                self._turn()
            elif isinstance(brought, Ended):
                self._end(brought.problem, brought.kept)
            else:
                self._happened(brought)
        except EOFError:
            click.echo(err=True)  # the cursor stands behind a prompt
            self._leave()

    def _sit(self, seat: str) -> None:
        """Whoever handed back to an agent before they left takes the seat again."""
        if self._seat is None and not seat:
            self._table.take(self._table.seat)
            return
        if self._seat != seat == _PATIENT and self._opened is not None:
            click.echo("\n".join(_role(self._opened.scene)))
            if not self._events:
                click.echo("Begin with what brings you here.")
        self._seat, self._typing, self._asks = seat, False, True
        if seat:
            self._table.follow()

    def _failed(self, problem: str) -> None:
        click.echo(f"failed: {problem}")
        self._watched("Enter tries again", self._table.again)

    def _open(self, opened: Opened) -> None:
        from consult.show import EventPrinter, Level, make_console

        self._opened = opened
        level = Level.PLAIN if self._plain else Level.TALK
        self._printer = EventPrinter(make_console(), opened.header, opened.scene.names, level=level)
        self._printer.start()

    def _happened(self, events: tuple[Event, ...]) -> None:
        """Printed, but for what the human has just typed; who only looks on is asked before more of it happens."""
        if self._printer is None:
            return
        own = _OWN[self._seat or ""] if self._typing else ()
        for event in events:
            (self._printer.skip if event.type in own else self._printer.event)(event)
            if self._plain and event.type == "result" and self._opened is not None:  # the dialogue alone has none
                click.echo(f"Result of {self._opened.scene.name(event.order)}: {one_line(event.text, limit=2000)}")
        self._events += len(events)
        types = {event.type for event in events}
        seen = partial(self._table.seen, self._events)
        if self._seat == "" and self._asks and types & _TURNS and "stop" not in types:
            self._watched("Enter lets them go on", seen)
        else:
            seen()

    def _turn(self) -> None:
        from consult.tui.typed import COMMANDS, PATIENTS, read_line, read_patient

        self._typing = True
        read, commands = (read_patient, PATIENTS) if self._seat == _PATIENT else (read_line, COMMANDS)
        while True:
            typed = _typed("you> ", read, {"Anything else": "is said", **commands})
            action: Action | None = typed.action
            if action is not None and (refused := self._table.refused(action)):
                click.echo(refused)
                continue
            if (kind := typed.ask_for) in ("diagnose", "refer") and self._opened is not None and self._opened.menu:
                action = ask_ending(self._opened.menu, kind)
            if action is not None:
                self._table.say(action)
                return
            if kind == "pause":
                self._leave()
                return
            if kind == "hand-back":
                self._table.take("")
                return

    def _watched(self, enter: str, go_on: Callable[[], None]) -> None:
        """What somebody without a turn wants."""
        from consult.tui.typed import WATCHERS, read_watcher

        kind = _typed(f"{enter}, /help says what else> ", read_watcher, WATCHERS).ask_for
        if kind == "pause":
            self._leave()
            return
        if kind in ("doctor", "patient"):
            self._table.take(kind.replace("doctor", _DOCTOR))
            return
        if kind == "finish":
            self._asks = False
            self._table.follow()
        go_on()

    def _leave(self) -> None:
        self._done = True
        self._table.stop()
        note("kept; the same command takes it up again")

    def _end(self, problem: str, kept: str) -> None:
        self._done, self.problem = True, problem
        if problem or self._printer is None:
            return
        self._printer.finish()
        self.kept = kept
        note(f"kept as {kept} (`consult show {kept}` prints it with its scores)")


def _role(scene: Scene) -> Iterator[str]:
    """What a human patient must know of themselves; not what only a test can tell."""
    from consult.scenario import Release

    yield "You are the patient. This is what you have (+), do not have (-), or do not know (?):"
    for f in scene.facts or ():
        if f.release is not Release.ORDER_ONLY:
            words = f": {one_line(f.text, limit=300)}" if f.text else ""
            yield f"  {_SIGNS.get(f.state, '?')} {scene.finding(f.finding, f.values)}{words}"


def _typed(prompt: str, read: Callable[[str], Typed], commands: Mapping[str, str]) -> Typed:
    """What is typed, once it can be read; help is given here. Raises EOFError at the end of the input."""
    while True:
        typed = read(input(prompt))
        if typed.problem:
            click.echo(typed.problem)
        elif typed.ask_for == "help":
            click.echo("\n".join(f"{name} {what}" for name, what in commands.items()))
        else:
            return typed
