"""Every screen of the terminal application in a fixed state, for whoever looks at them (`tui_look`).

What happens behind a screen is scripted where it would take its time: a batch stands still where it is told to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from golden import FOLDER as GOLDEN
from still_batch import Still, board_of
from textual.pilot import Pilot
from textual.widgets import Input, Select
from tui_world import dialogue, filled, until

from consult.batch.board import Board
from consult.report.branches import Branch
from consult.store import db as store_db
from consult.store.transcript import read
from consult.tui import branching
from consult.tui.app import ConsultApp
from consult.tui.batches import GOING
from consult.tui.consultation import Consultation
from consult.tui.debrief import Debriefing, Line
from consult.tui.feed import Choice, Failed, Kept, Opened, Post, scene_of
from consult.tui.home import Home
from consult.tui.listing import Listing
from consult.tui.opening import started
from consult.tui.pick import Pick
from consult.tui.playing import Playing
from consult.tui.start import Start

Scene = Callable[[Pilot[None]], Awaitable[None]]
BEFORE: dict[str, Scene] = {}
"""The scene that another one goes on from, which need not be played anew for each of them."""


def on(before: Scene) -> Callable[[Scene], Scene]:
    """Says what a scene goes on from."""

    def note(scene: Scene) -> Scene:
        BEFORE[scene.__name__] = before
        return scene

    return note


kept = cache(lambda name: read(GOLDEN / f"{name}.jsonl"))


@contextmanager
def world() -> Iterator[Path]:
    """A store that holds the same at any time."""
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        patch.object(store_db, "now", lambda: "2025-01-01T00:00:00Z"),
    ):
        yield filled(Path(folder) / "a.db")


async def home_again(pilot: Pilot[None]) -> None:
    """Back to the first screen, as it was before any scene."""
    app = pilot.app
    assert isinstance(app, ConsultApp)
    for table in app.tables.values():
        table.stop()
    app.tables.clear()
    app.clear_notifications()
    GOING.clear()
    while not isinstance(app.screen, Home):
        await app.pop_screen()
    await pilot.press("1")
    app.screen.action_clear()
    await until(pilot, lambda: app.screen._read.get("consultations"))  # type: ignore[attr-defined]
    await pilot.pause()


# Home


async def _list(pilot: Pilot[None], key: str) -> None:
    home = pilot.app.screen
    assert isinstance(home, Home)
    await pilot.press(key)
    await until(pilot, lambda: home._read.get(home.source.name) and len(pilot.app.screen.query_one(Listing).rows))


async def welcome(pilot: Pilot[None]) -> None:
    """Nothing is kept yet."""


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


async def _form(pilot: Pilot[None]) -> None:
    form = pilot.app.screen
    assert isinstance(form, Start)
    await until(pilot, lambda: form.query_one("#inquirer", Select).value)


# A consultation that is kept


async def _golden(pilot: Pilot[None], *keys: str, name: str = "indigestion-choleric-reference") -> Consultation:
    screen = Consultation(Kept(lambda: kept(name)))
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.over and dialogue(screen).settled)
    await pilot.press(*keys)
    await until(pilot, lambda: dialogue(screen).settled)
    return screen


async def _middle(pilot: Pilot[None]) -> Consultation:
    return await _golden(pilot, "home", "right", *["right_square_bracket"] * 4)


async def consultation(pilot: Pilot[None]) -> None:
    await _middle(pilot)


@on(consultation)
async def details(pilot: Pilot[None]) -> None:
    await pilot.press("d")


@on(consultation)
async def panels(pilot: Pilot[None]) -> None:
    await pilot.press("p")


async def card(pilot: Pilot[None]) -> None:
    await _golden(pilot)


@on(card)
async def evidence(pilot: Pilot[None]) -> None:
    await pilot.press("e")


@on(consultation)
async def help_of_consultation(pilot: Pilot[None]) -> None:
    await pilot.press("question_mark")


@on(consultation)
async def beside(pilot: Pilot[None]) -> None:
    screen = pilot.app.screen
    await pilot.press("b")
    await until(pilot, lambda: isinstance(pilot.app.screen, Pick))
    await pilot.press(*"curt", "enter")
    await until(pilot, lambda: screen.query_one("#other").display)


@on(consultation)
async def what_if(pilot: Pilot[None]) -> None:
    await pilot.press("w")
    await _form(pilot)


def _branch(identifier: str, depth: int, after: int | None, changed: str, top: str, right: bool, scores: Any) -> Branch:
    named = dict(zip(("inquiry.efficiency", "communication.composite"), scores, strict=True))
    row = {"consultation_id": identifier, "top": top, "correct": right, "turns": 14 - 2 * depth, "scores": named}
    return Branch(row, depth, after, changed)


TREE = (
    _branch("3f9c2a71d0", 0, None, "", "acute_coronary_syndrome", True, (0.92, 0.96)),
    _branch("b81e44c902", 1, 4, "persona phlegmatic", "acute_coronary_syndrome", True, (0.88, 0.94)),
    _branch("07ad5e13f6", 2, 7, "doctor curt", "gastro_oesophageal_reflux_disease", False, (0.41, 0.33)),
    _branch("e2f06b7a55", 1, 4, "result ecg=normal/-ecg_st", "gastro_oesophageal_reflux_disease", False, (0.9, None)),
)


@on(consultation)
async def tree(pilot: Pilot[None]) -> None:
    screen = pilot.app.screen
    assert isinstance(screen, Consultation)
    screen._show_branches([branching._row(b, here=b.depth == 2) for b in TREE])
    await until(pilot, lambda: isinstance(pilot.app.screen, Pick))


async def debrief(pilot: Pilot[None]) -> None:
    await _golden(pilot, "r", name="ectopic-phlegmatic-curt")
    screen = pilot.app.screen
    assert isinstance(screen, Debriefing)
    await until(pilot, lambda: isinstance(screen.focused, Line))
    await pilot.press(*["down"] * 4)


@on(debrief)
async def debrief_folded(pilot: Pilot[None]) -> None:
    await pilot.press("f")


@on(debrief)
async def debrief_below(pilot: Pilot[None]) -> None:
    """In better words: the doctor's and what could be said instead."""
    screen = pilot.app.screen
    wanted = screen.query("#part-better Line").first(Line)
    wanted.focus()
    await until(pilot, lambda: screen.focused is wanted)


# A consultation that happens now


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


async def watching(pilot: Pilot[None]) -> None:
    screen = await _live(pilot, {})
    await pilot.press("space")
    while screen.timeline is None or screen.timeline.turn(screen.upto) < 2:
        await pilot.press("right")
        await pilot.pause(0.005)
    await until(pilot, lambda: screen.timeline and screen.upto < len(screen.timeline))


@on(watching)
async def take_over(pilot: Pilot[None]) -> None:
    screen = pilot.app.screen
    assert isinstance(screen, Playing)
    await pilot.press("f4")
    await until(pilot, lambda: screen.your_turn)
    await until(pilot, lambda: dialogue(screen).settled)


class Broken:
    """A table at which an agent has failed."""

    seat, live = "", True

    def run(self, post: Post) -> None:
        t = kept("indigestion-choleric-reference")
        post(Opened(t.header, scene_of(t.header), past=PAST))
        post(t.events[:PAST])
        post(Failed("inquirer: llm:openai/local: no answer from http://127.0.0.1:8000 (mend: start the server there)"))

    def seen(self, upto: int) -> None: ...

    def leave(self, post: Post) -> None: ...


PAST = 25
"""Events before it."""


async def failed(pilot: Pilot[None]) -> None:
    screen = Playing(Broken())  # type: ignore[arg-type]
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: screen._failed and dialogue(screen).settled)


async def doctor(pilot: Pilot[None]) -> None:
    screen = await _live(pilot, {"inquirer": "human", "persona": "choleric"})
    await _said(pilot, screen, "I am sorry to hear that. Does your chest hurt?", "/order ecg")
    screen.query_one("#say", Input).value = "/order blod count"
    await pilot.press("enter")


async def patient(pilot: Pilot[None]) -> None:
    screen = await _live(pilot, {"patient": "human"})
    await _said(pilot, screen, "I have heartburn.", "Yes, in my left arm.")


async def diagnosis(pilot: Pilot[None]) -> None:
    screen = await _live(pilot, {"inquirer": "human"})
    await _said(pilot, screen)
    screen.query_one("#say", Input).value = "/diagnose"
    await pilot.press("enter")


# A batch


async def _batch(pilot: Pilot[None], board: Board, *recent: tuple[float, int], here: bool = False) -> Still:
    app = pilot.app
    assert isinstance(app, ConsultApp)
    if here:
        GOING[app.db, "temperaments"] = SimpleNamespace(over=False, stopping=False, problem="", stop=lambda: None)  # type: ignore[assignment]
    screen = Still(board, *(recent or ((0.0, board.done),)))
    await app.push_screen(screen)
    await until(pilot, lambda: screen.looks)
    return screen


async def batch_running(pilot: Pilot[None]) -> None:
    await _batch(pilot, board_of(118, taken=4), (0.0, 52), (30.0, 118), here=True)


async def batch_done(pilot: Pilot[None]) -> None:
    await _batch(pilot, board_of(264))
    await pilot.press("w")


async def batch_failed(pilot: Pilot[None]) -> None:
    await _batch(pilot, board_of(201, failures=True))
    await pilot.press("f", "f")


async def batch_form(pilot: Pilot[None]) -> None:
    await pilot.press("b")


@on(batch_running)
async def batch_leaving(pilot: Pilot[None]) -> None:
    await pilot.press("escape")


@on(batch_failed)
async def help_of_batch(pilot: Pilot[None]) -> None:
    await pilot.press("question_mark")


SCENES: dict[str, Scene] = {
    f.__name__: f for f in (
        welcome, home, runs, scenarios, personas, hospitals, agents, start, help_of_home, consultation, details, panels,
        help_of_consultation, what_if, tree, beside, card, evidence, debrief, debrief_below, debrief_folded,
        batch_running, batch_leaving, batch_done, batch_failed, help_of_batch, batch_form, watching, take_over, failed,
        doctor, patient, diagnosis,
    )
}  # fmt: skip
"""What happens now comes last: one that was left in the middle stands in the list of the first screen."""
AGAIN = {"details": "d", "panels": "p"}
"""The key that undoes a scene which opens no screen."""
EMPTY = ("welcome",)
"""Scenes in which nothing is kept yet."""
