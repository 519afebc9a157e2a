"""Every key of every screen does something that can be seen. A binding that is not tried here fails a test here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from handmade import header, made, numbered
from textual.binding import Binding
from textual.pilot import Pilot
from textual.screen import Screen
from tui_scenes import _form, _live
from tui_world import dialogue, filled, listing, play, screenful, until

from consult.actions import Ask
from consult.events import Audited
from consult.store.transcript import Transcript
from consult.tui.app import ConsultApp
from consult.tui.consultation import Consultation
from consult.tui.dialogue import Dialogue
from consult.tui.feed import Kept, Menu
from consult.tui.help import HelpScreen
from consult.tui.home import Home
from consult.tui.listing import Listing
from consult.tui.pick import Pick
from consult.tui.playing import Playing
from consult.tui.side import Side
from consult.tui.sources import Column, Row
from consult.tui.start import Start
from consult.tui.words import Ending

SIZE = (120, 24)
"""So few rows that everything scrolls."""
ELSEWHERE = ("batches", "batch_form", "grid", "debrief")
"""Modules whose keys are tried in tests of their own: tests/test_tui_batch.py, tests/test_tui_debrief.py."""
LEAVES = ("q", "ctrl+q", "ctrl+c")
"""Keys that end the application where they are its own."""


def keys_of(owner: type[Any]) -> list[str]:
    return [b.key for b in Binding.make_bindings(owner.BINDINGS)]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("keys") / "a.db")


def flagged() -> Transcript:
    audit = Audited(leaks=1, unreleased=0, inventions=0, role_breaks=0, early_end=False, evidence=(7,))
    t = made()
    return Transcript(
        header(consultation_id=golden_id(), scenario=t.header.scenario), numbered([*t.events[:-1], audit])
    )


def golden_id() -> str:
    from tui_world import golden_transcripts

    return golden_transcripts()[0].id


def seen(pilot: Pilot[None]) -> Any:
    """All that can change by a key: what stands on the screen, how it looks, and whether it is there."""
    app = pilot.app
    strips = [list(strip) for strip in app.screen._compositor.render_strips()]
    return app.screen, app.theme, app.is_running and app._exit, strips


async def changes(pilot: Pilot[None], key: str) -> None:
    """Presses a key, and waits until something is otherwise."""
    before = seen(pilot)
    await pilot.press(key)
    try:
        await until(pilot, lambda: seen(pilot) != before)
    except AssertionError as e:
        raise AssertionError(f"{key} does nothing that can be seen") from e


Open = Callable[[Pilot[None]], Awaitable[Screen[Any]]]


async def consultation(pilot: Pilot[None]) -> Screen[Any]:
    """In the middle of one that has flags before and behind."""
    screen = pilot.app.screen
    if not isinstance(screen, Consultation):
        screen = Consultation(Kept(flagged))
        await pilot.app.push_screen(screen)
        await until(pilot, lambda: screen.over and dialogue(screen).settled)  # type: ignore[attr-defined]
    screen._go(len(flagged().events) // 2)
    dialogue(screen).focus()
    await pilot.pause()
    return screen


async def pick(pilot: Pilot[None]) -> Screen[Any]:
    if isinstance(pilot.app.screen, Pick):
        await pilot.app.pop_screen()
    rows = [Row(str(n), (f"row {n}",), f"row {n}") for n in range(200)]
    screen: Pick = Pick("Which?", (Column("row", 9),), rows, empty="")
    await pilot.app.push_screen(screen)
    return screen


async def help_screen(pilot: Pilot[None]) -> Screen[Any]:
    screen = HelpScreen(pilot.app.screen)
    await pilot.app.push_screen(screen)
    return screen


async def start(pilot: Pilot[None]) -> Screen[Any]:
    screen = Start({})
    await pilot.app.push_screen(screen)
    await _form(pilot)
    return screen


async def ending(pilot: Pilot[None]) -> Screen[Any]:
    screen = Ending(Menu((), (), ()), kind="refer", draft={})
    await pilot.app.push_screen(screen)
    return screen


async def each(pilot: Pilot[None], owner: type[Any], open_: Open, first: dict[str, list[str]]) -> None:
    """Every key of `owner`; `first`: what must be pressed before it, so that it has something to do."""
    for key in keys_of(owner):
        screen = await open_(pilot)
        for before in first.get(key, first.get("", [])):
            await pilot.press(before)
        await pilot.pause()
        await changes(pilot, key)
        await pilot.pause()
        while pilot.app.screen is not screen and not isinstance(pilot.app.screen, Home):
            await pilot.app.pop_screen()


CASES: dict[str, tuple[type[Any], Open, dict[str, list[str]]]] = {
    "consultation": (Consultation, consultation, {"f": ["home"], "F": ["end"]}),
    "dialogue": (Dialogue, consultation, {"down": ["end", "up"], "j": ["end", "up"], "pagedown": ["end", "pageup"], "": ["end"]}),
    "side": (Side, consultation, {"up": ["tab", "pagedown"], "pageup": ["tab", "pagedown"], "": ["tab"]}),
    "pick": (Pick, pick, {}),
    "listing": (Listing, pick, {"": ["down", "pagedown", "pagedown"], "end": ["down"], "G": ["down"]}),
    "help": (HelpScreen, help_screen, {}),
    "start": (Start, start, {}),
    "ending": (Ending, ending, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_key(name: str, db: Path) -> None:
    owner, open_, first = CASES[name]

    async def scene(pilot: Pilot[None]) -> None:
        await each(pilot, owner, open_, first)

    play(db, scene, SIZE)


HOME = {"escape": ["f"], "S": ["s"], "1": ["2"], "r": []}


def test_every_key_of_home(db: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        home = pilot.app.screen
        assert isinstance(home, Home)
        for key in keys_of(Home):
            if key in ("q", "enter"):
                continue  # `q` is tried below; Enter starts the first consultation, in tests/test_tui_home.py
            for before in HOME.get(key, []):
                await pilot.press(before)
            await pilot.pause()
            if key == "r":
                home._read.clear()
                await pilot.press(key)
                await until(pilot, lambda: home._read)
            else:
                await changes(pilot, key)
            while pilot.app.screen is not home:
                await pilot.app.pop_screen()
            await pilot.press("1")
            home.action_clear()
            await until(pilot, lambda: listing(pilot).rows)
            await pilot.pause()

    play(db, scene, SIZE)


@pytest.mark.parametrize("key", LEAVES)
def test_the_keys_that_leave(key: str, db: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await until(pilot, lambda: pilot.app._exit)

    play(db, scene, SIZE)


def test_every_key_of_the_application(db: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        for key in keys_of(ConsultApp):
            if key not in LEAVES:
                await changes(pilot, key)
                if isinstance(pilot.app.screen, HelpScreen):
                    await pilot.press("escape")

    play(db, scene, SIZE)


def test_every_key_while_it_happens(tmp_path: Path) -> None:
    """In an order in which each of them has something to do; F7 waits for a failure."""
    tried: list[str] = []

    async def scene(pilot: Pilot[None]) -> None:
        async def does(key: str, condition: Callable[[], Any]) -> None:
            await pilot.press(key)
            await until(pilot, condition)
            tried.append(key)

        screen = await _live(pilot, {"inquirer": "human"})
        await does("f1", lambda: isinstance(pilot.app.screen, HelpScreen))
        await pilot.press("escape")
        await does("f2", lambda: screen.has_class("-side-changed"))
        await does("f3", lambda: screen._teacher)
        await does("f6", lambda: not screen.seat)
        await pilot.press("space")
        await does("f5", lambda: screen.seat == "patient")
        await pilot.press("f6")
        await until(pilot, lambda: not screen.seat)
        await does("f4", lambda: screen.seat == "inquirer" and screen.your_turn)
        screen._table.say(Ask(text="Do you smoke?"))
        await until(pilot, lambda: screen.your_turn and "smoke" in screenful(pilot))
        await pilot.press("tab")
        await does("t", lambda: not screen._teacher)
        screen._failed = True
        screen.refresh_bindings()
        await does("f7", lambda: not screen._failed)
        await does("f8", lambda: isinstance(pilot.app.screen, Home))

    play(tmp_path / "a.db", scene, SIZE)
    inherited = [*Consultation.BINDINGS, *Screen.BINDINGS]
    own = [b.key for b in Binding.make_bindings([b for b in Playing.BINDINGS if b not in inherited])]
    assert tried == sorted(own, key=tried.index)


def test_no_owner_of_keys_is_left_out() -> None:
    """Whatever in consult.tui has bindings of its own is tried above."""
    import consult.tui as package

    owners: set[type[Any]] = set()
    for path in Path(package.__file__ or "").parent.glob("*.py"):
        if path.stem in ELSEWHERE:
            continue
        module = __import__(f"consult.tui.{path.stem}", fromlist=["_"])
        owners |= {
            o for o in vars(module).values()
            if isinstance(o, type) and o.__module__ == module.__name__ and o.__dict__.get("BINDINGS")
        }  # fmt: skip
    assert owners == {owner for owner, _, _ in CASES.values()} | {Home, ConsultApp, Playing, Listing}
