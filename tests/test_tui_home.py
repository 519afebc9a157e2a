"""The home screen of the terminal application: lists, search, filters, sorting, and the ways to a consultation."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input, Select
from tui_world import SIZES, dialogue, filled, helped, listing, play, said, screenful, until

from consult.store.db import Store
from consult.tui.consultation import Consultation
from consult.tui.help import HelpScreen
from consult.tui.home import Home
from consult.tui.listing import Listing
from consult.tui.sources import SOURCES, Column, Row
from consult.tui.start import Start
from consult.tui.themes import THEMES


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("tui") / "consult.db")


def test_the_first_time_one_key_starts_a_consultation_and_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "consult.db"

    async def scene(pilot: Pilot[None]) -> None:
        assert "Welcome to consult" in screenful(pilot)
        await pilot.press("enter")
        screen = pilot.app.screen
        assert isinstance(screen, Consultation)
        await until(pilot, lambda: screen.upto)
        assert screen.timeline is not None
        assert not screen.over  # it is watched at a reader's pace
        await pilot.press("end")
        await until(pilot, lambda: screen.over and dialogue(screen).settled)
        live = dialogue(screen).text
        assert "score card" in live
        await pilot.press("escape")
        await until(pilot, lambda: len(listing(pilot).rows) == 1 and listing(pilot).has_focus)
        await pilot.press("enter")
        again = pilot.app.screen
        assert isinstance(again, Consultation)
        await until(pilot, lambda: again.over and dialogue(again).settled)
        assert dialogue(again).text == live

    play(path, scene, (80, 24))
    with Store(path, readonly=True) as store:
        assert [row["stop_reason"] for row in store.consultations()] == ["concluded"]


@pytest.mark.parametrize("size", SIZES)
def test_every_list_is_shown(db: Path, size: tuple[int, int]) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        home = pilot.app.screen
        assert isinstance(home, Home)
        words = {
            "consultations": "indigestion_at_the_wheel", "runs": "consult batch", "scenarios": "barking_at_night",
            "personas": "choleric", "hospitals": "general", "agents": "opening-only",
        }  # fmt: skip
        for n, source in enumerate(SOURCES, 1):
            await pilot.press(str(n))
            await until(pilot, lambda source=source: home.source is source and source.name in home._read)  # type: ignore[misc]
            await pilot.pause()
            assert words[source.name] in screenful(pilot)
            assert all(len(row.cells) == len(source.columns) for row in listing(pilot).rows)

    play(db, scene, size)


def test_no_list_names_an_answer(db: Path) -> None:
    gold = {"acute_coronary_syndrome", "acute coronary syndrome"}
    rows = next(s for s in SOURCES if s.name == "scenarios").read(db).rows
    here = next(row for row in rows if row.key == "indigestion_at_the_wheel")
    assert not any(words in here.sought for words in gold)


def test_search_filters_and_sorting(db: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        found = listing(pilot)
        assert len(found.rows) == 7
        await pilot.press("slash", *"cholERIC", "enter")
        assert {row.cells[1] for row in found.rows} == {"choleric", "choleric@0.5"}
        assert found.has_focus
        await pilot.press("escape")
        assert len(found.rows) == 7
        await pilot.press("w")
        assert found.rows
        assert all(row.wrong for row in found.rows)
        assert "wrong only" in said(pilot.app.screen, "#filters")
        await pilot.press("f")
        assert all(row.flagged for row in found.rows)
        await pilot.press("escape", "s")
        names = [row.cells[0] for row in found.rows]
        assert names == sorted(names)
        await pilot.press("o")
        assert [row.cells[0] for row in found.rows] == sorted(names, reverse=True)
        await pilot.press("s", "s")
        doctors = [row.cells[2] for row in found.rows]
        assert doctors == sorted(doctors)
        await pilot.press("S")
        assert [row.cells[1] for row in found.rows] == sorted(row.cells[1] for row in found.rows)

    play(db, scene)


def test_the_mouse_marks_opens_and_sorts(db: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        found = listing(pilot)
        await pilot.click(Listing, offset=(5, 0))
        assert [row.cells[0] for row in found.rows] == sorted(row.cells[0] for row in found.rows)
        await pilot.click(Listing, offset=(5, 4))
        assert found.cursor == 3
        await pilot.click("Tab#personas")
        await until(pilot, lambda: pilot.app.screen.source.name == "personas")  # type: ignore[attr-defined]
        await pilot.click("Tab#consultations")
        await until(pilot, lambda: len(found.rows) == 7)
        await pilot.pause()
        await pilot.click(Listing, offset=(5, 2), times=2)
        await until(pilot, lambda: isinstance(pilot.app.screen, Consultation))

    play(db, scene)


def test_three_keys_start_what_is_marked(tmp_path: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(listing(pilot).rows) > 50)
        row = listing(pilot).row
        assert row is not None
        await pilot.press("enter")
        form = pilot.app.screen
        assert isinstance(form, Start)
        await until(pilot, lambda: form.query_one("#scenario", Select).value == row.key)
        assert row.key in screenful(pilot)
        await pilot.press("enter")
        screen = pilot.app.screen
        assert isinstance(screen, Consultation)
        await pilot.press("end")
        await until(pilot, lambda: screen.over)
        assert screen.timeline is not None
        assert screen.timeline.header.scenario == row.key

    play(tmp_path / "c.db", scene, (80, 24))


def test_the_form_takes_doctor_seed_and_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSULT_INQUIRER", "llm:openai/mine")

    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press("n")
        assert isinstance(pilot.app.screen, Start)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, Home)
        await pilot.press("n")
        form = pilot.app.screen
        await until(pilot, lambda: form.query_one("#inquirer", Select).value == "llm:openai/mine")
        form.query_one("#inquirer", Select).value = "opening-only"
        form.query_one("#seed", Input).value = "7"
        await pilot.press("ctrl+s")
        screen = pilot.app.screen
        assert isinstance(screen, Consultation)
        await pilot.press("end")
        await until(pilot, lambda: screen.over)
        assert screen.timeline is not None
        assert (screen.timeline.header.seed, screen.timeline.header.agents["inquirer"]) == (7, "opening-only")

    play(tmp_path / "c.db", scene)


def test_a_run_opens_its_consultations(tmp_path: Path) -> None:
    from tui_world import golden_transcripts

    path = tmp_path / "c.db"
    with Store(path) as store:
        store.ensure_run("first", {"scenarios": ["all"]})
        for n, t in enumerate(golden_transcripts()[:3]):
            store.save(t, "first" if n else None)

    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await until(pilot, lambda: [row.key for row in listing(pilot).rows] == ["first"])
        await pilot.press("enter")
        await until(pilot, lambda: len(listing(pilot).rows) == 2)
        assert "run first" in said(pilot.app.screen, "#filters")
        await pilot.press("escape")
        assert len(listing(pilot).rows) == 3

    play(path, scene)


def test_of_a_hundred_thousand_rows_only_those_seen_are_drawn(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    strip = Listing._strip

    def counted(self: Listing, *args: object) -> object:
        drawn.append(1)
        return strip(self, *args)  # type: ignore[arg-type]

    async def scene(pilot: Pilot[None]) -> None:
        found = listing(pilot)
        rows = [Row(str(n), (f"row {n}", n), f"row {n}") for n in range(100_000)]
        monkeypatch.setattr(Listing, "_strip", counted)
        found.fill((Column("name", 20, grows=True), Column("n", 8, right=True)), rows, empty="")
        found.action_move(10**9)  # by a key that comes before the new rows are laid out
        assert found.cursor == 99_999
        await until(pilot, lambda: "row 99999" in screenful(pilot))
        await pilot.press("pageup", "up", "home", "end", "home", "pagedown", "down")
        assert found.cursor > 10
        await until(pilot, lambda: f"row {found.cursor}" in screenful(pilot))
        found.narrow("99 99", ())
        assert all("99" in row.key for row in found.rows)
        assert len(drawn) < 40 * 60

    play(db, scene)


def test_a_file_that_is_no_store_is_said_and_the_application_stays(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    path.write_text("this is no database, whatever it is called" * 40)

    async def scene(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "is no SQLite database" in " ".join(screenful(pilot).split()))
        await pilot.press("4")
        await until(pilot, lambda: "choleric" in screenful(pilot))

    play(path, scene)


def test_names_from_outside_are_literal(tmp_path: Path) -> None:
    from handmade import made

    path = tmp_path / "c.db"
    with Store(path) as store:
        store.save(made(consultation_id="x", scenario="[/b] [bold]not bold", persona="\x1b[31mred\u202e"))

    async def scene(pilot: Pilot[None]) -> None:
        text = screenful(pilot)
        assert "[/b] [bold]not bold" in text
        assert "\x1b" not in text
        assert "\u202e" not in text

    play(path, scene)


@pytest.mark.parametrize("size", SIZES)
def test_help_shows_every_key_and_the_theme_changes(db: Path, size: tuple[int, int]) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        assert all(words in screenful(pilot) for words in ("Search", "Help", "Quit"))
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        keys = helped(pilot)
        for binding in (*Home.BINDINGS, *Listing.BINDINGS):
            assert binding.description in keys or binding.action == "welcome"  # type: ignore[union-attr]
        await pilot.press("escape")
        names = []
        for _ in THEMES:
            await pilot.press("ctrl+t")
            names.append(pilot.app.theme)
        assert set(names) == set(THEMES)
        await pilot.press("q")

    play(db, scene, size)


def test_the_palette_offers_what_the_keys_do(db: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        titles = {command.title: command for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Search", "New", "Wrong", "Theme"} <= set(titles)
        done = titles["Wrong"].callback()
        if done is not None:
            await done
        assert pilot.app.screen.wrong  # type: ignore[attr-defined]
        assert len(titles) == len(list(pilot.app.get_system_commands(pilot.app.screen))), "nothing is offered twice"
        await titles["Open"].callback()  # a key of the list, not of the screen
        await until(pilot, lambda: isinstance(pilot.app.screen, Consultation))

    play(db, scene)


def test_what_is_typed_behind_a_tab_goes_to_the_next_field(db: Path) -> None:
    """However fast: all of it may be there before the first key has been dealt with."""

    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press("b")
        for key in ["w", "tab", "c", "tab", "x", "shift+tab", "d"]:
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        fields = {line.id: line for line in pilot.app.screen.query(Input)}
        await until(pilot, lambda: fields["personas"].value.endswith("d"))
        assert [fields[name].value for name in ("scenarios", "personas", "inquirer")] == ["w", "d", "x"], (
            "coming back to a field marks what is in it"
        )

    play(db, scene)


def test_the_mark_stays_where_it_was_and_nothing_fits_is_not_nothing_there(db: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        found = listing(pilot)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Consultation))
        key = found.row.key
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, Home) and pilot.app.screen._read)
        assert (found.cursor, found.row.key) == (2, key)
        await pilot.press("slash", *"zzz")
        assert "Nothing fits" in screenful(pilot)

    play(db, scene)
