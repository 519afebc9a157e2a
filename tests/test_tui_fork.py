"""Another future from the turn on the screen, watched or played by a human, and the tree of branches."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, Select
from tui_world import dialogue, filled, golden_transcripts, listing, play, screenful, until

from consult.store.db import Store
from consult.store.transcript import jsonl
from consult.tui.consultation import Consultation
from consult.tui.pick import Pick
from consult.tui.playing import Playing
from consult.tui.start import Start

PARENT = golden_transcripts()[0]


async def at_turn(pilot: Pilot[None], turn: int) -> Consultation:
    """The golden consultation on the screen, at the end of a turn."""
    await pilot.press("slash", *"indigestion", "enter", "enter")
    screen = pilot.app.screen
    assert isinstance(screen, Consultation)
    await until(pilot, lambda: screen.over and screen.timeline)
    await pilot.press("home", *["right_square_bracket"] * turn)
    assert screen.timeline is not None
    await until(pilot, lambda: screen.timeline is not None and screen.timeline.turn(screen.upto) == turn)
    return screen


async def asked_what_if(pilot: Pilot[None], **chosen: str) -> None:
    await pilot.press("w")
    form = pilot.app.screen
    assert isinstance(form, Start)
    await until(pilot, lambda: form.query_one("#persona", Select).value == "choleric")
    assert form.query_one("#scenario", Select).disabled
    assert "after question 3" in screenful(pilot)
    for name, value in chosen.items():
        form.query_one(f"#{name}", Select).value = value
    await pilot.press("ctrl+s")


def test_another_future_and_the_tree(tmp_path: Path) -> None:
    db = filled(tmp_path / "a.db")

    async def scene(pilot: Pilot[None]) -> None:
        await at_turn(pilot, 3)
        await asked_what_if(pilot, persona="phlegmatic")
        child = pilot.app.screen
        assert isinstance(child, Consultation)
        await until(pilot, lambda: child.timeline and child.timeline.turn(child.upto) >= 3)
        assert child.upto < PARENT.events[-1].seq
        await pilot.press("end")
        await until(pilot, lambda: child.over)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(pilot.app.screen, Pick) and listing(pilot).rows)
        words = screenful(pilot)
        assert "persona phlegmatic" in words
        assert "here" in words
        assert [row.cells[1] for row in listing(pilot).rows] == [None, 3]
        await pilot.press("enter")
        again = pilot.app.screen
        assert isinstance(again, Consultation)
        await until(pilot, lambda: again.over)
        assert again.kept_as == PARENT.id

    play(db, scene)
    with Store(db, readonly=True) as store:
        (row,) = store.consultations(parent=PARENT.id)
        child = store.get(row["consultation_id"])
        assert jsonl(store.get(PARENT.id).events) == jsonl(PARENT.events)
    past = next(n for n, e in enumerate(PARENT.events) if e.turn == 4)
    assert jsonl(child.events[: past - 1]) == jsonl(PARENT.events[: past - 1])
    assert child.header.persona == "phlegmatic"


def test_what_cannot_be_begun_leads_back_to_the_form_as_it_was_filled_in(tmp_path: Path) -> None:
    db = filled(tmp_path / "a.db")

    async def scene(pilot: Pilot[None]) -> None:
        parent = await at_turn(pilot, 3)
        await pilot.press("w")
        form = pilot.app.screen
        await until(pilot, lambda: form.query_one("#persona", Select).value == "choleric")
        form.query_one("#persona", Select).value = "sanguine"
        form.query_one("#result", Input).value = "horoscope=fair"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "is no order" in screenful(pilot))
        await pilot.press("escape")
        again = pilot.app.screen
        assert isinstance(again, Start)
        await until(pilot, lambda: again.query_one("#persona", Select).value == "sanguine")
        assert again.query_one("#result", Input).value == "horoscope=fair"
        await until(pilot, lambda: "is no order" in screenful(pilot))
        await pilot.press("escape")
        assert pilot.app.screen is parent

    play(db, scene)


def test_a_human_goes_on_leaves_and_comes_back(tmp_path: Path) -> None:
    db = filled(tmp_path / "a.db")

    async def scene(pilot: Pilot[None]) -> None:
        await at_turn(pilot, 3)
        await asked_what_if(pilot, inquirer="human")
        screen = pilot.app.screen
        assert isinstance(screen, Playing)
        await until(pilot, lambda: screen.your_turn and dialogue(screen).settled)
        assert "question 3" in dialogue(screen).text
        assert "question 4" not in dialogue(screen).text
        screen.action_what_if()
        screen.action_branches()
        assert pilot.app.screen is screen, "what is not over is not forked"
        screen.query_one("#say", Input).value = "Do you smoke?"
        await pilot.press("enter")
        await until(pilot, lambda: screen.your_turn and "Do you smoke?" in dialogue(screen).text)

    async def returns(pilot: Pilot[None]) -> None:
        assert "not over" in screenful(pilot)
        await pilot.press("enter")
        screen = pilot.app.screen
        assert isinstance(screen, Playing)
        await until(pilot, lambda: screen.your_turn and "Do you smoke?" in dialogue(screen).text)

    play(db, scene)
    play(db, returns)
