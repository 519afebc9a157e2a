"""How the screens of `tui_scenes` are kept, and drawn: what stands in each cell, and its look in each theme.

    python tests/tui_look.py [NAME…]      renews tests/data/screens
    python tests/tui_look.py --svg DIR [NAME…]    draws them as pictures, in each theme, on a large terminal, too

A picture file of a screen (SVG) changes with every version of the libraries that draw it; these files change with what is
seen. One file a screen and size: the text, then a letter for the look of each cell, then what each letter is in the dark
theme, in the light one and, of the smaller size, in high contrast. A scene is played once, in the smallest size; the same screen is then looked
at in each theme and size, as by somebody who changes them.
"""

from __future__ import annotations

import asyncio
import string
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from rich.style import Style
from textual.geometry import Region
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input
from tui_scenes import AGAIN, BEFORE, EMPTY, SCENES, Scene, home_again, world
from tui_world import SIZES, resized, until

from consult.tui.app import ConsultApp
from consult.tui.dialogue import Dialogue
from consult.tui.home import Home
from consult.tui.themes import CONTRAST, THEMES

FOLDER = Path(__file__).parent / "data" / "screens"
LARGE = (200, 50)
LETTERS = string.ascii_letters + string.digits + "".join(chr(n) for n in range(0xC0, 0x17F))
T = TypeVar("T")
Size = tuple[int, int]
Cells = list[tuple[str, Style]]
Looks = dict[tuple[Size, str], T]
"""By size and theme."""


class Seen(NamedTuple):
    """A screen as it was drawn."""

    cells: list[Cells]
    box: Region
    """Where it is to be read: what lies behind a box is neither looked at nor kept."""

    @property
    def rows(self) -> list[Cells]:
        """The cells that are to be read."""
        return [row[self.box.x : self.box.right] for row in self.cells[self.box.y : self.box.bottom]]


def themes_at(size: Size) -> list[str]:
    """High contrast is not looked at in the larger one of the two sizes: there is no colour there that is not in the smaller one."""
    return [name for name in THEMES if size != SIZES[1] or name != CONTRAST.name]


def cells(app: ConsultApp) -> list[Cells]:
    """What stands in each cell of the screen; of a wide character, in its first."""
    rows: list[Cells] = []
    for strip in app.screen._compositor.render_strips():
        row: Cells = []
        for text, style, _ in strip:
            row += [(character, style or Style.null()) for character in text]
        rows.append(row)
    return rows


def seen(app: ConsultApp) -> Seen:
    """The screen now."""
    screen = app.screen
    return Seen(cells(app), screen.children[0].region if isinstance(screen, ModalScreen) else screen.region)


async def _in_each(pilot: Pilot[None], sizes: Iterable[Size], look: Callable[[ConsultApp], T]) -> Looks[T]:
    """What is seen in each size and theme; the present ones first, for a change costs more than all else here."""
    app = pilot.app
    assert isinstance(app, ConsultApp)
    for line in app.screen.query(Input):
        line.cursor_blink = False
    out = {}
    for size in sizes:
        await resized(pilot, size)
        for theme in sorted(themes_at(size), key=lambda name: (name != app.theme, name != CONTRAST.name)):
            if app.theme != theme:
                app.theme = theme
            await pilot.pause()
            await until(
                pilot, lambda: all(d.settled for s in app.screen_stack for d in s.query(Dialogue) if d.size.width)
            )
            await pilot.pause()
            out[size, theme] = look(app)
    return out


def drawn(wanted: Iterable[str], sizes: Iterable[Size], look: Callable[[ConsultApp], T]) -> dict[str, Looks[T]]:
    """What is seen of each scene in each size and theme."""
    out: dict[str, Looks[T]] = {}
    asyncio.run(_draw(wanted, sizes, look, out))  # as its result, asyncio would spell all of it out at its end
    return out


async def _draw(
    wanted: Iterable[str], sizes: Iterable[Size], look: Callable[[ConsultApp], T], out: dict[str, Looks[T]]
) -> None:
    with world() as db:
        for path, empty in ((db.parent / "no.db", True), (db, False)):
            app = ConsultApp(path)
            async with app.run_test(size=SIZES[0]) as pilot:
                await until(pilot, lambda app=app: isinstance(app.screen, Home) and app.screen._read)  # type: ignore[misc]
                await pilot.pause()
                stage: Scene | None = None
                for name in (n for n in wanted if (n in EMPTY) is empty):
                    before, scene = BEFORE.get(name), SCENES[name]
                    anew = stage is not (before or scene)
                    if anew:
                        await home_again(pilot)
                    await resized(pilot, SIZES[0])
                    if anew:
                        stage = before or scene
                        await stage(pilot)
                    screen = app.screen
                    if before is not None:
                        await scene(pilot)
                    await pilot.pause()
                    out[name] = await _in_each(pilot, sizes, look)
                    if app.screen is not screen:
                        await app.pop_screen()
                    await pilot.press(*AGAIN.get(name, ""))


@cache
def look(style: Style) -> str:
    """A style in words that stay when the libraries change."""
    marks = [name for name in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, name)]
    colours = [c.get_truecolor().hex if c is not None and c.triplet else "-" for c in (style.color, style.bgcolor)]
    return " ".join([" on ".join(colours), *marks])


def file_of(screens: list[Seen]) -> str:
    """The file of one screen in one size; `screens`: in each theme."""
    looks: dict[str, str] = {}
    text, letters = [], []
    for rows in zip(*(screen.rows for screen in screens), strict=True):
        words = {"".join(c for c, _ in row) for row in rows}
        assert len(words) == 1, "a theme changes no word"
        text.append(words.pop().rstrip())
        here = (" | ".join(look(style) for _, style in cell) for cell in zip(*rows, strict=True))
        letters.append("".join(looks.setdefault(one, LETTERS[len(looks)]) for one in here))
    legend = [f"{letter} = {words}" for words, letter in looks.items()]
    return "\n".join([*text, "", *letters, "", *legend, ""])


def path_of(name: str, size: Size) -> Path:
    return FOLDER / f"{name}-{size[0]}x{size[1]}.txt"


def main() -> None:
    """Renews the files, or draws pictures."""
    wanted = [a for a in sys.argv[1:] if a in SCENES] or list(SCENES)
    if "--svg" in sys.argv:
        folder = Path(sys.argv[sys.argv.index("--svg") + 1])
        folder.mkdir(parents=True, exist_ok=True)
        pictures = drawn(wanted, (*SIZES, LARGE), ConsultApp.export_screenshot)
        for name, by in pictures.items():
            for (size, theme), svg in by.items():
                path = folder / f"{name}-{size[0]}x{size[1]}-{theme.removeprefix('consult-')}.svg"
                path.write_text(svg, "utf-8")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, by in drawn(wanted, SIZES, seen).items():
        for size in SIZES:
            path_of(name, size).write_text(file_of([by[size, theme] for theme in themes_at(size)]), "utf-8")
        sys.stdout.write(f"{name} written\n")


if __name__ == "__main__":
    main()
