"""What the tests of the terminal application share: the application under a pilot, and waiting on conditions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

from golden import CELLS, FOLDER
from textual import app as textual_app
from textual import pilot as textual_pilot
from textual import screen as textual_screen
from textual._context import active_app
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from textual.widgets import Static

from consult.store.db import Store
from consult.store.transcript import Transcript, read
from consult.tui.app import ConsultApp
from consult.tui.consultation import Consultation
from consult.tui.dialogue import Dialogue
from consult.tui.feed import Kept
from consult.tui.help import HelpScreen
from consult.tui.home import Home
from consult.tui.listing import Listing

SIZES = ((80, 24), (120, 40))
PATIENCE = 60.0
"""Seconds after which a condition is given up."""

Play = Callable[[Pilot[None], Any], Awaitable[None]]


def _parsed_once(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Style sheets are the same in every application: each is parsed once for a theme, not once for a test."""
    themes: dict[frozenset[Any], dict[Any, Any]] = {}
    last: list[Any] = [None, {}]

    def rules(self: Stylesheet, *given: Any, **more: Any) -> Any:
        if last[0] is not self._variables:
            last[:] = self._variables, themes.setdefault(frozenset(self._variables.items()), {})
        key = (given, tuple(more.items()))
        if key not in last[1]:
            last[1][key] = parse(self, *given, **more)
        return last[1][key]

    return rules


Stylesheet._parse_rules = _parsed_once(Stylesheet._parse_rules)  # type: ignore[method-assign]


async def _at_rest(min_sleep: float = 0, max_sleep: float = 1) -> None:
    """Until nothing is left that goes on by itself, and what is to be drawn is drawn, not left to the next frame.

    Textual's own looks every 20 ms whether the processor is idle, twice for each key: half the time of these tests.
    """
    loop: Any = asyncio.get_running_loop()
    app = active_app.get()
    deadline, quiet = monotonic() + max_sleep, 0
    while quiet < 3 and monotonic() < deadline:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1
        if quiet == 3 and app.animator._animations:  # a page that is brought into sight is there at the next frame
            await app.animator.wait_for_idle()
            quiet = 0
        if quiet == 3 and app.screen_stack and app.screen._update_timer._active.is_set():
            app.screen._on_timer_update()
            quiet = 0


textual_app.wait_for_idle = textual_pilot.wait_for_idle = _at_rest
textual_screen.UPDATE_PERIOD = 0.25  # nobody sees the frames between


@cache
def golden_transcripts() -> list[Transcript]:
    return [read(FOLDER / f"{name}.jsonl") for name in CELLS]


def filled(path: Path) -> Path:
    """A store with the golden transcripts."""
    with Store(path) as store:
        for t in golden_transcripts():
            store.save(t)
    return path


async def until(pilot: Pilot[None], condition: Callable[[], Any]) -> None:
    """Lets the application go on until `condition` holds, and what comes of it can be seen.

    Asks seldom what takes long, for to ask takes time from it.
    """
    deadline, pause = monotonic() + PATIENCE, 0.005
    while not condition():
        assert monotonic() < deadline, "it did not come about"
        await asyncio.sleep(pause)
        await _at_rest()
        pause = min(pause * 1.2, 0.025)
    await _at_rest()


async def resized(pilot: Pilot[None], size: tuple[int, int]) -> None:
    """Lets the terminal have another size; Textual waits a little for a later one before it believes it."""
    if pilot.app.size != size:
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: pilot.app.screen.outer_size == size)


def play(db: Path, scene: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (120, 40)) -> None:
    """Runs `scene` on the home screen, with its list read."""

    async def main() -> None:
        app = ConsultApp(db)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: isinstance(app.screen, Home) and app.screen._read)
            await pilot.pause()
            await scene(pilot)

    asyncio.run(main())


def watch(
    transcript: Transcript, scene: Callable[[Pilot[None], Consultation], Awaitable[None]], size: tuple[int, int] = (120, 40),
    db: Path = Path("none.db"),
) -> None:  # fmt: skip
    """Runs `scene` on the screen of a consultation, with all of it laid out."""

    async def main() -> None:
        app = ConsultApp(db)
        async with app.run_test(size=size) as pilot:
            screen = Consultation(Kept(lambda: transcript))
            await app.push_screen(screen)
            await until(pilot, lambda: screen.over and dialogue(screen).settled)
            await pilot.pause()
            await scene(pilot, screen)

    asyncio.run(main())


def dialogue(screen: Any) -> Dialogue:
    found: Dialogue = screen.query_one("#dialogue", Dialogue)
    return found


def listing(pilot: Pilot[None]) -> Listing:
    return pilot.app.screen.query_one(Listing)


def said(screen: Any, selector: str) -> str:
    """The words of a static."""
    return str(screen.query_one(selector, Static).render())


def helped(pilot: Pilot[None]) -> str:
    """The keys that the help on the screen lists, in sight or not."""
    screen = pilot.app.screen
    assert isinstance(screen, HelpScreen)
    with pilot.app.console.capture() as listed:
        pilot.app.console.print(screen._keys(), width=200)
    return listed.get()


def screenful(pilot: Pilot[None]) -> str:
    """All that stands on the screen, as plain text."""
    width, height = pilot.app.size
    screen = pilot.app.screen
    strips = screen._compositor.render_strips()
    del width, height
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)
