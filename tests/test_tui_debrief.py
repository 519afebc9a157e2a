"""The debrief on the screen: opened from a consultation, walked through, folded, left for the place it rests on, kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from debrief_world import bad_doctor, hostile_doctor
from golden import FOLDER
from handmade import made
from textual.pilot import Pilot
from textual.widgets import Collapsible, Input
from tui_world import SIZES, dialogue, listing, play, said, screenful, until, watch

from consult.store.transcript import Transcript, read
from consult.tui.consultation import Consultation
from consult.tui.debrief import Debriefing, Line
from consult.tui.dialogue import Dialogue
from consult.tui.playing import Playing
from consult.tui.start import Start
from consult.tui.themes import THEMES

CURT = "ectopic-phlegmatic-curt"
WIDE = (200, 50)


def curt() -> Transcript:
    return read(FOLDER / f"{CURT}.jsonl")


async def opened(pilot: Pilot[None]) -> Debriefing:
    """The debrief, once it has been made and its first row has the keys."""
    await pilot.press("r")
    await until(pilot, lambda: isinstance(pilot.app.screen, Debriefing))
    screen = pilot.app.screen
    assert isinstance(screen, Debriefing)
    await until(pilot, lambda: isinstance(screen.focused, Line))
    return screen


def here(screen: Debriefing) -> Line:
    assert isinstance(screen.focused, Line)
    return screen.focused


def debriefed(
    transcript: Transcript, scene: Callable[[Pilot[None], Debriefing], Awaitable[None]],
    size: tuple[int, int] = SIZES[1], db: Path = Path("none.db"),
) -> None:  # fmt: skip
    async def begin(pilot: Pilot[None], _: Consultation) -> None:
        await scene(pilot, await opened(pilot))

    watch(transcript, begin, size, db)


def test_all_parts_are_there_on_a_small_screen_and_fold() -> None:
    async def scene(pilot: Pilot[None], screen: Debriefing) -> None:
        folds = list(screen.query(Collapsible))
        assert [f.title for f in folds][:2] == ["Result", "What was missed"]
        assert [f.title for f in folds if f.collapsed] == ["All scores"]
        assert "Diagnosis right: Ectopic pregnancy" in screenful(pilot)
        await until(pilot, lambda: "Back" in screenful(pilot) and "Help" in screenful(pilot))
        assert all(line.region.right <= SIZES[0][0] for line in screen.query(Line))
        await pilot.press("space")
        assert folds[0].collapsed
        await pilot.press("down")
        assert screen.focused is folds[1].query_one("CollapsibleTitle")  # what is folded is passed
        await pilot.press("enter")
        assert folds[1].collapsed
        await pilot.press("f")
        assert all(fold.collapsed for fold in folds)
        assert not folds[-1].query(Line)
        await pilot.press("f")
        await until(pilot, lambda: len(folds[-1].query(Line)) > 20)
        assert not any(fold.collapsed for fold in folds)

    debriefed(curt(), scene, SIZES[0])


def test_enter_leads_to_the_place_and_r_comes_back() -> None:
    async def scene(pilot: Pilot[None], parent: Consultation) -> None:
        screen = await opened(pilot)
        beside = screen.query_one(Dialogue)
        assert beside.display  # there is room for it
        await until(pilot, lambda: beside.settled)
        await pilot.press("enter")
        assert pilot.app.screen is screen  # the first row rests on no place
        while not len(here(screen).row.cites) > 2:
            await pilot.press("down")
        cites = here(screen).row.cites
        assert beside._marked == cites[0].seq
        await pilot.press("right", "right", "left")
        assert beside._marked == cites[1].seq
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is parent)
        assert parent._marked == cites[1].seq
        assert parent.upto > cites[1].seq
        again = await opened(pilot)
        assert again.made is screen.made  # it is not made a second time
        await until(pilot, lambda: isinstance(again.focused, Line) and here(again).row.cites == cites)
        await pilot.press("escape")
        assert pilot.app.screen is parent

    watch(curt(), scene, WIDE)


def test_it_is_written_beside_the_database(tmp_path: Path) -> None:
    files = [tmp_path / "kept" / f"debrief-{CURT}.{kind}" for kind in ("md", "html")]

    async def scene(pilot: Pilot[None], screen: Debriefing) -> None:
        await pilot.press("m", "w")
        await until(pilot, lambda: all(f.exists() and f.stat().st_size for f in files))
        await until(pilot, lambda: len(pilot.app._notifications) == 2)

    debriefed(curt(), scene, db=tmp_path / "kept" / "a.db")
    assert files[0].read_text("utf-8").startswith("# Debrief")
    assert "</html>" in files[1].read_text("utf-8")


def test_hostile_words_are_words_in_every_theme() -> None:
    async def scene(pilot: Pilot[None], screen: Debriefing) -> None:
        for theme in THEMES:
            pilot.app.theme = theme
            await pilot.pause()
            assert "Diagnosis wrong: [/b][red]x<script>" in screenful(pilot)

    debriefed(hostile_doctor(), scene)


def test_what_cannot_be_debriefed_says_so() -> None:
    async def scene(pilot: Pilot[None], parent: Consultation) -> None:
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, Debriefing) and "✗" in said(pilot.app.screen, "#title"))
        await until(pilot, lambda: "has changed since" in " ".join(screenful(pilot).split()))
        await pilot.press("m", "escape")
        assert pilot.app.screen is parent

    watch(made(), scene)


def test_what_is_not_over_has_none() -> None:
    t = bad_doctor()

    async def scene(pilot: Pilot[None], parent: Consultation) -> None:
        await pilot.press("r")
        await pilot.pause()
        assert pilot.app.screen is parent

    watch(Transcript(t.header, t.events[:12]), scene)


def test_after_a_played_consultation(tmp_path: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press("p")
        form = pilot.app.screen
        assert isinstance(form, Start)
        await until(pilot, lambda: form.query_one("#inquirer").value == "human")  # type: ignore[attr-defined]
        await pilot.press("enter")
        screen = pilot.app.screen
        assert isinstance(screen, Playing)
        await until(pilot, lambda: screen.your_turn)
        screen.query_one("#say", Input).value = "Any dyspnoea, syncope or haematuria? Nausea?"
        await pilot.press("enter")
        await until(pilot, lambda: screen.your_turn)
        screen.query_one("#say", Input).value = "/diagnose"
        await pilot.press("enter", "ctrl+s")
        await until(pilot, lambda: screen.over and dialogue(screen).settled)
        assert "what can be learnt" in " ".join(n.message for n in pilot.app._notifications)
        debrief = await opened(pilot)
        assert debrief.made is not None
        assert debrief.made.consultation_id == screen.kept_as
        assert {f.rule for b in debrief.made.better for f in b.faults} >= {"jargon", "stacked", "abrupt"}
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(listing(pilot).rows) == 1)

    play(tmp_path / "a.db", scene)
