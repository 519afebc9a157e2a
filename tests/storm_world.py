"""A server in a storm: a share of its calls fails, in every way seen in the wild; and marks by which it can tell calls apart.

A request carries no consultation, so `marked` has the client write the key of each call into it, as OpenAI's field `user`.
What happens to a request hangs on its key and how often it came before: the same storm whatever the order.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from scripted_server import Behaviour, Cut, Drip, Endless, Fail, Json, Raw, Reset, Say, plays, redirect

from consult.llm.client import Client
from consult.llm.direct import Direct
from consult.llm.through_litellm import ThroughLitellm
from consult.seeds import rng

KEY = "k-verysecret-0123456789"
PASSWORD = "pa55-verysecret"
SECRETS = (KEY, PASSWORD, "verysecret")
LEAKY = f"Authorization: Bearer {KEY} was sent to http://user:{PASSWORD}@127.0.0.1/v1?api_key={KEY}"

FAULTS: dict[str, Callable[[], Behaviour]] = {
    "429": lambda: Fail(429, message=LEAKY),
    "429, a moment": lambda: Fail(429, {"retry-after": "0.02"}),
    "429, an hour": lambda: Fail(429, {"retry-after": "3600"}, message=LEAKY),
    "500": lambda: Fail(500, message=LEAKY),
    "503": lambda: Fail(503, body=f"<html>{LEAKY}</html>"),
    "reset": Reset,
    "cut": Cut,
    "no JSON": lambda: Raw('{"choices": [{"message": ' + LEAKY),
    "no choices": lambda: Raw('{"choices": []}'),
    "another schema": lambda: Say(json.dumps({"answer": 42, "key": KEY})),
    "half an object": lambda: Say('{"action": {"kind": "ask", "te'),
    "at the limit": lambda: Say(f"Well, {KEY}", finish="length"),
    "endless": Endless,
    "redirect": lambda: redirect(f"http://user:{PASSWORD}@127.0.0.1:9/v1?api_key={KEY}"),
    "drip": Drip,
    "no key": lambda: Fail(401, message=LEAKY),
}
RARE = ("429, an hour", "redirect", "no key")
"""What no further attempt mends: a twelfth as often as each of the others, or there would be nothing but these."""


class Storm:
    """The default behaviour of a server whose requests are marked."""

    def __init__(self, share: float = 0.2, seed: int = 0) -> None:
        self.share, self.seed = share, seed
        self.met = Counter[str]()
        """How often each fault happened."""
        self.sent = Counter[str]()
        """Requests by mark."""

    def __call__(self, asked: Json) -> Behaviour:
        """What happens to a request."""
        mark = asked["user"]
        self.sent[mark] += 1
        draw = rng("storm", self.seed, mark, self.sent[mark])
        if draw.random() >= self.share:
            return plays(asked)
        weights = [1 if name in RARE else 12 for name in FAULTS]
        name = draw.choices(list(FAULTS), weights)[0]
        self.met[name] += 1
        return FAULTS[name]()


@contextmanager
def marked() -> Iterator[None]:
    """Every request that goes out carries the key of its call."""
    now: ContextVar[str] = ContextVar("mark")
    fetched = Client._fetched

    async def keyed(self: Client, endpoint: Any, request: Any, key: Any, on_text: Any) -> Any:
        now.set(json.dumps(key))
        return await fetched(self, endpoint, request, key, on_text)

    def sending(send: Any, *, within: str = "") -> Any:
        async def sent(self: Any, body: Json, timeout: float, on_text: Any) -> Any:
            mark: Json = {"user": now.get()}
            return await send(self, body | ({within: mark} if within else mark), timeout, on_text)

        return sent

    with (
        patch.object(Client, "_fetched", keyed),
        patch.object(Direct, "send", sending(Direct.send)),
        patch.object(ThroughLitellm, "send", sending(ThroughLitellm.send, within="extra_body")),
    ):
        yield


@contextmanager
def logged() -> Iterator[list[str]]:
    """Everything that anybody logs meanwhile, to the last detail."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, handler = logging.getLogger(), Kept()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
