"""`consult agents test` at a scripted server: what works, what does not, and the words for it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from llm_world import SECRET
from scripted_server import Behaviour, Fail, Json, Reset, Say, ScriptedServer

from consult.cli.main import cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "models.md"
Script = Callable[[Json], Behaviour]


def able(asked: Json) -> Behaviour:
    """A server that can do everything."""
    if "response_format" in asked:
        return Say('{"site": "chest", "days": 3}')
    return Say("Red.") if isinstance(asked["messages"][-1]["content"], list) else Say("I am ready.")


def old(asked: Json) -> Behaviour:
    """One that knows neither schemas nor pictures, and thinks aloud."""
    if "response_format" in asked:
        return Fail(400, message="unknown field response_format")
    if isinstance(asked["messages"][-1]["content"], list):
        return Fail(500, message="image input is not supported")
    if "JSON Schema" in asked["messages"][-1]["content"]:
        return Say('<think>chest</think>```json\n{"site": "head", "days": 3}\n```')
    return Say("<think>Hm.</think>Ready.")


def weak(asked: Json) -> Behaviour:
    """One that says the same whatever it is asked."""
    return Say("A restful day at the beach.")


@pytest.fixture
def tested(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Result, ScriptedServer]]]:
    monkeypatch.setenv("CONSULT_API_KEY", SECRET)
    servers: list[ScriptedServer] = []

    def run(script: Any, *args: str) -> tuple[Result, ScriptedServer]:
        server = ScriptedServer(script).__enter__()
        servers.append(server)
        command = ["agents", "test", "llm:openai/local", "--api-base", server.url, *args]
        return CliRunner().invoke(cli, command, prog_name="consult"), server

    yield run
    for server in servers:
        server.__exit__()


def rows(result: Result) -> dict[str, Json]:
    return {row["check"]: row for row in json.loads(result.stdout)}


def test_a_server_that_can_do_everything(tested: Any) -> None:
    result, server = tested(able, "--json")
    found = rows(result)
    assert result.exit_code == 0
    assert [found[c]["good"] for c in ("answer", "thinking", "schema", "image", "price")] == [
        True,
        None,
        True,
        True,
        None,
    ]
    assert found["answer"]["words"] == "scripted-1: I am ready."
    assert "not known" in found["price"]["words"]
    assert len(server.requests) == 3
    assert server.headers[0]["authorization"] == f"Bearer {SECRET}"


def test_a_server_that_is_old_will_do(tested: Any) -> None:
    result, _ = tested(old, "--json")
    found = rows(result)
    assert result.exit_code == 0
    assert found["schema"]["good"] is True
    assert "asked for in words; mended: fence; fits, but is wrong" in found["schema"]["words"]
    assert "takes no pictures" in found["image"]["words"]
    assert "4 characters" not in found["thinking"]["words"]
    assert "3 characters" in found["thinking"]["words"]


def test_a_model_that_gives_no_object_fails(tested: Any) -> None:
    result, server = tested(weak)
    assert result.exit_code == 3
    assert "asked 3 times" in " ".join(result.stdout.split())
    assert "does not see that it is red" in " ".join(result.stdout.split())
    assert len(server.requests) == 5


def test_a_spec_may_end_as_an_agents_does(tested: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, server = tested(able)
    for spec, bound in (("llm:openai/local+max-tokens=40", 40), ("llm:openai/local+rationale+image+max-tokens=7", 7),
                        ("llm:openai/local+resolver", 1000)):  # fmt: skip
        server.forget()
        out = CliRunner().invoke(cli, ["agents", "test", spec, "--api-base", server.url], prog_name="consult")
        assert out.exit_code == 0, out.output
        assert {(asked["model"], asked["max_tokens"]) for asked in server.requests} == {("local", bound)}


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Fail(401, message=f"no such key {SECRET}"), "set CONSULT_API_KEY to a valid key"),
        (Fail(404), "correct the model's name"),
        (Reset(), "after 2 attempts"),
    ],
    ids=["key", "model", "reset"],
)
def test_a_server_that_does_not_answer_is_one_line(tested: Any, behaviour: Behaviour, words: str) -> None:
    result, _ = tested(behaviour)
    assert (result.exit_code, result.stdout) == (3, "")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert SECRET not in result.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["reference"], "names no model"),
        (["llm:"], "names no model"),
        (["llm:openai/x", "--api-base", "here"], "is no address"),
        (["llm:openai/x+max-tokens=0"], "is no bound on an answer"),
        (["llm:openai/x+max_tokens=40"], "mend: +max-tokens="),
        (["llm:openai/x+image+text-only"], "SPEC: 'llm:openai/x+image+text-only' says twice"),
    ],
)
def test_bad_input_is_one_line_and_code_2(args: list[str], words: str) -> None:
    result = CliRunner().invoke(cli, ["agents", "test", *args], prog_name="consult")
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_commands_of_the_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = re.findall(r"^consult agents test .*--api-base.*$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert lines
    with ScriptedServer(able) as server:
        for line in lines:
            words = [server.url if w.startswith("http") else w for w in shlex.split(line)]
            assert CliRunner().invoke(cli, words[1:], prog_name="consult").exit_code == 0, line
        assert server.requests
