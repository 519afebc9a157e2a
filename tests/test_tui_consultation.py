"""The consultation on the screen: the same words as `consult show`, the tape's keys, panels, places to jump to."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from golden import CELLS, FOLDER
from handmade import header, made, numbered
from textual.pilot import Pilot
from textual.widgets import Collapsible, Input
from tui_world import SIZES, dialogue, filled, golden_transcripts, helped, listing, play, said, screenful, until, watch

from consult.events import Audited, Question, Stopped, StopReason, Utterance
from consult.show import EventPrinter, Level, Lines, make_console
from consult.show.names import names_of
from consult.show.panels import PANELS
from consult.show.timeline import Timeline
from consult.store.transcript import Transcript, read
from consult.tui.consultation import Consultation
from consult.tui.dialogue import Dialogue
from consult.tui.feed import Kept
from consult.tui.help import HelpScreen
from consult.tui.pick import Pick
from consult.tui.playback import SPEEDS
from consult.tui.table import Table
from consult.tui.tape import Tape


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("tui") / "consult.db")


def flagged() -> Transcript:
    """A consultation with a breach stopped, one in the audit, and a score that rests on a question."""
    audit = Audited(leaks=1, unreleased=0, inventions=0, role_breaks=0, early_end=False, evidence=(7,))
    return Transcript(header(), numbered([*made().events[:-1], audit]))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("level", [Level.FULL, Level.TALK])
def test_kept_lines_are_the_printed_ones(name: str, level: Level) -> None:
    t = read(FOLDER / f"{name}.jsonl")
    raw, names, lines = io.StringIO(), names_of(t.header), Lines(90)
    EventPrinter(make_console(raw, width=90), t.header, names, level=level).print_all(t.events)
    EventPrinter(lines, t.header, names, level=level).print_all(t.events)
    assert [line.plain.rstrip() for line in lines.lines] == [line.rstrip() for line in raw.getvalue().splitlines()]


def test_a_replay_says_what_plain_says() -> None:
    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        window = dialogue(screen)
        for t in golden_transcripts():
            window.watch_over(Timeline(t.header, t.events), names_of(t.header))
            window.show(len(t.events), over=True)
            await until(pilot, lambda: window.settled)
            shown = " ".join(window.text.replace("│", " ").split())
            plain = Lines(10**6)
            EventPrinter(plain, t.header, names_of(t.header), level=Level.PLAIN).print_all(t.events)
            at = 0
            for line in plain.lines:
                if not line.plain.startswith("("):  # a diagnosis without words stands in its own block
                    at = shown.index(" ".join(line.plain.partition(": ")[2].split()), at)
            assert at

    watch(made(), scene)


@pytest.mark.parametrize("size", SIZES)
def test_stepping_to_and_fro(size: tuple[int, int]) -> None:
    t = golden_transcripts()[0]

    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        timeline = screen.timeline
        assert timeline is not None
        assert screen.upto == len(timeline)
        assert "score card" in dialogue(screen).text
        await pilot.press("home")
        assert screen.upto == 0
        await pilot.press("right")
        assert "this solved without delay" in screenful(pilot)
        assert "question 1" not in dialogue(screen).text
        await pilot.press("right")
        assert timeline.turn(screen.upto) == 1
        assert "score card" not in dialogue(screen).text
        await pilot.press("right_square_bracket")
        assert timeline.turn(screen.upto) == 2
        there = screen.upto
        await pilot.press("right", "left")
        assert screen.upto == there
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert timeline.turn(screen.upto) == 0
        for _ in range(20):
            await pilot.press("right_square_bracket")
        assert screen.upto == len(timeline)
        tape = screen.query_one(Tape)
        start, wide = tape._bar
        await pilot.click(Tape, offset=(start + wide // 2, 0))
        assert abs(screen.upto / len(timeline) - 0.5) < 0.1
        assert f"question {timeline.turn(screen.upto)} of 14" in screenful(pilot)
        await pilot.press("end")
        assert screen.upto == len(timeline)

    watch(t, scene, size)


def test_playing_stops_at_the_end_and_begins_again() -> None:
    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        for _ in SPEEDS:
            await pilot.press("plus")
        assert f"×{SPEEDS[-1]:g}" in screenful(pilot)
        assert screen.timeline is not None
        whole = len(screen.timeline)
        await pilot.press("home", "space")
        await until(pilot, lambda: screen.upto == whole and not screen.playing)
        for _ in SPEEDS:
            await pilot.press("minus")
        await pilot.press("space")
        assert screen.playing
        await until(pilot, lambda: screen.upto > 0)
        await pilot.press("space")
        assert not screen.playing
        assert 0 < screen.upto < whole
        assert "stopped" in screenful(pilot)

    watch(made(), scene)


@pytest.mark.parametrize("size", [*SIZES, (200, 50)])
def test_panels_stand_beside_or_in_place_of_the_dialogue_and_fold(size: tuple[int, int]) -> None:
    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        narrow = size[0] == 80
        assert dialogue(screen).display
        assert screen.query_one("#side").display is not narrow
        if narrow:
            await pilot.press("p")
            await pilot.pause()
            assert screen.query_one("#side").display
            assert not dialogue(screen).display
        await pilot.press("home", "right")
        await pilot.pause()
        text = screenful(pilot)
        assert all(f"{n} {name.capitalize()}" in text for n, name in enumerate(list(PANELS)[:3], 1))
        assert "Gastroenterology" in text
        assert all(said(screen, f"#panel-{name}") for name in PANELS)
        for n, name in enumerate(PANELS, 1):
            await pilot.press(str(n))
            assert screen.query_one(f"#fold-{name}", Collapsible).collapsed
        await pilot.pause()
        assert "irritation" not in screenful(pilot)
        await pilot.press("4")
        await until(pilot, lambda: "irritation" in screenful(pilot))
        await pilot.press("p")
        await pilot.pause()
        assert screen.query_one("#side").display is False
        assert dialogue(screen).display

    watch(golden_transcripts()[0], scene, size)


def test_flags_and_evidence_can_be_jumped_to() -> None:
    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        await pilot.press("f")
        assert screen._marked == 6
        await pilot.press("f")
        assert screen._marked == 7
        assert "into my left arm" in screenful(pilot)
        await pilot.press("F")
        assert screen._marked == 6
        await pilot.press("e")
        pick = pilot.app.screen
        assert isinstance(pick, Pick)
        assert "guard: leak" in screenful(pilot)
        await pilot.press(*"relevance")
        assert pick.query_one(Input).value == "relevance"
        await pilot.press("down", "enter")
        assert pilot.app.screen is screen
        assert screen._marked == 4
        await pilot.press("e", "escape")
        assert pilot.app.screen is screen

    watch(flagged(), scene)


def test_details_show_what_goes_on_in_its_place() -> None:
    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        assert "tells │" not in dialogue(screen).text
        await pilot.press("d")
        await until(pilot, lambda: dialogue(screen).settled)
        assert "tells │ +chest pain" in dialogue(screen).text
        assert "stopped: leak" in dialogue(screen).text
        await pilot.press("d")
        await until(pilot, lambda: "tells │" not in dialogue(screen).text)

    watch(made(), scene)


def test_another_one_beside_keeps_step_by_question(db: Path) -> None:
    t = golden_transcripts()[0]

    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, Pick))
        assert screen.kept_as
        assert screen.kept_as not in {row.key for row in listing(pilot).rows}, "it would stand beside itself"
        await pilot.press(*"curt", "enter")
        other = screen.query_one("#other", Dialogue)
        await until(pilot, lambda: other.display and other.settled and other.text)
        await pilot.press("home", "right", "right_square_bracket", "right_square_bracket")
        assert dialogue(screen).text.count("── question") == 2
        assert other.text.count("── question") == 2
        await pilot.press("b")
        assert not other.display

    watch(t, scene, db=db)


HOSTILE = "[/b] [red]x[/red] \x1b[31mred\x07 \u202eright to left\u202c 👩‍⚕️ ـسلام \\[ ${x} {y}"


def test_words_are_literal_and_a_megabyte_is_no_trouble() -> None:
    events = [Utterance(text=HOSTILE), Question(text=HOSTILE, turn=1), Utterance(text="long " * 200_000, turn=1),
              Stopped(reason=StopReason.CANCELLED, detail=HOSTILE, turn=1)]  # fmt: skip
    t = Transcript(header(scenario="[/b]", names={"speaker": "[bold]", "patient": HOSTILE}), numbered(events))

    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        await pilot.press("home", "right")
        text = screenful(pilot)
        assert "[/b] [red]x[/red] red" in text
        assert not any(bad in text for bad in ("\x1b", "\x07", "\u202e"))
        await pilot.press("right", "right", "d", "end", "e")
        assert "✗ flag" in screenful(pilot)

    watch(t, scene)


def test_five_thousand_questions_are_laid_out_a_little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = [Utterance(text="It hurts.")]
    for n in range(1, 5001):
        events += [Question(text=f"And number {n}?", turn=n), Utterance(text="No.", turn=n)]
    t = Transcript(header(), numbered(events))
    longest: list[int] = []
    lay_out = Dialogue._lay_out

    def counted(self: Dialogue, *, follow: bool) -> None:
        before = len(self._ends)
        lay_out(self, follow=follow)
        longest.append(len(self._ends) - before)

    monkeypatch.setattr(Dialogue, "_lay_out", counted)

    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        assert max(longest) < len(events)
        await pilot.press("home", "end")
        assert "And number 5000?" in dialogue(screen).text
        await pilot.press("left")
        assert screen.upto < len(events)
        drawn: list[int] = []
        render_line = Dialogue.render_line
        monkeypatch.setattr(Dialogue, "render_line", lambda self, y: drawn.append(y) or render_line(self, y))
        for key in ("pageup", "up", "pagedown", "left", "right"):
            drawn.clear()
            await pilot.press(key)
            assert 0 < len(drawn) <= 2 * dialogue(screen).size.height, key

    watch(t, scene)


def test_what_went_wrong_is_said_in_its_place(tmp_path: Path) -> None:
    broken = made(StopReason.INFRASTRUCTURE_ERROR, detail="patient: OSError: the server is gone")

    async def kept(pilot: Pilot[None], screen: Consultation) -> None:
        assert "the server is gone" in dialogue(screen).text

    watch(broken, kept)

    async def missing(pilot: Pilot[None]) -> None:
        for feed in (Kept.of(tmp_path / "none.db", "nothing"), Table(tmp_path / "c.db", {"scenario": "no_such"})):
            screen = Consultation(feed)
            await pilot.app.push_screen(screen)
            await until(pilot, lambda screen=screen: screen.over)  # type: ignore[misc]
            assert "✗" in said(screen, "#title")
            assert "mend: " in " ".join(screenful(pilot).split())
            await pilot.press("space", "right", "left", "end", "f", "e", "b", "d", "p")
            await pilot.press("escape", "escape")

    play(tmp_path / "new.db", missing, SIZES[0])


@pytest.mark.parametrize("size", SIZES)
def test_help_shows_every_key(size: tuple[int, int]) -> None:
    async def scene(pilot: Pilot[None], screen: Consultation) -> None:
        foot = screenful(pilot).splitlines()[-1]
        assert all(words in foot for words in ("Back", "Play", "Step", "Panels", "Debrief", "Flag", "Help"))
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        keys = helped(pilot)
        assert all(b.description in keys for b in Consultation.BINDINGS)  # type: ignore[union-attr]
        await pilot.press("escape", "escape")
        assert not isinstance(pilot.app.screen, Consultation)

    watch(made(), scene, size)
