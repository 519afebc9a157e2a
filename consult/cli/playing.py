"""`consult play`: a human takes a side in the bare terminal, line by line; a screen reader reads it as it comes.

The same table as in the terminal application, at which one thread sits: what is typed is asked for when it is the
human's turn. Must not import textual.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from consult.clean import one_line
from consult.cli import options
from consult.cli.main import BAD_INPUT, INTERRUPTED
from consult.cli.output import note

if TYPE_CHECKING:
    from consult.actions import Conclude, Refer
    from consult.events import Event
    from consult.show import EventPrinter
    from consult.show.panels import Scene
    from consult.tui.feed import Brought, Menu, Opened
    from consult.tui.table import Table
    from consult.tui.typed import Typed

_RANKS: Final = 5
_SIGNS: Final = {"present": "+", "absent": "-"}


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
        table.run(desk.take)
    except (KeyboardInterrupt, click.Abort):
        note("\nkept; the same command takes it up again")
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
        self._patient = table.seat == "patient"
        self._printer: EventPrinter | None = None
        self._menu: Menu | None = None
        self._typing = False
        self.problem = ""
        self.kept = ""
        """The id it is kept under, once it is over."""

    def take(self, brought: Brought) -> None:
        """What the table brings."""
        from consult.tui.feed import Ended, Failed, Opened, Seated, YourTurn

        if isinstance(brought, Opened):
            self._open(brought)
        elif isinstance(brought, Seated):
            self._sit(brought.seat)
        elif isinstance(brought, Failed):
            self._failed(brought.problem)
        elif isinstance(brought, YourTurn):
            self._typing = True
            self._turn()
        elif isinstance(brought, Ended):
            self._end(brought.problem, brought.kept)
        else:
            for event in brought:
                self._happened(event)

    def _sit(self, seat: str) -> None:
        """Whoever handed back to an agent, in the terminal application, takes the seat again here."""
        if not seat:
            self._table.take(self._table.seat)
        self._table.follow()

    def _failed(self, problem: str) -> None:
        click.echo(f"failed: {problem}")
        if _line("Enter tries again, /pause leaves> ") == "":
            self._table.again()
        else:
            self._leave()

    def _open(self, opened: Opened) -> None:
        from consult.show import EventPrinter, Level, make_console

        self._menu = opened.menu
        level = Level.PLAIN if self._plain else Level.TALK
        self._printer = EventPrinter(make_console(), opened.header, dict(opened.scene.names), level=level)
        self._printer.start()
        if self._patient:
            click.echo("\n".join(_role(opened.scene)))

    def _happened(self, event: Event) -> None:
        """An event, printed unless the human has just typed it."""
        own = ("utterance",) if self._patient else ("question", "order")
        if self._printer is None:
            return
        if self._typing and event.type in own:
            self._printer.skip(event)
        else:
            self._printer.event(event)

    def _turn(self) -> None:
        from consult.tui.typed import COMMANDS, PATIENTS, read_line, read_patient

        read, commands = (read_patient, PATIENTS) if self._patient else (read_line, COMMANDS)
        while True:
            line = _line("you> ")
            if line is None:
                self._leave()
                return
            typed: Typed = read(line)
            if typed.problem:
                click.echo(typed.problem)
            elif typed.action is not None:
                self._table.say(typed.action)
                return
            elif typed.ask_for == "help":
                click.echo("\n".join(["Type freely, or:", *(f"{name} {what}" for name, what in commands.items())]))
            elif typed.ask_for == "pause":
                self._leave()
                return
            elif typed.ask_for and (ending := self._ending(refer=typed.ask_for == "refer")) is not None:
                self._table.say(ending)
                return

    def _leave(self) -> None:
        self._table.stop()
        note("kept; the same command takes it up again")

    def _ending(self, *, refer: bool) -> Conclude | Refer | None:
        """The doctor's last word, asked for line by line; None if it is not to be."""
        from pydantic import ValidationError

        from consult.actions import Conclude, Refer
        from consult.terms import Urgency

        click.echo("The likeliest condition first, with a probability in percent if you like: angina 70. An empty line ends the list.")  # fmt: skip
        named = [line for n in range(1, _RANKS + 1) if (line := _line(f"{n}. condition> ") or "").strip()]
        places = {str(n): p for n, p in enumerate(self._menu.departments if self._menu else (), 1)}
        data: dict[str, Any] = {"differential": [_diagnosis(line) for line in named]}
        data["urgency"] = (_line(f"urgency ({', '.join(Urgency).replace('_', ' ')})> ") or "").strip().replace(" ", "_")
        click.echo("\n".join(f"{n}. {words}" for n, (_, _, words) in places.items()))
        place = places.get((_line("department, its number> ") or "").strip())
        data["department"] = {"primary": place[0], "secondary": place[1]} if place else None
        if not refer:
            data["plan"] = [p.strip() for p in (_line("plan, parts with ;> ") or "").split(";") if p.strip()]
        data["explanation"] = (_line("what you tell the patient> ") or "").strip()
        data["safety_net"] = (_line("what must bring them back> ") or "").strip()
        try:
            return (Refer if refer else Conclude).model_validate({k: v for k, v in data.items() if v})
        except ValidationError as e:
            first = e.errors(include_url=False, include_input=False)[0]
            click.echo(f"not taken: {'.'.join(map(str, first['loc']))}: {first['msg']}; the consultation goes on")
            return None

    def _end(self, problem: str, kept: str) -> None:
        self.problem = problem
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
    yield "Begin with what brings you here."


def _diagnosis(line: str) -> dict[str, Any]:
    name, _, last = line.strip().rpartition(" ")
    percent = last.rstrip("%")
    if name and percent.replace(".", "", 1).isdecimal():
        return {"condition": name, "probability": float(percent) / 100}
    return {"condition": line.strip()}


def _line(prompt: str) -> str | None:
    """What is typed; None at the end of the input."""
    try:
        return input(prompt)
    except EOFError:
        return None
