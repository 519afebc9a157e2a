"""A consultation that happens now: taken over and handed back, left while a model is slow, and what a failure leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from tui_world import SIZES, dialogue, listing, play, screenful, until

from consult.actions import Ask, Conclude
from consult.agents import registry
from consult.events import Changed, Question, Utterance
from consult.players import player
from consult.store.db import Store
from consult.store.transcript import Transcript
from consult.tui.feed import Ended, Failed, setup_of
from consult.tui.home import Home
from consult.tui.left import left_open
from consult.tui.opening import started
from consult.tui.playing import Playing
from consult.tui.table import Table


class Slow:
    """A doctor that takes its time: its n-th move waits until it is let go, or fails."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = threading.Event()
        self.slow_at = 1
        self.broken = False
        self.calls = 0

    def act(self, view: Any) -> Any:
        self.calls += 1
        if view.turn == self.slow_at:
            self.asked.set()
            self.go.wait()
        if self.broken and view.turn == self.slow_at:
            raise RuntimeError("the [b]server[/b] is gone")
        return Ask(text="Do you smoke?") if view.turn < 3 else Conclude(differential=())


class Point:
    value = "tests"

    def __init__(self, agent: Any) -> None:
        self.agent = agent

    def load(self) -> Callable[[str], Any]:
        return lambda role: self.agent


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    agent = Slow()
    monkeypatch.setattr(registry, "_plugins", lambda: {"slow": Point(agent)})
    yield agent
    agent.go.set()


async def watched(pilot: Pilot[None], **choice: str) -> Playing:
    screen = started(pilot.app, choice)  # type: ignore[arg-type]
    assert isinstance(screen, Playing)
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.timeline is not None)
    return screen


async def says(pilot: Pilot[None], screen: Playing, words: str) -> None:
    screen.query_one("#say", Input).value = words
    await pilot.press("enter")
    await until(pilot, lambda: screen.your_turn or screen.over)


def only(db: Path) -> Transcript:
    with Store(db, readonly=True) as store:
        (row,) = store.consultations()
        return store.get(row["consultation_id"])


def test_taken_over_and_handed_back_in_the_middle(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def scene(pilot: Pilot[None]) -> None:
        screen = await watched(pilot)
        await until(pilot, lambda: screen.timeline and screen.timeline.turn(screen.upto))
        assert "Be doctor" in screenful(pilot)
        await pilot.press("space", "f4")
        await until(pilot, lambda: screen.your_turn)
        assert screen.query_one("#say", Input).has_focus
        assert screen._seen().facts is None
        await says(pilot, screen, "Do you have pain in your arm?")
        await pilot.press("f6")
        await until(pilot, lambda: not screen.seat)
        assert not screen.query_one("#say").display
        await pilot.press("f5")
        await until(pilot, lambda: screen.seat == "patient" and screen.your_turn)
        await says(pilot, screen, "I would rather not say.")
        screen.query_one("#say", Input).value = "/hand-back"  # as the key does
        await pilot.press("enter")
        await until(pilot, lambda: not screen.seat)
        await pilot.press("end")
        await until(pilot, lambda: screen.over and dialogue(screen).settled)
        assert "the doctor is human from here on" in " ".join(dialogue(screen).text.split())

    play(db, scene, SIZES[0])
    t = only(db)
    assert t.header.agents["inquirer"] == t.header.agents["patient"] == "reference+human"
    changes = [e for e in t.events if isinstance(e, Changed)]
    assert [(e.what, e.before, e.now) for e in changes] == [
        ("inquirer", "reference", "human"), ("inquirer", "human", "reference"),
        ("patient", "reference", "human"), ("patient", "human", "reference"),
    ]  # fmt: skip
    own = [
        e
        for e in t.events
        if isinstance(e, Question) and player(t.header.agents, t.events, "inquirer", e.seq) == "human"
    ]
    assert [e.text for e in own] == ["Do you have pain in your arm?"]
    words = [
        e
        for e in t.events
        if isinstance(e, Utterance) and player(t.header.agents, t.events, "patient", e.seq) == "human"
    ]
    assert [e.text for e in words] == ["I would rather not say."]
    assert left_open(db) == []


def test_what_is_said_too_early_waits_for_its_turn(tmp_path: Path, slow: Slow) -> None:
    db = tmp_path / "a.db"

    async def scene(pilot: Pilot[None]) -> None:
        screen = await watched(pilot, inquirer="slow", patient="human")
        await until(pilot, lambda: screen.your_turn)
        await says(pilot, screen, "I have heartburn.")
        line = screen.query_one("#say", Input)
        line.value = "No."
        await pilot.press("enter")
        await until(pilot, slow.asked.is_set)
        await pilot.press(*"Why?", "enter")
        await until(pilot, lambda: "It is your turn in a moment" in screenful(pilot))
        assert line.value == "Why?"
        slow.go.set()
        await until(pilot, lambda: screen.your_turn)
        assert line.value == "Why?"
        await until(pilot, lambda: "in a moment" not in screenful(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Why?" in dialogue(screen).text)

    play(db, scene, SIZES[0])


def test_agents_wait_until_what_they_did_has_been_seen(tmp_path: Path) -> None:
    got: list[Any] = []
    table = Table(tmp_path / "a.db", {})

    def post(message: Any) -> None:
        got.append(message)
        if isinstance(message, tuple):
            events = sum(len(m) for m in got if isinstance(m, tuple))
            if events < 30:
                table.seen(events)
            else:
                table.stop()

    table.run(post)
    assert not table.going
    assert not isinstance(got[-1], Ended)
    (found,) = left_open(tmp_path / "a.db")
    assert found[0] == {}


def test_left_while_a_slow_model_is_asked_it_goes_on_and_is_kept(tmp_path: Path, slow: Slow) -> None:
    db = tmp_path / "a.db"

    async def scene(pilot: Pilot[None]) -> None:
        screen = await watched(pilot, inquirer="slow")
        await pilot.press("end")
        await until(pilot, slow.asked.is_set)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, Home) and listing(pilot).rows)
        assert "not over" in screenful(pilot)
        await pilot.press("enter")
        again = pilot.app.screen
        assert isinstance(again, Playing)
        assert again._table is screen._table, "it is the same one, not a second"
        await until(pilot, lambda: again.timeline and again.timeline.turn(again.upto) == 1)
        await pilot.press("escape")
        slow.go.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, Home) and "no diagnosis" in screenful(pilot))

    play(db, scene, SIZES[0])
    assert only(db).header.agents["inquirer"] == "slow"
    assert slow.calls == 4


def test_a_call_that_is_stopped_is_given_up_and_all_before_it_is_kept(tmp_path: Path, slow: Slow) -> None:
    db = tmp_path / "a.db"

    async def stops(pilot: Pilot[None]) -> None:
        await watched(pilot, inquirer="slow")
        await pilot.press("end")
        await until(pilot, slow.asked.is_set)
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(pilot.app.screen, Home) and listing(pilot).rows)
        slow.go.set()

    async def returns(pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        screen = pilot.app.screen
        assert isinstance(screen, Playing)
        await until(pilot, lambda: screen.timeline)
        assert screen._past, "it goes on from where it was"
        await pilot.press("end")
        await until(pilot, lambda: screen.over)

    play(db, stops, SIZES[0])
    assert [so_far["turns"] for _, so_far in left_open(db)] == [1]
    play(db, returns, SIZES[0])
    assert sum(isinstance(e, Question) for e in only(db).events) == 3
    assert left_open(db) == []


def test_a_slow_model_is_taken_over_from_at_once(tmp_path: Path, slow: Slow) -> None:
    db = tmp_path / "a.db"

    async def scene(pilot: Pilot[None]) -> None:
        screen = await watched(pilot, inquirer="slow")
        await pilot.press("end")
        await until(pilot, slow.asked.is_set)
        await pilot.press("f4")
        await until(pilot, lambda: screen.your_turn)
        slow.go.set()  # its answer comes too late
        await says(pilot, screen, "Does your chest hurt?")
        await pilot.press("f6", "end")
        await until(pilot, lambda: screen.over)

    play(db, scene, SIZES[0])
    t = only(db)
    assert [e.text for e in t.events if isinstance(e, Question)] == [
        "Do you smoke?",
        "Does your chest hurt?",
        "Do you smoke?",
    ]
    assert t.header.agents["inquirer"] == "slow+human"


def test_nothing_hangs_when_the_application_ends_while_a_model_is_asked(tmp_path: Path, slow: Slow) -> None:
    db = tmp_path / "a.db"

    async def scene(pilot: Pilot[None]) -> None:
        await watched(pilot, inquirer="slow")
        await pilot.press("end")
        await until(pilot, slow.asked.is_set)
        await pilot.press("ctrl+q")

    play(db, scene, SIZES[0])
    assert not slow.go.is_set(), "the application has ended, the model has not answered"
    assert [so_far["turns"] for _, so_far in left_open(db)] == [1]


def test_a_failure_is_said_in_its_place_and_can_be_tried_again(tmp_path: Path, slow: Slow) -> None:
    db = tmp_path / "a.db"
    slow.broken = True
    slow.go.set()

    async def scene(pilot: Pilot[None]) -> None:
        screen = await watched(pilot, inquirer="slow")
        await pilot.press("end")
        await until(pilot, lambda: "[b]server[/b] is gone" in screenful(pilot))
        assert not screen.over
        await until(pilot, lambda: "Try again" in screenful(pilot))
        await pilot.press("f7")
        await until(pilot, lambda: slow.calls == 3 and "server" in screenful(pilot))
        slow.broken = False
        await pilot.press("f7", "end")
        await until(pilot, lambda: screen.over)
        assert "server" not in dialogue(screen).text

    play(db, scene, SIZES[0])
    assert only(db).header.agents["inquirer"] == "slow"


def test_what_fails_again_and_again_is_kept_up_to_there(tmp_path: Path, slow: Slow) -> None:
    slow.broken = True
    slow.go.set()
    table = Table(tmp_path / "a.db", {"inquirer": "slow"})
    got: list[Any] = []

    def post(message: Any) -> None:
        got.append(message)
        if isinstance(message, Failed):
            table.leave(post)

    table.follow()
    table.run(post)
    assert got[-1] == Failed("inquirer: RuntimeError: the [b]server[/b] is gone")
    assert [so_far["turns"] for _, so_far in left_open(tmp_path / "a.db")] == [1]


def test_models_are_reached_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a new consultation as for a fork: here no option says it."""
    monkeypatch.setenv("CONSULT_API_BASE", "http://127.0.0.1:9/v1")
    assert setup_of({"inquirer": "llm:openai/local"}, tmp_path / "a.db").models.api_base == "http://127.0.0.1:9/v1"
