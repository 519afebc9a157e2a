"""The door of the seam: budgets, retries, places, accounting, and both faces, over a transport that says what it is told."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import threading
from typing import Any

import pytest
from llm_world import ENDPOINT, HELLO, OBJECT, SECRET, Time, Told
from scripted_server import completion

from consult.errors import AgentError, InfrastructureError, UsageError
from consult.events import StopReason
from consult.llm.account import Budget
from consult.llm.base import Image, Message, Outcome, Reply, Request, Sampling, Usage
from consult.llm.client import Calls, Client
from consult.llm.endpoint import Endpoint
from consult.llm.errors import BudgetSpent, CallError, Kind, UnusableReply
from consult.llm.pacing import Retry
from consult.llm.prices import Price, price_of

PRICED = Endpoint("openai/local", "http://127.0.0.1:9/v1", price=Price(0.01, 0.02))
COUNTED: dict[str, int] = {"prompt_tokens": 100, "completion_tokens": 50}


def said(text: str = "Yes.", **usage: int) -> dict[str, Any]:
    return completion(text, usage=usage or COUNTED)


def client_of(told: Told, time: Time | None = None, **settings: Any) -> Client:
    time = time or Time()
    return Client(transport=told, clock=time.clock, sleep=time.sleep, **settings)


def ask(
    calls: Calls, turn: int = 1, endpoint: Endpoint = ENDPOINT, request: Request = HELLO, role: str = "patient"
) -> Reply:
    return calls.ask(endpoint, request, role=role, turn=turn)


# budgets


@pytest.mark.parametrize(
    ("budget", "answered", "reason"),
    [
        (Budget(calls=3), 3, StopReason.BUDGET),
        (Budget(tokens=400), 3, StopReason.BUDGET),
        (Budget(cost=5.0), 3, StopReason.BUDGET),
        (Budget(seconds=5.0), 3, StopReason.TIME_LIMIT),
        (Budget(calls=0), 0, StopReason.BUDGET),
    ],
)
@pytest.mark.parametrize("whose", ["consultation", "run"])
def test_a_budget_ends_a_consultation_and_names_its_reason(
    budget: Budget, answered: int, reason: StopReason, whose: str
) -> None:
    time = Time()
    told = Told(then=lambda _: _after(time, 2.0))
    with client_of(told, time, budget=budget if whose == "run" else Budget()) as client:
        calls = client.calls("c", budget=budget if whose == "consultation" else Budget())
        with pytest.raises(BudgetSpent) as caught:
            [ask(calls, turn, PRICED) for turn in range(9)]
    assert (len(told.bodies), caught.value.stop, caught.value.whose) == (answered, reason, whose)
    assert whose in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert not isinstance(caught.value, (AgentError, InfrastructureError))


def _after(time: Time, seconds: float) -> Any:
    time.now += seconds
    return said()


def test_the_budget_of_a_run_is_shared_by_its_consultations() -> None:
    with client_of(Told(), budget=Budget(calls=3)) as client:
        first, second = client.calls("a"), client.calls("b")
        ask(first)
        ask(second)
        ask(second, 2)
        with pytest.raises(BudgetSpent, match="run's budget of 3 calls"):
            ask(first, 2)
        assert client.account.total().calls == 3


def test_calls_asked_at_once_do_not_pass_the_budget_of_calls() -> None:
    async def main() -> list[Any]:
        async with client_of(told, budget=Budget(calls=4)) as client:
            calls = client.calls("c")
            asked = (calls.aask(ENDPOINT, HELLO, role="patient", turn=i) for i in range(10))
            return await asyncio.gather(*asked, return_exceptions=True)

    told = Told()
    got = asyncio.run(main())
    assert len(told.bodies) == 4
    assert sum(isinstance(g, BudgetSpent) for g in got) == 6


def test_money_is_not_counted_at_no_price() -> None:
    with client_of(Told()) as client, pytest.raises(UsageError, match=r"price of openai/local .* not known"):
        ask(client.calls("c", budget=Budget(cost=1.0)))


def test_a_server_that_does_not_count_is_counted_by_letters_for_the_budget_only() -> None:
    silent = {k: v for k, v in completion("x" * 400).items() if k != "usage"}
    with client_of(Told(silent, silent, silent)) as client:
        calls = client.calls("c", budget=Budget(tokens=150))
        assert ask(calls).usage == Usage()
        ask(calls, 2)
        with pytest.raises(BudgetSpent):
            ask(calls, 3)
        assert calls.account.total().usage.total is None


@pytest.mark.parametrize("fields", [{"calls": -1}, {"cost": float("nan")}, {"seconds": -0.5}])
def test_a_budget_is_no_debt(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--budget"):
        Budget(**fields)


# accounting


def test_what_each_role_took_is_summed() -> None:
    time = Time()
    told = Told(then=lambda _: _after(time, 2.0))
    with client_of(told, time) as client:
        calls = client.calls("c")
        reply = ask(calls, endpoint=PRICED)
        ask(calls, endpoint=PRICED, role="inquirer")
        ask(calls, 2, role="inquirer")
        told.answers.append(CallError(Kind.AUTH))
        with pytest.raises(CallError):
            ask(calls, 3, role="inquirer")
        got, run = calls.account.plain(), client.account.plain()
    assert reply.cost == pytest.approx(100 * 0.01 + 50 * 0.02)
    assert got == run
    assert (got["calls"], got["sent"], got["failed"], got["cost"], got["unpriced"]) == (3, 4, 1, None, 1)
    assert got["roles"]["patient"]["cost"] == 2.0
    assert got["roles"]["inquirer"]["cost"] is None  # one of its calls has no known price: not 0
    assert got["roles"]["patient"]["latency"] == 2.0
    assert got["tokens"]["prompt"] == 300


def test_prices_of_the_table_and_unknown_ones() -> None:
    known = price_of("openai/gpt-4o-mini")
    assert known == price_of("gpt-4o-mini")
    assert known is not None
    assert known.cost(Usage(1000, 100)) == pytest.approx(1000 * known.prompt + 100 * known.completion)
    assert known.cached is not None
    assert known.cost(Usage(1000, 0, cached=400)) == pytest.approx(600 * known.prompt + 400 * known.cached)
    assert known.cost(Usage(1000, None)) is None
    tiered = Price(1, 1, up_to=10)
    assert tiered.cost(Usage(11, 1)) is None
    assert tiered.at_least(Usage(11, 1)) == 12  # for budgets: something rather than nothing
    assert price_of("openai/no-such-model") is None
    assert price_of("anthropic/gpt-4o-mini") is None
    assert Endpoint("openai/gpt-4o-mini", "http://127.0.0.1:9/v1").known_price() is None


# retries, places and pace


def test_pauses_grow_are_jittered_by_seed_and_bounded() -> None:
    def pauses(turn: int) -> list[float]:
        time, told = Time(), Told(then=lambda _: CallError(Kind.OVERLOAD))
        with (
            client_of(told, time, retry=Retry(attempts=8, most=4)) as client,
            pytest.raises(CallError, match="after 8 attempts"),
        ):
            ask(client.calls("c"), request=Request((Message("user", f"{turn}"),)))
        return time.slept

    first = pauses(1)
    assert first == pauses(1) != pauses(2)
    for pause, most in zip(first, (0.5, 1, 2, 4, 4, 4, 4), strict=True):
        assert most / 2 <= pause < most


def test_a_server_that_asks_one_to_wait_makes_all_wait() -> None:
    time, told = Time(), Told(CallError(Kind.RATE_LIMIT, retry_after=30.0))
    with client_of(told, time, retry=Retry(attempts=1)) as client:
        with pytest.raises(CallError):
            ask(client.calls("a"))
        ask(client.calls("b"))
        ask(client.calls("b"), 2)
    assert time.slept == [30.0]


def test_calls_a_minute_are_kept() -> None:
    time, told = Time(), Told()
    slow = Endpoint("openai/local", "http://127.0.0.1:9/v1", per_minute=2)
    with client_of(told, time) as client:
        for turn in range(5):
            ask(client.calls("c"), turn, slow)
    assert time.slept == [60.0, 60.0]


def test_models_behind_one_server_share_its_places() -> None:
    async def main() -> None:
        async with client_of(told) as client:
            calls = client.calls("c")
            ends = [Endpoint(f"openai/m{i % 2}", "http://127.0.0.1:9/v1", concurrency=2) for i in range(12)]
            await asyncio.gather(*(calls.aask(e, HELLO, role="patient", turn=i) for i, e in enumerate(ends)))

    told = Told()
    asyncio.run(main())
    assert (len(told.bodies), told.most_at_once) == (12, 2)


# both faces


def test_threads_share_one_client() -> None:
    told, replies = Told(then=lambda body: str(body["messages"][-1]["content"])), {}

    def play(i: int) -> None:
        request = Request((Message("user", f"patient {i}"),))
        replies[i] = ask(client.calls(f"c{i}"), request=request).text

    with client_of(told) as client:
        threads = [threading.Thread(target=play, args=(i,)) for i in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert client.account.total().calls == 20
    assert replies == {i: f"patient {i}" for i in range(20)}
    assert told.closed == 1


def test_a_loop_of_ones_own_serves_threads_too_and_is_not_blocked_by_itself() -> None:
    async def main() -> tuple[str, str]:
        async with client_of(Told("one", "two")) as client:
            calls = client.calls("c")
            first = await calls.aask(ENDPOINT, HELLO, role="patient", turn=1)
            second = await asyncio.to_thread(ask, calls, 2)
            with pytest.raises(UsageError, match="await aask"):
                ask(calls, 3)
            return first.text, second.text

    assert asyncio.run(main()) == ("one", "two")


def test_in_a_notebook_the_sync_face_works_inside_a_running_loop() -> None:
    async def main() -> tuple[str, str]:
        with client_of(Told("one", "two")) as client:
            calls = client.calls("c")
            first = ask(calls)  # blocks this loop, as any plain call in a notebook does
            second = await calls.aask(ENDPOINT, HELLO, role="patient", turn=2)
            return first.text, second.text

    assert asyncio.run(main()) == ("one", "two")


def test_the_door_itself_loads_no_transport() -> None:
    code = "import sys, consult.llm.client; print([m for m in ('aiohttp', 'litellm', 'httpx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# errors and replies


def test_a_reply_of_no_use_names_its_outcome_and_stop_reason() -> None:
    refusal = completion(None, refusal="I cannot.")
    with client_of(Told(refusal, "no object", "none", "still none", "I'm sorry, I can't do that.")) as client:
        calls = client.calls("c")
        refused, invalid, declined = ask(calls), ask(calls, 2, request=OBJECT), ask(calls, 3, request=OBJECT)
    for reply, stop in (
        (refused, StopReason.REFUSED),
        (invalid, StopReason.MODEL_ERROR),
        (declined, StopReason.REFUSED),
    ):
        with pytest.raises(UnusableReply) as caught:
            reply.given()
        assert caught.value.stop is stop
        assert reply.outcome.value in str(caught.value)
        assert pickle.loads(pickle.dumps(caught.value)).stop is stop
    assert invalid.outcome is Outcome.INVALID


def test_errors_say_whether_another_attempt_may_help_and_survive_a_pipe() -> None:
    retryable = {k for k in Kind if k.retryable}
    assert retryable == {
        Kind.RATE_LIMIT, Kind.OVERLOAD, Kind.TIMEOUT, Kind.RESET, Kind.UNREACHABLE, Kind.GARBLED,
    }  # fmt: skip
    for kind in Kind:
        error = CallError(kind, "words\nof the server", status=418)
        copy = pickle.loads(pickle.dumps(error))
        assert (str(copy), copy.kind, copy.status) == (str(error), kind, 418)
        assert "(mend: " in str(error)
        assert "\n" not in str(error)
        assert isinstance(error, InfrastructureError)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": " "}, "no model"),
        ({"api_base": "127.0.0.1:8081"}, "--api-base"),
        ({"transport": "direct"}, "direct needs --api-base"),
        ({"transport": "pigeon"}, "no transport"),
        ({"concurrency": 0}, "more than 0"),
        ({"timeout": 0}, "more than 0"),
        ({"timeout": float("nan")}, "--timeout: it is more than 0"),
        ({"api_base": "http://"}, "is no address"),
        ({"api_base": "http://127.0.0.1:99351/v1"}, "is no address"),
    ],
)
def test_an_endpoint_that_cannot_be(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Endpoint(**({"model": "openai/x"} | fields))


def test_an_address_keeps_what_stands_behind_its_question_mark_and_tells_no_key() -> None:
    for base, url in (
        ("http://h:1/v1", "http://h:1/v1/chat/completions"),
        ("http://h:1/v1/", "http://h:1/v1/chat/completions"),
        ("https://h/v1?api-version=2024-10-21&api-key=hunter22", "https://h/v1/chat/completions?api-version=2024-10-21&api-key=hunter22"),
    ):  # fmt: skip
        assert Endpoint("openai/x", base).url == url
    keyed = Endpoint("openai/x", "https://h/v1?api-version=2024-10-21&api-key=hunter22")
    assert keyed.secrets() == ("hunter22",)
    assert "hunter22" not in keyed.name
    for base in ("htp://me:hunter22@h/v1", "me:hunter22@h:1/v1", "h/v1?key=hunter22"):
        with pytest.raises(UsageError, match="is no address") as caught:
            Endpoint("openai/x", base)
        assert "hunter22" not in str(caught.value)


def test_what_an_endpoint_knows_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-theirs-not-for-others")
    monkeypatch.delenv("CONSULT_API_KEY", raising=False)
    own = Endpoint("openai/local", "http://me:pass1234@127.0.0.1:9/v1")
    assert (own.direct, own.secret, own.server_model, own.key_name) == (True, "", "local", "CONSULT_API_KEY")
    assert own.name == "openai/local at http://127.0.0.1:9/v1"
    assert own.secrets() == ("pass1234",)
    monkeypatch.setenv("CONSULT_API_KEY", SECRET)
    assert own.secret == SECRET
    monkeypatch.setenv("CONSULT_API_KEY", f"{SECRET}\r\n")  # as files keep them
    assert (own.secret, own.secrets()) == (SECRET, (SECRET, "pass1234"))
    theirs = Endpoint("openai/gpt-4o-mini")
    assert (theirs.direct, theirs.secret, theirs.key_name) == (False, "", "OPENAI_API_KEY")
    assert theirs.secrets() == ("sk-theirs-not-for-others",)
    assert SECRET not in repr(Endpoint("openai/x", key=SECRET))


def test_the_hash_of_a_request_covers_what_decides_the_answer() -> None:
    hashes = {
        HELLO.fingerprint("m"), HELLO.fingerprint("n"), OBJECT.fingerprint("m"),
        Request(HELLO.messages, sampling=Sampling(temperature=0.0)).fingerprint("m"),
        Request(HELLO.messages, sampling=Sampling(extra={"top_k": 4})).fingerprint("m"),
        Request(HELLO.messages[:1]).fingerprint("m"),
        *(Request((Message("user", "See:", (i,)),)).fingerprint("m") for i in (
            Image(data=b"a"), Image(data=b"b"), Image(url="a"), Image(url="a", caption="a rash"))),
    }  # fmt: skip
    assert len(hashes) == 10
    assert HELLO.fingerprint("m") == Request(HELLO.messages, max_asks=9).fingerprint("m")
