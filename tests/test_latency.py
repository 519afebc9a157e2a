"""How long models' answers took: measured beside the transcript, kept, reported, and never the same as what happened."""

from __future__ import annotations

import csv
import io
import json
import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scripted_server import ScriptedServer, plays

from consult.actions import Ask, Conclude, Diagnosis
from consult.agents.llm import talk
from consult.agents.llm.talk import HERE, Models, hang_up, in_touch
from consult.batch import Plan, execute, setups
from consult.batch.engine import Done
from consult.cli.main import cli
from consult.cli.progress import Counts
from consult.events import Used
from consult.report import report
from consult.report.markdown import to_markdown
from consult.sim.session import Setup, play
from consult.sim.sitting import Sitting
from consult.stats.waits import Waits
from consult.store.db import Store
from consult.store.rows import prepared
from consult.store.transcript import dumps

Make = Callable[..., Setup]
MODEL = "llm:openai/local"


def consult(*words: str) -> Result:
    out = CliRunner().invoke(cli, list(words))
    assert out.exit_code == 0, out.output
    return out


def waits_of(*seconds: float, kept: int = 0) -> Waits:
    waits = Waits(kept=kept)
    for s in seconds:
        waits.add(s)
    return waits


def plan(server: ScriptedServer, **fields: Any) -> Plan:
    names = ("indigestion_at_the_wheel", "barking_at_night")
    fields = {"name": "r", "scenarios": names, "inquirer": (MODEL,), "api_base": server.url, "max_turns": 3} | fields
    return Plan.model_validate(fields)


def test_quantiles_are_those_of_numpy() -> None:
    rng = random.Random(1)
    for n in (1, 2, 3, 20, 101):
        values = [float(f"{rng.lognormvariate(0, 2):.3g}") for _ in range(n)]
        waits = waits_of(*values[: n // 2])
        waits.take_in(waits_of(*values[n // 2 :], kept=2))
        assert (waits.measured, waits.kept) == (n, 2)
        assert waits.median == pytest.approx(np.quantile(values, 0.5), abs=1e-6)
        assert waits.p95 == pytest.approx(np.quantile(values, 0.95), abs=1e-6)
        assert Waits.of(json.loads(json.dumps(waits.plain()))) == waits
    assert (Waits(kept=3).median, Waits(kept=3).p95) == (None, None), "what was given back took no time, not 0 seconds"


def test_many_answers_take_little_room() -> None:
    waits = waits_of(*(1 + n / 100_000 for n in range(100_000)))
    assert len(waits.seconds) <= 101
    assert waits.p95 == pytest.approx(1.95, abs=0.005)


def test_a_batch_keeps_and_reports_what_was_measured_apart_from_what_was_given_back(
    server: ScriptedServer, tmp_path: Path
) -> None:
    p = plan(server, patient=f"{MODEL}+resolver", scenarios=("barking_at_night",))
    found = []
    for _ in range(2):
        with Store("x.db") as store:
            done = list(execute(p, setups(p), store, concurrency=1))
            ids = store.members("r").values()
            found.append((done, store.waits(list(ids)), dict(store.texts(list(ids)))))
            made = report(store, "r")
        Path("x.db").unlink()
    (first, waits, texts), (_, again, replayed) = found
    assert texts == replayed, "the ledger gives the same bytes, though it takes another time"
    calls = len(server.requests)
    assert sum(w.measured for one in waits.values() for w in one.values()) == calls
    assert {role for one in waits.values() for role in one} == {"inquirer", "patient", "resolver"}
    assert all(w.median and not w.kept for one in waits.values() for w in one.values())
    assert sum(w.kept for one in again.values() for w in one.values()) == calls
    assert all(w.median is None for one in again.values() for w in one.values())
    assert sum(w.measured for d in first for w in d.waits.values()) == calls
    taken = {t.role: t for u in made.line_ups for t in u.taken}
    assert sum(t.given_back for t in taken.values()) == calls
    assert {(t.measured, t.median) for t in taken.values()} == {(0, None)}
    assert "| given back |" in to_markdown(made)


def test_the_tables_and_rows_of_a_run_tell_what_each_role_took(server: ScriptedServer) -> None:
    p = plan(server, inquirer=(MODEL, "reference"))
    with Store("transcripts/consult.db") as store:
        list(execute(p, setups(p), store, concurrency=1))
        made = report(store, "r")
    by_model, by_rule = made.line_ups
    (taken,) = by_model.taken
    assert (taken.role, taken.measured, taken.given_back) == ("inquirer", taken.calls, 0)
    assert 0 < (taken.median or 0) <= (taken.p95 or 0)
    assert by_rule.taken == ()
    rows = list(csv.DictReader(io.StringIO(consult("report", "r", "--csv", "-").stdout)))
    assert [name for name in rows[0] if name.startswith("usage.")] == [
        f"usage.inquirer.{name}" for name in ("calls", "tokens", "cost", "median_s", "p95_s", "given_back")
    ]
    for row in rows:
        told = [row[f"usage.inquirer.{name}"] for name in ("calls", "tokens", "given_back")]
        if row["line_up"] == MODEL:
            calls = int(told[0])
            assert told[1:] == [str(18 * calls), "0"]
            assert float(row["usage.inquirer.p95_s"]) >= float(row["usage.inquirer.median_s"]) > 0
        else:
            assert told == ["", "", ""]
    consult("report", "r", "--html", "r.html")
    assert "95 % s" in Path("r.html").read_text("utf-8")


def test_the_end_of_a_run_tells_it_and_the_result_stays_what_a_cassette_gives(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSULT_API_BASE", server.url)
    words = ("run", "--inquirer", MODEL, "--max-turns", "3", "--json", "--no-save")
    first, again = consult(*words, "--record", "tape.jsonl"), consult(*words, "--replay", "tape.jsonl")
    assert first.stdout == again.stdout
    calls = len(server.requests)
    assert f"inquirer: {calls} calls, {18 * calls} tokens, cost unknown, " in first.stderr
    assert "95 % within" in first.stderr
    assert first.stderr.count("given back") == 0
    assert f"cost unknown, {calls} given back" in again.stderr
    assert "within" not in again.stderr


def test_the_line_of_a_batch_tells_it_by_role() -> None:
    counts = Counts(3)
    roles = {"inquirer": {"calls": 2, "tokens": 36, "cost": 0.5}}
    counts.add(Done(0, "done", tokens=36, cost=0.5, roles=roles, waits={"inquirer": waits_of(0.5, 1.5)}))
    assert "inquirer 2 calls $0.50 (1 s, 95 % within 1.4 s)" in counts.line(1)
    counts.add(Done(1, "done", tokens=36, cost=0.5, roles=roles, waits={"inquirer": waits_of(kept=2)}))
    assert "inquirer 4 calls $1.00 (1 s, 95 % within 1.4 s, 2 given back)" in counts.line(1)


def test_a_store_from_before_it_was_measured_opens(setup_of: Make, server: ScriptedServer, tmp_path: Path) -> None:
    p = plan(server)
    with Store("old.db") as store:
        list(execute(p, setups(p), store, concurrency=1))
    with sqlite3.connect("old.db") as conn:
        conn.execute("drop table waits")
        conn.execute("delete from migrations where number > 3")
    conn.close()
    with Store("old.db", readonly=True) as store:
        assert store.waits(list(store.members("r").values())) == {}
        (taken,) = report(store, "r").line_ups[0].taken
    assert taken.calls > 0
    assert (taken.measured, taken.given_back, taken.median) == (0, 0, None)


def test_it_is_no_part_of_a_transcript(setup_of: Make, server: ScriptedServer) -> None:
    setup = setup_of(agents={"inquirer": MODEL})
    with in_touch(setup.models):
        one, two = (play(replace(setup, models=Models(server.url))) for _ in range(2))
    assert one == two
    assert dumps(one.header, one.events) == dumps(two.header, two.events)
    assert one.waits["inquirer"].measured == len(server.requests) // 2
    assert prepared(one) == prepared(replace(two, waits={}))
    assert one.renamed("x").waits == one.waits
    assert play(setup_of(agents={"inquirer": "opening-only"})).waits == {}


# --- the account of one that is taken up, and the clients of a process that plays several things --------------------


def test_what_was_paid_before_a_consultation_was_left_counts_when_it_is_taken_up(
    setup_of: Make, server: ScriptedServer
) -> None:
    setup = setup_of(agents={"patient": MODEL}, models=Models(server.url))
    end = Conclude(differential=(Diagnosis(condition="angina"),), explanation="We shall see.")
    first = Sitting(setup)
    list(first.begin())
    list(first.act(Ask(text="Where does it hurt?")))
    again = Sitting(setup)
    again.take_up(first.kept())
    again.take_up(first.kept())  # a turn that is given up goes back to where it was, and is paid all the same
    assert again.transcript.waits == first.transcript.waits
    for action in (Ask(text="Do you smoke?"), end):
        list(again.act(action))
    (used,) = (e for e in again.events if isinstance(e, Used))
    assert (used.calls, used.models) == (len(server.requests), ("scripted-1",))
    assert used.tokens == 18 * used.calls
    assert again.transcript.waits["patient"].measured == used.calls
    old = json.dumps({k: v for k, v in json.loads(first.kept()).items() if k != "took"})
    assert Sitting(setup).take_up(old) == first.events, "what an older consult left can be taken up"


def test_whoever_leaves_first_closes_nothing_of_the_others(server: ScriptedServer) -> None:
    here, there = Models(server.url), Models(server.url, timeout=9)
    hang_up()
    with in_touch(here):
        with in_touch(here), in_touch(there), in_touch(HERE):
            ours, theirs = talk._client(here), talk._client(there)
        assert theirs._closed
        assert not ours._closed
        assert talk._client(here) is ours
    assert ours._closed
    assert not talk._clients
    assert not +talk._users


def test_a_batch_that_ends_leaves_a_consultation_of_the_same_process_alone(
    setup_of: Make, server: ScriptedServer
) -> None:
    server.default = plays
    sitting = Sitting(setup_of(agents={"patient": MODEL}, models=Models(server.url)))
    list(sitting.begin())
    p = plan(server)
    with Store("x.db") as store:
        assert {d.problem for d in execute(p, setups(p), store)} == {""}
    list(sitting.act(Ask(text="Do you smoke?")))
    assert sitting.turn == "inquirer"
    hang_up()
