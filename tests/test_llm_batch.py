"""Batches whose agents are models: several at a time, nothing paid twice, bounds, and the commands' own words."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner
from scripted_server import Say, ScriptedServer, asked_as, plays

from consult.agents.llm.talk import hang_up
from consult.batch import Plan, execute, setups
from consult.batch.budget import Budget
from consult.batch.engine import waiting
from consult.batch.threads import in_threads
from consult.batch.workers import played_by
from consult.cli.main import cli, main
from consult.errors import UsageError
from consult.store.db import Store

ROOT = Path(__file__).resolve().parent.parent
MODEL = "llm:openai/local"
BATCH = (
    "batch",
    "--name",
    "r",
    "--scenarios",
    "indigestion_at_the_wheel,barking_at_night,scaly_elbows",
    "--inquirer",
    MODEL,
)


@pytest.fixture
def server(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """The one of conftest, named by the environment."""
    monkeypatch.setenv("CONSULT_API_BASE", server.url)
    return server


def plan(server: ScriptedServer, **fields: object) -> Plan:
    names = ("indigestion_at_the_wheel", "barking_at_night", "scaly_elbows")
    return Plan.model_validate({"name": "r", "scenarios": names, "inquirer": (MODEL,), "api_base": server.url} | fields)


def texts(path: Path) -> list[str]:
    with Store(path, readonly=True) as store:
        return sorted(json.dumps(r | {"created": ""}, sort_keys=True, default=str) for r in store.each("r"))


def together(server: ScriptedServer) -> Say:
    """Plays both roles, and answers when another call is under way."""

    class Together(Say):
        async def __call__(self, request: web.Request, asked: Any) -> web.StreamResponse:
            while server.most_at_once < 2:
                await asyncio.sleep(0.001)
            return await plays(asked)(request, asked)

    return Together()


def test_eight_at_a_time_keep_what_one_keeps_and_a_second_run_asks_nothing(
    server: ScriptedServer, tmp_path: Path
) -> None:
    p = plan(server, patient=MODEL)
    for name, concurrency in (("one.db", 1), ("eight.db", 8)):
        server.most_at_once = 0
        server.default = together(server) if concurrency > 1 else plays
        with Store(tmp_path / name) as store:
            done = list(execute(p, setups(p), store, concurrency=concurrency))
        assert [d.status for d in done] == ["done"] * 3
        assert (server.most_at_once > 1) == (concurrency > 1)
        assert sum(d.tokens or 0 for d in done)
    assert texts(tmp_path / "one.db") == texts(tmp_path / "eight.db")
    calls = len(server.requests)
    (tmp_path / "eight.db").unlink()
    with Store(tmp_path / "eight.db") as store:
        assert {d.status for d in execute(p, setups(p), store)} == {"done"}
    assert len(server.requests) == calls
    assert texts(tmp_path / "one.db") == texts(tmp_path / "eight.db")


def test_a_killed_batch_asks_again_only_what_was_under_way(server: ScriptedServer, tmp_path: Path) -> None:
    def slow_in_the_end(asked: dict[str, object]) -> Say:
        return Say(wait=60) if len(server.requests) > 12 else plays(asked)

    command = [sys.executable, "-m", "consult", *BATCH, "--concurrency", "2", "--json"]
    env = os.environ | {"PYTHONPATH": str(ROOT), "CONSULT_API_BASE": server.url}
    server.default = slow_in_the_end
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            server.wait_for(13, 120)
        finally:
            process.send_signal(signal.SIGKILL)
    killed = len(server.requests)
    server.default = plays
    out = CliRunner().invoke(cli, [*BATCH, "--json"])
    assert out.exit_code == 0, out.output
    needed = killed + len(server.requests[killed:])
    server.forget()
    fresh = CliRunner().invoke(cli, [*BATCH, "--json", "--db", "fresh.db"])
    assert json.loads(fresh.stdout)["results"] == json.loads(out.stdout)["results"]
    assert needed - len(server.requests) <= 2


def test_a_bound_of_calls_begins_nothing_more(server: ScriptedServer, tmp_path: Path) -> None:
    p = plan(server, budget=Budget(calls=3))
    with Store(tmp_path / "x.db") as store:
        done = list(execute(p, setups(p), store, concurrency=1))
        assert len(done) == 1
        assert len(list(execute(p, setups(p), store, concurrency=1))) == 2
    with pytest.raises(UsageError, match="price of openai/local"):
        setups(plan(server, budget=Budget(cost=1.0)))


def test_strategies_are_line_ups_and_the_address_is_not(server: ScriptedServer) -> None:
    p = plan(server, inquirer=(MODEL, f"{MODEL}+rationale", "reference"), strategy="guided")
    assert [one.name for one in p.team] == [f"{MODEL}+guided", f"{MODEL}+rationale", "reference"]
    elsewhere = p.model_copy(update={"api_base": "http://127.0.0.1:9/v1"})
    assert elsewhere.content == p.content
    assert setups(elsewhere).key(0) == setups(p).key(0)


def test_run_says_what_it_took_and_a_cassette_plays_it_again(server: ScriptedServer) -> None:
    words = ["run", "--inquirer", MODEL, "--patient", MODEL, "--json", "--no-save"]
    first = CliRunner().invoke(cli, [*words, "--record", "tape.jsonl"])
    assert first.exit_code == 0, first.output
    calls = len(server.requests)
    took = json.loads(first.stdout)["usage"]
    assert (took["calls"], took["tokens"], took["cost"]) == (calls, 18 * calls, None)
    assert {asked_as(r) for r in server.requests} == took["roles"].keys()
    assert {asked_as(r) for r in server.requests} == {"inquirer", "patient"}
    again = CliRunner().invoke(cli, [*words, "--replay", "tape.jsonl"])
    assert again.stdout == first.stdout
    assert len(server.requests) == calls


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--inquirer", "llm:"], "names no model"),
        (["run", "--patient", "llm:x+rationale"], "only an inquirer has one"),
        (["run", "--recipient", "replay:x"], "not in this version"),
        (["run", "--inquirer", "llm:x", "--api-base", "nowhere"], "--api-base"),
        (["run", "--inquirer", "llm:x", "--record", "a", "--replay", "b"], "--record"),
        (["run", "--inquirer", "llm:x", "--replay", "none.jsonl"], "none.jsonl"),
        (["batch", "--inquirer", "llm:openai/x", "--budget", "cost=1"], "price"),
        (["batch", "--inquirer", "llm:openai/x", "--per-minute", "0"], "--per-minute"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str],
    said: str,
    server: ScriptedServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["consult", *words])
    code = main()
    out = capsys.readouterr()
    assert (code, out.out) == (2, "")
    assert len(out.err.strip().splitlines()) == 1
    assert said in out.err
    assert not server.requests


def test_several_processes_keep_what_one_keeps(server: ScriptedServer, tmp_path: Path) -> None:
    p = plan(server, patient=MODEL, max_turns=1)
    cells, asked = setups(p), []
    played = []
    for engine in (waiting(4, 16), partial(played_by, jobs=2, threads=2)):
        before, server.most_at_once, server.default = len(server.requests), 0, together(server)
        with_ledger = replace(cells, models=replace(cells.models, ledger=str(tmp_path / f"{len(played)}.ledger")))
        played.append(sorted(engine(with_ledger, iter(range(3)), lambda: False), key=lambda one: one.index))
        asked.append(len(server.requests) - before)
        hang_up()
        assert server.most_at_once > 1
    assert [one.problem for one in played[0]] == [one.problem for one in played[1]]
    assert [one.kept for one in played[0]] == [one.kept for one in played[1]]
    assert asked[0] == asked[1] > 0


def test_another_process_for_each_sixteen_at_a_time() -> None:
    assert waiting(4, 16).func is in_threads
    assert waiting(1, 64).keywords == {"concurrency": 64}
    assert [waiting(jobs, 64).keywords for jobs in (2, 4, 8)] == [
        {"jobs": 2, "threads": 32}, {"jobs": 4, "threads": 16}, {"jobs": 4, "threads": 16},
    ]  # fmt: skip


def test_a_rate_is_for_all_that_call_the_server_and_for_one_process(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = plan(server, assessor=MODEL, rubric=("paces",), matcher=MODEL, per_minute=100_000)
    cells = setups(p)
    setup = cells[0]
    assert setup.panel is not None
    assert setup.matcher is not None
    endpoints = [setup.models.endpoint("openai/local"), setup.panel.judges[0].endpoint, setup.matcher.endpoint]
    assert [e.per_minute for e in endpoints] == [100_000] * 3
    assert p.content == p.model_copy(update={"per_minute": None}).content
    asked: list[int] = []
    monkeypatch.setattr("consult.batch.engine.waiting", lambda jobs, _: asked.append(jobs) or waiting(1, 2))
    with Store(tmp_path / "r.db") as store:
        assert {d.status for d in execute(p, cells, store, jobs=4, concurrency=64)} == {"done"}
    assert asked == [1]


def test_the_pages_commands_run(server: ScriptedServer) -> None:
    page = (ROOT / "docs" / "models.md").read_text("utf-8")
    for name, text in re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        Path(name).write_text(text, "utf-8")
    shown = [
        line for line in page.splitlines() if line.startswith(("consult run ", "consult batch ", "consult score "))
    ]
    assert len(shown) == 16
    for line in shown:
        words = line.replace("http://127.0.0.1:8081/v1", server.url).split()[1:]
        out = CliRunner().invoke(cli, words)
        assert out.exit_code == 0, out.output
    assert {asked_as(r) for r in server.requests} == {"inquirer", "patient", "recipient", "triage", "resolver"}
