"""Models as assessors while consultations are run: in every place, counted, failing, and seen in lists and reports."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from scripted_server import Fail, Say, ScriptedServer, plays
from test_judge import faithful

from consult.agents.llm.talk import hang_up
from consult.batch.engine import Done
from consult.cli.main import cli
from consult.cli.progress import Counts
from consult.store.db import Store

MODEL = "llm:openai/local"
JUDGE = "llm:openai/j"
CASES = "indigestion_at_the_wheel,barking_at_night"


def both(asked: dict[str, Any]) -> Say:
    """Doctor and patient by rule, and a judge that quotes."""
    return faithful()(asked) if asked["messages"][0]["content"].startswith("You assess") else plays(asked)


@pytest.fixture(scope="module")
def running() -> Iterator[ScriptedServer]:
    with ScriptedServer(both) as server:
        yield server
        hang_up()


@pytest.fixture
def server(running: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    running.forget()
    running.default = both
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSULT_API_BASE", running.url)
    return running


def consult(*words: str, code: int = 0) -> Result:
    out = CliRunner().invoke(cli, list(words))
    assert out.exit_code == code, out.output
    return out


def batch(*words: str, code: int = 0) -> Result:
    return consult("batch", "--name", "r", "--scenarios", CASES, "--max-turns", "3", *words, code=code)


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(consult("list", "consultations", "--run", "r", "--json").stdout)
    return found


def judging(server: ScriptedServer) -> int:
    return sum(r["model"] == "j" for r in server.requests)


def test_a_run_is_judged_and_what_it_took_is_counted(server: ScriptedServer) -> None:
    said = json.loads(consult("run", "--assessor", JUDGE, "--rubric", "paces", "--max-turns", "2", "--json").stdout)
    assert said["scores"]["judge.paces"]["value"] == 0.5
    assert not any(name.startswith("judge.mdbench") for name in said["scores"])
    assert said["usage"]["calls"] == len(server.requests) == 1
    by_rule = json.loads(consult("run", "--max-turns", "2", "--json", "--no-save").stdout)["scores"]
    assert {n: s for n, s in said["scores"].items() if not n.startswith("judge.")} == by_rule


def test_a_judged_batch_pays_once_however_it_is_scored_again(server: ScriptedServer) -> None:
    words = ("--assessor", JUDGE, "--inquirer", MODEL, "--inquirer", "reference")
    assert "warning" not in batch(*words).stderr
    calls = len(server.requests)
    assert judging(server) == 4 * 3
    assert all(row["scores"]["judge.paces"] == 0.5 for row in rows())
    batch(*words)
    again = json.loads(consult("score", "r", "--assessor", JUDGE, "--json").stdout)
    assert (again["scored"], again["scored_before"], len(server.requests)) == (0, 4, calls)
    assert again["judged"]["rubrics"]["paces"]["consultations"] == 4
    assert len(again["versions"]) == 1


def test_rubrics_and_prompts_of_judges_make_another_consultation(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key(*words: str) -> str:
        out = consult("batch", "--scenarios", CASES, "--dry-run", "--json", "--assessor", JUDGE, *words)
        cell: str = json.loads(out.stdout)["cells"][0]["cell"]
        return cell

    known = [key(), key("--rubric", "paces")]
    folder = tmp_path / "mine" / "prompts" / "judge"
    folder.mkdir(parents=True)
    (folder / "again.jinja").write_text("{# version: 2 #}\nOnce more.", "utf-8")
    monkeypatch.setenv("CONSULT_PATH", str(tmp_path / "mine"))
    known.append(key())
    assert len(set(known)) == 3
    played = json.loads(consult("run", "--inquirer", MODEL, "--assessor", JUDGE, "--max-turns", "3", "--json").stdout)
    with Store("transcripts/consult.db", readonly=True) as store:
        names = store.get(played["consultation_id"]).header.provenance.prompts
    assert {"inquirer/system", "judge/again", "rubric/mdbench"} <= names.keys()
    assert "patient/system" not in names


@pytest.mark.parametrize("failing", [Fail(400, message="no such thing"), Say("I cannot.")])
def test_judges_that_fail_leave_their_scores_missing_and_nothing_else(server: ScriptedServer, failing: Any) -> None:
    server.default = failing
    done = batch("--assessor", JUDGE, "--rubric", "paces")
    assert all(row["correct"] is not None and row["scores"]["diagnosis.top1"] is not None for row in rows())
    assert {row["scores"]["judge.paces"] for row in rows()} == {None}
    warned = done.stderr.count("warning: the judges failed")
    server.default = both
    again = json.loads(consult("score", "r", "--assessor", JUDGE, "--rubric", "paces", "--json").stdout)
    if isinstance(failing, Fail):
        assert warned == 1, "once, though both failed"
        assert "asks again" in done.stderr
        assert again["scored"] == 2
        assert {row["scores"]["judge.paces"] for row in rows()} == {0.5}
    else:  # a model that will not: that is its answer, and it was paid
        assert (warned, again["scored"]) == (0, 0)


def test_what_a_run_asked_its_judges_is_not_paid_again_when_it_is_scored(server: ScriptedServer) -> None:
    told = "What the right answer was"
    server.default = lambda asked: Fail(400) if told in asked["messages"][1]["content"] else both(asked)
    batch("--epochs", "2", "--assessor", JUDGE, "--rubric", "mdbench")
    server.forget()
    server.default = both
    again = json.loads(consult("score", "r", "--assessor", JUDGE, "--rubric", "mdbench", "--json").stdout)
    assert again["scored"] == 4
    assert [told in r["messages"][1]["content"] for r in server.requests] == [True] * 4


def test_a_model_that_judges_itself_is_warned_of_once(server: ScriptedServer) -> None:
    done = batch("--inquirer", MODEL, "--assessor", f"{MODEL},{JUDGE}", "--rubric", "paces")
    assert done.stderr.count("warning: the same model") == 1
    assert f"{MODEL} played inquirer" in done.stderr
    page = consult("report", "r", "--md", "-").stdout
    assert page.count("judged itself") == 1
    shown = consult("report", "r").stdout
    assert shown.count("judged itself") == 1
    one = consult("run", "--inquirer", MODEL, "--assessor", MODEL, "--max-turns", "3", "--json")
    assert one.stderr.count("the same model") == 1


def test_bad_judges_are_one_line(server: ScriptedServer) -> None:
    for words, said in (
        (("--assessor", "llm:a,b"), "'b' is no judge"),
        (("--assessor", JUDGE, "--rubric", "nothing"), "'nothing' is no rubric"),
        (("--rubric", "paces"), "--rubric: is for judges"),
        (("--assessor", "gpt"), "there is no agent"),
    ):
        for command in (("run",), ("batch", "--scenarios", CASES)):
            out = consult(*command, *words, code=2)
            assert said in out.stderr, (command, words)
            assert len(out.stderr.splitlines()) == 1
    assert not server.requests


def test_judged_scores_stand_in_lists_rows_reports_and_comparisons(server: ScriptedServer) -> None:
    def unlike(asked: dict[str, Any]) -> Say:
        return faithful(1 if asked["model"] == "j" else 0)(asked) if both(asked).model == "judge-1" else plays(asked)

    server.default = unlike
    doctors = ("--inquirer", MODEL, "--inquirer", f"{MODEL}+rationale", "--inquirer", "reference")
    batch(*doctors, "--assessor", f"{JUDGE},llm:openai/k", "--rubric", "paces")
    assert all(row["scores"]["judge.paces"] == 0.25 for row in rows())
    tidy = list(csv.DictReader(StringIO(consult("report", "r", "--csv", "-").stdout)))
    assert {row["judge.paces"] for row in tidy} == {"0.25"}
    made = json.loads(consult("report", "r", "--json").stdout)
    first = made["line_ups"][0]
    assert (first["scores"]["judge.paces"]["n"], first["scores"]["judge.paces"]["missing"]) == (2, 0)
    assert first["agreed"][0] | {"ac1": 0} == {
        "rubric": "paces", "judges": [JUDGE, "llm:openai/k"], "units": 16, "raters": 2, "raw": 0.0, "kappa": 0.0,
        "ac1": 0, "alpha": first["agreed"][0]["alpha"],
    }  # fmt: skip
    roles = {t["role"]: t for t in first["taken"]}
    assert roles.keys() == {"assessor", "inquirer"}
    assert (roles["assessor"]["calls"], roles["assessor"]["cost"]) == (4, None), "at an unknown price, not at 0"
    assert [t["role"] for t in made["line_ups"][2]["taken"]] == ["assessor"]
    asked = sum(t["calls"] for u in made["line_ups"] for t in u["taken"])
    assert asked == len(server.requests)
    by = {(g["name"], g["line_up"]): g["counts"]["consultations"] for g in made["groups"] if g["by"] == "strategy"}
    assert by == {("dialogue", "openai/local"): 2, ("rationale", "openai/local"): 2}
    page = consult("report", "r", "--md", "-").stdout
    for title in ("Judged by models", "Agreement of judges", "Models", "By strategy: judge.paces"):
        assert f"## {title}" in page.replace("\\", "")
    consult("report", "r", "--html", "r.html")
    shown = Path("r.html").read_text("utf-8")
    assert "Agreement of judges" in shown
    assert "unknown" in shown
    compared = json.loads(consult("compare", f"r:{MODEL}", "r:reference", "--json").stdout)
    assert "judge.paces" in compared["headline"]
    assert {s["score"]: s["a"] for s in compared["scores"]}["judge.paces"] == 0.25


def test_what_was_judged_later_is_reported_with_its_reasons(server: ScriptedServer) -> None:
    batch()
    server.default = Say("I cannot.")
    consult("score", "r", "--assessor", JUDGE, "--rubric", "paces")
    (made,) = json.loads(consult("report", "r", "--json").stdout)["line_ups"]
    lacking = {m["score"]: m for m in made["missing"]}
    assert lacking["judge.paces"]["n"] == 2
    assert re.search("reply is refused", next(iter(lacking["judge.paces"]["reasons"])))
    assert not any(m["score"].startswith("judge.") for m in _first_version()["missing"])


def _first_version() -> dict[str, Any]:
    (made,) = json.loads(consult("report", "r", "--json", "--scores", "1").stdout)["line_ups"]
    found: dict[str, Any] = made
    return found


def test_a_budget_of_judging_ends_it_and_the_same_command_goes_on(server: ScriptedServer) -> None:
    batch()
    words = ("score", "r", "--assessor", JUDGE, "--rubric", "paces", "--concurrency", "1", "--json")
    for bound in ("calls=1", "consultations=1"):
        said = json.loads(consult(*words, "--budget", bound).stdout)
        assert said["scored"] == 1
        assert (said["left"], said["scored_before"]) == ((1, 0) if bound == "calls=1" else (0, 1))
    assert judging(server) == 2
    said = json.loads(consult(*words, "--budget", "time=1h").stdout)
    assert (said["scored"], said["left"], said["scored_before"]) == (0, 0, 2)
    for extra, why in (
        (("--assessor", JUDGE, "--budget", "cost=1"), "price of openai/j at"),
        (("--budget", "calls=1"), "is for judges"),
        (("--assessor", JUDGE, "--budget", "eggs=1"), "is no budget"),
    ):
        assert why in consult("score", "r", *extra, code=2).stderr


@pytest.mark.parametrize("seat", ["--inquirer", "--patient"])
@pytest.mark.parametrize("bound", ["calls=2", "tokens=30", "time=0.000001s"])
def test_a_budget_of_one_consultation_ends_and_scores_it(server: ScriptedServer, seat: str, bound: str) -> None:
    out = consult("run", seat, MODEL, "--assessor", JUDGE, "--rubric", "paces", "--budget-each", bound, "--json")
    said = json.loads(out.stdout)
    assert said["stop_reason"] == ("time_limit" if bound.startswith("time") else "budget")
    assert said["diagnosis"]["correct"] is False
    assert said["scores"]["diagnosis.top1"]["value"] == 0
    assert said["scores"]["judge.paces"]["value"] is None
    assert "budget" in said["scores"]["judge.paces"]["reason"]
    assert said["usage"]["calls"] == len(server.requests) <= 2


def test_the_budget_of_a_consultation_is_part_of_it_and_the_runs_is_not(server: ScriptedServer) -> None:
    def cell(*words: str) -> str:
        out = consult("batch", "--scenarios", CASES, "--dry-run", "--json", "--inquirer", MODEL, *words)
        key: str = json.loads(out.stdout)["cells"][0]["cell"]
        return key

    assert cell() == cell("--budget", "calls=3") != cell("--budget-each", "calls=3")
    batch("--inquirer", MODEL, "--budget-each", "calls=1")
    assert [row["stop_reason"] for row in rows()] == ["budget"] * 2
    out = consult("run", "--inquirer", MODEL, "--budget-each", "cost=1", code=2)
    assert "--budget-each: the price of openai/local" in out.stderr


def test_the_line_of_progress_tells_what_each_role_took(server: ScriptedServer) -> None:
    counts = Counts(2)
    took = {"inquirer": {"calls": 3, "tokens": 54, "cost": 0.25}, "assessor": {"calls": 2, "tokens": 36, "cost": None}}
    counts.add(Done(0, "done", tokens=90, cost=None, roles=took))
    assert "90 tokens, cost unknown, assessor 2 calls, inquirer 3 calls" in counts.line(1)
    priced = Counts(2)
    priced.add(Done(0, "done", tokens=54, cost=0.25, roles={"inquirer": took["inquirer"]}))
    assert "54 tokens, $0.25, inquirer 3 calls $0.25" in priced.line(1)
    said = json.loads(consult("run", "--inquirer", MODEL, "--assessor", JUDGE, "--json", "--no-save").stdout)["usage"]
    assert said["roles"].keys() == {"assessor", "inquirer"}
    assert sum(role["calls"] for role in said["roles"].values()) == said["calls"] == len(server.requests)
