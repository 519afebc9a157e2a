"""Diagnoses that no name of the knowledge matches, put to a model: once each, blind, recorded, and never counted against a doctor."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from score_world import KNOWLEDGE, SHINGLES, Script, case
from scripted_server import Behaviour, Fail, Json, Say, ScriptedServer, acts, concludes

from consult import Setup, play
from consult.agents.llm.talk import Models, hang_up
from consult.cli.main import cli
from consult.errors import UsageError
from consult.events import Scored, StopReason, Used
from consult.judge.asking import Trouble
from consult.judge.matching import Choice, asked, matcher_of
from consult.llm.client import Client
from consult.llm.ledger import SqliteLedger
from consult.llm.pacing import Retry
from consult.report import report
from consult.report.tables import sections
from consult.score import Case, assess
from consult.score.match import MAX_NAME, unmatched
from consult.store.db import Store
from consult.store.transcript import dumps, loads

MATCHER = "llm:openai/m"
DOCTOR = "llm:openai/d"
CASES = "indigestion_at_the_wheel,barking_at_night"
MEANS = {"Girdle fire": "shingles", "Coronary plaque rupture": "acute_coronary_syndrome", "Krupphusten": "croup"}
NAMED = ("Coronary plaque rupture", "Krupphusten", "Dragon pox", "Heart failure")


def matches(said: Json) -> Say:
    """A matcher by a table."""
    name = re.search(r"^Name: (.*)$", said["messages"][-1]["content"], re.MULTILINE)
    assert name is not None
    return Say(json.dumps({"condition": MEANS.get(name[1], "none")}), model="matcher-1")


def answers(said: Json) -> Behaviour:
    """The matcher; and a doctor that concludes at once with the same names, whoever the patient is."""
    if said["model"] == "m":
        return matches(said)
    listed = [{"condition": name, "probability": 0.2} for name in NAMED]
    return acts(concludes(differential=listed))


@pytest.fixture(scope="module")
def running() -> Iterator[ScriptedServer]:
    with ScriptedServer(answers) as server:
        yield server
        hang_up()


@pytest.fixture
def server(running: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    running.forget()
    running.default = answers
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSULT_API_BASE", running.url)
    return running


def asked_of_the_matcher(server: ScriptedServer) -> list[Json]:
    return [r for r in server.requests if r["model"] == "m"]


def consult(*words: str, code: int = 0) -> Result:
    out = CliRunner().invoke(cli, list(words))
    assert out.exit_code == code, out.output
    return out


def batch(*words: str, code: int = 0) -> Result:
    return consult("batch", "--name", "r", "--scenarios", CASES, "--inquirer", DOCTOR, *words, code=code)


def rows(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        consult("list", "consultations", "--run", "r", "--json", *words).stdout
    )  # fmt: skip
    return sorted(found, key=lambda row: str(row["scenario"]))


def read(server: ScriptedServer, seen: Case, transport: str = "", **client: Any) -> tuple[Case, Trouble]:
    matcher, trouble = matcher_of(MATCHER, api_base=server.url, transport=transport), Trouble()
    assert matcher is not None
    with Client(retry=Retry(attempts=1), **client) as calls:
        return replace(seen, meant=asked(seen, matcher, calls.calls("c"), trouble)), trouble


def ended(*names: Any) -> Case:
    return case(Script().say("rash").ask("itch").conclude(*names))


def scores(seen: Case) -> dict[str, Scored]:
    return {e.name: e for e in assess(seen) if isinstance(e, Scored)}


@pytest.mark.parametrize("transport", ["direct", "litellm"])
def test_a_model_says_what_is_left_and_it_is_recorded(server: ScriptedServer, transport: str) -> None:
    plain = ended("Dragon pox", "Girdle fire", "cold sore", "Girdle fire")
    seen, trouble = read(server, plain, transport)
    v = seen.verdict
    assert (v.rank, [d.condition for d in v.differential]) == (2, [None, "shingles", "herpes"])
    assert [d.by for d in v.differential] == ["", MATCHER, ""]
    assert v.by_model is not None
    assert v.by_model.model_dump() == {
        "matcher": MATCHER, "asked": 2, "matched": 1, "rank": None, "unanswered": None, "reason": "",
    }  # fmt: skip
    assert (trouble.failed, trouble.fatal) == ("", None)
    assert scores(seen)["diagnosis.top3"].value == 1
    assert scores(plain)["diagnosis.top3"].value == 0, "without a model, what no name matches is no match"
    assert len(server.requests) == 2, "each name once, and no name that is matched by rule"


def test_it_sees_a_name_and_every_condition_and_nothing_of_the_case(server: ScriptedServer) -> None:
    read(server, ended("Girdle fire"))
    read(server, case(Script().say("itch").conclude("Girdle fire"), SHINGLES.model_copy(update={"id": "other"})))
    first, second = server.requests
    assert first == second, "the same question, whatever the case"
    system, user = (message["content"] for message in first["messages"])
    assert re.findall(r"^(\w+): ", system, re.MULTILINE) == [c.id for c in KNOWLEDGE.conditions]
    assert user == "Name: Girdle fire"
    assert first["response_format"]["json_schema"]["schema"]["properties"].keys() == Choice.model_fields.keys()


def test_what_is_ruled_out_or_no_name_is_not_asked(server: ScriptedServer) -> None:
    names = ("No girdle fire", "?!", "x" * (MAX_NAME + 1), "shingles")
    seen, _ = read(server, ended(*names))
    assert unmatched(KNOWLEDGE, seen.end.differential if seen.end else ()) == []
    assert not server.requests
    failed = case(Script().ask("itch").stop(StopReason.INFRASTRUCTURE_ERROR))
    assert read(server, failed)[0].verdict.differential == ()


@pytest.mark.parametrize(
    ("behaviour", "asks", "later"),
    [
        (Fail(503), 1, True),
        (Fail(401), 1, False),
        (Say('{"condition": "plague"}'), 3, False),
        (Say(message={"refusal": "No."}), 1, False),
    ],
)
def test_where_it_does_not_answer_nothing_is_held_against_the_doctor(
    server: ScriptedServer, behaviour: Behaviour, asks: int, later: bool
) -> None:
    server.default = behaviour
    open_, trouble = read(server, ended("Girdle fire", "shingles"))
    assert len(server.requests) == asks
    assert bool(trouble.failed) is later
    found = scores(open_)
    assert {s.value for name, s in found.items() if name.startswith("diagnosis.")} == {None}
    assert found["mdbench.3.1"].value is None
    assert "no answer on which condition is meant" in found["diagnosis.top1"].reason
    settled, _ = read(server, ended("shingles", "Girdle fire"))
    assert scores(settled)["diagnosis.top1"].value == 1, (
        "a right answer before it is right, whatever it would have said"
    )
    assert settled.verdict.by_model is not None
    assert settled.verdict.by_model.unanswered == 2


def test_without_a_matcher_nothing_is_written_of_it(server: ScriptedServer, setup_of: Callable[..., Setup]) -> None:
    agents = {"inquirer": DOCTOR}
    plain = play(setup_of(agents=agents, models=Models(server.url)))
    assert not asked_of_the_matcher(server)
    assert "by_model" not in dumps(plain.header, plain.events)
    assert "matcher" not in dumps(plain.header, plain.events)
    setup = setup_of(agents=agents | {"matcher": MATCHER}, models=Models(server.url))
    t = play(setup)
    assert setup.cell != setup_of(agents=agents).cell
    assert t.header.provenance.models == {"inquirer": "scripted-1", "matcher": "matcher-1"}
    assert {"matcher/name", "matcher/system"} <= t.header.provenance.prompts.keys()
    (used,) = (e for e in t.events if isinstance(e, Used) and e.role == "matcher")
    assert used.calls == len(asked_of_the_matcher(server)) == 3
    assert loads(dumps(t.header, t.events)) == t


def test_a_batch_asks_each_name_once_and_reports_what_it_changed(server: ScriptedServer) -> None:
    batch("--matcher", MATCHER, "--epochs", "3", "--concurrency", "6")
    names = [r["messages"][-1]["content"] for r in asked_of_the_matcher(server)]
    assert sorted(names) == ["Name: Coronary plaque rupture", "Name: Dragon pox", "Name: Krupphusten"]
    assert [(r["scenario"], r["rank"], r["correct"]) for r in rows()][::3] == [
        ("barking_at_night", 2, False), ("indigestion_at_the_wheel", 1, True),
    ]  # fmt: skip
    with Store("transcripts/consult.db", readonly=True) as store:
        made = report(store, "r")
        (version,) = store.scorings("r")
    assert version["consult"].endswith(f", names matched by {MATCHER}")
    (m,) = made.line_ups[0].matched
    assert m.model_dump() == {
        "matcher": MATCHER, "consultations": 6, "unanswered": 0, "named": 24, "asked": 18, "matched": 12,
        "top1_by_rule": 0.0, "top1": 0.5, "top3_by_rule": 0.0, "top3": 1.0,
    }  # fmt: skip
    (shown,) = (s for s in sections(made) if s.title == "Diagnoses matched by a model")
    assert shown.rows[0][-2:] == ("0 → 0.5", "0 → 1")
    calls = len(server.requests)
    again = json.loads(consult("score", "r", "--matcher", MATCHER, "--json").stdout)
    assert (again["scored"], again["scored_before"], len(server.requests)) == (0, 6, calls)
    by_rule = json.loads(consult("score", "r", "--json").stdout)
    assert by_rule["scored"] == 6
    assert {r["correct"] for r in rows()} == {False}
    assert {r["correct"] for r in rows("--scores", "1")} == {False, True}
    shown_at_the_end = consult("show", str(rows()[-1]["consultation_id"]), "--scores", "1").stdout
    assert f"matched by {MATCHER}" in " ".join(shown_at_the_end.split())


def test_a_finished_run_is_matched_and_a_failing_server_leaves_it_for_the_next_time(server: ScriptedServer) -> None:
    batch()
    before = rows()
    assert not asked_of_the_matcher(server)
    server.default = Fail(400, message="no such thing")
    assert "the server does not accept the request" in consult("score", "r", "--matcher", MATCHER, code=3).stderr
    assert rows() == before
    server.forget()
    server.default = answers
    done = json.loads(consult("score", "r", "--matcher", MATCHER, "--json").stdout)
    assert (done["scored"], done["missing"], done["judged"]["rubrics"]) == (2, 0, {})
    assert [(r["rank"], r["correct"]) for r in rows()] == [(2, False), (1, True)]
    assert len(asked_of_the_matcher(server)) == 3


def test_a_batch_whose_matcher_fails_has_no_wrong_answers_and_is_made_up_for(server: ScriptedServer) -> None:
    server.default = lambda said: Fail(400, message="no such thing") if said["model"] == "m" else answers(said)
    batch("--matcher", MATCHER)
    assert [(r["rank"], r["correct"], r["scores"]["diagnosis.top1"]) for r in rows()] == [(None, None, None)] * 2
    with Store("transcripts/consult.db", readonly=True) as store:
        (m,) = report(store, "r").line_ups[0].matched
    assert (m.consultations, m.unanswered, m.top1) == (0, 2, None)
    server.default = answers
    consult("score", "r", "--matcher", MATCHER)
    assert [(r["rank"], r["correct"]) for r in rows()] == [(2, False), (1, True)]


def test_what_is_made_up_for_counts_though_its_version_is_the_older_one(server: ScriptedServer) -> None:
    def some(said: Json) -> Behaviour:
        if said["model"] == "m":
            return Fail(400, message="no") if "Krupphusten" in said["messages"][-1]["content"] else matches(said)
        adult = "58 years" in json.dumps(said["messages"])
        named = "Coronary plaque rupture" if adult else "Krupphusten"
        return acts(concludes(differential=[{"condition": named, "probability": 0.5}]))

    server.default = some
    batch("--matcher", MATCHER, "--concurrency", "1")
    assert [r["correct"] for r in rows()] == [None, True]
    server.default = lambda said: matches(said) if said["model"] == "m" else some(said)
    consult("score", "r", "--matcher", MATCHER)
    assert [r["correct"] for r in rows()] == [True, True]
    versions = json.loads(consult("score", "r", "--matcher", MATCHER, "--json").stdout)["versions"]
    assert [(v["consultations"], v["latest"]) for v in versions] == [(2, 2), (1, 0)]
    with sqlite3.connect("transcripts/consult.db") as db:
        assert db.execute("select sum(correct) from outcomes").fetchone() == (2,)
    db.close()


def test_the_same_question_at_the_same_time_is_asked_once(server: ScriptedServer, tmp_path: Path) -> None:
    matcher = matcher_of(MATCHER, api_base=server.url)
    assert matcher is not None
    server.default = lambda said: replace(matches(said), wait=0.01)
    seen = ended("Girdle fire")
    with Client(ledger=SqliteLedger(tmp_path / "x.ledger")) as client, ThreadPoolExecutor(8) as pool:
        calls = [client.calls(f"c{n}") for n in range(8)]
        meant = list(pool.map(lambda one: asked(seen, matcher, one, Trouble()), calls))
    assert len(server.requests) == 1
    assert {tuple(m.conditions.items()) for m in meant} == {((("Girdle fire", ""), "shingles"),)}
    assert [c.account.total().calls for c in calls] == [1] * 8, "each counts what it asked, whoever paid it"
    assert sum(c.account.waits["matcher"].kept for c in calls) == 7


def test_only_a_model_matches() -> None:
    assert matcher_of("") is matcher_of("reference") is None
    with pytest.raises(UsageError, match=r"--matcher: 'gpt' is no model \(mend: llm:MODEL"):
        matcher_of("gpt")
    assert "--matcher: there is no agent 'curt'" in consult("run", "--matcher", "curt", code=2).stderr
