"""The seam's one door: a request goes in, a reply comes out; ledger, budget, retries, transport, validation between.

    with Client(ledger=SqliteLedger(path)) as client:
        calls = client.calls("consultation-id", budget=Budget(calls=40))
        reply = calls.ask(endpoint, Request((Message("user", "…"),)), role="patient", turn=3)

Everything happens in one event loop, so nothing is locked: that of the first caller if it is asynchronous, else the
background loop of the process (`loop`). Must not import litellm or aiohttp: transports do, when they are made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Final, NotRequired, Self, TypedDict, Unpack
from weakref import WeakValueDictionary

from consult.errors import UsageError
from consult.llm.account import Account, Budget
from consult.llm.base import Answer, Enforced, Json, OnText, Outcome, Reply, Request, Transport
from consult.llm.endpoint import Endpoint
from consult.llm.errors import CallError, Kind
from consult.llm.ledger import Key, Ledger
from consult.llm.loop import background, wait_for
from consult.llm.pacing import Clock, Gate, Retry, Sleep
from consult.llm.redact import redact, without
from consult.llm.structured import Read, again, asks_again, briefly, checked, read, weaker, with_schema
from consult.llm.wire import answer_of, body_of

TransportMaker = Callable[[Endpoint], Transport]
_NO_BUDGET: Final = Budget()
_RETRY: Final = Retry()


def make_transport(endpoint: Endpoint) -> Transport:
    """The transport that an endpoint asks for."""
    if endpoint.direct:
        from consult.llm.direct import Direct

        return Direct(endpoint)
    from consult.llm.through_litellm import ThroughLitellm

    return ThroughLitellm(endpoint)


@dataclass(slots=True)
class _Line:
    """What is open to one endpoint."""

    transport: Transport
    gate: Gate
    secrets: tuple[str, ...]
    enforced: Enforced = Enforced.SCHEMA
    """The strictest way of asking for a schema that the server has not rejected."""


class Client:
    """Calls models for any number of consultations. Use it as a context manager, or `close` it."""

    def __init__(
        self,
        *,
        ledger: Ledger | None = None,
        budget: Budget = _NO_BUDGET,
        retry: Retry = _RETRY,
        transport: TransportMaker = make_transport,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`budget`: of the whole run. `clock` and `sleep` are for tests. The ledger is closed with the client."""
        self.account = Account(budget, "run")
        """What was spent in all, by role."""
        self._ledger = ledger
        self._retry = retry
        self._make = transport
        self._clock = clock
        self._sleep = sleep
        self._lines: dict[Endpoint, _Line] = {}
        self._alone: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._gates: dict[tuple[str, int, int | None], Gate] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        """Whoever still asks then is told so: without the ledger it would be paid for nothing."""

    def calls(self, consultation: str, *, epoch: int = 0, budget: Budget = _NO_BUDGET) -> Calls:
        """The calls of one consultation, with a budget of its own within the run's."""
        return Calls(self, consultation, epoch, Account(budget, "consultation", self.account))

    def home(self, otherwise: Callable[[], asyncio.AbstractEventLoop]) -> asyncio.AbstractEventLoop:
        """The loop in which this client works, settled by who asks first."""
        if self._loop is None:
            self._loop = otherwise()
        return self._loop

    def alone(self, key: Key) -> asyncio.Lock:
        """Held by whoever asks what others ask too, so that it is asked once and found in the ledger by the rest."""
        return self._alone.setdefault(key, asyncio.Lock())

    async def answer(
        self, endpoint: Endpoint, request: Request, key: Key, on_text: OnText | None
    ) -> tuple[Answer, int]:
        """One answer, from the ledger or the server, and how many requests went out for it. Raises CallError."""
        if self._closed:
            raise CallError(Kind.CLOSED)
        try:
            kept = self._ledger.get(key) if self._ledger is not None else None
        except CallError as e:
            e.where = endpoint.name
            raise
        if kept is not None:
            if on_text is not None and kept.text:
                on_text(kept.text)
            return kept, 0
        answer, sent = await self._fetched(endpoint, request, key, on_text)
        if self._ledger is not None:
            self._ledger.put(key, answer)
        return answer, sent

    async def _fetched(
        self, endpoint: Endpoint, request: Request, key: Key, on_text: OnText | None
    ) -> tuple[Answer, int]:
        """From the server, with as many attempts as it takes and may."""
        line = self._line(endpoint)
        body = body_of(endpoint.server_model, request.messages, request.sampling, vision=endpoint.vision)
        sent = failures = 0
        while True:
            mode = line.enforced if request.schema is not None else Enforced.NONE
            sent += 1
            try:
                answer = await self._once(line, endpoint, with_schema(body, request.schema, mode), on_text)
                return replace(answer, enforced=mode), sent
            except CallError as e:
                self._name(e, endpoint, line, sent)
                if e.kind is Kind.FILTERED:
                    return Answer(finish="content_filter", model=endpoint.server_model), sent
                if e.kind is Kind.BAD_REQUEST and (less := weaker(mode, e.detail)) is not None:
                    line.enforced = less
                    continue
                failures += 1
                if e.retry_after is not None and e.retry_after <= self._retry.patience:
                    line.gate.close_for(e.retry_after)
                pause = self._retry.pause(e, failures, key.consultation, key.request, key.ask)
                if pause is None:
                    raise
            if on_text is not None:
                on_text(None)
            await self._sleep(pause)

    async def _once(self, line: _Line, endpoint: Endpoint, body: Json, on_text: OnText | None) -> Answer:
        async with line.gate:
            if self._closed:
                raise CallError(Kind.CLOSED)
            start = self._clock()
            got = await line.transport.send(body, endpoint.timeout, on_text)
            answer = answer_of(got, self._clock() - start)
        if not line.secrets:
            return answer
        text, thinking, refusal, model = (
            without(words, line.secrets) for words in (answer.text, answer.thinking, answer.refusal, answer.model)
        )
        return replace(answer, text=text, thinking=thinking, refusal=refusal, model=model)

    @staticmethod
    def _name(e: CallError, endpoint: Endpoint, line: _Line, sent: int) -> None:
        """Says where it happened, and hides what must not be seen."""
        e.detail = redact(e.detail, line.secrets)
        e.args = (e.kind, e.detail)
        e.where = endpoint.name
        e.attempts = sent
        if e.key_name == _NO_NAME:
            e.key_name = endpoint.key_name

    def _line(self, endpoint: Endpoint) -> _Line:
        if endpoint not in self._lines:
            limits = (endpoint.server, endpoint.concurrency, endpoint.per_minute)
            if limits not in self._gates:
                self._gates[limits] = Gate(endpoint.concurrency, endpoint.per_minute, self._clock, self._sleep)
            self._lines[endpoint] = _Line(self._make(endpoint), self._gates[limits], endpoint.secrets())
        return self._lines[endpoint]

    async def aclose(self) -> None:
        """Closes connections and the ledger; in the loop where the client works."""
        self._closed = True
        lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            await line.transport.close()
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def close(self) -> None:
        """The same for callers that are not asynchronous."""
        if self._loop is None:
            self._closed = True
            if self._ledger is not None:
                self._ledger.close()
        elif self._loop is background():
            wait_for(self.aclose(), self._loop)
        else:
            raise UsageError("llm: this client works in another event loop (mend: `async with`, or await aclose())")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


_LESS: Final = (Kind.TOO_LONG, Kind.NOT_RECORDED)
"""Failures after which less is asked: what was too long was not recorded either."""
_NO_NAME: Final = CallError(Kind.AUTH).key_name


class Where(TypedDict):
    """Where in a consultation something is asked, and who hears it: the keywords of `ask` and `aask`."""

    role: str
    turn: int
    attempt: NotRequired[int]
    """Counted by who asks, from 0: the same question put again because the answer was not liked."""
    on_text: NotRequired[OnText | None]
    """Hears the text as it comes, in the thread of the loop."""
    kept_as: NotRequired[str]
    """What the answer is kept under instead of the consultation: it serves every one that asks the same."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one consultation: what an agent is handed."""

    client: Client
    consultation: str
    epoch: int
    account: Account
    """What this consultation spent, by role."""

    def ask(self, endpoint: Endpoint, request: Request, **where: Unpack[Where]) -> Reply:
        """`aask` for callers that are not asynchronous; waits in the calling thread."""
        loop = self.client.home(background)
        try:
            inside = asyncio.get_running_loop() is loop
        except RuntimeError:
            inside = False
        if inside:
            raise UsageError("llm: ask() would wait for itself in this event loop (mend: await aask())")
        return wait_for(self._ask(endpoint, request, **where), loop)

    async def aask(self, endpoint: Endpoint, request: Request, **where: Unpack[Where]) -> Reply:
        """The reply to a request. `where` in the consultation it is asked: see `Where`.

        Raises CallError where it was not answered, BudgetSpent where nothing is left, StoreError from the ledger. A reply
        of no use is returned with its outcome.
        """
        loop = self.client.home(asyncio.get_running_loop)
        asked = self._ask(endpoint, request, **where)
        if loop is asyncio.get_running_loop():
            return await asked
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asked, loop))

    async def _ask(
        self,
        endpoint: Endpoint,
        request: Request,
        *,
        role: str,
        turn: int,
        attempt: int = 0,
        on_text: OnText | None = None,
        kept_as: str = "",
    ) -> Reply:
        reply, asked, ask = Reply(Outcome.EMPTY, asks=0, cost=0.0), request, 0
        while ask < max(1, request.max_asks):
            if ask and on_text is not None:
                on_text(None)
            fingerprint = asked.fingerprint(endpoint.model)
            place = (kept_as, 0) if kept_as else (self.consultation, self.epoch)
            key = Key(*place, role, turn, attempt, ask, fingerprint)
            self.account.begin(endpoint)
            try:
                async with self.client.alone(key) if kept_as else nullcontext():
                    answer, sent = await self.client.answer(endpoint, asked, key, on_text)
            except CallError as e:
                self.account.failed(role, e.attempts)
                if e.kind not in _LESS:
                    raise
                if (brief := briefly(request, asked)) is not None:
                    asked = brief
                elif request.less is not None:
                    asked = request = request.less()
                elif e.kind is Kind.TOO_LONG:
                    return replace(reply, outcome=Outcome.TOO_LONG, problems=(*reply.problems, str(e)))
                else:
                    raise
                continue
            ask += 1
            cost = self.account.charge(role, endpoint, answer, asked, sent=sent)
            found = checked(read(answer, request.schema), request)
            reply = _with(reply, answer, found, cost, sent)
            if not asks_again(found.outcome, request):
                break
            asked = again(request, answer, found)
        return reply


def _with(before: Reply, answer: Answer, found: Read, cost: float | None, sent: int) -> Reply:
    """The reply after one more answer: the words are the last one's, what it took is summed."""
    return Reply(
        outcome=found.outcome,
        text=answer.text,
        value=found.value,
        thinking=answer.thinking,
        model=answer.model,
        usage=before.usage + answer.usage,
        cost=None if cost is None or before.cost is None else before.cost + cost,
        seconds=before.seconds + answer.seconds,
        asks=before.asks + 1,
        kept=before.kept + int(not sent),
        sent=before.sent + sent,
        enforced=answer.enforced,
        repairs=found.repairs,
        problems=(*before.problems, found.problem) if found.problem else before.problems,
    )
