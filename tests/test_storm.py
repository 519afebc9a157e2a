"""Servers that fail in every way, kills and Ctrl-C: each consultation ends, nothing is paid twice, no key is written.

A part of benchmarks/storm.py, which plays 2,000 consultations in a storm and kills one of 200 in its middle.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from scripted_server import Fail, Json, Raw, Say, ScriptedServer, asked_as, plays
from storm_world import FAULTS, KEY, LEAKY, PASSWORD, SECRETS, Storm, logged, marked

from consult.agents.llm.talk import hang_up
from consult.batch import Plan, execute, setups
from consult.cli.main import cli
from consult.llm.client import Client
from consult.llm.pacing import Retry
from consult.store.db import Store

ROOT = Path(__file__).resolve().parent.parent
MODEL = "llm:openai/local"
PERSONAS = ("neutral", "choleric", "sanguine", "melancholic", "phlegmatic")
NAMES = ("indigestion_at_the_wheel", "barking_at_night", "scaly_elbows", "burning_band")
TIMEOUT = 0.3
FAST = Retry(first=0.001, most=0.01)

pytestmark = [  # about litellm's own types, from inside litellm, and where a time-out meets it
    pytest.mark.filterwarnings("ignore:Item .* on TypedDict class:UserWarning"),
    pytest.mark.filterwarnings("ignore:coroutine 'BaseLLMHTTPHandler.async_completion' was never awaited"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_\\w+' attribute on the instance:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[ScriptedServer]:
    with ScriptedServer(plays) as server:
        yield server
        hang_up()


@pytest.fixture
def server(running: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    running.forget()
    running.default = plays
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSULT_API_KEY", KEY)
    monkeypatch.setattr(Client.__init__, "__kwdefaults__", Client.__init__.__kwdefaults__ | {"retry": FAST})
    return running


def plan_of(server: ScriptedServer, **fields: Any) -> Plan:
    given = {"name": "r", "scenarios": NAMES, "personas": PERSONAS, "epochs": 3, "inquirer": (MODEL,), "patient": MODEL}
    return Plan.model_validate(given | {"api_base": server.url, "timeout": TIMEOUT, "max_turns": 4} | fields)


def weathered(plan: Plan, db: Path, transport: str = "direct") -> tuple[list[Any], list[dict[str, Any]], str]:
    """What became of each cell, the rows, and everything that was written or logged meanwhile."""
    with marked(), logged() as logs, Store(db) as store:
        cells = setups(plan)
        cells = replace(cells, models=replace(cells.models, transport=transport))
        done = list(execute(plan, cells, store, concurrency=16))
        rows = list(store.each(plan.run))
        texts = [text for _, text in store.texts([r["consultation_id"] for r in rows])]
    files = [p.read_bytes().decode("utf-8", "replace") for p in db.parent.iterdir() if p.is_file()]
    return done, rows, "\n".join([*logs, *texts, *files, repr(done), repr(rows)])


@pytest.mark.parametrize(("transport", "personas", "epochs"), [("direct", PERSONAS, 3), ("litellm", PERSONAS[:2], 1)])
def test_in_a_storm_every_consultation_ends_and_no_key_is_written(
    transport: str, personas: tuple[str, ...], epochs: int, server: ScriptedServer, tmp_path: Path
) -> None:
    plan = plan_of(server, personas=personas, epochs=epochs)
    storm = server.default = Storm(0.3)
    done, rows, written = weathered(plan, tmp_path / "s.db", transport)
    assert len(done) == len(rows) == len(NAMES) * len(personas) * epochs
    assert {d.status for d in done} == {"done"}
    assert set(storm.met) >= {n for n in FAULTS if epochs > 1 and n not in ("429, an hour", "redirect", "no key")}
    assert 1 < max(storm.sent.values()) <= FAST.attempts
    assert [s for s in SECRETS if s in written] == []
    ends = Counter(r["stop_reason"] for r in rows)
    assert set(ends) <= {"concluded", "patient_left", "model_error", "infrastructure_error"}
    assert ends["concluded"]
    assert ends["infrastructure_error"] or epochs == 1
    for r in rows:
        assert (r["correct"] is None) == (r["stop_reason"] == "infrastructure_error")
    out = CliRunner().invoke(cli, ["report", "r", "--json", "--db", str(tmp_path / "s.db")])
    assert out.exit_code == 0, out.output
    assert not [s for s in SECRETS if s in out.output]

    server.default = plays
    before = len(server.requests)
    with Store(tmp_path / "s.db") as store:
        again = Counter(d.status for d in execute(plan, setups(plan), store, concurrency=16))
        assert again["done"] == ends["infrastructure_error"]
        assert not [r for r in store.each(plan.run) if r["stop_reason"] == "infrastructure_error"]
    assert len(server.requests) - before < 12 * again["done"] + 1, "what was answered is not asked again"


def test_the_command_says_that_some_failed_and_names_no_key(server: ScriptedServer) -> None:
    server.default = lambda asked: (
        Fail(500, message=LEAKY) if asked_as(asked) == "inquirer" and "58 years" in str(asked) else plays(asked)
    )
    words = ["batch", "--scenarios", f"{NAMES[0]},{NAMES[2]}", "--inquirer", MODEL, "--api-base", server.url]
    with logged() as logs:
        out = CliRunner().invoke(cli, [*words, "--timeout", "5"])
    assert out.exit_code == 3
    assert "infrastructure_error 1" in " ".join(out.stdout.split())
    assert "after 5 attempts" in out.stderr
    assert [s for s in SECRETS if s in out.output + "".join(logs)] == []


def test_quiet_says_why_a_dialogue_broke_off(server: ScriptedServer) -> None:
    server.default = Fail(401, message=f"no such key {LEAKY}")
    words = ["run", "--inquirer", MODEL, "--api-base", server.url, "--quiet", "--no-save"]
    out = CliRunner().invoke(cli, words)
    assert (out.exit_code, len(out.stdout.splitlines())) == (3, 1)
    assert "set CONSULT_API_KEY to a valid key" in out.stderr.splitlines()[-1]
    assert [s for s in SECRETS if s in out.output] == []


@pytest.mark.parametrize("body", [
    '{"choices": ["no choice"]}', '{"choices": [{"message": ["no message"]}]}', '{"choices": [[1]], "usage": [2]}',
])  # fmt: skip
def test_an_answer_of_another_shape_is_the_doctors_models_and_no_crash(body: str, server: ScriptedServer) -> None:
    server.default = Raw(body)
    out = CliRunner().invoke(cli, ["run", "--inquirer", MODEL, "--api-base", server.url, "--json", "--no-save"])
    assert out.exit_code == 3
    told = json.loads(out.stdout)
    assert (told["stop_reason"], "nothing was said" in told["stop_detail"]) == ("model_error", True)


def test_a_password_in_the_address_goes_nowhere_else(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    address = server.url.replace("//", f"//user:{PASSWORD}@")
    server.default = Fail(500, message=f"user:{PASSWORD} may not")
    words = ["run", "--inquirer", MODEL, "--api-base", address, "--json", "--no-save"]
    both = json.loads(CliRunner().invoke(cli, words).stdout)
    assert (both["stop_reason"], server.requests) == ("infrastructure_error", [])
    assert "AUTHORIZATION" in both["stop_detail"]
    monkeypatch.delenv("CONSULT_API_KEY")
    out = CliRunner().invoke(cli, words)
    assert json.loads(out.stdout)["stop_reason"] == "infrastructure_error"
    assert len(server.requests) == FAST.attempts
    assert server.headers[0]["authorization"].startswith("Basic ")
    assert PASSWORD not in out.output


# --- kills ------------------------------------------------------------------------------------------------------------


def command(server: ScriptedServer, *words: str) -> list[str]:
    return [sys.executable, "-m", "consult", *words, "--inquirer", MODEL, "--patient", MODEL, "--api-base", server.url]


def begun(words: list[str]) -> subprocess.Popen[str]:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(words, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kept(path: Path) -> dict[str, tuple[Any, ...]]:
    """Each cell with its transcript and scores, byte by byte."""
    with Store(path, readonly=True) as store:
        rows = store.members("r")
        texts = dict(store.texts(list(rows.values())))
    with sqlite3.connect(path) as db:
        sql = "select s.name, s.value, s.unit, s.reason from scores s join consultations c on c.number = s.consultation where c.id = ?"
        return {
            cell: (texts[name], sorted(db.execute(sql, (name,)).fetchall(), key=repr)) for cell, name in rows.items()
        }


def test_a_killed_batch_keeps_what_one_keeps_that_was_not(server: ScriptedServer, tmp_path: Path) -> None:
    at_a_time = 4
    words = command(
        server, "batch", "--name", "r", "--scenarios", ",".join(NAMES), "--personas", ",".join(PERSONAS[:2])
    )
    words += ["--max-turns", "3", "--concurrency", str(at_a_time), "--json"]
    server.default = lambda asked: Say(wait=60) if len(server.requests) > 40 else plays(asked)
    with begun(words) as process:
        try:
            server.wait_for(41, 120)
        finally:
            process.send_signal(signal.SIGKILL)
    server.default = plays
    out = CliRunner().invoke(cli, words[3:])
    assert out.exit_code == 0, out.output
    calls = len(server.requests)
    server.forget()
    fresh = CliRunner().invoke(cli, [*words[3:], "--db", "fresh/c.db"])
    assert fresh.exit_code == 0, fresh.output
    assert len(server.requests) > 60
    assert calls - len(server.requests) <= at_a_time
    assert kept(tmp_path / "transcripts" / "consult.db") == kept(tmp_path / "fresh" / "c.db")


def test_ctrl_c_in_a_slow_call_leaves_nothing_half_saved(server: ScriptedServer, tmp_path: Path) -> None:
    def slow_at_last(asked: Json) -> Say:
        return Say(wait=60) if len(server.requests) > 4 else plays(asked)

    server.default = slow_at_last
    with begun(command(server, "run", "--db", "x.db")) as process:
        server.wait_for(5, 120)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in told
    with Store(tmp_path / "x.db") as store:
        assert store.consultations() == []


def test_a_second_ctrl_c_ends_a_batch_at_once_and_it_goes_on(server: ScriptedServer, tmp_path: Path) -> None:
    words = command(server, "batch", "--name", "r", "--scenarios", ",".join(NAMES[:2]), "--max-turns", "3", "--json")
    server.default = lambda asked: Say(wait=60) if len(server.requests) > 5 else plays(asked)
    with begun(words) as process:
        server.wait_for(6, 120)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while "stopping" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    calls = len(server.requests)
    server.default = plays
    out = CliRunner().invoke(cli, words[3:])
    assert out.exit_code == 0, out.output
    again = [r["messages"] for r in server.requests[calls:]]
    assert len([m for m in again if m in [r["messages"] for r in server.requests[:calls]]]) <= 2


def test_who_goes_on_after_the_end_is_told_so_and_costs_nothing(server: ScriptedServer, tmp_path: Path) -> None:
    """A batch that is left early: its threads may not ask on without the ledger."""
    plan = plan_of(server, epochs=1)
    server.default = lambda asked: Say(plays(asked).text, wait=0.05)
    with Store(tmp_path / "x.db") as store:
        running = execute(plan, setups(plan), store, concurrency=4)
        next(running)
        running.close()  # type: ignore[attr-defined]
    calls = len(server.requests)
    hang_up()
    server.default = plays
    with Store(tmp_path / "x.db") as store:
        list(execute(plan, setups(plan), store, concurrency=4))
    with Store(tmp_path / "y.db") as store:
        needed = -len(server.requests)
        list(execute(plan, setups(plan), store, concurrency=4))
        needed += len(server.requests)
    assert len(server.requests) - needed - needed <= 4
    assert calls < needed
    assert kept(tmp_path / "x.db") == kept(tmp_path / "y.db")


def test_a_cassette_of_a_run_costs_no_call(server: ScriptedServer) -> None:
    words = [*command(server, "run", "--json", "--no-save")[3:]]
    first = CliRunner().invoke(cli, [*words, "--record", "tape.jsonl"])
    calls = len(server.requests)
    assert CliRunner().invoke(cli, [*words, "--replay", "tape.jsonl"]).stdout == first.stdout
    assert len(server.requests) == calls > 5
    assert not [s for s in SECRETS if s in Path("tape.jsonl").read_text("utf-8")]
