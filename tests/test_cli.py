"""The command line: contracts of options, output and exit codes, with an engine made by hand in place of the real one."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner, Result
from handmade import made
from rich.console import Console

from consult import agents as consult_agents
from consult import show
from consult.batch import Done
from consult.cli import main as main_module
from consult.cli import progress, showing
from consult.cli.main import COMMANDS, cli
from consult.errors import AgentError, DataError, UsageError
from consult.events import StopReason
from consult.seeds import digest
from consult.store.db import Store
from consult.store.transcript import Transcript, dumps, write

ROOT = Path(__file__).resolve().parent.parent
KNOWLEDGE = """
id: tiny
findings:
  - {id: chest_pain, topic: chest, plain: chest pain, questions: [Does your chest hurt?], present: My chest hurts}
conditions:
  - id: angina
    name: Angina pectoris
    icd10: I20.9
    urgency: urgent
    department: {primary: medicine, secondary: heart}
    findings: {chest_pain: 0.9}
"""
HOSPITAL = """
id: tiny
name: Tiny hospital
departments:
  - {id: medicine, name: Medicine, inquiry: {scope: all}, secondary: [{id: heart, name: Heart}]}
fallback: {primary: medicine, secondary: heart}
"""
SCENARIO = """
id: NAME
title: A case
tags: [TAG]
knowledge: KNOWLEDGE
patient: {age: 58, sex: male}
facts: [{finding: chest_pain, release: opening}]
gold: {condition: angina, department: {primary: medicine, secondary: heart}, urgency: urgent}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with one small world of one's own on the search path."""
    own = tmp_path / "own"
    (own / "scenarios" / "hospitals").mkdir(parents=True)
    (own / "tiny.yaml").write_text(KNOWLEDGE)
    (own / "scenarios" / "hospitals" / "tiny.yaml").write_text(HOSPITAL)
    for name, tag in (("aa_one", "first"), ("aa_two", "second")):
        scenario(own / "scenarios" / f"{name}.yaml", tag, own)
    monkeypatch.setenv("CONSULT_PATH", str(own))
    monkeypatch.setenv("CONSULT_JOBS", "1")  # the fake engine is in this process
    monkeypatch.chdir(tmp_path)
    return own


def scenario(path: Path, tag: str, own: Path) -> None:
    text = SCENARIO.replace("NAME", path.stem).replace("TAG", tag)
    path.write_text(text.replace("KNOWLEDGE", json.dumps(str(own / "tiny.yaml"))))


@dataclass
class FakeSetup:
    scenario: Any
    persona: Any
    hospital: Any
    knowledge: Any
    agents: dict[str, str]
    limits: Any
    epoch: int
    seed: int
    resolver: Any = None
    models: Any = None
    past: Any = None
    aids: Any = None
    album: Any = None
    rubrics: Any = ()

    @property
    def cell(self) -> str:
        content = tuple(c.content_hash() for c in (self.scenario, self.persona, self.hospital, self.knowledge))
        return cell_of(content, self.agents, self.limits, self.epoch, self.seed, None)


def cell_of(content: Any, agents: dict[str, str], limits: Any, epoch: int, seed: int, *_: Any) -> str:
    return digest([*content, sorted(agents.items()), str(limits), epoch, seed])[:16]


class Engine:
    """What `consult.sim.session` gives, from the hand-made consultation."""

    def __init__(self) -> None:
        self.played: list[FakeSetup] = []
        self.stop = StopReason.CONCLUDED
        self.error: BaseException | None = None
        self.broken = ""
        self.detail = ""

    def play(self, setup: FakeSetup) -> Any:
        self.played.append(setup)
        if self.error is not None:
            raise self.error
        ids = {"consultation_id": f"{setup.scenario.id}-{setup.cell}", "scenario": setup.scenario.id}
        return made(
            self.stop,
            detail=self.detail,
            persona=setup.persona.id,
            agents=setup.agents,
            epoch=setup.epoch,
            seed=setup.seed,
            **ids,
        )

    def header(self, setup: FakeSetup) -> Any:
        error, self.error = self.error, None
        head = self.play(setup).header
        self.error = error
        return head

    def make(self, role: str, spec: str) -> object:
        if spec == self.broken:
            raise UsageError(f"--{role}: plug-in {spec!r} cannot be loaded (mend: reinstall it)")
        return object()

    def stream(self, setup: FakeSetup, hear: object = None, waits: object = None) -> Iterator[Any]:
        yield from self.play(setup).events


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    fake = Engine()

    def check_spec(role: str, spec: str) -> None:
        if spec not in agent_names():
            raise UsageError(f"--{role}: there is no agent {spec!r} (mend: `consult list agents`)")

    def agent_names() -> dict[str, str]:
        return {"reference": "the yardstick", "curt": "no manners"}

    members: dict[str, dict[str, Any]] = {
        "consult.sim": {},
        "consult.agents": {"__path__": consult_agents.__path__},
        "consult.sim.session": {
            "Setup": FakeSetup,
            "play": fake.play,
            "stream": fake.stream,
            "header": fake.header,
            "ended": lambda head, events, waits: Transcript(head, tuple(events)),
            "cell_of": cell_of,
            "code_version": lambda: "0",
        },
        "consult.agents.registry": {
            "check_spec": check_spec,
            "agent_names": agent_names,
            "make": fake.make,
            "built_in": lambda role, spec: True,
        },
    }
    for name, content in members.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return fake


def consult(*args: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in args])


def one_line(result: Result, code: int = 2) -> str:
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


# --- run -------------------------------------------------------------------------------------------------------------


def test_run_prints_saves_and_says_where(home: Path, engine: Engine) -> None:
    result = consult("run", "aa_one", "--hospital", "tiny")
    assert result.exit_code == 0, result.output
    assert "score card" in result.stdout
    assert "awful pressure" in result.stdout
    assert "kept as aa_one-" in result.stderr
    with Store("transcripts/consult.db", readonly=True) as store:
        (row,) = store.consultations()
    assert row["scenario"] == "aa_one"


def test_run_json_is_one_object(home: Path, engine: Engine) -> None:
    args = ("run", "aa_one", "--hospital", "tiny", "--json", "--persona", "choleric@0.5", "--seed", "7")
    result = consult(*args)
    data = json.loads(result.stdout)
    assert (data["persona"], data["seed"], data["stop_reason"]) == ("choleric@0.5", 7, "concluded")
    assert result.stderr == ""
    assert json.loads(consult(*args).stdout) == data
    setup = engine.played[-1]
    assert (setup.limits.max_turns, setup.limits.max_orders, setup.knowledge.id) == (14, 5, "tiny")
    assert set(setup.agents.values()) == {"reference"}


def test_run_quiet_and_no_save(home: Path, engine: Engine) -> None:
    result = consult("run", "aa_one", "--hospital", "tiny", "--quiet", "--no-save")
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["Patient", "Doctor", "Patient", "Doctor"]
    assert result.stderr == ""
    assert not Path("transcripts").exists()


def test_run_takes_a_file_and_looks_in_folders(home: Path, engine: Engine) -> None:
    (Path("more")).mkdir()
    scenario(Path("more/mine.yaml"), "x", home)
    for args in (["more/mine.yaml"], ["mine", "--scenarios", "more"]):
        result = consult("run", *args, "--hospital", "tiny", "--json", "--no-save")
        assert json.loads(result.stdout)["scenario"] == "mine"


def test_options_have_twins_in_the_environment(home: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSULT_HOSPITAL", "tiny")
    monkeypatch.setenv("CONSULT_SEED", "3")
    monkeypatch.setenv("CONSULT_RUN_JSON", "1")
    monkeypatch.setenv("CONSULT_DB", "there.db")
    assert json.loads(consult("run", "aa_one").stdout)["seed"] == 3
    monkeypatch.setenv("CONSULT_RUN_SEED", "4")
    assert json.loads(consult("run", "aa_one").stdout)["seed"] == 4
    assert json.loads(consult("run", "aa_one", "--seed", "5").stdout)["seed"] == 5
    assert Path("there.db").is_file()
    assert consult("db", "path").stdout == f"{Path('there.db').absolute()}\n"


def test_run_fails_with_3_if_the_consultation_failed(home: Path, engine: Engine) -> None:
    engine.stop = StopReason.MODEL_ERROR
    assert consult("run", "aa_one", "--hospital", "tiny").exit_code == 3


def test_run_says_why_it_failed(home: Path, engine: Engine) -> None:
    engine.stop, engine.detail = StopReason.INFRASTRUCTURE_ERROR, "the server at the other end " * 9
    args = ("run", "aa_one", "--hospital", "tiny")
    shown = consult(*args).stdout
    assert " ".join(shown.replace("│", " ").split()).count(engine.detail.strip()) == 1
    assert "not judged: infrastructure error" in shown
    assert "✗" not in shown.partition("score card")[2]
    assert json.loads(consult(*args, "--json").stdout)["stop_detail"] == engine.detail
    engine.stop, engine.detail = StopReason.CONCLUDED, ""
    assert "stop_detail" not in json.loads(consult(*args, "--json").stdout)


def test_run_takes_one_scenario(home: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("many").mkdir()
    for name in ("one", "two"):
        scenario(Path("many") / f"{name}.yaml", "x", home)
    assert "'many' names 2 scenarios" in one_line(consult("run", "many", "--hospital", "tiny"))
    Path("a, b").mkdir()
    scenario(Path("a, b/mine.yaml"), "x", home)
    result = consult("run", "a, b/mine.yaml", "--hospital", "tiny", "--json", "--no-save")
    assert json.loads(result.stdout)["scenario"] == "mine"
    monkeypatch.setenv("CONSULT_SCENARIOS", "all")  # the twin of batch's option, which means something else
    assert consult("run", "aa_one", "--hospital", "tiny", "--no-save").exit_code == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["run", "nobody"], "there is no 'nobody'"),
        (["run", "aa_one", "--persona", "grumpy"], "--persona"),
        (["run", "aa_one", "--persona", "choleric@7"], "--persona"),
        (["run", "aa_one", "--hospital", "none"], "--hospital"),
        (["run", "aa_one", "--knowledge", "none"], "--knowledge"),
        (["run", "aa_one", "--inquirer", "none"], "--inquirer"),
        (["run", "aa_one", "--triage", "none"], "--triage"),
        (["run", "aa_one", "--max-turns", "many"], "--max-turns"),
        (["run", "aa_one", "--max-turns", "-1"], "--max-turns"),
        (["run", "aa_one", "--colour"], "--colour"),
        (["run", "aa_one", "--scenarios", "nowhere"], "nowhere"),
        (["run", "aa_one", "--hospital", "tiny", "--db", "."], "is a folder"),
        (["run", "aa_one", "--hospital", "tiny", "--db", "own/tiny.yaml"], "no SQLite database"),
        (["run", "aa_one", "--hospital", "tiny", "--db", "own/tiny.yaml/x.db"], "tiny.yaml"),
        (["dance"], "dance"),
        (["list", "songs"], "songs"),
        (["batch", "none.yaml"], "none.yaml"),
        (["batch", "--scenarios", "tag:none"], "tag:none"),
        (["batch", "--scenarios", "own/scenarios/hospitals/none"], "none"),
        (["batch", "--epochs", "0"], "--epochs"),
        (["batch", "--personas", ","], "--persona"),
        (["show", "nothing"], "is not there"),
        (["show", "none.jsonl"], "none.jsonl"),
        (["list", "consultations", "--run", "x"], "is not there"),
        (["schema", "song"], "song"),
        (["sample", "0", "--to", "x"], "N"),
    ],
)
def test_bad_input_is_one_line_and_2(home: Path, engine: Engine, args: list[str], words: str) -> None:
    assert words in one_line(consult(*args))


def test_a_fault_of_ours_is_one_line_and_1(home: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSULT_DEBUG", raising=False)
    engine.error = KeyError("oh\nno")
    result = consult("run", "aa_one", "--hospital", "tiny", "--quiet")
    assert "CONSULT_DEBUG=1" in one_line(result, 1)
    monkeypatch.setenv("CONSULT_DEBUG", "1")
    assert isinstance(consult("run", "aa_one", "--hospital", "tiny").exception, KeyError)


def test_interrupted(home: Path, engine: Engine) -> None:
    engine.error = KeyboardInterrupt()
    result = consult("run", "aa_one", "--hospital", "tiny", "--quiet")
    assert result.exit_code == 130
    assert "interrupted" in result.stderr


def test_a_full_disk_is_one_line(home: Path, engine: Engine) -> None:
    engine.error = OSError(28, "No space left on device", "x.db")
    assert one_line(consult("run", "aa_one", "--hospital", "tiny", "--quiet")) == (
        "x.db: No space left on device (mend: make room, then run the same command again)\n"
    )


def test_a_reader_that_goes_away_does_not_cost_the_consultation(
    home: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from consult.show import EventPrinter

    def gone(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(EventPrinter, "event", gone)
    assert consult("run", "aa_one", "--hospital", "tiny").exit_code == 0
    with Store("transcripts/consult.db", readonly=True) as store:
        (row,) = store.consultations()
        assert store.get(row["consultation_id"]).events == made().events


# --- batch -----------------------------------------------------------------------------------------------------------

BATCH = ("batch", "--name", "r", "--scenarios", "aa_one,aa_two", "--personas", "neutral,choleric", "--hospital", "tiny")


def test_batch_runs_all_cells_once_in_order(home: Path, engine: Engine) -> None:
    data = json.loads(consult(*BATCH, "--epochs", "2", "--json").stdout)
    assert {k: data[k] for k in ("run", "cells", "done", "skipped", "failed")} == {
        "run": "r", "cells": 8, "done": 8, "skipped": 0, "failed": 0,
    }  # fmt: skip
    order = [(s.scenario.id, s.persona.id, s.epoch) for s in engine.played]
    assert order == [(s, p, e) for s in ("aa_one", "aa_two") for p in ("neutral", "choleric") for e in (0, 1)]
    first, second = data["results"]
    assert (first["persona"], first["n"], first["top1"], first["questions"]) == ("neutral", 4, 1.0, 1.0)
    assert second["stop_reasons"] == {"concluded": 4}
    again = json.loads(consult(*BATCH, "--epochs", "2", "--json").stdout)
    assert (again["done"], again["skipped"], len(engine.played)) == (0, 8, 8)
    assert again["results"] == data["results"]


def test_batch_finishes_what_is_missing(home: Path, engine: Engine) -> None:
    engine.error = AgentError("model says no")
    result = consult(*BATCH, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["failed"] == 4
    assert "model says no" in result.stderr
    engine.error = None
    assert json.loads(consult(*BATCH, "--json").stdout)["done"] == 4


def test_batch_counts_failed_consultations(home: Path, engine: Engine) -> None:
    engine.stop = StopReason.INFRASTRUCTURE_ERROR
    result = consult(*BATCH, "--json")
    assert result.exit_code == 3
    data = json.loads(result.stdout)
    assert data["failed"] == 4
    assert data["results"][0]["top1"] is None
    engine.stop = StopReason.CONCLUDED
    data = json.loads(consult(*BATCH, "--json").stdout)
    assert (data["done"], data["failed"], data["results"][0]["n"]) == (4, 0, 2)


def test_batch_interrupted_keeps_what_is_done(home: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    play = engine.play

    def cut(setup: FakeSetup) -> Any:
        if len(engine.played) == 3:
            raise KeyboardInterrupt
        return play(setup)

    monkeypatch.setattr(sys.modules["consult.sim.session"], "play", cut)
    result = consult(*BATCH)
    assert result.exit_code == 130
    assert result.stderr == "interrupted: 3 of 4 done; the same command goes on\n"
    monkeypatch.setattr(sys.modules["consult.sim.session"], "play", play)
    data = json.loads(consult(*BATCH, "--json").stdout)
    assert (data["done"], data["skipped"]) == (1, 3)


def test_batch_with_another_plan_under_the_name(home: Path, engine: Engine) -> None:
    consult(*BATCH)
    assert "epochs was 1 and is now 2" in one_line(consult(*BATCH, "--epochs", "2"))


def test_batch_from_a_file_with_options_on_top(home: Path, engine: Engine) -> None:
    Path("plan.yaml").write_text(
        "name: p\nscenarios: [aa_one]\npersonas: neutral, choleric\nhospital: tiny\nseed: 9\nepochs: 3\n"
    )
    data = json.loads(consult("batch", "plan.yaml", "--epochs", "1", "--json").stdout)
    assert (data["run"], data["cells"]) == ("p", 2)
    assert {s.seed for s in engine.played} == {9}
    Path("plan.yaml").write_text("name: p\nepoch: 3\n")
    assert one_line(consult("batch", "plan.yaml")).startswith("plan.yaml:2: epoch: unknown field")


def test_batch_dry_run(home: Path, engine: Engine) -> None:
    result = consult(*BATCH, "--inquirer", "reference", "--inquirer", "curt", "--dry-run", "--json")
    data = json.loads(result.stdout)
    assert len(data["cells"]) == 8
    assert len({c["cell"] for c in data["cells"]}) == 8
    assert engine.played == []
    assert not Path("transcripts").exists()
    assert "aa_two" in consult(*BATCH, "--dry-run").stdout


@pytest.mark.parametrize("spec", ["tag:second", "aa_two", "own/scenarios/aa_two.yaml", "sub"])
def test_batch_scenarios_by_tag_id_file_folder(home: Path, engine: Engine, spec: str) -> None:
    Path("sub").mkdir()
    (Path("sub") / "aa_two.yaml").write_bytes((home / "scenarios" / "aa_two.yaml").read_bytes())
    data = json.loads(consult("batch", "--scenarios", spec, "--hospital", "tiny", "--dry-run", "--json").stdout)
    assert [c["scenario"] for c in data["cells"]] == ["aa_two"]


def test_batch_names_the_cells_that_failed(home: Path, engine: Engine) -> None:
    engine.stop, engine.detail = StopReason.MODEL_ERROR, "the model said nothing"
    told = [line for line in consult(*BATCH, "--epochs", "3").stderr.splitlines() if line.startswith("failed: ")]
    assert told[0] == "failed: aa_one, neutral, reference: model_error: the model said nothing"
    assert (len(told), told[-1][:14]) == (11, "failed: 2 more")
    again = consult(*BATCH, "--epochs", "3")
    assert (again.exit_code, len(engine.played)) == (3, 12)  # a model's error is a result: kept, told, not played again
    assert "failed: 12 more" in again.stderr


def test_a_plug_in_that_cannot_be_loaded_is_told_before_any_work(home: Path, engine: Engine) -> None:
    engine.broken = "curt"
    assert "cannot be loaded" in one_line(consult(*BATCH, "--inquirer", "curt"))
    assert engine.played == []


def test_one_cell_is_no_cells(home: Path, engine: Engine) -> None:
    one = ("batch", "--scenarios", "aa_one", "--hospital", "tiny")
    assert consult(*one, "--dry-run").stderr == "1 cell, 0 model calls, $0.00; nothing was run\n"
    assert ": 1 cell, 1 done now" in consult(*one).stderr


def test_batch_table(home: Path, engine: Engine) -> None:
    result = consult(*BATCH)
    assert "choleric" in result.stdout
    assert "2 of 2 clean" in result.stdout
    assert "4 cells, 4 done now" in result.stderr


def test_batch_stops_at_its_budget_and_goes_on(home: Path, engine: Engine) -> None:
    result = consult(*BATCH, "--budget", "consultations=3", "--json")
    data = json.loads(result.stdout)
    assert (result.exit_code, data["done"], data["left"], data["results"][0]["n"]) == (0, 3, 1, 2)
    result = consult(*BATCH, "--budget", "consultations=3")
    assert "1 done now, 3 done before" in result.stderr
    assert "left" not in result.stderr
    assert "no budget (mend: write it as time=2h" in one_line(consult(*BATCH, "--budget", "money=3"))


def test_a_dry_run_of_many_cells_is_summed_up(home: Path, engine: Engine) -> None:
    result = consult(*BATCH, "--epochs", "51", "--dry-run")
    assert "aa_one, aa_two" in result.stdout
    assert len(result.stdout.splitlines()) < 12
    assert result.stderr == "204 cells, 0 model calls, $0.00; nothing was run\n"


def test_progress_in_plain_lines(home: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    first, second, third, *_ = consult(*BATCH).stderr.splitlines()
    assert first == "1 of 4 done, 0 failed, 1 running, 0 tokens, $0.00, top-1 1.00 (0.21 to 1.00)"
    rated = r"2 of 4 done, 0 failed, 1 running, [\d.]+ a second, [\d:]+ left, 0 tokens, \$0\.00, top-1 1\.00 \(.*\)"
    assert re.fullmatch(rated, second)
    assert third.startswith("3 of 4 done")


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(show, "make_console", lambda **_: Console(file=out, force_terminal=True, width=160))
    with progress.progress("r", 3, jobs=2) as telling:
        telling.add(Done(0, "done", correct=True, tokens=7, cost=0.5))
        telling.add(Done(1, "failed", "503", tokens=None))
        telling.add(Done(2, "skipped"))
    assert "3/3" in out.getvalue()
    assert "1 failed, 0 running" in out.getvalue()
    assert "tokens unknown, $0.50, top-1 1.00" in out.getvalue()


# --- list, show, replay ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["scenarios", "personas", "hospitals", "agents", "runs", "consultations"])
def test_lists_are_arrays_of_objects(home: Path, engine: Engine, kind: str) -> None:
    consult(*BATCH)
    data = json.loads(consult("list", kind, "--json").stdout)
    assert data
    assert all(isinstance(row, dict) for row in data)
    assert consult("list", kind).exit_code == 0


def test_list_consultations_of_a_run(home: Path, engine: Engine) -> None:
    consult(*BATCH)
    rows = json.loads(consult("list", "consultations", "--run", "r", "--json").stdout)
    wanted = {
        "scenario",
        "persona",
        "epoch",
        "seed",
        "stop_reason",
        "turns",
        "gold",
        "top",
        "rank",
        "correct",
        "scores",
    }
    assert len(rows) == 4
    assert all(wanted <= set(row) for row in rows)


def test_nothing_kept_yet_is_an_empty_list(home: Path) -> None:
    result = consult("list", "runs", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert not Path("transcripts").exists()
    assert consult("list", "runs", "--db", "elsewhere.db").exit_code == 2


def test_a_broken_file_does_not_break_the_list(home: Path) -> None:
    (home / "scenarios" / "bad.yaml").write_text("id: bad\ntitel: x\n")
    result = consult("list", "scenarios", "--json")
    assert result.exit_code == 2
    assert "aa_one" in [row["id"] for row in json.loads(result.stdout)]
    assert "bad.yaml:2: titel: unknown field" in result.stderr


def test_the_list_of_scenarios_gives_no_answer_away(home: Path) -> None:
    rows = json.loads(consult("list", "scenarios", "--json").stdout)
    assert not {"gold", "condition", "urgency"} & set(rows[0])


@pytest.fixture
def kept(home: Path) -> str:
    with Store("transcripts/consult.db") as store:
        return store.save(made())


def test_show(kept: str) -> None:
    assert "score card" in consult("show", kept).stdout
    assert consult("show", "chest", "--plain").stdout.startswith("Patient: ")
    assert json.loads(consult("show", kept, "--json").stdout)["consultation_id"] == kept
    assert consult("show", kept, "--jsonl").stdout == dumps(made().header, made().events)


def test_show_and_replay_a_file(home: Path) -> None:
    write(Path("t.jsonl"), made().header, made().events)
    shown = consult("show", "t.jsonl").stdout
    assert consult("replay", "t.jsonl", "--speed", "0").stdout == shown
    Path("t.jsonl").write_text("{}\n")
    assert one_line(consult("show", "t.jsonl")).startswith("t.jsonl:1: ")


def test_replay_waits_as_long_as_reading_takes(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(showing.time, "sleep", waits.append)
    consult("replay", kept, "--speed", "2")
    slow = list(waits)
    waits.clear()
    consult("replay", kept, "--speed", "4")
    assert len(slow) >= 4
    assert waits == pytest.approx([w / 2 for w in slow])


def test_replay_from_a_turn(kept: str) -> None:
    text = consult("replay", kept, "--speed", "0", "--from-turn", "1").stdout
    assert "awful pressure" not in text
    assert "into my left arm" in text
    assert "score card" in text


def test_replay_begins_with_the_question_asked_for(kept: str) -> None:
    text = consult("replay", kept, "--speed", "0", "--from-turn", "1").stdout
    assert " belief " not in text.partition("question 1")[0]
    assert "there is 1 question" in one_line(consult("replay", kept, "--from-turn", "2"))


@pytest.mark.parametrize("speed", ["nan", "inf", "-1", "fast"])
def test_a_speed_that_is_none(kept: str, speed: str) -> None:
    assert "--speed" in one_line(consult("replay", kept, "--speed", speed))


def test_a_transcript_that_is_cut_off_says_so(home: Path) -> None:
    write(Path("t.jsonl"), made().header, made().events[:6])
    for more in ((), ("--plain",)):
        assert consult("show", "t.jsonl", *more).stdout.count("the transcript ends here") == 1
    write(Path("whole.jsonl"), made().header, made().events)
    assert "ends here" not in consult("show", "whole.jsonl").stdout


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_ids_are_never_torn(kept: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = consult("list", "consultations")
    assert kept in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert "left out for want of width: " in result.stderr
    monkeypatch.delenv("COLUMNS")
    assert consult("list", "consultations").stderr == ""


# --- content ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["scenario", "persona", "hospital", "knowledge", "plan", "action", "event", "header", "transcript"]
)
def test_schemas(kind: str) -> None:
    data = json.loads(consult("schema", kind).stdout)
    assert "2020-12" in data["$schema"]
    assert data.get("properties") or data.get("oneOf") or data.get("anyOf")


def test_the_schema_of_a_transcript_takes_its_lines() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    checker = jsonschema.Draft202012Validator(json.loads(consult("schema", "transcript").stdout))
    for line in dumps(made().header, made().events).splitlines():
        checker.validate(json.loads(line))


def fake_module(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


def test_check(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems: list[DataError] = []
    fake_module(monkeypatch, "consult.check", check_paths=lambda paths, **_: problems)
    assert consult("check", home / "scenarios").stdout == "3 files, no problem\n"
    problems += [DataError("is wrong", file="a.yaml", line=n, field="x", mend="mend it") for n in (1, 2)]
    result = consult("check")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [f"a.yaml:{n}: x: is wrong (mend: mend it)" for n in (1, 2)]
    assert "not there" in one_line(consult("check", "nowhere"))
    Path("empty").mkdir()
    assert "nothing to check in empty" in one_line(consult("check", "empty"))


def test_sample(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from consult.scenario import Scenario, load_scenario

    def draw(n: int, seed: int, knowledge: Any) -> Iterator[Scenario]:
        base = load_scenario(home / "scenarios" / "aa_one.yaml")
        for i in range(n):
            yield base.model_copy(update={"id": f"{knowledge.id}_{i}", "title": f"Seed {seed}"})

    fake_module(monkeypatch, "consult.sample", sample=draw)
    args = ("sample", "2", "--to", "out", "--knowledge", home / "tiny.yaml")
    assert consult(*args).stdout == "2 scenarios written to out\n"
    assert load_scenario(Path("out/tiny_1.yaml")).id == "tiny_1"
    assert consult(*args).exit_code == 0
    assert "other content" in one_line(consult(*args, "--seed", "1"))
    assert "tiny.yaml cannot be made" in one_line(consult("sample", "2", "--to", home / "tiny.yaml"))


def test_ddxplus(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    fake_module(
        monkeypatch,
        "consult.importers.ddxplus",
        import_patients=lambda *a: calls.append(a) or 4,
    )
    fake_module(monkeypatch, "consult.importers.ddxplus_fit", fit=lambda *a: calls.append(a))
    fake_module(monkeypatch, "consult.importers")
    tables = ("--conditions", "c", "--evidences", "e")
    assert consult("import", "ddxplus", "p", *tables, "--to", "o", "--limit", "4").stdout.startswith("4 scenarios")
    assert consult("fit", "ddxplus", *tables, "--patients", "p", "--out", "k").stdout == "knowledge written to k\n"
    p, c, e, o, k = (Path(x) for x in "pceok")
    assert calls == [(p, c, e, o, 4), (c, e, p, k)]


# --- the program -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["list", "db", "import", "fit"])
def test_a_group_alone_prints_its_help(group: str) -> None:
    result = consult(group)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")
    assert "\nCommands:\n" in result.stderr


def test_a_folder_on_the_search_path_that_is_not_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert consult("db", "path").stderr == ""
    monkeypatch.setenv("CONSULT_PATH", f"nowhere{os.pathsep}{home}")
    assert consult("db", "path").stderr == "CONSULT_PATH: nowhere is no folder; it is passed over\n"


def test_every_command_has_help() -> None:
    for name in COMMANDS:
        result = consult(name, "--help")
        assert result.exit_code == 0
        assert len(result.output) > 100
    assert consult().output == consult("--help").output
    assert consult("--version").output.startswith("consult ")


def program(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, env=env, capture_output=True, text=True, timeout=60)


HEAVY = ("litellm", "langgraph", "textual", "scipy", "numpy")


def test_help_loads_no_models_either(tmp_path: Path) -> None:
    code = "import sys; sys.argv[1:] = ['--help']\nfrom consult.cli.main import main\nmain()\n"
    code += "assert not {'pydantic', 'yaml', 'rich'} & set(sys.modules)"
    done = program(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_goes_away_is_no_error(kept: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = f"{sys.executable} -m consult show {kept} | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_a_closed_stdout_is_no_error(kept: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for rest in (f"show {kept}", "list consultations"):
        command = f"{sys.executable} -m consult {rest} >&-"
        done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")


def test_as_a_module(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "consult", "show", "é.jsonl"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_dumb_terminal_is_told_where_to_go(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main_module, "somebody_sits_there", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    result = consult()
    assert result.exit_code == 0
    assert "consult play --plain" in result.stderr
    assert "\nCommands:\n" in result.stdout
