"""Nothing is paid twice: the ledger, resuming after kill -9, cassettes, and no key in any of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from llm_world import ENDPOINT, HELLO, OBJECT, SECRET, Told
from scripted_server import Drip, Say, ScriptedServer, completion

from consult.errors import DataError, StoreError
from consult.llm.account import Budget
from consult.llm.base import Answer, Enforced, Message, OnText, Outcome, Reply, Request, Usage
from consult.llm.client import Client
from consult.llm.errors import BudgetSpent, CallError, Kind
from consult.llm.ledger import Key, Player, Recorder, SqliteLedger

WHERE: dict[str, Any] = {"consultation": "c", "epoch": 0, "role": "patient", "turn": 1, "attempt": 0}


def ask(client: Client, request: Request = HELLO, on_text: OnText | None = None, **where: Any) -> Reply:
    at = WHERE | where
    calls = client.calls(at["consultation"], epoch=at["epoch"])
    return calls.ask(ENDPOINT, request, role=at["role"], turn=at["turn"], attempt=at["attempt"], on_text=on_text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "ledger.db"


def test_what_was_answered_is_not_asked_again(path: Path) -> None:
    told = Told(completion("It hurts.", reasoning_content="Say little."))
    with Client(transport=told, ledger=SqliteLedger(path)) as client:
        first = ask(client)
    nothing, heard = Told(), list[str | None]()
    with Client(transport=nothing, ledger=SqliteLedger(path)) as client:
        second = ask(client, on_text=heard.append)
        assert client.account.total().kept == 1
    assert nothing.bodies == []
    assert heard == ["It hurts."]
    assert (first.kept, first.sent, second.kept, second.sent) == (0, 1, 1, 0)
    assert replace(second, kept=0, sent=1, seconds=first.seconds) == first
    assert second.seconds == pytest.approx(first.seconds, abs=1e-4)


@pytest.mark.parametrize(
    "other", [{"consultation": "d"}, {"epoch": 1}, {"role": "inquirer"}, {"turn": 2}, {"attempt": 1}, {"request": OBJECT}],
    ids=lambda o: next(iter(o)),
)  # fmt: skip
def test_anything_else_is_asked(path: Path, other: dict[str, Any]) -> None:
    told = Told("one", '{"site": "chest", "days": 2}')
    with Client(transport=told, ledger=SqliteLedger(path)) as client:
        ask(client)
        assert ask(client, **other).kept == 0
    assert len(told.bodies) == 2


def test_answers_that_did_not_fit_are_kept_too(path: Path) -> None:
    told = Told("no", "```json\n{'site'}\n```", 'So: {"site": "chest", "days": 2} - done')
    with Client(transport=told, ledger=SqliteLedger(path)) as client:
        first = ask(client, OBJECT)
    nothing = Told()
    with Client(transport=nothing, ledger=SqliteLedger(path)) as client:
        second = ask(client, OBJECT)
    assert nothing.bodies == []
    assert (second.outcome, second.asks, second.kept) == (Outcome.OK, 3, 3)
    assert (second.value, second.problems, second.repairs) == (first.value, first.problems, ("first_object",))


def test_an_empty_answer_is_kept_and_does_not_answer_its_own_question_again(path: Path) -> None:
    for told in (Told("", "At last."), Told()):
        with Client(transport=told, ledger=SqliteLedger(path)) as client:
            reply = ask(client)
        assert (reply.text, reply.asks, reply.kept) == ("At last.", 2, 2 - len(told.bodies))


def test_a_failure_is_not_kept(path: Path) -> None:
    with Client(transport=Told(CallError(Kind.AUTH), "It hurts."), ledger=SqliteLedger(path)) as client:
        with pytest.raises(CallError):
            ask(client)
        assert ask(client).text == "It hurts."


def test_a_consultation_taken_up_again_has_the_same_budget_left(path: Path) -> None:
    def play(turns: int) -> int:
        with Client(transport=Told(), ledger=SqliteLedger(path)) as client:
            calls = client.calls("c", budget=Budget(calls=3))
            for turn in range(turns):
                calls.ask(ENDPOINT, HELLO, role="patient", turn=turn)
            return calls.account.total().kept

    assert play(2) == 0
    with pytest.raises(BudgetSpent):
        play(4)


CHILD = """
import sys
from llm_world import HELLO, Endpoint
from consult.llm.client import Client
from consult.llm.ledger import SqliteLedger
url, path = sys.argv[1:]
with Client(ledger=SqliteLedger(path)) as client:
    calls = client.calls("c")
    for turn in range(6):
        print(turn, flush=True)
        calls.ask(Endpoint("openai/local", url, timeout=60), HELLO, role="patient", turn=turn)
print("done", flush=True)
"""


def test_killed_and_taken_up_again_only_the_call_in_flight_is_repeated(path: Path) -> None:
    here = Path(__file__).resolve().parent
    paths = os.pathsep.join([str(here), str(here.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    with ScriptedServer() as server:
        server.will(*[Say()] * 3, Drip())
        command = [sys.executable, "-c", CHILD, server.url, str(path)]
        env = os.environ | {"PYTHONPATH": paths}
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            while child.stdout.readline() != "3\n":
                assert child.poll() is None
            server.wait_for(4)
            child.send_signal(signal.SIGKILL)
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert done.stdout.endswith("done\n")
        assert len(server.requests) == 7  # three kept, one lost in flight, three asked now


@pytest.mark.parametrize("kind", ["folder", "text", "closed"])
def test_a_ledger_that_cannot_be_used_says_so_in_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.db"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("this is no database, but it is long enough to be taken for one" * 20)
    with pytest.raises(StoreError, match=r"x\.db: the ledger cannot be used: .*mend") as caught:
        _closed_and_asked(path)
    assert "\n" not in str(caught.value)


def _closed_and_asked(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.close()
    ledger.get(Key("c", 0, "patient", 1, 0, 0, "r"))


# cassettes


def record(path: Path, told: Told, ledger: SqliteLedger | None = None) -> Reply:
    with Client(transport=told, ledger=Recorder(path, ledger)) as client:
        return ask(client, OBJECT)


def test_a_cassette_plays_without_a_server_whatever_the_consultation_is_called(tmp_path: Path) -> None:
    tape, nothing = tmp_path / "t" / "tape.jsonl", Told()
    first = record(tape, Told("no", '{"site": "chest", "days": 2}'))
    with Client(transport=nothing, ledger=Player(tape)) as client:
        for consultation in ("c", "of another version"):
            again = ask(client, OBJECT, consultation=consultation)
            assert (again.value, again.problems, again.kept) == (first.value, first.problems, 2)
        with pytest.raises(CallError, match=r"openai/local .*no such request .*patient, turn 9.*--record") as caught:
            ask(client, OBJECT, turn=9)
    assert caught.value.kind is Kind.NOT_RECORDED
    assert nothing.bodies == []


def test_a_cassette_is_whole_though_the_ledger_answered(tmp_path: Path) -> None:
    ledger = tmp_path / "l.db"
    with Client(transport=Told('{"site": "chest", "days": 2}'), ledger=SqliteLedger(ledger)) as client:
        ask(client, OBJECT)
    nothing = Told()
    record(tmp_path / "tape", nothing, SqliteLedger(ledger))
    assert nothing.bodies == []
    assert len((tmp_path / "tape").read_text().splitlines()) == 2


def test_only_a_torn_last_line_is_forgiven(tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    record(tape, Told("no", "no", "no"))
    lines = tape.read_text().splitlines()
    tape.write_text("\n".join([*lines[:3], lines[3][:30]]))
    assert len(Player(tape)._exact) == 2
    for broken in ([lines[0], lines[1][:30], lines[2]], ['{"cassette": 99}', *lines[1:]], ["hello"], [*lines[1:]]):
        tape.write_text("\n".join(broken))
        with pytest.raises(DataError, match=r"tape\.jsonl:\d: .*--record"):
            Player(tape)
    with pytest.raises(DataError, match="--replay: cannot be read"):
        Player(tmp_path / "none")


def test_a_cassette_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"--record: .* cannot be written"):
        Recorder(tmp_path)


def test_no_key_in_ledger_or_cassette(tmp_path: Path) -> None:
    tape, ledger = tmp_path / "tape", tmp_path / "l.db"
    echo = completion(f"I was called with {SECRET}", reasoning_content=f"Bearer {SECRET}", model=SECRET)
    with Client(transport=Told(echo), ledger=Recorder(tape, SqliteLedger(ledger))) as client:
        assert "[key]" in ask(client).text
    kept = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert b"I was called with" in kept
    assert SECRET.encode() not in kept
    assert json.loads(tape.read_text().splitlines()[1])["answer"]["model"] == "[key]"


def test_half_a_character_does_not_break_the_keeping(tmp_path: Path) -> None:
    half = json.loads('"hurts \\ud83d"')
    told = Told(completion(half, reasoning_content=half, model=half), "fine")
    with Client(transport=told, ledger=Recorder(tmp_path / "tape", SqliteLedger(tmp_path / "l.db"))) as client:
        assert ask(client).text == "hurts ?"
        assert ask(client, Request((Message("user", half),))).text == "fine"
    assert len(Player(tmp_path / "tape")._exact) == 2


def test_answers_come_back_as_they_were() -> None:
    full = Answer("a", "b", "stop", "c", "m", Usage(1, 2, 3, 4), 1.5, Enforced.OBJECT)
    for answer in (full, Answer(), Answer(usage=Usage(prompt=0))):
        assert Answer.of(json.loads(json.dumps(answer.plain()))) == answer
