"""Batches on a Ray cluster of two nodes: the same stores as on this machine, whatever is lost. Skipped without ray."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner
from scripted_server import ScriptedServer, plays
from test_batch import CASES, contents, count
from test_docs import blocks, parsed

from consult.agents.llm.talk import HERE
from consult.batch import Cells, Plan, execute, play_cell, ray_engine, setups
from consult.batch.ray_engine import _code, _Flight, _OtherCode, _play, _Sender, on_ray
from consult.batch.ray_ledger import Far
from consult.cli.main import cli
from consult.errors import InfrastructureError, StoreError, UsageError
from consult.llm.base import Answer
from consult.persona import Persona
from consult.sim.session import Setup
from consult.store.db import Store

PLAN = Plan(name="r", scenarios=CASES, personas=("neutral", "choleric"), max_turns=1, max_orders=0)
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Nothing is told to anybody, and everything stays on the loopback interface; read when ray is imported."""
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "node_ip_address": "127.0.0.1"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one core, the driver on the first; no process is left behind."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUIET.items():
            patch.setenv(name, value)
        pytest.importorskip("ray", reason="ray is not installed (pip install 'consult[ray]')")
        from ray.cluster_utils import Cluster

        folder = tempfile.mkdtemp(prefix="ray")  # pytest's own are too long for the name of a socket
        head = NODE | {"include_dashboard": False, "no_monitor": True, "include_log_monitor": False, "temp_dir": folder}
        made = Cluster(initialize_head=True, head_node_args=head)
        try:
            made.add_node(**NODE)
            yield made
        finally:
            made.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cells() -> Cells:
    return setups(PLAN)


@pytest.fixture(scope="module")
def undisturbed(cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a store holds after a run in one process."""
    path = tmp_path_factory.mktemp("one") / "one.db"
    with Store(path) as store:
        assert Counter(d.status for d in execute(PLAN, cells, store)) == {"done": len(cells)}
    return contents(path)


def test_a_lost_node_changes_nothing(
    cluster: Any, cells: Cells, undisturbed: object, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Store(tmp_path / "ray.db") as store:
        seen = Counter[int]()
        for n, done in enumerate(execute(PLAN, cells, store, engine=on_ray(cluster.address))):
            assert (done.status, done.problem) == ("done", "")
            seen[done.index] += 1
            if n == 3:
                cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    assert seen == dict.fromkeys(range(len(cells)), 1)
    assert contents(tmp_path / "ray.db") == undisturbed
    assert capfd.readouterr().out == ""


def test_what_models_answer_is_kept_on_the_drivers_machine_and_not_paid_again(cluster: Any, tmp_path: Path) -> None:
    every = dict.fromkeys(("patient", "recipient", "triage"), "llm:openai/local")
    with ScriptedServer(plays) as server:
        given = {"inquirer": "llm:openai/local", "max_turns": 3, "api_base": server.url, **every}
        plan = Plan.model_validate({"name": "r", "scenarios": CASES[:4]} | given)
        cells = setups(plan)

        def run(name: str, engine: Any) -> int:
            """Calls that the run took."""
            server.forget()
            with Store(tmp_path / name) as store:
                assert [d.problem for d in execute(plan, cells, store, engine=engine)] == [""] * 4
            return len(server.requests)

        def kept() -> list[Any]:
            with closing(sqlite3.connect(tmp_path / "ray.ledger")) as ledger:
                return ledger.execute("select * from replies order by 1, 2, 3, 4, 5, 6, 7").fetchall()

        needed = run("threads.db", None)
        (tmp_path / "threads.ledger").rename(tmp_path / "ray.ledger")
        everything = kept()
        with closing(sqlite3.connect(tmp_path / "ray.ledger")) as ledger, ledger:  # as if half had not arrived
            ledger.execute("delete from replies where turn > 1")
        left = len(kept())
        assert run("ray.db", on_ray(cluster.address)) == needed - left > 0 < left
        assert contents(tmp_path / "ray.db") == contents(tmp_path / "threads.db")
        assert [row[:-1] for row in kept()] == [row[:-1] for row in everything]


def test_a_node_with_other_prompts_is_told(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = replace(cells[0], agents={"triage": "llm:openai/local"})
    assert setup.provenance.prompts
    sent, places = _Sender(lambda part: part).sent(cast(Cells, {0: setup}), 0)
    monkeypatch.setattr(ray_engine, "_held", lambda key, place: place)
    monkeypatch.setattr(ray_engine, "prompt_hashes", lambda line_up: {"triage/turn": "another"})
    with pytest.raises(_OtherCode, match="has other prompts than this machine"):
        _play(0, _code(), None, sent, places)


def test_a_ledger_that_fails_far_away_is_one_line() -> None:
    class Lost(Exception):
        cause = StoreError("disk is full\nand more")

    def lost(call: object) -> None:
        raise Lost

    put = SimpleNamespace(remote=lambda *_: None)
    ray = SimpleNamespace(get=lost, exceptions=SimpleNamespace(RayError=Lost))
    far = Far(ray, SimpleNamespace(put=put))
    with pytest.raises(
        StoreError, match=r"^the ledger on the driver's machine cannot be used: StoreError: disk is full .*"
    ):
        far.put(cast(Any, None), Answer())


class _These(dict[int, Setup]):
    """Some cells of no plan."""

    models = HERE


class _Deadly(Persona):
    """Takes the process down that reads it."""

    def __reduce__(self) -> Any:
        return os._exit, (9,)


def test_nodes_need_no_file_of_the_driver_and_a_deadly_cell_fails(
    cluster: Any, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "TRIES", 2)
    plain = cells[0]
    nowhere = replace(plain, scenario=plain.scenario.model_copy(update={"title": "In no file"}))
    deadly = replace(plain, persona=_Deadly.model_validate(plain.persona.model_dump() | {"id": "deadly"}))
    mine = cast(Cells, _These({0: nowhere, 1: deadly}))
    played = {p.index: p for p in on_ray(cluster.address)(mine, iter(range(3)), lambda: False)}
    assert played[0] == play_cell(mine, 0)
    assert played[0].cell != cells.key(0)
    assert played[1].kept is None
    assert played[1].problem == "its process or node died 2 times (WorkerCrashedError)"
    assert played[2].problem == "KeyError: 2"


def test_a_node_with_another_consult_is_told(cluster: Any, cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_engine, "_code", lambda: "of the driver")
    with pytest.raises(UsageError, match=r"^--engine: node \S+ has another consult than this machine \(mend: .*\)$"):
        list(on_ray(cluster.address)(cells, iter(range(3)), lambda: False))
    assert not sys.modules["ray"].is_initialized()


def test_an_interrupt_finishes_what_was_begun_and_leaves_no_process(
    cells: Cells, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    command = [sys.executable, "-m", "consult", "batch", "--name", "r", "--scenarios", ",".join(CASES)]
    command += ["--personas", "neutral,choleric", "--max-turns", "1", "--max-orders", "0"]
    command += ["--db", str(tmp_path / "c.db"), "--engine", "ray", "--jobs", "1"]
    env = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    first = subprocess.Popen(command, env=env, start_new_session=True, **pipes)
    while first.poll() is None and count(tmp_path / "c.db") < 2:
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGINT)  # as a terminal does: every process of the group hears it
    _, told = first.communicate(timeout=60)
    assert first.returncode == 130, told
    assert told.splitlines()[-1].endswith("of 12 done; the same command goes on")
    while _alive(first.pid):
        time.sleep(0.02)
    kept = count(tmp_path / "c.db")
    assert 2 <= kept < len(cells)
    assert contents(tmp_path / "c.db").items() <= undisturbed.items()


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1:1", "--ray-address: no Ray cluster at 127.0.0.1:1: Connection refused"),
        ("nonsense", "--ray-address: no Ray cluster at nonsense: Invalid address format: nonsense"),
        ("ray://127.0.0.1:1", "--ray-address: 'ray://127.0.0.1:1' is not for batches"),
    ],
)
def test_an_address_without_a_cluster_is_one_line(address: str, told: str, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    args = ["batch", "--scenarios", CASES[0], "--engine", "ray", "--ray-address", address]
    args += ["--db", str(tmp_path / "x.db")]
    result = CliRunner().invoke(cli, args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert "(mend: " in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_ray_the_mend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"ray is not installed \(mend: pip install 'consult\[ray\]'"):
        on_ray()


def test_the_command_of_the_page_is_one() -> None:
    lines = [line for block in blocks("docs/batch.md", "text") for line in block.splitlines() if "--engine ray" in line]
    assert [parsed(line.split()).name for line in lines] == ["batch"]


def test_a_cluster_without_a_core_is_given_up(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = SimpleNamespace(cluster_resources=dict, remote=lambda **_: lambda function: function, put=None)
    flight = _Flight(ray, cells, iter(()), None)
    flight._look()  # patience
    monkeypatch.setattr(ray_engine, "PATIENCE", -1.0)
    with pytest.raises(InfrastructureError, match="no core left"):
        flight._look()


def test_what_a_process_says_whose_node_has_gone_before_it_is_no_end(cells: Cells) -> None:
    errors = pytest.importorskip("ray").exceptions
    ray = SimpleNamespace(
        cluster_resources=dict, remote=lambda **_: lambda function: function, put=None, exceptions=errors
    )
    flight = _Flight(ray, cells, iter(()), None)
    gone = errors.RayTaskError("play", "", OSError("Broken pipe")).as_instanceof_cause()
    lost = [flight._lost(0, gone) for _ in range(ray_engine.TRIES)]
    assert [played is None for played in lost] == [True] * (ray_engine.TRIES - 1) + [False]
    with pytest.raises(InfrastructureError, match="the Ray cluster failed"):
        flight._lost(0, errors.RayTaskError("play", "", OSError(28, "No space left")).as_instanceof_cause())
