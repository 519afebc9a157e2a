"""A persona prompt and examples of the user's own: shown to the model, hashed, and never the case under test."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from scripted_server import ScriptedServer

from consult.agents.llm.briefing import Example, carried
from consult.agents.llm.talk import Models
from consult.batch import Plan, setups
from consult.batch.forking import fork_of
from consult.check import check_paths
from consult.cli.main import cli
from consult.errors import UsageError
from consult.events import Concluded, Question
from consult.scenario import Scenario
from consult.sim.session import Setup, play
from consult.store.db import Store
from consult.tui.feed import setup_of

MODEL = "llm:openai/local"
CASE = "indigestion_at_the_wheel"
PERSONA = "You are an old country doctor.{% if speaker == 'self' %} You speak with the patient, who is {{ age }} old.{% endif %}\n"
FEW = """examples:
  - case: scaly_elbows
    text: |
      Patient: My nose has been running.
      {"action": {"kind": "ask", "text": "Since when, {{ sex }}?"}}
  - text: Of another hospital.
"""


@pytest.fixture(autouse=True)
def _files(server: ScriptedServer) -> None:
    """In the folder of the test."""
    Path("doctor.md").write_text(PERSONA, "utf-8")
    Path("few.yaml").write_text(FEW, "utf-8")


def setup_with(server: ScriptedServer, **fields: object) -> Setup:
    given = {"scenarios": (CASE,), "inquirer": (MODEL,), "api_base": server.url, "max_turns": 4}
    cells = setups(Plan.model_validate(given | fields))
    assert cells.key(0) == cells[0].cell
    return cells[0]


def run(server: ScriptedServer, *words: str) -> Result:
    return CliRunner().invoke(cli, ["run", CASE, "--inquirer", MODEL, "--api-base", server.url, "--no-save", *words])


def test_both_stand_in_the_system_prompt_filled_in(server: ScriptedServer) -> None:
    play(setup_with(server, persona_prompt="doctor.md", few_shot="few.yaml"))
    assert server.requests
    for r in server.requests:
        system = r["messages"][0]["content"]
        assert "You are an old country doctor. You speak with the patient, who is 58 years old." in system
        assert (
            'Example 1:\nPatient: My nose has been running.\n{"action": {"kind": "ask", "text": "Since when, male?"}}'
            in system
        )
        assert "Example 2:\nOf another hospital." in system


def test_without_them_the_prompt_has_no_trace_of_them(server: ScriptedServer) -> None:
    play(setup_with(server))
    system = server.requests[0]["messages"][0]["content"]
    assert "Example 1" not in system
    assert "\n\n\n" not in system


def test_they_are_hashed_into_provenance_and_id(server: ScriptedServer) -> None:
    plain, both = setup_with(server), setup_with(server, persona_prompt="doctor.md", few_shot="few.yaml")
    assert set(both.provenance.prompts) - set(plain.provenance.prompts) == {
        "inquirer/persona-prompt",
        "inquirer/few-shot",
    }
    Path("doctor.md").write_text(PERSONA.replace("old", "young"), "utf-8")
    other = setup_with(server, persona_prompt="doctor.md", few_shot="few.yaml")
    assert len({plain.cell, both.cell, other.cell}) == 3
    assert other.provenance.prompts["inquirer/few-shot"] == both.provenance.prompts["inquirer/few-shot"]
    assert (
        setup_with(server, inquirer=("reference", MODEL), few_shot="few.yaml").cell
        == setup_with(server, inquirer=("reference",)).cell
    )


def test_a_fork_gives_the_same_again_or_says_by_which_option(server: ScriptedServer) -> None:
    parent = setup_with(server, persona_prompt="doctor.md", few_shot="few.yaml")
    t, models = play(parent), Models(server.url)
    both = {"persona_prompt": "doctor.md", "few_shot": "few.yaml"}
    first = server.requests[0]["messages"][0]
    server.forget()
    fork = fork_of(t, 1, both, models=models)
    said = [[e for e in events if isinstance(e, (Question, Concluded))] for events in (t.events, play(fork).events)]
    assert said[0] == said[1]
    assert {tuple(r["messages"][0].items()) for r in server.requests} == {tuple(first.items())}
    assert fork.provenance.prompts == parent.provenance.prompts
    Path("other.yaml").write_text(FEW.replace("Of another", "Of a third"), "utf-8")
    for given, words in (
        ({}, "--persona-prompt: the doctor was given words on what it is like, which no transcript keeps"),
        ({"persona_prompt": "doctor.md"}, "--few-shot: the doctor was given examples, which no transcript keeps"),
        (both | {"few_shot": "other.yaml"}, "--few-shot: the doctor was given other examples"),
    ):
        with pytest.raises(UsageError, match=f"{words} .mend: `consult fork` with the same .*: --inquirer reference"):
            fork_of(t, 1, given, models=models)
    with pytest.raises(UsageError, match=r"--few-shot: the doctor was not given examples .mend: leave --few-shot out"):
        fork_of(play(setup_with(server)), 1, {"few_shot": "few.yaml"}, models=models)
    another = fork_of(t, 1, {"inquirer": "llm:openai/b", "few_shot": "few.yaml"}, models=models)
    assert set(another.provenance.prompts) - set(setup_with(server).provenance.prompts) == {"inquirer/few-shot"}
    with pytest.raises(UsageError, match="--few-shot: no inquirer is a model"):
        fork_of(t, 1, {"inquirer": "reference", "few_shot": "few.yaml"}, models=models)


def test_a_fork_of_a_batch_has_them_from_its_plan(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSULT_API_BASE", server.url)
    words = ("--name", "r", "--scenarios", CASE, "--inquirer", MODEL, "--max-turns", "4", "--few-shot", "few.yaml")
    assert CliRunner().invoke(cli, ["batch", *words]).exit_code == 0
    with Store("transcripts/consult.db", readonly=True) as store:
        (ident,) = store.members("r").values()
    assert setup_of({"parent": ident, "turn": "1"}, Path("transcripts/consult.db")).aids.briefing.few_shot is not None
    done = CliRunner().invoke(cli, ["fork", ident, "--turn", "1", "--no-save", "--quiet"])
    assert done.exit_code == 0, done.output
    Path("few.yaml").unlink()
    refused = CliRunner().invoke(cli, ["fork", ident, "--turn", "1", "--no-save"])
    assert refused.exit_code == 2
    assert "--few-shot: the doctor was given examples, which no transcript keeps" in refused.stderr


# --- the case under test ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "case: indigestion_at_the_wheel\n    text: Anything.",
        "text: See indigestion_at_the_wheel for more.",
        "text: 'Doctor: hello. Patient: {opening} And so on.'",
        "text: '{upper}'",
    ],
    ids=["by its case", "by its id", "by its words", "in capitals"],
)
def test_an_example_of_the_case_is_refused(text: str, server: ScriptedServer, scenarios: dict[str, Scenario]) -> None:
    s = scenarios[CASE]
    said = s.opening
    assert len(said.split()) >= 8
    text = text.replace("{opening}", said.replace("'", "''")).replace("{upper}", said.upper().replace("'", "''"))
    Path("few.yaml").write_text(f"examples:\n  - text: Fine.\n  - {text}\n", "utf-8")
    out = run(server, "--few-shot", "few.yaml")
    assert (out.exit_code, out.stdout) == (2, ""), out.output
    assert re.match(rf"few\.yaml:3: examples\[1\]: carries the case {CASE}, .* \(mend: ", out.stderr), out.stderr
    assert not server.requests
    assert setup_with(server, scenarios=("barking_at_night",), few_shot="few.yaml")


def test_each_case_carries_itself_and_no_other(scenarios: dict[str, Scenario]) -> None:
    """Else an example could slip through, or a batch with examples of other cases could not be made."""
    for s in scenarios.values():
        words = "\n".join((s.title, s.opening, *(i.caption for i in s.images), *(f.text for f in s.facts)))
        found = [other.id for other in scenarios.values() if carried(Example(text=words), other)]
        assert found == [s.id]


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        (
            "few.yaml",
            "examples:\n  - text: '{{ gold }}'\n",
            "few.yaml: examples[0].text: 'gold' is undefined (mend: its fields are: age, ",
        ),
        ("few.yaml", "examples:\n  - text: '{% if %}'\n", "few.yaml: examples[0].text: Expected an expression"),
        (
            "few.yaml",
            "examples:\n  - text: '{{ 1 / 0 }}'\n",
            "few.yaml: examples[0].text: cannot be rendered: division by zero",
        ),
        ("few.yaml", "examples: []\n", "few.yaml:1: examples: should have at least 1 item"),
        ("few.yaml", "examples:\n  - texts: a\n", "did you mean `text`"),
        ("few.yaml", "examples:\n  - text: ''\n", "few.yaml:2: examples[0].text: "),
        ("doctor.md", "a\n{% if %}", "doctor.md:2: Expected an expression"),
        ("doctor.md", "{{ diagnosis }}", "doctor.md: 'diagnosis' is undefined"),
        ("doctor.md", " \n", "doctor.md: (file): is empty"),
        ("doctor.md", "\udcff", "doctor.md: (file): is not UTF-8"),
    ],
)
def test_a_bad_file_says_what_is_wrong(file: str, content: str, words: str, server: ScriptedServer) -> None:
    Path(file).write_bytes(content.encode("utf-8", "surrogateescape"))
    option = "--few-shot" if file == "few.yaml" else "--persona-prompt"
    out = run(server, option, file)
    assert (out.exit_code, out.stdout) == (2, ""), out.output
    assert words in out.stderr
    assert not server.requests
    assert not Path("transcripts").exists()


def test_files_that_nobody_would_read_are_refused(server: ScriptedServer) -> None:
    for option, file in (("--persona-prompt", "doctor.md"), ("--few-shot", "few.yaml")):
        out = run(server, option, file, "--inquirer", "reference")
        assert (out.exit_code, out.stderr.startswith(f"{option}: no inquirer is a model")) == (2, True), out.output
        assert run(server, option, "none.txt").exit_code == 2


def test_check_knows_examples_and_plans_that_name_them(server: ScriptedServer) -> None:
    assert check_paths([Path("few.yaml")]) == []
    Path("plan.yaml").write_text("few_shot: few.yaml\npersona_prompt: none.md\nclassifier: simulated:2/3\n", "utf-8")
    assert [e.field for e in check_paths([Path("plan.yaml")])] == ["classifier", "persona_prompt"]
    Path("few.yaml").write_text("examples:\n  - text: a\n    cases: b\n", "utf-8")
    assert [e.field for e in check_paths([Path("few.yaml")])] == ["examples[0].cases"]


def test_every_template_field_is_offered(server: ScriptedServer) -> None:
    Path("doctor.md").write_text("{{ age }}|{{ sex }}|{{ speaker }}|{{ strategy }}|{{ pictures }}", "utf-8")
    play(setup_with(server, persona_prompt="doctor.md", strategy="rationale", pictures="text-only"))
    assert "58 years|male|self|rationale|text-only" in server.requests[0]["messages"][0]["content"]


def test_schemas_are_printed() -> None:
    consult: Callable[..., Result] = CliRunner().invoke
    for kind, word in (("few-shot", "examples"), ("predictions", "classifier")):
        out = consult(cli, ["schema", kind])
        assert (out.exit_code, word in out.stdout) == (0, True)
