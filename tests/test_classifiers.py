"""Classifiers from outside: a file, a simulated one of set accuracy, a plug-in; what they say is told, written and hashed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pictures_world import case, png
from scripted_server import Say, ScriptedServer, acts, asked_as, concludes, words_of

from consult.agents.llm.classifiers import Look, Simulated, classifier_of, suggestion
from consult.agents.llm.talk import Models
from consult.batch import Plan, setups
from consult.batch.forking import fork_of
from consult.check import check_paths
from consult.cli.main import cli
from consult.errors import InfrastructureError, UsageError
from consult.events import Question, Suggested, Verdict
from consult.knowledge.model import Knowledge
from consult.scenario import Scenario
from consult.score.match import match
from consult.sim.session import Setup, play
from consult.store.transcript import dumps, loads

MODEL = "llm:openai/local"
CASE = "scaly_elbows"
GOOD = f"""classifier: house-net 2
predictions:
  {CASE}:
    - {{condition: psoriasis, probability: 0.5}}
    - {{condition: Something that nobody knows, probability: 0.25}}
    - {{condition: L20.9}}
    - {{condition: rosacea}}
"""


@pytest.fixture(autouse=True)
def _files(server: ScriptedServer) -> None:
    """In the folder of the test."""
    Path("said.yaml").write_text(GOOD, "utf-8")


def setup_with(classifier: str, server: ScriptedServer, /, **fields: Any) -> Setup:
    given = {"scenarios": (CASE,), "inquirer": (MODEL,), "strategy": "classifier", "classifier": classifier}
    cells = setups(Plan.model_validate(given | {"api_base": server.url, "max_turns": 4} | fields))
    assert cells.key(0) == cells[0].cell
    return cells[0]


# --- the strategy ----------------------------------------------------------------------------------------------------


def test_what_it_said_is_told_each_time_and_written_once(server: ScriptedServer) -> None:
    setup = setup_with("said.yaml", server)
    assert setup.line_up["inquirer"] == f"{MODEL}+classifier"
    t = play(setup)
    asked = [words_of(r["messages"][1]) for r in server.requests if asked_as(r) == "inquirer"]
    assert len(asked) > 2
    for words in asked:
        assert "- Psoriasis, 50 %\n- Something that nobody knows, 25 %\n- Atopic eczema\n" in words
        assert "osacea" not in words
    (said,) = [e for e in t.events if isinstance(e, Suggested)]
    assert said.classifier == "house-net 2"
    assert [(n.condition, n.probability) for n in said.top] == [("psoriasis", 0.5), (None, 0.25), ("eczema", None)]
    assert said.seq < next(e.seq for e in t.events if isinstance(e, Question))
    assert loads(dumps(t.header, t.events)) == t
    assert t.header.provenance.prompts["inquirer/classifier"]


def test_the_other_strategies_hear_nothing_of_it(server: ScriptedServer) -> None:
    names = tuple(f"{MODEL}+{s}" for s in ("no-dialogue", "rationale", "classifier"))
    p = Plan(scenarios=(CASE,), inquirer=(MODEL, *names), classifier="said.yaml", api_base=server.url, max_turns=4)
    for setup in setups(p):
        server.forget()
        events = play(setup).events
        told = "classifier" in setup.line_up["inquirer"]
        assert any(isinstance(e, Suggested) for e in events) == told
        assert any("nobody knows" in words_of(r["messages"][1]) for r in server.requests) == told
        assert ("inquirer/classifier" in setup.provenance.prompts) == told


def test_another_file_or_another_k_is_another_consultation(server: ScriptedServer) -> None:
    cells = [setup_with("said.yaml", server).cell, setup_with("said.yaml", server, top_k=2).cell]
    Path("said.yaml").write_text(GOOD.replace("0.5", "0.6"), "utf-8")
    cells += [setup_with("said.yaml", server).cell, setup_with("simulated:0.5/0.8", server).cell]
    cells += [setup_with("simulated:0.5/0.8", server, seed=1).cell]
    assert len(set(cells)) == len(cells)


def test_a_classifier_without_its_strategy_and_the_strategy_without_one(server: ScriptedServer) -> None:
    for fields, words in (
        ({"strategy": "dialogue"}, "no inquirer has that strategy"),
        ({"classifier": ""}, "needs one"),
        ({"inquirer": ("reference",)}, "no inquirer has that strategy"),
    ):
        with pytest.raises(UsageError, match=words):
            setup_with("said.yaml", server, **fields)


@pytest.mark.parametrize("classifier", ["said.yaml", "simulated:0.5/0.8"])
def test_a_fork_is_told_the_same_or_says_by_which_option(server: ScriptedServer, classifier: str) -> None:
    t, models = play(setup_with(classifier, server, seed=7)), Models(server.url)
    server.forget()
    fork = fork_of(t, 1, {"classifier": classifier, "seed": 8}, models=models)
    again = play(fork)
    told = [e.model_copy(update={"seq": 0}) for e in (*t.events, *again.events) if isinstance(e, Suggested)]
    assert len(told) == 2
    assert told[0] == told[1], "chance from there on is another, the classifier is not"
    assert all("classifier" in words_of(r["messages"][1]) for r in server.requests)
    for given in ({}, {"classifier": "simulated:0.1/0.2"}, {"classifier": classifier, "top_k": 2}):
        with pytest.raises(UsageError, match=r"--classifier: the doctor was given .* --inquirer llm:openai/local\)"):
            fork_of(t, 1, given, models=models)
    assert fork_of(t, 1, {"inquirer": "reference"}).past is not None


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        (
            "probability: 0.5",
            "probability: 1.5",
            r"predictions\.scaly_elbows\[0\]\.probability",
            "less than or equal to 1",
        ),
        ("probability: 0.5", "probability: 0.1", r"predictions\.scaly_elbows", "not in order"),
        ("0.25}", "0.5}\n    - {condition: acne, probability: 0.5}", r"predictions\.scaly_elbows", "adds up to 1.5"),
        ("rosacea", "psoriasis", r"predictions\.scaly_elbows", "names a condition twice"),
        ("{condition: rosacea}", "{probability: 0.1}", r"predictions\.scaly_elbows\[3\]\.condition", "is missing"),
        ("classifier: house-net 2", "", "classifier", "is missing"),
        (f"  {CASE}:", "  another_case:", rf"predictions\.{CASE}", "is missing"),
        ("predictions:", "predictions: [", r"\w+", "YAML"),
        (GOOD, "- a\n", r"\(file\)", "holds a list"),
    ],
)
def test_a_bad_file_is_one_line(old: str, new: str, field: str, words: str, server: ScriptedServer) -> None:
    assert GOOD.count(old) == 1
    Path("said.yaml").write_text(GOOD.replace(old, new), "utf-8")
    options = ["--inquirer", MODEL, "--strategy", "classifier", "--classifier", "said.yaml", "--api-base", server.url]
    for command in (["run", CASE], ["batch", "--scenarios", CASE]):
        out = CliRunner().invoke(cli, [*command, *options])
        assert (out.exit_code, out.stdout) == (2, ""), out.output
        assert re.fullmatch(rf"said\.yaml(:\d+)?: {field}: .*{words}.*\(mend: .+\)\n", out.stderr), out.stderr
    assert not server.requests


def test_a_good_file_is_checked_by_check(server: ScriptedServer) -> None:
    assert check_paths([Path("said.yaml")]) == []
    Path("said.yaml").write_text(GOOD.replace("rosacea", "psoriasis"), "utf-8")
    assert [e.field for e in check_paths([Path("said.yaml")])] == [f"predictions.{CASE}"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("none.yaml", "cannot be read"),
        ("nobody", "there is no 'nobody'"),
        ("simulated:", "has no accuracies"),
        ("simulated:high/higher", "has no accuracies"),
        ("simulated:0.9/0.5", "cannot be those"),
        ("simulated:0.2/0.9", "cannot be those"),
        ("simulated:nan/0.5", "cannot be those"),
        ("simulated:0.5/1.5", "cannot be those"),
    ],
)
def test_what_is_no_classifier_is_said(spec: str, words: str, server: ScriptedServer) -> None:
    options = ["--inquirer", f"{MODEL}+classifier", "--classifier", spec, "--api-base", server.url]
    out = CliRunner().invoke(cli, ["run", CASE, *options])
    assert (out.exit_code, out.stdout, len(out.stderr.splitlines())) == (2, "", 1)
    assert words in out.stderr
    assert "(mend: " in out.stderr


# --- the simulated one -----------------------------------------------------------------------------------------------


def _ranks(c: Simulated, scenarios: dict[str, Scenario], general: Knowledge) -> list[int | None]:
    """The place of a right answer in what it says of each case, as scores would match it."""
    out: list[int | None] = []
    for s in scenarios.values():
        top = suggestion(c, c.k, s, (), general).top
        assert len(top) == c.k
        right = {s.gold.condition, *s.gold.alternatives}
        out.append(next((n for n, d in enumerate(top, 1) if match(general, d.name) in right), None))
    return out


@pytest.mark.parametrize(
    ("top1", "topk", "k"), [(0.6, 0.85, 3), (0.3, 0.5, 5), (0.7, 0.7, 1), (0.0, 0.0, 3), (1.0, 1.0, 3)]
)
def test_its_accuracy_is_the_one_set(
    top1: float, topk: float, k: int, scenarios: dict[str, Scenario], general: Knowledge
) -> None:
    """Over all cases and five seeds, within four standard errors: a chance of one in 16,000 each, and the seeds are fixed."""
    ranks = [r for seed in range(5) for r in _ranks(Simulated(top1, topk, k, seed), scenarios, general)]
    n = len(ranks)
    assert n > 400
    for wanted, found in ((top1, sum(r == 1 for r in ranks) / n), (topk, sum(r is not None for r in ranks) / n)):
        assert abs(found - wanted) <= 4 * math.sqrt(wanted * (1 - wanted) / n)
    if topk - top1 > 0:
        assert {r for r in ranks if r} == set(range(1, k + 1))


def test_a_doctor_who_believes_it_is_as_right_as_it_is(server: ScriptedServer, scenarios: dict[str, Scenario]) -> None:
    """From the event alone scores can tell what the classifier was worth, and whether it was followed."""

    def believes(asked: Any) -> Say:
        first = re.search(r"thinks of.*\n- (.+), \d+ %\n", words_of(asked["messages"][1]))
        assert first is not None
        return acts(concludes(differential=[{"condition": first[1], "probability": 0.9}]))

    server.default = believes
    names = tuple(sorted(scenarios))[::9]
    fields = {"scenarios": names, "inquirer": (MODEL,), "strategy": "classifier", "api_base": server.url}
    found = []
    for setup in setups(Plan.model_validate(fields | {"classifier": "simulated:0.5/0.8"})):
        events = play(setup).events
        verdict = next(e for e in events if isinstance(e, Verdict))
        top = next(e for e in events if isinstance(e, Suggested)).top
        assert (verdict.rank == 1) == (top[0].condition in verdict.accepted)
        found.append(verdict.rank == 1)
    assert len(names) > 10
    assert {True, False} == set(found)


def test_it_says_the_same_of_the_same_case_and_is_calibrated(
    setup_of: Callable[..., Setup], general: Knowledge
) -> None:
    scenario = setup_of(CASE).scenario
    one = suggestion(Simulated(0.6, 0.8), 3, scenario, (), general)
    assert one == suggestion(Simulated(0.6, 0.8), 3, scenario, (), general)
    assert [n.probability for n in one.top] == [0.6, 0.1, 0.1]
    others = {suggestion(Simulated(0.6, 0.8, seed=s), 3, scenario, (), general).content for s in range(8)}
    assert len(others) > 1


def test_what_it_takes_for_it_is_wrong_but_near(setup_of: Callable[..., Setup], general: Knowledge) -> None:
    scenario = setup_of(CASE).scenario
    always_wrong = suggestion(Simulated(0, 0), 3, scenario, (), general)
    named = [n.condition for n in always_wrong.top]
    near = [c for c in scenario.gold.differential if c != scenario.gold.condition]
    assert set(named[: len(near)]) <= set(near)
    assert scenario.gold.condition not in named


# --- plug-ins --------------------------------------------------------------------------------------------------------


class Looking:
    """A plug-in that answers from what it is given to look at."""

    seen: list[Look] = []

    def classify(self, case: Look) -> Sequence[tuple[str, float]]:
        self.seen.append(case)
        return [("Psoriasis", 0.8), ("eczema", 0.1), ("Seborrhoeic dermatitis", 0.05), ("acne", 0.01)]


class Broken:
    """One that fails."""

    def classify(self, case: Look) -> Sequence[tuple[str, float]]:
        raise RuntimeError("out of\nmemory")


class Strange(Broken):
    """One whose answer is none."""

    def classify(self, case: Look) -> Sequence[tuple[str, float]]:
        return [("psoriasis", 7.0)]


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that offers them, as pip would have installed it."""
    info = tmp_path / "nets-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nets\nVersion: 1.2\n", "utf-8")
    offered = {"net": "Looking", "broken": "Broken", "strange": "Strange", "gone": "Gone"}
    lines = "".join(f"{name} = {__name__}:{what}\n" for name, what in offered.items())
    (info / "entry_points.txt").write_text(f"[consult.classifiers]\n{lines}", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("plugged")
def test_a_plug_in_looks_at_the_pictures_and_never_at_the_answer(server: ScriptedServer, tmp_path: Path) -> None:
    path = case(tmp_path / "cases", CASE, png("elbows"))
    Looking.seen.clear()
    t = play(setup_with("net", server, scenarios=(str(path),)))
    (look,) = Looking.seen
    assert (look.scenario, look.age, look.sex) == (f"{CASE}_seen", 34, "male")
    assert look.pictures[0].image is not None
    assert look.pictures[0].image.data == png("elbows")
    assert "psoriasis" not in repr(look).lower()
    (said,) = [e for e in t.events if isinstance(e, Suggested)]
    assert [n.condition for n in said.top] == ["psoriasis", "eczema", "seborrheic_dermatitis"]
    assert said.classifier == "net"


@pytest.mark.usefixtures("plugged")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken", "broken fails on scaly_elbows: RuntimeError: out of memory"),
        ("strange", "no diagnosis"),
        ("gone", "Gone"),
    ],
)
def test_a_plug_in_that_fails_is_no_fault_of_the_doctor(name: str, words: str, server: ScriptedServer) -> None:
    with pytest.raises(InfrastructureError, match=words):
        play(setup_with(name, server))
    assert not server.requests
    options = ["--inquirer", f"{MODEL}+classifier", "--classifier", name, "--api-base", server.url]
    out = CliRunner().invoke(cli, ["run", CASE, *options])
    assert (out.exit_code, len(out.stderr.splitlines())) == (3, 1), out.output
    batch = CliRunner().invoke(cli, ["batch", "--scenarios", CASE, *options])
    assert batch.exit_code == 3
    assert words in batch.stderr


@pytest.mark.usefixtures("plugged")
def test_a_plug_in_is_known_by_its_name() -> None:
    assert classifier_of("net").name == "net"
    assert classifier_of("net").content != classifier_of("broken").content
    with pytest.raises(UsageError, match="broken, gone, net, strange"):
        classifier_of("nobody")
