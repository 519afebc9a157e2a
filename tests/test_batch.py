"""Batches in several processes: the same as in one, whatever is killed and whenever."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import Pipe, active_children
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from consult.batch import Cells, Plan, Played, execute, line_ups, play_cell, scenario_paths, setups
from consult.batch.budget import Budget
from consult.batch.workers import TRIES, _back, _deaf, _Worker, played_by
from consult.cli.main import cli
from consult.errors import InfrastructureError, StoreError, UsageError
from consult.report import report
from consult.store.db import Store
from consult.store.packed import unpacked

CASES = (
    "indigestion_at_the_wheel",
    "worst_monday",
    "burning_band",
    "same_old_back",
    "scratched_creases",
    "night_ward_sister",
)
PLAN = Plan(name="r", scenarios=CASES, personas=("neutral", "choleric"), max_turns=1, max_orders=0)


@pytest.fixture(scope="module")
def cells() -> Cells:
    return setups(PLAN)


@pytest.fixture(scope="module")
def undisturbed(cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, list[object]]]:
    """What a store holds after a run in one process."""
    path = tmp_path_factory.mktemp("one") / "one.db"
    with Store(path) as store:
        assert Counter(d.status for d in execute(PLAN, cells, store)) == {"done": len(cells)}
    return contents(path)


def contents(path: Path) -> dict[str, tuple[str, list[object]]]:
    """Transcript and scores of each cell, without when."""
    with sqlite3.connect(path) as db:
        rows = db.execute(
            "select m.cell, c.id, t.jsonl from members m join consultations c on c.number = m.consultation"
            " join transcripts t on t.consultation = c.number"
        )
        kept = {cell: (name, unpacked(blob, name)) for cell, name, blob in rows}
        assert db.execute("select count(*) from consultations").fetchone() == (len(kept),)
        every = "select name, version, value, unit, reason from scores where consultation = ? order by name"
        return {cell: (text, db.execute(every, (name,)).fetchall()) for cell, (name, text) in kept.items()}


def test_two_processes_keep_what_one_keeps(cells: Cells, undisturbed: object, tmp_path: Path) -> None:
    with Store(tmp_path / "two.db") as store:
        seen = Counter(d.index for d in execute(PLAN, cells, store, jobs=2))
    assert seen == dict.fromkeys(range(len(cells)), 1)
    assert contents(tmp_path / "two.db") == undisturbed


def test_a_killed_process_is_replaced_and_its_cells_played(cells: Cells, undisturbed: object, tmp_path: Path) -> None:
    with Store(tmp_path / "k.db") as store:
        for n, done in enumerate(execute(PLAN, cells, store, jobs=2)):
            assert done.status == "done"
            if n in (1, len(cells) - 3):  # in the end as well: nothing is left to take, and then something is
                active_children()[0].kill()
    assert contents(tmp_path / "k.db") == undisturbed


def test_a_stop_finishes_what_was_begun(cells: Cells, undisturbed: object, tmp_path: Path) -> None:
    met: list[int] = []
    with Store(tmp_path / "s.db") as store:
        for done in execute(PLAN, cells, store, jobs=2, stop=lambda: len(met) >= 3):
            met.append(done.index)
        assert 3 <= len(met) <= 3 + 2 * 2
        assert len(store.members("r")) == len(met)
        rest = Counter(d.status for d in execute(PLAN, cells, store, jobs=2))
    assert rest == {"skipped": len(met), "done": len(cells) - len(met)}
    assert contents(tmp_path / "s.db") == undisturbed


def test_what_is_left_unread_leaves_no_process_behind(cells: Cells) -> None:
    played = played_by(cells, iter(range(3)), lambda: False, jobs=1)
    assert next(played).kept is not None
    played.close()
    assert active_children() == []


def test_what_is_started_does_not_hear_ctrl_c_while_it_loads() -> None:
    deaf = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    with _deaf():
        told = subprocess.run([sys.executable, "-c", deaf], capture_output=True, text=True, check=True).stdout
    assert told == "True\n"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_cell_that_takes_its_process_down_again_and_again_has_failed() -> None:
    process = type("Dead", (), {"join": lambda self: None, "exitcode": -9})()
    again, tries, failed = deque[int](), Counter[int](), []
    for _ in range(TRIES):
        failed.append(_back(_Worker(process, Pipe()[0], deque([7, 8]), ready=True), again, tries))
    assert failed[:-1] == [[]] * (TRIES - 1)
    assert failed[-1] == [Played(7, None, problem="its process died 3 times (exit code -9)")]
    assert Counter(again) == {8: TRIES, 7: TRIES - 1}
    for _ in range(TRIES - 1):
        assert _back(_Worker(process, Pipe()[0], deque([9])), again, tries) == []
    assert Counter(again)[9] == TRIES - 1
    with pytest.raises(InfrastructureError, match="could not start"):
        _back(_Worker(process, Pipe()[0], deque([9])), again, tries)
    tries.clear()
    assert _back(_Worker(process, Pipe()[0], deque([1, 2, 3]), ready=True), again, tries, playing=2) == []
    assert tries == {1: 1, 2: 1}
    assert list(again)[-3:] == [3, 1, 2]


@pytest.mark.parametrize(("name", "after"), [("SIGKILL", (3,)), ("SIGINT", (3,))])
def test_the_same_command_goes_on(name: str, after: tuple[int, ...], undisturbed: object, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "consult", "batch", "--name", "r", "--scenarios", ",".join(CASES), "--jobs", "2"]
    command += ["--personas", "neutral,choleric", "--max-turns", "1", "--max-orders", "0"]
    command += ["--db", str(tmp_path / "c.db"), "--json"]
    for kept in after:
        first = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        while first.poll() is None and count(tmp_path / "c.db") < kept:
            time.sleep(0.02)
        if name == "SIGKILL":
            os.killpg(first.pid, signal.SIGKILL)  # with its workers
        else:
            os.killpg(first.pid, signal.SIGINT)  # as a terminal does
        _, told = first.communicate(timeout=60)
        assert first.returncode == (130 if name == "SIGINT" else -signal.SIGKILL), told
        assert kept <= count(tmp_path / "c.db") < len(setups(PLAN))
    if name == "SIGINT":
        assert "the same command goes on" in told
        assert "Traceback" not in told
    again = CliRunner().invoke(cli, command[3:])
    assert again.exit_code == 0, again.stderr
    assert contents(tmp_path / "c.db") == undisturbed


def test_a_disk_that_fills_leaves_what_is_whole(cells: Cells, undisturbed: object, tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with Store(path) as store:
        running = execute(PLAN, cells, store)
        for _ in range(3):
            next(running)
        with store._guarded() as db:  # room for one more or so
            pages = db.execute("pragma page_count").fetchone()[0]
            db.execute(f"pragma max_page_count = {pages + 4}")
        with pytest.raises(StoreError, match="the disk is full"):
            list(running)
    assert 3 <= count(path) < len(cells)
    with Store(path) as store:
        again = Counter(d.status for d in execute(PLAN, cells, store))
    assert again == {"skipped": len(cells) - again["done"], "done": again["done"]}
    assert contents(path) == undisturbed


def test_a_locked_database_stops_a_batch_that_then_goes_on(cells: Cells, undisturbed: object, tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with Store(path, timeout=0.05) as store, sqlite3.connect(path, isolation_level=None) as other:
        running = execute(PLAN, cells, store)
        next(running)
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="locked by another program"):
            list(running)
        other.execute("rollback")
        assert Counter(d.status for d in execute(PLAN, cells, store)) == {"skipped": 1, "done": len(cells) - 1}
    assert contents(path) == undisturbed


def test_an_engine_is_what_plays_cells(cells: Cells, undisturbed: object, tmp_path: Path) -> None:
    def backwards(cells: Cells, missing: Iterator[int], stop: Callable[[], bool]) -> Iterator[Played]:
        for index in reversed(list(missing)):
            yield play_cell(cells, index)

    with Store(tmp_path / "e.db") as store:
        seen = [d.index for d in execute(PLAN, cells, store, engine=backwards)]
    assert seen == list(reversed(range(len(cells))))
    assert contents(tmp_path / "e.db") == undisturbed


def test_a_hole_in_what_is_done_is_filled(cells: Cells, undisturbed: object, tmp_path: Path) -> None:
    with Store(tmp_path / "h.db") as store:
        list(execute(PLAN, cells, store))
        with store._guarded() as db:
            db.execute("delete from members where cell in (?, ?)", (cells.key(4), cells.key(7)))
        seen = {d.index: d.status for d in execute(PLAN, cells, store)}
    assert seen == dict.fromkeys(range(len(cells)), "skipped") | {4: "done", 7: "done"}
    assert contents(tmp_path / "h.db") == undisturbed


def test_what_was_played_from_a_changed_file_is_not_kept(cells: Cells, tmp_path: Path) -> None:
    def elsewhere(cells: Cells, missing: Iterator[int], stop: Callable[[], bool]) -> Iterator[Played]:
        yield replace(play_cell(cells, next(missing)), cell="another")

    with Store(tmp_path / "e.db") as store:
        (done,) = execute(PLAN, cells, store, engine=elsewhere)
        assert (done.status, store.members("r")) == ("failed", {})
    assert "changed while it was played" in done.problem


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_budget_ends_a_call_and_the_next_goes_on(
    cells: Cells, undisturbed: object, tmp_path: Path, jobs: int
) -> None:
    small = PLAN.model_copy(update={"budget": Budget.model_validate("consultations=5")})
    with Store(tmp_path / "b.db") as store:
        assert Counter(d.status for d in execute(small, cells, store)) == {"done": 5}
        assert Counter(d.status for d in execute(small, cells, store)) == {"done": 5, "skipped": 5}
        out_of_time = PLAN.model_copy(update={"budget": Budget(time=1e-9)})
        assert Counter(d.status for d in execute(out_of_time, cells, store)) == {"skipped": 10}
        assert Counter(d.status for d in execute(small, cells, store)) == {"done": 2, "skipped": 10}
    assert contents(tmp_path / "b.db") == undisturbed


def test_a_run_belongs_to_its_content(tmp_path: Path) -> None:
    kept = {path.stem: path for path in scenario_paths(CASES)}
    for name, path in kept.items():
        (tmp_path / f"{name}.yaml").write_bytes(path.read_bytes())
    plan = PLAN.model_copy(update={"scenarios": (str(tmp_path),)})
    one = plan.model_copy(update={"budget": Budget(consultations=1)})
    with Store(tmp_path / "c.db") as store:
        assert [d.status for d in execute(one, setups(one), store)] == ["done"]
        changed, gone = tmp_path / f"{CASES[0]}.yaml", tmp_path / f"{CASES[1]}.yaml"
        changed.write_text(changed.read_text("utf-8").replace("title: ", "title: Another ", 1), "utf-8")
        gone.unlink()
        what = f"other content: changed: scenario {CASES[0]}; gone: scenario {CASES[1]} "
        with pytest.raises(UsageError, match=what):
            list(execute(plan, setups(plan), store))
        another = one.model_copy(update={"name": "another"})
        assert [d.status for d in execute(another, setups(another), store)] == ["done"]
        assert store.runs()[0]["plan"] == plan.content


def test_keys_of_cells_need_no_file(cells: Cells) -> None:
    assert [cells.key(i) for i in range(len(cells))] == [setup.cell for setup in cells]


def test_line_ups_differ_in_any_role(tmp_path: Path) -> None:
    data = {
        "scenarios": CASES[:1], "max_turns": 1, "patient": "reference",
        "line_ups": [{"name": "whole"}, {"name": "blind", "triage": "reference:no-inquiry"}],
    }  # fmt: skip
    plan = Plan.model_validate(data)
    with Store(tmp_path / "l.db") as store:
        assert [d.status for d in execute(plan, setups(plan), store)] == ["done", "done"]
        lines = line_ups(plan, store.each(plan.run, scores=()))
    assert [(line["line_up"], line["inquirer"], line["n"]) for line in lines] == [
        ("whole", "reference", 1),
        ("blind", "reference", 1),
    ]
    for wrong in (
        {"line_ups": [{"name": "a"}, {"name": "a", "inquirer": "curt"}]},
        {"line_ups": [{"name": "a"}, {"name": "b", "patient": "reference"}]},
        {"line_ups": [{"inquirer": "curt"}, {"inquirer": "curt"}]},
        {"line_ups": [{"name": "a"}], "inquirer": ["curt"]},
    ):
        with pytest.raises(ValidationError):
            Plan.model_validate(wrong)


def test_a_line_up_without_a_name_goes_by_what_tells_it_apart(tmp_path: Path) -> None:
    given = [{}, {"triage": "reference:no-inquiry", "patient": "reference"}, {"inquirer": "curt"}, {"name": "own"}]
    given[-1] |= {"inquirer": "curt", "triage": "reference:no-inquiry"}
    plan = Plan.model_validate({"scenarios": CASES[:1], "max_turns": 0, "line_ups": given})
    names = ["reference", "reference+patient=reference+triage=reference:no-inquiry", "curt", "own"]
    assert [one.name for one in plan.team] == names
    assert Plan.model_validate(plan.content) == plan
    with Store(tmp_path / "l.db") as store:
        list(execute(plan, setups(plan), store))
        assert [line_up.name for line_up in report(store, plan.run).line_ups] == names


def test_scenarios_by_pattern() -> None:
    found = [path.stem for path in scenario_paths(["s[ca]*", "worst_*"])]
    assert "worst_monday" in found
    assert {"same_old_back", "scratched_creases"} <= set(found)
    assert all(name.startswith(("sa", "sc", "worst_")) for name in found)
    with pytest.raises(UsageError, match="names no scenario"):
        scenario_paths(["no_such_*"])


@pytest.mark.parametrize(
    ("text", "seconds"), [("time=90", 90), ("time=1.5m", 90), ("time= 2h ", 7200), ("time=1d,consultations=3", 86400)]
)
def test_budgets_in_words(text: str, seconds: float) -> None:
    assert Budget.model_validate(text).time == seconds


@pytest.mark.parametrize("text", ["3", "time=x", "time=0", "money=3", "consultations=0", "consultations=a"])
def test_what_is_no_budget(text: str) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate(text)


def test_a_speaker_who_cannot_be_is_told_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="parent"):
        setups(Plan(scenarios=("indigestion_at_the_wheel",), personas=("neutral", "neutral+speaker=parent")))


def test_cells_are_a_sequence_without_doubles(cells: Cells) -> None:
    keys = [s.cell for s in cells]
    assert len(set(keys)) == len(keys) == len(cells)
    assert [s.cell for s in cells[2:5]] == keys[2:5]
    assert cells[-1].cell == keys[-1]
    with pytest.raises(IndexError):
        cells[len(cells)]
    twice = setups(PLAN.model_copy(update={"personas": ("choleric", "choleric@1")}))
    assert len(twice) * 2 == len(cells)


def count(path: Path) -> int:
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return int(db.execute("select count(*) from members").fetchone()[0])
    except sqlite3.Error:  # not there yet, or being made
        return 0
