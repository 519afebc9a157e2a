"""Every screen of the terminal application in a fixed state, and how it is kept: what stands in each cell, and its look.

    python tests/tui_scenes.py [NAME…]      renews tests/data/screens
    python tests/tui_scenes.py --svg DIR    draws them as pictures, in each theme

A picture file of a screen (SVG) changes with every version of the libraries that draw it; these files change with what is
seen. One file a screen and size: the text, then a letter for the look of each cell, then what each letter is in the dark
theme and in the light one.
"""

from __future__ import annotations

import asyncio
import string
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from rich.style import Style
from textual.pilot import Pilot
from textual.widgets import Input, Select
from tui_world import SIZES, dialogue, filled, golden_transcripts, until

from consult.store import db as store_db
from consult.tui.app import ConsultApp
from consult.tui.consultation import Consultation
from consult.tui.feed import Choice, Kept
from consult.tui.home import Home
from consult.tui.listing import Listing
from consult.tui.opening import started
from consult.tui.pick import Pick
from consult.tui.playing import Playing
from consult.tui.start import Start
from consult.tui.themes import DARK, LIGHT, THEMES

FOLDER = Path(__file__).parent / "data" / "screens"
LETTERS = string.ascii_letters + string.digits + "".join(chr(n) for n in range(0xC0, 0x17F))
Scene = Callable[[Pilot[None]], Awaitable[None]]


async def _list(pilot: Pilot[None], key: str) -> None:
    home = pilot.app.screen
    assert isinstance(home, Home)
    await pilot.press(key)
    await until(pilot, lambda: home._read.get(home.source.name) and len(pilot.app.screen.query_one(Listing).rows))


async def _golden(pilot: Pilot[None], *keys: str) -> Consultation:
    screen = Consultation(Kept(lambda: golden_transcripts()[0]))
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.over and dialogue(screen).settled)
    await pilot.press(*keys)
    await until(pilot, lambda: dialogue(screen).settled)
    return screen


async def _middle(pilot: Pilot[None]) -> Consultation:
    return await _golden(pilot, "home", "right", *["right_square_bracket"] * 4)


async def _live(pilot: Pilot[None], choice: Choice) -> Playing:
    screen = started(pilot.app, choice)  # type: ignore[arg-type]
    assert isinstance(screen, Playing)
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.your_turn if screen.seat else screen.upto)
    return screen


async def _said(pilot: Pilot[None], screen: Playing, *words: str) -> None:
    line = screen.query_one("#say", Input)
    for one in words:
        line.value = one
        await pilot.press("enter")
        await until(pilot, lambda: screen.your_turn and not line.value)
    await until(pilot, lambda: dialogue(screen).settled)


async def _form(pilot: Pilot[None]) -> None:
    form = pilot.app.screen
    assert isinstance(form, Start)
    await until(pilot, lambda: form.query_one("#inquirer", Select).value)


async def home(pilot: Pilot[None]) -> None:
    await _list(pilot, "1")


async def runs(pilot: Pilot[None]) -> None:
    await pilot.press("2")
    await until(pilot, lambda: "runs" in pilot.app.screen._read)  # type: ignore[attr-defined]


async def scenarios(pilot: Pilot[None]) -> None:
    await _list(pilot, "3")
    await pilot.press("slash", *"heart", "enter")


async def personas(pilot: Pilot[None]) -> None:
    await _list(pilot, "4")


async def hospitals(pilot: Pilot[None]) -> None:
    await _list(pilot, "5")


async def agents(pilot: Pilot[None]) -> None:
    await _list(pilot, "6")


async def start(pilot: Pilot[None]) -> None:
    await pilot.press("n")
    await _form(pilot)


async def help_of_home(pilot: Pilot[None]) -> None:
    await pilot.press("question_mark")


async def consultation(pilot: Pilot[None]) -> None:
    await _middle(pilot)


async def details(pilot: Pilot[None]) -> None:
    await _middle(pilot)
    await pilot.press("d")


async def panels(pilot: Pilot[None]) -> None:
    await _middle(pilot)
    await pilot.press("p")


async def card(pilot: Pilot[None]) -> None:
    await _golden(pilot)


async def evidence(pilot: Pilot[None]) -> None:
    await _golden(pilot, "e")


async def help_of_consultation(pilot: Pilot[None]) -> None:
    await _middle(pilot)
    await pilot.press("question_mark")


async def beside(pilot: Pilot[None]) -> None:
    screen = await _middle(pilot)
    await pilot.press("b")
    await until(pilot, lambda: isinstance(pilot.app.screen, Pick))
    await pilot.press(*"curt", "enter")
    await until(pilot, lambda: screen.query_one("#other").display)


async def what_if(pilot: Pilot[None]) -> None:
    await _middle(pilot)
    await pilot.press("w")
    await _form(pilot)


async def branches(pilot: Pilot[None]) -> None:
    await _middle(pilot)
    await pilot.press("v")
    await until(pilot, lambda: isinstance(pilot.app.screen, Pick))


async def watching(pilot: Pilot[None]) -> None:
    screen = await _live(pilot, {})
    await pilot.press("space")
    while screen.timeline is None or screen.timeline.turn(screen.upto) < 2:
        await pilot.press("right")
        await pilot.pause(0.005)
    await until(pilot, lambda: screen.timeline and screen.upto < len(screen.timeline))


async def doctor(pilot: Pilot[None]) -> None:
    screen = await _live(pilot, {"inquirer": "human", "persona": "choleric"})
    await _said(pilot, screen, "I am sorry to hear that. Does your chest hurt?", "/order ecg")


async def patient(pilot: Pilot[None]) -> None:
    screen = await _live(pilot, {"patient": "human"})
    await _said(pilot, screen, "I have heartburn.", "Yes, in my left arm.")


async def diagnosis(pilot: Pilot[None]) -> None:
    screen = await _live(pilot, {"inquirer": "human"})
    await _said(pilot, screen)
    screen.query_one("#say", Input).value = "/diagnose"
    await pilot.press("enter")


SCENES: dict[str, Scene] = {
    f.__name__: f for f in (
        home, runs, scenarios, personas, hospitals, agents, start, help_of_home, consultation, details, panels, card,
        evidence, help_of_consultation, beside, what_if, branches, watching, doctor, patient, diagnosis,
    )
}  # fmt: skip


ONCE = ("runs", "personas", "hospitals", "agents", "details", "panels", "help_of_home")
"""Screens that more room shows nothing else on: kept in the smaller size alone."""


async def welcome(pilot: Pilot[None]) -> None:
    """Nothing is kept yet."""


@contextmanager
def world() -> Iterator[Path]:
    """A store that holds the same at any time."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        patch.object(store_db, "now", lambda: "2025-01-01T00:00:00Z"),
    ):
        yield filled(Path(folder) / "a.db")


Cells = list[tuple[str, Style]]


def cells(app: ConsultApp) -> list[Cells]:
    """What stands in each cell of the screen; of a wide character, in its first."""
    rows: list[Cells] = []
    for strip in app.screen._compositor.render_strips():
        row: Cells = []
        for text, style, _ in strip:
            row += [(character, style or Style.null()) for character in text]
        rows.append(row)
    return rows


Drawn = dict[str, list[Cells]]
"""What stands in the cells, by theme."""


async def _seen(pilot: Pilot[None]) -> Drawn:
    """In the present theme first: a change of theme costs more than all else here."""
    app = pilot.app
    for line in app.screen.query(Input):
        line.cursor_blink = False
    out = {}
    for theme in sorted((DARK.name, LIGHT.name), key=lambda name: name != app.theme):
        app.theme = theme
        await pilot.pause()
        await pilot.pause()
        out[theme] = cells(app)  # type: ignore[arg-type]
    return out


async def _home_again(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, ConsultApp)
    for table in app.tables.values():
        table.stop()
    app.tables.clear()
    while not isinstance(app.screen, Home):
        await app.pop_screen()
    await pilot.press("1")
    app.screen.action_clear()
    await until(pilot, lambda: app.screen._read.get("consultations"))  # type: ignore[attr-defined]
    await pilot.pause()


async def _all(size: tuple[int, int], wanted: Iterable[str]) -> dict[str, Drawn]:
    out = {}
    with world() as db:
        for path, some in ((db.parent / "no.db", {"welcome": welcome}), (db, SCENES)):
            app = ConsultApp(path)
            async with app.run_test(size=size) as pilot:
                await until(pilot, lambda app=app: isinstance(app.screen, Home) and app.screen._read)  # type: ignore[misc]
                await pilot.pause()
                for name in (n for n in some if n in wanted):
                    await some[name](pilot)
                    await pilot.pause()
                    out[name] = await _seen(pilot)
                    if some is SCENES:
                        await _home_again(pilot)
    return out


def look(style: Style) -> str:
    """A style in words that stay when the libraries change."""
    marks = [name for name in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, name)]
    colours = [c.get_truecolor().hex if c is not None and c.triplet else "-" for c in (style.color, style.bgcolor)]
    return " ".join([" on ".join(colours), *marks])


def files(size: tuple[int, int], wanted: Iterable[str]) -> dict[str, str]:
    """The file of each screen, by name."""
    return {name: _file(drawn) for name, drawn in asyncio.run(_all(size, wanted)).items()}


def _file(drawn: Drawn) -> str:
    looks: dict[str, str] = {}
    text, letters = [], []
    for one, other in zip(drawn[DARK.name], drawn[LIGHT.name], strict=True):
        assert [c for c, _ in one] == [c for c, _ in other], "a theme changes no word"
        text.append("".join(c for c, _ in one).rstrip())
        both = (f"{look(a)} | {look(b)}" for (_, a), (_, b) in zip(one, other, strict=True))
        letters.append("".join(looks.setdefault(words, LETTERS[len(looks)]) for words in both))
    legend = [f"{letter} = {words}" for words, letter in looks.items()]
    return "\n".join([*text, "", *letters, "", *legend, ""])


def path_of(name: str, size: tuple[int, int]) -> Path:
    return FOLDER / f"{name}-{size[0]}x{size[1]}.txt"


def names(size: tuple[int, int] = SIZES[0]) -> list[str]:
    return ["welcome", *(name for name in SCENES if size == SIZES[0] or name not in ONCE)]


def main() -> None:
    """Renews the files, or draws pictures."""
    if "--svg" in sys.argv:
        _pictures(Path(sys.argv[sys.argv.index("--svg") + 1]))
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        for name, text in files(size, [a for a in sys.argv[1:] if a in names()] or names(size)).items():
            path_of(name, size).write_text(text, "utf-8")
            sys.stdout.write(f"{path_of(name, size).name} written\n")


def _pictures(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)

    async def draw(db: Path, name: str, size: tuple[int, int]) -> None:
        app = ConsultApp(db)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: isinstance(app.screen, Home) and app.screen._read)
            await pilot.pause()
            await SCENES.get(name, welcome)(pilot)
            for theme in THEMES:
                app.theme = theme
                app.refresh_css(animate=False)
                await pilot.pause()
                await pilot.pause()
                svg = folder / f"{name}-{size[0]}x{size[1]}-{theme.removeprefix('consult-')}.svg"
                svg.write_text(app.export_screenshot(), "utf-8")

    wanted = [a for a in sys.argv[1:] if a in names()] or names()
    for name in wanted:
        for size in SIZES:
            with world() as db:
                asyncio.run(draw(db if name in SCENES else db.parent / "no.db", name, size))
        sys.stdout.write(f"{name} drawn\n")


if __name__ == "__main__":
    main()
