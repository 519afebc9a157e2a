"""A human plays the doctor: a whole consultation by keys alone, left in the middle, taken up, and never lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Collapsible, Input, Select
from tui_world import SIZES, dialogue, listing, play, said, screenful, until

from consult.actions import Ask, Order
from consult.store.db import Store
from consult.tui.home import Home
from consult.tui.left import left_open
from consult.tui.playing import Playing
from consult.tui.start import Start
from consult.tui.typed import read_line
from consult.tui.words import Ending


@pytest.mark.parametrize(
    ("line", "action"),
    [("Where does it hurt?", Ask(text="Where does it hurt?")), ("  /order ecg ", Order(order="ecg")),
     ("[/b] is no command", Ask(text="[/b] is no command"))],
)  # fmt: skip
def test_lines_that_act(line: str, action: Ask | Order) -> None:
    assert read_line(line).action == action


@pytest.mark.parametrize(
    ("line", "kind"), [("/diagnose", "diagnose"), ("/refer", "refer"), ("/pause", "pause"), ("/help", "help")]
)
def test_lines_that_ask_for_something(line: str, kind: str) -> None:
    assert read_line(line).ask_for == kind
    assert read_line(line).action is None


@pytest.mark.parametrize("line", ["/order", "/nonsense please"])
def test_lines_that_are_refused(line: str) -> None:
    assert read_line(line).problem
    assert read_line("   ") == read_line("")


async def begun(pilot: Pilot[None]) -> Playing:
    """The consultation, at the doctor's first turn."""
    await pilot.press("p")
    form = pilot.app.screen
    assert isinstance(form, Start)
    await until(pilot, lambda: form.query_one("#inquirer", Select).value == "human")
    await pilot.press("enter")
    screen = pilot.app.screen
    assert isinstance(screen, Playing)
    await until(pilot, lambda: screen.your_turn)
    return screen


async def says(pilot: Pilot[None], screen: Playing, words: str) -> None:
    screen.query_one("#say", Input).value = words
    await pilot.press("enter")
    await until(pilot, lambda: screen.your_turn or screen.over)
    await until(pilot, lambda: dialogue(screen).settled)


def test_a_consultation_by_keys_alone(tmp_path: Path) -> None:
    db = tmp_path / "consult.db"

    async def scene(pilot: Pilot[None]) -> None:
        screen = await begun(pilot)
        await pilot.press(*"Does your chest hurt?", "enter")
        await until(pilot, lambda: screen.your_turn and "question 1" in dialogue(screen).text)
        assert "Does your chest hurt?" in screenful(pilot)
        await says(pilot, screen, "/order ecg")
        assert "ST segment" in dialogue(screen).text
        await says(pilot, screen, "/order ecgg")
        assert screen.query_one("#say", Input).value == "/order ecgg", "it costs nothing"
        assert "near to it: ECG" in said(screen, "#remark")
        await pilot.press("f2", "f2")
        assert screen.query_one("#say", Input).has_focus
        await says(pilot, screen, "/nonsense")
        assert screen.query_one("#say", Input).value == "/nonsense"
        screen.query_one("#say", Input).value = "/diagnose"
        await pilot.press("enter")
        form = pilot.app.screen
        assert isinstance(form, Ending)
        await pilot.press(*"Acute coronary", "right", "escape")
        screen.query_one("#say", Input).value = "/diagnose"
        await pilot.press("enter")
        form = pilot.app.screen
        assert isinstance(form, Ending)
        assert form.query_one("#condition-1", Input).value == "Acute coronary syndrome", (
            "what was filled in is there again"
        )
        await pilot.press("tab", *"90", "tab", "tab", *"20", "ctrl+s")
        assert "a probability without a name" in said(form, "#problem")
        form.query_one("#percent-2", Input).value = ""
        form.query_one("#urgency", Select).value = "emergency"
        form.query_one("#safety_net", Input).value = "Call an ambulance if it gets worse."
        await pilot.press("ctrl+s")
        await until(pilot, lambda: screen.over and dialogue(screen).settled)
        assert "✓ right: Acute coronary syndrome" in " ".join(dialogue(screen).text.split())
        assert not screen.query_one("#say").display
        await pilot.press("escape")
        await until(pilot, lambda: len(listing(pilot).rows) == 1)

    play(db, scene, SIZES[0])
    with Store(db, readonly=True) as store:
        row = store.consultations()[0]
        assert (row["inquirer"], row["correct"], row["turns"], row["orders"]) == ("human", True, 1, 1)
    assert left_open(db) == []


def test_left_in_the_middle_and_taken_up_by_another_process(tmp_path: Path) -> None:
    db = tmp_path / "consult.db"
    before: list[str] = []

    async def leaves(pilot: Pilot[None]) -> None:
        screen = await begun(pilot)
        await says(pilot, screen, "I am sorry to hear that. Do you have any chest pain?")
        before.append(dialogue(screen).text)
        await pilot.press("ctrl+q")  # in the middle of everything

    async def returns(pilot: Pilot[None]) -> None:
        row = listing(pilot).row
        assert row is not None
        assert "not over" in screenful(pilot)
        await pilot.press("enter")
        screen = pilot.app.screen
        assert isinstance(screen, Playing)
        await until(pilot, lambda: screen.your_turn and dialogue(screen).settled)
        assert dialogue(screen).text == before[0]
        screen.query_one("#say", Input).value = "/refer"
        await pilot.press("enter", "ctrl+s")
        form = pilot.app.screen
        assert "needs a department" in said(form, "#problem")
        form.query_one("#urgency", Select).value = "emergency"
        form.query_one("#department", Select).value = "internal_medicine/cardiology"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: screen.over)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, Home) and "not over" not in screenful(pilot))

    play(db, leaves)
    assert [found["turns"] for _, found in left_open(db)] == [1]
    play(db, returns)
    with Store(db, readonly=True) as store:
        assert [row["stop_reason"] for row in store.consultations()] == ["referred"]


def test_the_facts_are_hidden_but_for_the_teacher_and_pause_keeps(tmp_path: Path) -> None:
    db = tmp_path / "consult.db"

    async def scene(pilot: Pilot[None]) -> None:
        screen = await begun(pilot)
        await pilot.pause()
        assert "hidden while you play" in said(screen, "#panel-facts")
        await pilot.press("f3")
        await pilot.pause()
        assert "heartburn" in said(screen, "#panel-facts")
        await pilot.press("f3")
        await pilot.pause()
        assert "heartburn" not in said(screen, "#panel-facts")
        screen.query_one("#say", Input).value = "/help"
        await pilot.press("enter")
        await until(pilot, lambda: "orders a test or an examination" in screenful(pilot))
        await pilot.press("escape")
        screen.query_one("#say", Input).value = "/pause"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Home) and listing(pilot).rows)
        assert listing(pilot).rows[0].cells[:4] == ("indigestion_at_the_wheel", "neutral", "human", "… not over")
        (db.parent / "open" / "broken.json").write_text("{")
        path = next((db.parent / "open").glob("[0-9a-f]*.json"))
        path.write_text(path.read_text().replace('"cell"', '"sell"'))
        await pilot.press("enter")
        again = pilot.app.screen
        assert isinstance(again, Playing)
        await until(pilot, lambda: again.over)
        assert "cannot be read" in dialogue(again).text or "cannot be read" in screenful(pilot)

    play(db, scene)


def test_the_human_is_the_patient(tmp_path: Path) -> None:
    db = tmp_path / "consult.db"

    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press("n")
        form = pilot.app.screen
        assert isinstance(form, Start)
        await until(pilot, lambda: form.query_one("#patient", Select).value == "reference")
        form.query_one("#patient", Select).value = "human"
        await pilot.press("ctrl+s")
        screen = pilot.app.screen
        assert isinstance(screen, Playing)
        await until(pilot, lambda: screen.your_turn)
        assert "chest pain" in said(screen, "#panel-facts")
        assert [fold.id for fold in screen.query(Collapsible) if not fold.collapsed] == ["fold-facts"]
        assert "reference · patient human ·" in " ".join(dialogue(screen).text.split())
        assert "Faster" not in screenful(pilot)
        await says(pilot, screen, "I have heartburn.")
        assert "I have heartburn." in dialogue(screen).text
        assert "question 1" in dialogue(screen).text
        await says(pilot, screen, "/order ecg")
        assert screen.query_one("#say", Input).value == "/order ecg"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, Home) and listing(pilot).rows)
        await pilot.press("enter")
        again = pilot.app.screen
        assert isinstance(again, Playing)
        await until(pilot, lambda: again.your_turn and "I have heartburn." in dialogue(again).text)
        await says(pilot, again, "/leave I feel better now.")
        await until(pilot, lambda: again.over)

    play(db, scene)
    with Store(db, readonly=True) as store:
        assert [row["stop_reason"] for row in store.consultations()] == ["patient_left"]
