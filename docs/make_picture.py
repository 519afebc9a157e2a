"""Draws docs/images from a real consultation: `python docs/make_picture.py`.

`run.svg` is the beginning and the end of `consult run indigestion_at_the_wheel --persona choleric`, `card.svg` its score
card, `tui.svg` the same consultation in the terminal application, `debrief.svg` the debrief there of the one that
docs/debrief.md begins with. tests/test_docs.py fails when the words in them are no longer what that command prints.
`batch.svg` is the screen of a batch that was stopped on its way. `serve_home.png` and `serve_play.png` are `consult serve`
in a headless Chromium, if there is one.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from textual.pilot import Pilot

from consult.batch import Plan, execute, setups
from consult.events import Concluded, Question
from consult.show import EventPrinter
from consult.show.names import names_of
from consult.sim.session import play
from consult.store.db import Store
from consult.store.transcript import Transcript
from consult.tui.app import ConsultApp
from consult.tui.batches import BatchScreen
from consult.tui.consultation import Consultation
from consult.tui.dialogue import Dialogue
from consult.tui.feed import Kept

IMAGES = Path(__file__).resolve().parent / "images"
COMMAND = "consult run indigestion_at_the_wheel --persona choleric"
WIDTH = 100
QUESTIONS = 2
"""Questions shown before the cut."""
SCREEN = (120, 46)
SCREEN_QUESTION = 4
"""The question and answer on which the application is seen."""
FOLDED = ("1", "5", "6")
"""Panels that leave their room to triage, belief, mood and facts."""
DEBRIEFED = ("worst_monday", "choleric", "curt")
DEBRIEF_ROW = 5
"""The row of the debrief that is marked."""
BATCH = Plan(
    name="temperaments", personas=("neutral", "choleric", "phlegmatic"), inquirer=("reference", "curt", "checklist"), epochs=2,
    scenarios=("tag:emergency",),
)  # fmt: skip
DONE = 250
"""Its consultations that are done on the picture."""
THEME = TerminalTheme(
    (22, 27, 34),
    (220, 225, 232),
    [
        (22, 27, 34), (224, 72, 72), (110, 210, 140), (240, 200, 90), (110, 170, 255), (205, 150, 250), (95, 210, 225),
        (220, 225, 232),
    ],
    [
        (110, 118, 129), (248, 113, 113), (110, 210, 140), (240, 200, 90), (110, 170, 255), (205, 150, 250),
        (95, 210, 225), (255, 255, 255),
    ],
)  # fmt: skip
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px;
  line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 18px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own frame loads a font over the network; this one does not."""


def consultation(scenario: str, persona: str, inquirer: str = "reference") -> Transcript:
    """The consultation of a picture."""
    setup = setups(Plan(scenarios=(scenario,), personas=(persona,), inquirer=(inquirer,)))[0]
    from consult.sim.session import header

    return Transcript(header(setup), play(setup).events)


def consoles() -> dict[str, Console]:
    """What is on each picture, recorded."""
    transcript = consultation("indigestion_at_the_wheel", "choleric")
    cut = next(e.seq for e in transcript.events if isinstance(e, Question) and e.turn == QUESTIONS + 1)
    end = next(e.seq for e in transcript.events if isinstance(e, Concluded))
    run, card = _console(), _console()
    printer = EventPrinter(run, transcript.header, names_of(transcript.header))
    printer.start()
    shown = False
    for event in transcript.events:
        if event.seq < cut - 1 or event.seq >= end:
            printer.event(event)
        else:
            printer.skip(event)
            if not shown:
                run.print(
                    f"\n{'⋮':>15}  {transcript.events[end].turn - QUESTIONS} more questions, and tests", style="dim"
                )
            shown = True
    quiet = EventPrinter(card, transcript.header, names_of(transcript.header))
    for event in transcript.events:
        quiet.skip(event)
    quiet.finish()
    return {"run": run, "card": card, **asyncio.run(_screens(transcript))}


async def _screens(transcript: Transcript) -> dict[str, Console]:
    """The application's screens of a consultation and of a debrief, recorded."""
    app, out = ConsultApp(IMAGES / "none.db"), {}
    async with app.run_test(size=SCREEN) as pilot:
        await _opened(pilot, transcript)
        await pilot.press(*FOLDED, "home", "right", *["right_square_bracket"] * SCREEN_QUESTION)
        out["tui"] = await _recorded(pilot)
        await app.pop_screen()
        await _opened(pilot, consultation(*DEBRIEFED))
        await pilot.press("r")
        while not app.screen.query("Line"):
            await pilot.pause(0.01)
        await pilot.press(*["down"] * DEBRIEF_ROW)
        out["debrief"] = await _recorded(pilot)
    return out


async def _opened(pilot: Pilot[None], transcript: Transcript) -> None:
    screen = Consultation(Kept(lambda: transcript))
    await pilot.app.push_screen(screen)
    while not (screen.over and screen.query_one("#dialogue", Dialogue).settled):
        await pilot.pause(0.01)


async def _recorded(pilot: Pilot[None]) -> Console:
    await pilot.pause()
    console = _console(pilot.app.size.width)
    console.print(pilot.app.screen._compositor.render_update(full=True))
    return console


def batch() -> Console:
    """The screen of a batch of which so many consultations are done, recorded."""

    async def look(db: Path) -> Console:
        app = ConsultApp(db)
        async with app.run_test(size=SCREEN) as pilot:
            screen = BatchScreen(BATCH.run)
            await app.push_screen(screen)
            while not screen.looks:
                await pilot.pause(0.01)
            await pilot.press("w")
            return await _recorded(pilot)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        db = Path(folder) / "a.db"
        with Store(db) as store:
            done = list(islice(execute(BATCH, setups(BATCH), store), DONE))
        assert len(done) == DONE
        return asyncio.run(look(db))


def _console(width: int = WIDTH) -> Console:
    return Console(
        record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor", legacy_windows=False,
        markup=False, emoji=False, highlight=False,
    )  # fmt: skip


def served() -> bool:
    """Photographs the first screen and a first answer in a browser; whether there is one."""
    sys.path.insert(0, str(IMAGES.parents[1] / "tests"))
    from serve_world import BROWSER, answered, serving, window

    if BROWSER is None:
        return False
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (_, address), window(address) as seen:
        for name in answered(seen):
            seen.page.wait_for_timeout(300)  # the frame that was received is drawn
            seen.page.screenshot(path=IMAGES / f"serve_{name}.png")
    return True


def main() -> None:
    """Writes the pictures."""
    IMAGES.mkdir(exist_ok=True)
    for name, console in (consoles() | {"batch": batch()}).items():
        svg = console.export_svg(
            title=COMMAND if name in ("run", "card") else "consult", theme=THEME, code_format=FRAME, unique_id=name
        )
        path = IMAGES / f"{name}.svg"
        path.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", "utf-8", newline="\n")
        sys.stdout.write(f"{path.name} written\n")
    sys.stdout.write("serve_*.png written\n" if served() else "no Chromium: serve_*.png left as they are\n")


if __name__ == "__main__":
    main()
