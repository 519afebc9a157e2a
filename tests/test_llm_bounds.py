"""How long answers may be, and what becomes of questions that a server cannot read: both are what small models live by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from llm_world import ENDPOINT, OBJECT, Told
from scripted_server import Fail, Json, ScriptedServer, acts, asked_as, concludes, plays

from consult.agents.llm.spec import parse
from consult.agents.llm.talk import Models
from consult.batch.plan import Plan
from consult.errors import UsageError
from consult.events import Guarded, Stopped
from consult.judge.panel import panel_of
from consult.llm.account import Budget
from consult.llm.base import Message, Outcome, Request
from consult.llm.client import Client
from consult.llm.errors import CallError, Kind, UnusableReply
from consult.llm.ledger import Player, Recorder
from consult.settings import Limits
from consult.sim.session import Setup, play

Make = Callable[..., Setup]
MODEL = "llm:openai/local"
LLAMA = "the request exceeds the available context size. try increasing the context size or enable context shift"


def test_a_plan_bounds_the_answers_of_models_that_say_nothing_of_their_own() -> None:
    plan = Plan(inquirer=(MODEL, f"{MODEL}+rationale+max-tokens=300"), patient=f"{MODEL}+resolver", max_tokens=80)
    first, second = plan.team
    assert first.inquirer == f"{MODEL}+max-tokens=80"
    assert second.inquirer == f"{MODEL}+rationale+max-tokens=300"
    assert first.patient == f"{MODEL}+resolver+max-tokens=80"
    assert (first.recipient, first.assessor) == ("reference", "reference")
    said = parse("patient", first.patient)
    assert (said.model, said.resolves, said.max_tokens) == ("openai/local", True, 80)
    assert Plan(assessor="llm:x", max_tokens=80).team[0].assessor == "llm:x", "a judge says it for itself"
    assert Plan(inquirer=(MODEL,)).team[0].inquirer == MODEL
    judges = panel_of("llm:x+max-tokens=200,llm:y", api_base="http://127.0.0.1:9/v1").judges
    assert [(j.endpoint.model, j.sampling.max_tokens) for j in judges] == [("x", 200), ("y", 1500)]


@pytest.mark.parametrize(
    "spec", ["+max-tokens=", "+max-tokens=0", "+max-tokens=many", "+max-tokens=9999999", "+max-tokens=-1"]
)
def test_a_bound_that_is_none_is_refused(spec: str) -> None:
    for refused in (lambda: parse("patient", MODEL + spec), lambda: panel_of(MODEL + spec)):
        with pytest.raises(UsageError, match=r"no bound on an answer \(mend: tokens"):
            refused()
    with pytest.raises(UsageError, match="says twice"):
        parse("patient", f"{MODEL}+max-tokens=80+max-tokens=90")


def test_each_role_has_its_own_bound_and_the_server_is_told_it(setup_of: Make, server: ScriptedServer) -> None:
    plan = Plan(inquirer=(f"{MODEL}+max-tokens=300",), patient=MODEL, triage=MODEL, max_tokens=80)
    agents = plan.team[0].agents
    play(replace(setup_of(agents=agents, limits=Limits(1, 0)), models=Models(server.url)))
    assert {(asked_as(r), r["max_tokens"]) for r in server.requests} == {
        ("inquirer", 300), ("patient", 80), ("triage", 80),
    }  # fmt: skip
    server.forget()
    play(replace(setup_of(agents={"patient": MODEL}, limits=Limits(0, 0)), models=Models(server.url)))
    assert {r["max_tokens"] for r in server.requests} == {1000}


# what a server cannot read


def narrow(characters: int, answers: Callable[[Json], Any] | None = None) -> Callable[[Json], Any]:
    """A server whose context holds so much."""

    def answer(body: Json) -> Any:
        if sum(len(m["content"]) for m in body["messages"]) > characters:
            return CallError(Kind.TOO_LONG, LLAMA, status=400)
        return (answers or (lambda _: "no"))(body)

    return answer


def ask(told: Told, request: Request, **settings: Any) -> Any:
    with Client(transport=told, **settings) as client:
        return client.calls("c", budget=Budget(calls=20)).ask(ENDPOINT, request, role="inquirer", turn=1)


def test_asking_again_shows_the_last_answer_alone() -> None:
    told = Told("one", "two", '{"site": "chest", "days": 2}')
    assert ask(told, OBJECT).outcome is Outcome.OK
    assert [[m["content"] for m in b["messages"] if m["role"] == "assistant"] for b in told.bodies] == [
        [],
        ["one"],
        ["two"],
    ]


def test_where_the_error_does_not_fit_it_is_shown_in_brief_and_else_it_is_told_plainly() -> None:
    long = "x" * 1500
    told = Told(long, then=narrow(1000, lambda _: '{"site": "chest", "days": 2}'))
    reply = ask(told, OBJECT)
    assert (reply.outcome, reply.asks) == (Outcome.OK, 2)
    assert [len(b["messages"][-2]["content"]) for b in told.bodies[1:]] == [1500, 200]
    nothing = ask(Told(then=narrow(10)), OBJECT)
    assert (nothing.outcome, nothing.asks, nothing.cost) == (Outcome.TOO_LONG, 0, 0)
    with pytest.raises(UnusableReply, match=r"too_long: .*longer than the model can read.*longer context") as caught:
        nothing.given()
    assert caught.value.stop == "model_error"


def shown(n: int) -> Request:
    """A request of `n` lines that can do with half of them."""
    return Request((Message("user", "line. " * n),), less=(lambda: shown(n // 2)) if n > 1 else None)


def test_less_is_asked_until_it_fits_and_a_cassette_answers_the_same(tmp_path: Any) -> None:
    tape = tmp_path / "tape.jsonl"
    told = Told(then=narrow(100))
    assert ask(told, shown(64), ledger=Recorder(tape)).text == "no"
    assert [len(b["messages"][0]["content"]) // 6 for b in told.bodies] == [64, 32, 16]
    assert ask(Told(), shown(64), ledger=Player(tape)).text == "no"
    with pytest.raises(CallError, match="no such request"):
        ask(Told(), Request((Message("user", "another"),)), ledger=Player(tape))


def test_a_doctor_forgets_older_turns_before_it_gives_up(setup_of: Make, server: ScriptedServer) -> None:
    """And a patient whose model cannot read is said by the template; neither is a failure of the server."""

    def small(asked: Json) -> Any:
        text = "".join(m["content"] for m in asked["messages"])
        if text.count("Doctor: ") > 2:
            return Fail(400, message=LLAMA)
        return acts(concludes()) if "left out]" in text else plays(asked)

    server.default = small
    t = play(replace(setup_of(agents={"inquirer": MODEL}), models=Models(server.url)))
    assert next(e for e in t.events if isinstance(e, Stopped)).reason == "concluded"
    seen = [r["messages"][1]["content"] for r in server.requests if "left out]" in r["messages"][1]["content"]]
    assert seen
    assert all(words.splitlines()[1].startswith("Patient: ") for words in seen), "the first words stay"
    assert all(words.splitlines()[2].endswith("lines in between are left out]") for words in seen)
    server.default = Fail(400, message=LLAMA)
    ends = {}
    for role in ("inquirer", "patient", "triage"):
        events = play(replace(setup_of(agents={role: MODEL}, limits=Limits(1, 0)), models=Models(server.url))).events
        ends[role] = next(e for e in events if isinstance(e, Stopped))
        if role == "patient":
            assert {(g.about, g.attempt, g.action) for g in events if isinstance(g, Guarded)} == {
                ("too_long", 1, "replaced")
            }
    assert [e.reason for e in ends.values()] == ["model_error", "concluded", "infrastructure_error"]
    assert "longer than the model can read" in ends["inquirer"].detail
