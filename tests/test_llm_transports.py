"""One conformance for both transports, over real sockets: the same faults of a server give the same outcomes and errors."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Annotated

import pytest
from aiohttp import web
from llm_world import HELLO, OBJECT, SECRET, Complaint, Time
from pydantic import BaseModel
from scripted_server import Behaviour, Cut, Drip, Endless, Fail, Json, Raw, Reset, Say, ScriptedServer, redirect

from consult.llm import direct
from consult.llm.base import Enforced, Image, Message, Outcome, Reply, Request, Sampling
from consult.llm.client import Calls, Client
from consult.llm.endpoint import Endpoint
from consult.llm.errors import CallError, Kind
from consult.llm.pacing import Retry
from consult.llm.structured import at_most

pytestmark = [  # about litellm's own types, from inside litellm
    pytest.mark.filterwarnings("ignore:Item .* on TypedDict class:UserWarning"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_\\w+' attribute on the instance:DeprecationWarning"),
]
TRANSPORTS = ("direct", "litellm")


@pytest.fixture(scope="module")
def running() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


class World:
    """A client at the server, by one transport, with time that does not pass."""

    def __init__(self, server: ScriptedServer, kind: str) -> None:
        self.server = server
        self.kind = kind
        self.time = Time()
        self.client = Client(retry=Retry(attempts=3), clock=self.time.clock, sleep=self.time.sleep)
        self.calls: Calls = self.client.calls("c")

    def endpoint(self, **fields: object) -> Endpoint:
        settings = {"key": SECRET, "transport": self.kind} | fields
        return Endpoint("openai/local", self.server.url, **settings)  # type: ignore[arg-type]

    def ask(self, request: Request, *behaviours: Behaviour, **fields: object) -> tuple[Reply, int]:
        """The reply, and how many requests the server had."""
        self.server.forget()
        self.server.will(*behaviours)
        reply = self.calls.ask(self.endpoint(**fields), request, role="patient", turn=1)
        return reply, len(self.server.requests)

    def fails(self, *behaviours: Behaviour, **fields: object) -> CallError:
        with pytest.raises(CallError) as caught:
            self.ask(HELLO, *behaviours, **fields)
        return caught.value


@pytest.fixture(params=TRANSPORTS)
def world(request: pytest.FixtureRequest, running: ScriptedServer) -> Iterator[World]:
    made = World(running, request.param)
    with made.client:
        yield made


def test_an_answer_comes_with_everything(world: World) -> None:
    usage = {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29}
    usage |= {"completion_tokens_details": {"reasoning_tokens": 4}, "prompt_tokens_details": {"cached_tokens": 16}}  # type: ignore[dict-item]
    said = Say("It hurts.", model="scripted-7b", usage=usage, message={"reasoning_content": "Say little."})
    reply, seen = world.ask(HELLO, said)
    assert (reply.outcome, reply.text, reply.thinking) == (Outcome.OK, "It hurts.", "Say little.")
    assert (reply.model, reply.asks, reply.sent, seen) == ("scripted-7b", 1, 1, 1)
    assert (reply.usage.prompt, reply.usage.completion, reply.usage.thinking, reply.usage.cached) == (20, 9, 4, 16)
    assert reply.cost is None  # nobody knows what a server of one's own costs
    assert reply.given() == "It hurts."


def test_the_server_gets_what_was_asked(world: World) -> None:
    picture = Image(data=b"\xff\xd8abc", caption="a rash")
    request = Request(
        (Message("system", "Be brief."), Message("user", "See:", (picture,))),
        sampling=Sampling(temperature=0.5, max_tokens=40, seed=7, stop=("END",)),
    )
    world.ask(request, Say())
    asked, headers = world.server.requests[-1], world.server.headers[-1]
    assert {k: asked[k] for k in ("model", "temperature", "max_tokens", "seed", "stop")} == {
        "model": "local", "temperature": 0.5, "max_tokens": 40, "seed": 7, "stop": ["END"],
    }  # fmt: skip
    assert [m["role"] for m in asked["messages"]] == ["system", "user"]
    text, image = asked["messages"][1]["content"]
    assert (text["text"], image["image_url"]["url"]) == ("See:", "data:image/jpeg;base64,/9hhYmM=")
    assert headers["authorization"] == f"Bearer {SECRET}"
    world.ask(request, Say(), vision=False)
    assert world.server.requests[-1]["messages"][1]["content"] == "See:\n[picture: a rash]"


OUTCOMES: dict[str, tuple[Behaviour, Outcome, str, str, int]] = {
    "think tags": (Say("<think>Say little.</think>\nIt hurts."), Outcome.OK, "It hurts.", "Say little.", 1),
    "open think tag": (Say("<think>Say li", finish="length"), Outcome.TRUNCATED, "", "Say li", 1),
    "empty": (Say(""), Outcome.EMPTY, "", "", 3),
    "null": (Say(None), Outcome.EMPTY, "", "", 3),
    "thinking only": (Say("", message={"reasoning_content": "Hm."}), Outcome.EMPTY, "", "Hm.", 3),
    "no choices": (Raw('{"choices": []}'), Outcome.EMPTY, "", "", 3),
    "truncated": (Say("It hur", finish="length"), Outcome.TRUNCATED, "It hur", "", 1),
    "refused": (Say(None, message={"refusal": "I cannot."}), Outcome.REFUSED, "", "", 1),
    "filtered answer": (Say("", finish="content_filter"), Outcome.FILTERED, "", "", 1),
    "filtered question": (Fail(400, code="content_filter", message="filtered"), Outcome.FILTERED, "", "", 1),
    "too long": (Fail(400, code="context_length_exceeded"), Outcome.TOO_LONG, "", "", 1),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_kind_of_answer_has_its_outcome(world: World, name: str) -> None:
    behaviour, outcome, text, thinking, asked = OUTCOMES[name]
    reply, seen = world.ask(HELLO, *[behaviour] * 3)
    assert (reply.outcome, reply.text, reply.thinking, seen) == (outcome, text, thinking, asked)
    assert bool(reply.problems) is (outcome is not Outcome.OK)


FINAL: dict[str, tuple[Behaviour, Kind, str]] = {
    "401": (Fail(401), Kind.AUTH, "set CONSULT_API_KEY"),
    "403": (Fail(403), Kind.AUTH, "set CONSULT_API_KEY"),
    "404": (Fail(404), Kind.NOT_FOUND, "--api-base"),
    "400": (Fail(400, message="temperature is out of range"), Kind.BAD_REQUEST, "temperature is out of range"),
    "no credit": (Fail(429, code="insufficient_quota"), Kind.QUOTA, "add credit"),
    "redirect": (redirect("http://127.0.0.1:9/v1/chat/completions"), Kind.REDIRECT, "--api-base"),
}


@pytest.mark.parametrize("name", FINAL)
def test_what_no_second_attempt_can_mend_fails_at_once_with_what_to_set(world: World, name: str) -> None:
    behaviour, kind, words = FINAL[name]
    error = world.fails(behaviour)
    assert (error.kind, len(world.server.requests), world.time.slept) == (kind, 1, [])
    assert words in str(error)
    assert "\n" not in str(error)
    assert world.server.url in str(error)


PASSING: dict[str, tuple[Behaviour, Kind]] = {
    "429": (Fail(429), Kind.RATE_LIMIT),
    "500": (Fail(500), Kind.OVERLOAD),
    "502 in HTML": (Fail(502, body="<html>Bad gateway</html>"), Kind.OVERLOAD),
    "503": (Fail(503), Kind.OVERLOAD),
    "504": (Fail(504), Kind.TIMEOUT),
    "reset": (Reset(), Kind.RESET),
    "cut": (Cut(), Kind.RESET),
    "no JSON": (Raw("{nope"), Kind.GARBLED),
    "no body": (Raw(""), Kind.GARBLED),
    "another format": (Raw('{"generated_text": "hello"}'), Kind.GARBLED),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_may_pass_is_tried_again_within_bounds(world: World, name: str) -> None:
    behaviour, kind = PASSING[name]
    reply, seen = world.ask(HELLO, behaviour, behaviour, Say("At last."))
    assert (reply.outcome, reply.text, reply.sent, seen) == (Outcome.OK, "At last.", 3, 3)
    assert 0.25 <= world.time.slept[0] < 0.5 <= world.time.slept[1] < 1.0
    error = world.fails(*[behaviour] * 4)
    assert (error.kind, error.attempts, len(world.server.requests)) == (kind, 3, 3)


@pytest.mark.parametrize("behaviour", [Drip(), Endless()], ids=["drip", "endless"])
def test_nobody_waits_for_ever(world: World, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "MOST_BYTES", 100_000)
    error = world.fails(*[behaviour] * 3, timeout=0.2)
    ends = {"direct": Kind.GARBLED, "litellm": Kind.TIMEOUT}[world.kind]  # litellm reads on until the time is up
    assert error.kind is (ends if isinstance(behaviour, Endless) else Kind.TIMEOUT)
    assert len(world.server.requests) == 3


def test_nothing_answers(world: World) -> None:
    nowhere = Endpoint("openai/local", "http://127.0.0.1:9/v1", transport=world.kind)
    with pytest.raises(CallError) as caught:
        world.calls.ask(nowhere, HELLO, role="patient", turn=1)
    assert (caught.value.kind, caught.value.attempts) == (Kind.UNREACHABLE, 3)
    assert "start the server" in str(caught.value)


def test_a_proxy_of_the_environment_is_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.server.forget()
    proxy = world.server.url.removesuffix("/v1").replace("//", "//me:proxypassword@")
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    there = Endpoint("openai/local", "http://models.example/v1", key=SECRET, transport=world.kind)
    assert world.calls.ask(there, HELLO, role="patient", turn=1).text == "A proper answer."
    headers = world.server.headers[-1]
    assert (headers["host"], headers["authorization"]) == ("models.example", f"Bearer {SECRET}")
    assert headers["proxy-authorization"].startswith("Basic ")


def test_a_server_on_this_machine_is_reached_past_every_proxy(
    running: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://me:proxypassword@127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "lab.example")
    world = World(running, "direct")
    with world.client:
        assert world.ask(HELLO, Say())[0].outcome is Outcome.OK
        with pytest.raises(CallError, match="HTTP_PROXY") as caught:
            world.calls.ask(Endpoint("openai/x", "http://models.example/v1"), HELLO, role="patient", turn=1)
    assert caught.value.kind is Kind.UNREACHABLE
    assert "proxypassword" not in str(caught.value)
    reached = [f"http://{host}/v1" for host in ("localhost", "[::1]:8081", "a.localhost", "gpu.lab.example:8000")]
    assert [direct._proxy_to(url) for url in reached] == [None] * 4


def test_a_key_with_a_line_break_within_is_the_keys_trouble(running: ScriptedServer) -> None:
    world = World(running, "direct")
    with world.client:
        assert world.fails(key="two\nlines").kind is Kind.AUTH


@pytest.mark.parametrize("headers", [{"retry-after": "7"}, {"retry-after-ms": "7000"}], ids=["seconds", "milliseconds"])
def test_retry_after_is_honoured(world: World, headers: dict[str, str]) -> None:
    reply, _ = world.ask(HELLO, Fail(429, headers), Say())
    assert reply.outcome is Outcome.OK
    assert world.time.slept[0] == 7.0


def test_a_server_that_asks_for_too_long_a_wait_is_given_up(world: World) -> None:
    assert world.fails(Fail(429, {"retry-after": "3600"})).kind is Kind.RATE_LIMIT
    assert world.time.slept == []


def test_an_object_is_asked_for_by_schema_and_validated(world: World) -> None:
    reply, _ = world.ask(OBJECT, Say('{"site": "chest", "days": 14}'))
    assert reply.given() == Complaint(site="chest", days=14)
    assert (reply.enforced, reply.repairs, reply.problems) == (Enforced.SCHEMA, (), ())
    sent = world.server.requests[-1]["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["strict"] is True
    assert sent["json_schema"]["schema"]["required"] == ["site", "days"]
    assert sent["json_schema"]["schema"]["additionalProperties"] is False


def test_a_server_without_schemas_is_asked_in_a_weaker_way_from_then_on(world: World) -> None:
    no = Fail(400, message="'response_format' of this type is not supported")
    reply, seen = world.ask(OBJECT, no, no, Say('Here:\n```json\n{"site": "chest", "days": 14}\n```'))
    assert (reply.given().days, reply.enforced, reply.repairs, seen) == (14, Enforced.PROMPT, ("fence",), 3)
    assert world.time.slept == []
    kinds = [r.get("response_format", {}).get("type") for r in world.server.requests]
    assert kinds == ["json_schema", "json_object", None]
    assert '"days"' in world.server.requests[-1]["messages"][-1]["content"]
    assert world.ask(OBJECT, Say('{"site": "chest", "days": 1}'))[1] == 1
    assert "response_format" not in world.server.requests[-1]


def test_a_server_that_takes_no_lengths_is_given_the_schema_without_them(world: World) -> None:
    class Named(BaseModel):
        name: Annotated[str, at_most(maxLength=9)]

    wrong = (
        "Invalid schema for response_format 'Named': In context=('properties', 'name'), 'maxLength' is not permitted."
    )
    reply, seen = world.ask(Request(HELLO.messages, Named), Fail(400, message=wrong), Say('{"name": "Ann"}'))
    assert (reply.given().name, reply.enforced, seen) == ("Ann", Enforced.SHAPE, 2)
    held, less = (r["response_format"]["json_schema"]["schema"]["properties"] for r in world.server.requests)
    assert (held, less) == ({"name": {"type": "string", "maxLength": 9}}, {"name": {"type": "string"}})


def test_a_wrong_object_is_asked_for_again_with_the_error_shown(world: World) -> None:
    reply, seen = world.ask(OBJECT, Say('{"site": "chest"}'), Say('{"site": "chest", "days": "two"}'), Say("{"))
    assert (reply.outcome, reply.asks, seen) == (Outcome.INVALID, 3, 3)
    assert [p.partition(":")[0] for p in reply.problems] == ["days", "days", "the answer"]
    shown = world.server.requests[1]["messages"]
    assert [m["role"] for m in shown[-2:]] == ["assistant", "user"]
    assert shown[-2]["content"] == '{"site": "chest"}'
    assert "days: Field required" in shown[-1]["content"]


def test_a_stream_is_heard_and_put_together(world: World) -> None:
    heard: list[str | None] = []
    usage = {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29}
    world.server.forget()
    world.server.will(Cut(), Say("<think>Say little.</think>It hurts when I run.", usage=usage))
    reply = world.calls.ask(world.endpoint(), HELLO, role="patient", turn=1, on_text=heard.append)
    assert (reply.text, reply.thinking, reply.sent) == ("It hurts when I run.", "Say little.", 2)
    assert (reply.usage.prompt, reply.usage.completion) == (20, 9)
    again = heard.index(None)
    assert "".join(str(x) for x in heard[again + 1 :]) == "It hurts when I run."
    assert len(heard[again + 1 :]) > 3
    assert all(r["stream"] for r in world.server.requests)


class Fades(Say):
    """A stream that is over, though nobody said that this is the end."""

    async def __call__(self, request: web.Request, asked: Json) -> web.StreamResponse:
        chunk = {"choices": [{"index": 0, "delta": {"content": "It hur"}, "finish_reason": None}]}
        return web.Response(text=f"data: {json.dumps(chunk)}\n\n", content_type="text/event-stream")


@pytest.mark.parametrize(
    ("behaviour", "kind"), [(Fades(), Kind.RESET), (Endless(), Kind.GARBLED)], ids=["fades", "endless"]
)
def test_a_stream_without_its_end_is_no_answer(
    running: ScriptedServer, behaviour: Behaviour, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "MOST_BYTES", 100_000)
    world = World(running, "direct")
    running.forget()
    running.will(*[behaviour] * 3)
    with world.client, pytest.raises(CallError) as caught:
        world.calls.ask(world.endpoint(timeout=5.0), HELLO, role="patient", turn=1, on_text=lambda _: None)
    assert (caught.value.kind, len(running.requests)) == (kind, 3)


def test_no_key_in_any_error_log_or_print(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"error": {"message": f"key {SECRET} is wrong; Authorization: Bearer {SECRET}"}})
    errors = [world.fails(Fail(status, body=body)) for status in (400, 401)]
    errors.append(world.fails(*[Fail(500, body=f"trace: {SECRET}")] * 3))
    reply, _ = world.ask(HELLO, Say(f"My key is {SECRET}."))
    shown = [*(f"{e} {e!r} {e.args} {vars(e)}" for e in errors), repr(reply), repr(world.endpoint()), caplog.text]
    assert [s for s in shown if SECRET in s] == []
    assert "[key]" in str(errors[0])
    assert reply.text == "My key is [key]."
    out, err = capfd.readouterr()
    assert out + err == ""


def test_the_key_of_openai_is_not_sent_to_another_server(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai-alone")
    monkeypatch.delenv("CONSULT_API_KEY", raising=False)
    world.ask(HELLO, Say(), key="")
    assert "sk-of-openai-alone" not in str(world.server.headers[-1])


def test_connections_are_used_again_and_places_are_kept(world: World) -> None:
    world.server.forget()
    endpoint = world.endpoint(concurrency=3)

    def ask(turn: int) -> None:
        world.calls.ask(endpoint, HELLO, role="patient", turn=turn)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(world.server.requests) == 20
    assert world.server.most_at_once <= 3
    assert len(world.server.connections) <= 3


def test_litellm_is_quiet_and_asks_no_network_for_prices(running: ScriptedServer) -> None:
    with World(running, "litellm").client as client:
        endpoint = Endpoint("openai/local", running.url, transport="litellm")
        client.calls("c").ask(endpoint, HELLO, role="patient", turn=1)
    litellm = sys.modules["litellm"]
    assert litellm.telemetry is False
    assert logging.getLogger("LiteLLM").level > logging.CRITICAL


def test_a_model_without_a_provider_says_how_names_are_written() -> None:
    with Client() as client, pytest.raises(CallError, match="begins with one, as in openai/gpt-5-mini") as caught:
        client.calls("c").ask(Endpoint("nosuch/model"), HELLO, role="patient", turn=1)
    assert (caught.value.kind, caught.value.attempts) == (Kind.NOT_FOUND, 1)


def test_a_provider_without_its_key_says_which_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with Client() as client, pytest.raises(CallError, match=r"set ANTHROPIC_API_KEY to a valid key") as caught:
        client.calls("c").ask(Endpoint("anthropic/claude-none"), HELLO, role="patient", turn=1)
    assert caught.value.kind is Kind.AUTH


def test_costs_agree_with_litellm() -> None:
    import litellm

    from consult.llm.base import Usage

    price = Endpoint("openai/gpt-4o-mini").known_price()
    assert price is not None
    theirs = sum(litellm.cost_per_token("openai/gpt-4o-mini", prompt_tokens=1200, completion_tokens=340))
    assert price.cost(Usage(1200, 340)) == pytest.approx(theirs)
