"""The batch screen: started here, watched from elsewhere, left and stopped; cells opened; ten thousand of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from golden import CELLS
from handmade import made
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input
from tui_world import filled, listing, play, resized, said, screenful, until

from consult.batch import Plan, execute, playing, setups
from consult.batch.board import Board, Mark, Place, Spot, Watcher, cells_of, place
from consult.events import Used
from consult.store.db import Store
from consult.store.transcript import Transcript
from consult.tui import batches
from consult.tui.batch_form import BatchForm
from consult.tui.batches import GOING, BatchScreen, Leaving
from consult.tui.consultation import Consultation
from consult.tui.grid import SIGNS, Grid
from consult.tui.home import Home

SHORT = {"max_turns": 1, "scenarios": ("indigestion_at_the_wheel", "throat_before_exams")}
PLAN = Plan(name="short", personas=("neutral", "choleric"), epochs=2, **SHORT)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(batches, "PAUSE", 0.1)
    yield
    for going in GOING.values():
        going.stop()
    GOING.clear()


def run(db: Path, plan: Plan = PLAN, count: int | None = None) -> None:
    """Plays so many cells of a plan, or all."""
    done = []
    with Store(db) as store:
        done.extend(execute(plan, setups(plan), store, stop=lambda: count is not None and len(done) >= count))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run of which three cells are done."""
    path = tmp_path_factory.mktemp("batch") / "c.db"
    some = PLAN.model_copy(update={"budget": PLAN.budget.model_copy(update={"consultations": 3})})
    run(path, some)
    return path


async def watching(pilot: Pilot[None], name: str) -> BatchScreen:
    """The screen of a run, looked at once."""
    screen = BatchScreen(name)
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.looks)
    await pilot.pause()
    return screen


def grid(screen: BatchScreen) -> Grid:
    return screen.query_one(Grid)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_a_run_is_seen_cell_by_cell(db: Path, size: tuple[int, int]) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await until(pilot, lambda: [row.key for row in listing(pilot).rows] == ["short"])
        await pilot.press("b")
        screen = pilot.app.screen
        assert isinstance(screen, BatchScreen)
        await until(pilot, lambda: screen.looks)
        await pilot.pause()
        assert screen.board.total == 8
        assert screen.board.done == 3
        text = screenful(pilot)
        for words in ("2 scenarios × 2 temperaments × 1 doctor × 2 epochs", "3 of 8", "5 waiting", "at rest", "$0.00"):
            assert words in text
        counts = screen.board.counts
        for mark in (Mark.RIGHT, Mark.WRONG, Mark.WAITING):
            in_grid = sum(line.count(SIGNS[mark]) for line in grid_lines(screen))
            assert in_grid == counts[mark]
        assert "top-1" in text
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, Home)

    play(db, scene, size)


def grid_lines(screen: BatchScreen) -> list[str]:
    """The rows of the grid, without its head."""
    own = grid(screen)
    return [own.render_line(y).text for y in range(3, own.size.height)]


def test_a_finished_cell_opens_as_a_consultation_and_another_does_not(db: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        screen = await watching(pilot, "short")
        own = grid(screen)
        assert own.place == Place("indigestion_at_the_wheel", "neutral", "reference", 0)
        assert own.spot.id
        assert "indigestion_at_the_wheel · neutral · reference · epoch 0" in said(screen, "#detail")
        wanted = own.spot.id
        await pilot.press("end", "enter")
        assert pilot.app.screen is screen, "nothing is kept of the last cell"
        assert "waiting" in said(screen, "#detail")
        await pilot.press("home", "enter")
        opened = pilot.app.screen
        assert isinstance(opened, Consultation)
        await until(pilot, lambda: opened.over)
        assert opened.timeline is not None
        assert opened.timeline.header.consultation_id == wanted
        await pilot.press("escape")
        assert pilot.app.screen is screen

    play(db, scene)


def test_the_mouse_marks_and_opens(db: Path) -> None:
    async def scene(pilot: Pilot[None]) -> None:
        screen = await watching(pilot, "short")
        own = grid(screen)
        x = own._label + own._start(2)
        await pilot.click(Grid, offset=(x, 3))
        assert own.place == Place("indigestion_at_the_wheel", "choleric", "reference", 0)
        await pilot.click(Grid, offset=(x, 3), times=2)
        await until(pilot, lambda: isinstance(pilot.app.screen, Consultation))

    play(db, scene)


def test_a_batch_is_begun_with_the_form_and_runs_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "c.db"

    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press("b")
        form = pilot.app.screen
        assert isinstance(form, BatchForm)
        typed = {"scenarios": "throat_before_exams", "personas": "neutral, choleric", "inquirer": "curt,opening-only",
                 "epochs": "2", "name": "mine", "jobs": "1"}  # fmt: skip
        for name, text in typed.items():
            form.query_one(f"#{name}", Input).value = text
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BatchScreen))
        screen = pilot.app.screen
        assert isinstance(screen, BatchScreen)
        await until(pilot, lambda: screen.looks and screen.state == "✓ done")
        assert (screen.board.done, screen.board.total) == (8, 8)
        assert set(screen.board.groups) == {(p, d) for p in ("neutral", "choleric") for d in ("curt", "opening-only")}
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, Home), "what is over needs no question"

    play(path, scene, (80, 24))
    with Store(path, readonly=True) as store:
        assert store.count("mine") == 8


def test_the_form_says_what_is_wrong_and_takes_a_plan_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text("name: filed\nscenarios: [throat_before_exams]\ninquirer: [opening-only]\nepochs: 3\n", "utf-8")

    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press("b")
        form = pilot.app.screen
        for field, wrong, words in (
            ("scenarios", "no_such_case", "there is no 'no_such_case'"),
            ("inquirer", "no-such-doctor", "no-such-doctor"),
            ("epochs", "0", "--epochs"),
            ("plan", str(tmp_path / "none.yaml"), "none.yaml"),
        ):
            form.query_one(f"#{field}", Input).value = wrong
            await pilot.press("ctrl+s")
            await until(pilot, lambda words=words: words in said(form, "#problem"))  # type: ignore[misc]
            form.query_one(f"#{field}", Input).value = ""
        form.query_one("#plan", Input).value = str(file)
        form.query_one("#epochs", Input).value = "2"  # counts over the file
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, BatchScreen))
        screen = pilot.app.screen
        assert isinstance(screen, BatchScreen)
        assert screen.run_name == "filed"
        await until(pilot, lambda: screen.looks and screen.state == "✓ done")
        assert screen.board.total == 2

    play(tmp_path / "c.db", scene)


def keys(pilot: Pilot[None]) -> tuple[bool, bool]:
    """Whether it can be stopped, and gone on with."""
    return "Stop" in screenful(pilot), "Go on" in screenful(pilot)


@pytest.mark.parametrize("key", ["g", "s"])
def test_leaving_lets_it_go_on_or_stops_it_and_nothing_is_lost(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.db"
    gate, real = threading.Event(), playing.play_cell

    def gated(*args: Any) -> Any:
        gate.wait(20)
        return real(*args)

    monkeypatch.setattr(playing, "play_cell", gated)

    async def scene(pilot: Pilot[None]) -> None:
        batches.begin(path, PLAN, setups(PLAN), 1)
        screen = await watching(pilot, "short")
        await until(pilot, lambda: screen.board.counts[Mark.TAKEN] == 1)
        assert screen.state == "▶ running here"
        await until(pilot, lambda: keys(pilot) == (True, False))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, Leaving)
        await pilot.press("escape")
        assert pilot.app.screen is screen
        await pilot.press("escape", key)
        assert isinstance(pilot.app.screen, Home)
        going = GOING[path, "short"]
        assert going.stopping is (key == "s")
        gate.set()
        await until(pilot, lambda: going.over)
        again = await watching(pilot, "short")
        assert again.board.done == (1 if key == "s" else 8)
        assert again.state == ("– at rest" if key == "s" else "✓ done")
        if key == "s":
            await until(pilot, lambda: keys(pilot) == (False, True))
            await pilot.press("g")
            await until(pilot, lambda: again.state == "✓ done")
        await until(pilot, lambda: keys(pilot) == (False, False))
        assert again.board.done == 8

    play(path, scene)
    undisturbed = tmp_path / "u.db"
    run(undisturbed)
    with Store(path, readonly=True) as one, Store(undisturbed, readonly=True) as other:
        assert one.members("short") == other.members("short")


def test_a_run_of_another_process_is_seen_while_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    run(path, count=1)

    async def scene(pilot: Pilot[None]) -> None:
        screen = await watching(pilot, "short")
        assert (screen.board.done, screen.state) == (1, "– at rest")
        code = (
            "import sys; from consult.cli.main import main\n"
            "sys.argv = ['consult', *sys.argv[1:]]; sys.exit(main())"
        )  # fmt: skip
        words = ["--name", "short", "--scenarios", ",".join(SHORT["scenarios"]), "--personas", "neutral,choleric",  # type: ignore[arg-type]
                 "--epochs", "2", "--max-turns", "1", "--jobs", "1", "--db", str(path)]  # fmt: skip
        other = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", code, "batch", *words], capture_output=True, check=False
        )  # fmt: skip
        assert other.returncode == 0, other.stderr
        await until(pilot, lambda: screen.board.done == 8)
        assert screen.state == "✓ done"
        await pilot.press("s")
        assert screen.going is None, "what another process does is not stopped"

    play(path, scene)


def test_a_batch_that_cannot_run_says_why_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    run(path, count=1)
    other = PLAN.model_copy(update={"max_turns": 2})

    async def scene(pilot: Pilot[None]) -> None:
        batches.begin(path, other, setups(other), 1)
        screen = await watching(pilot, "short")
        await until(pilot, lambda: "has another plan" in said(screen, "#figures"))

    play(path, scene)


def test_failures_are_marked_and_found(tmp_path: Path) -> None:
    cells = setups(PLAN)
    failing, raised = place(cells, 2), place(cells, 5)
    spots = {
        failing: Spot(Mark.FAILED, "a", "model error"),
        raised: Spot(Mark.FAILED, "", "it broke"),
        place(cells, 0): Spot(Mark.WRONG, "b", "gerd, 2 questions"),
    }
    board = Board(("indigestion_at_the_wheel", "throat_before_exams"), (("neutral", "reference"), ("choleric", "reference")),
                  2, spots, planned=True)  # fmt: skip

    async def scene(pilot: Pilot[None]) -> None:
        screen = BatchScreen("short")
        await pilot.app.push_screen(screen)
        screen._left.set()
        screen._seen(board)
        await pilot.press("f")
        assert grid(screen).place == failing
        await pilot.press("f")
        assert grid(screen).place == raised
        assert "it broke" in said(screen, "#detail")
        await pilot.press("w")
        assert grid(screen).place == place(cells, 0)
        assert "! 2 failed" in said(screen, "#legend")

    play(tmp_path / "none.db", scene, (80, 24))


def test_what_models_took_is_summed_and_unknown_where_one_is(tmp_path: Path) -> None:
    t = made()
    with Store(tmp_path / "c.db") as store:
        store.ensure_run("paid", {})
        watcher = Watcher("paid", None)
        assert watcher.look(store).tokens == 0
        for n, cost in enumerate((0.25, 0.5, None)):
            used = Used(seq=len(t.events), turn=1, role="inquirer", models=("m",), calls=2, prompt_tokens=10,
                        completion_tokens=n, cost=cost)  # fmt: skip
            fields = {"agents": t.header.agents | {"inquirer": "llm:m"}, "epoch": n, "consultation_id": f"paid-{n}"}
            store.save(Transcript(t.header.model_copy(update=fields), (*t.events, used)), "paid")
            board = watcher.look(store)
            assert (board.tokens, board.cost) == ((10, 0.25), (21, 0.75), (33, None))[n]


class Alone(App[None]):
    """A grid and nothing else."""

    def compose(self) -> ComposeResult:
        yield Grid()


def test_of_ten_thousand_cells_only_those_in_sight_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    scenarios = tuple(f"case_{n}" for n in range(200))
    groups = tuple((f"p{n}", "reference") for n in range(5))
    marks = (Mark.RIGHT, Mark.WRONG, Mark.FAILED)
    spots = {
        Place(s, *group, epoch): Spot(marks[(n + epoch) % 3], f"{n}")
        for n, s in enumerate(scenarios)
        for group in groups
        for epoch in range(10)
    }
    board = Board(scenarios, groups, 10, spots, planned=True)
    assert (board.total, board.done) == (10_000, sum(spot.mark is not Mark.FAILED for spot in spots.values()))
    drawn: list[int] = []
    cells = Grid._cells

    def counted(self: Grid, row: int) -> Any:
        out = cells(self, row)
        drawn.append(sum(len(segment.text) for segment in out))
        return out

    async def main() -> None:
        app = Alone()
        async with app.run_test(size=(80, 24)) as pilot:
            own = app.query_one(Grid)
            own.focus()
            own.show(board)
            own.action_corner(-1)  # by a key that comes before the new board is laid out
            await pilot.pause()
            assert "case_199" in own.render_line(own.size.height - 2).text
            await pilot.press("home")
            monkeypatch.setattr(Grid, "_cells", counted)
            await pilot.press("end")
            assert own.place == Place("case_199", "p4", "reference", 9)
            assert "case_199" in own.render_line(own.size.height - 2).text
            await pilot.press("pageup", "home", "down", "right")
            assert own.place == Place("case_1", "p0", "reference", 1)
            own.mark(15, 0)
            await resized(pilot, (80, 12))
            await pilot.pause()
            assert any("case_15" in own.render_line(y).text for y in range(11))

    asyncio.run(main())
    assert 0 < len(drawn) < 8 * 24
    assert max(drawn) <= 80, "nor columns that are out of sight"


def test_a_run_whose_files_have_changed_shows_what_is_kept(tmp_path: Path) -> None:
    path = filled(tmp_path / "c.db")
    with Store(path) as store:
        store.ensure_run("gone", {"scenarios": ["no_such_case"]})
        for t in (store.get(row["consultation_id"]) for row in store.consultations()):
            store.save(t, "gone")
        assert cells_of(store, "gone") is None
        board = Watcher("gone", None).look(store)
    assert board.total == len(board.spots) == len(CELLS)
    assert not board.planned
    assert board.counts[Mark.WAITING] == 0

    async def scene(pilot: Pilot[None]) -> None:
        screen = await watching(pilot, "gone")
        assert "the plan's files have changed" in said(screen, "#figures")
        await pilot.press("g")
        await until(pilot, lambda: pilot.app._notifications)
        assert screen.going is None

    play(path, scene)
