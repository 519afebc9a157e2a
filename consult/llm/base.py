"""What is asked of a model and what comes back: plain values, the same whatever carries them.

Owns the shapes and the hash of a request. Must not import litellm or aiohttp.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, Protocol

from pydantic import BaseModel
from pydantic_core import to_json

from consult.llm.errors import UnusableReply
from consult.seeds import digest

OnText = Callable[[str | None], None]
"""Hears the text while it comes, a piece at a time; None: what was heard is void, because it is asked again."""
Json = dict[str, Any]
MAX_ASKS: Final = 3
"""Times a request is asked before a reply without use is given up: once, and twice with what was wrong (ours)."""


@dataclass(frozen=True)
class Image:
    """A picture, by address or by its bytes, with the words that a model without eyes is given instead."""

    url: str = ""
    data: bytes = field(default=b"", repr=False)
    media_type: str = "image/jpeg"
    caption: str = ""

    @cached_property
    def address(self) -> str:
        """What the model is sent: the URL, or the bytes as a data URL."""
        if not self.data:
            return self.url
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"

    @cached_property
    def identity(self) -> Json:
        """What of it goes into the hash: the bytes by their own hash and size."""
        what = {"sha256": hashlib.sha256(self.data).hexdigest(), "bytes": len(self.data)} if self.data else self.url
        return {"image": what, "caption": self.caption}


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `system`, `user` or `assistant`."""

    role: str
    text: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the model draws its words; None leaves it to the server."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the request that only this server knows (`reasoning_effort`, `top_k` …), sent as they are."""

    def plain(self) -> Json:
        """The fields that are set, under their names in an OpenAI request."""
        named = {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_tokens, "seed": self.seed}
        out = {k: v for k, v in named.items() if v is not None}
        return out | ({"stop": list(self.stop)} if self.stop else {}) | dict(self.extra)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: messages, and the pydantic model that the answer must fit, if any."""

    messages: tuple[Message, ...]
    schema: type[BaseModel] | None = None
    sampling: Sampling = Sampling()
    max_asks: int = MAX_ASKS
    """Times it is asked at most, where replies are empty or do not fit."""
    check: Callable[[Any], str] | None = field(default=None, compare=False, repr=False)
    """Says in one line what is wrong with an object that fits the schema (empty: nothing), which then does not fit."""
    less: Callable[[], Request] | None = field(default=None, compare=False, repr=False)
    """The same with less to read, for a server that cannot read as much; None: nothing can be left out."""

    def fingerprint(self, model: str) -> str:
        """sha256 of everything that decides the answer: model, messages, images, schema, sampling."""
        messages = [[m.role, m.text, *[i.identity for i in m.images]] for m in self.messages]
        schema = schema_hash(self.schema) if self.schema is not None else ""
        sampling = sorted(self.sampling.plain().items())
        return hashlib.sha256(as_json([model, messages, sampling, schema])).hexdigest()


def as_json(data: Any) -> bytes:
    """Plain data as JSON. By pydantic's writer, which takes a quarter of the time of the standard library's."""
    try:
        return to_json(data)
    except ValueError:  # half a surrogate pair, which UTF-8 cannot hold
        return json.dumps(data).encode()


_SCHEMAS: Final[dict[type[BaseModel], str]] = {}


def schema_hash(schema: type[BaseModel]) -> str:
    """The hash of a model's JSON Schema, worked out once: it takes pydantic a millisecond."""
    if schema not in _SCHEMAS:
        _SCHEMAS[schema] = digest(schema.model_json_schema())
    return _SCHEMAS[schema]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens; None where the server does not say."""

    prompt: int | None = None
    completion: int | None = None
    """All that the model wrote, thinking included."""
    thinking: int | None = None
    cached: int | None = None
    """Tokens of the prompt that the server had read before."""

    @property
    def total(self) -> int | None:
        """Prompt and completion; None if either is unknown."""
        return None if self.prompt is None or self.completion is None else self.prompt + self.completion

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            _sum(self.prompt, other.prompt),
            _sum(self.completion, other.completion),
            _sum(self.thinking, other.thinking),
            _sum(self.cached, other.cached),
        )


def _sum(a: int | None, b: int | None) -> int | None:
    return None if a is None and b is None else (a or 0) + (b or 0)


class Outcome(StrEnum):
    """What became of a request that was answered. Failures on the way are errors instead (`errors.CallError`)."""

    OK = "ok"
    EMPTY = "empty"
    """Nothing was said; thinking does not count."""
    TRUNCATED = "truncated"
    """Cut at the limit of tokens; the text so far is there."""
    REFUSED = "refused"
    """The model declined."""
    FILTERED = "filtered"
    """The provider's filter stopped the question or the answer."""
    INVALID = "invalid"
    """It does not fit the schema, as often as it was asked."""
    TOO_LONG = "too_long"
    """The model cannot read as much, not even without what can be left out."""


class Enforced(StrEnum):
    """How a schema was asked for, the strictest first."""

    SCHEMA = "schema"
    """The server was given the JSON Schema and holds the model to it."""
    SHAPE = "shape"
    """The same without lengths, counts and ranges, which this server does not take."""
    OBJECT = "object"
    """The server holds it to some JSON object; the schema stood in the prompt."""
    PROMPT = "prompt"
    """Nothing but the prompt."""
    NONE = "none"
    """No schema was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a server, as it is kept in the ledger and in cassettes."""

    text: str = ""
    """What was said, without the thinking."""
    thinking: str = ""
    finish: str = ""
    """The server's finish_reason."""
    refusal: str = ""
    model: str = ""
    """The model's id as the server returned it."""
    usage: Usage = Usage()
    seconds: float = 0.0
    enforced: Enforced = Enforced.NONE

    def plain(self) -> Json:
        """As plain data, without what is empty."""
        u = self.usage
        whole = {"text": self.text, "thinking": self.thinking, "finish": self.finish, "refusal": self.refusal}
        whole |= {"model": self.model, "enforced": self.enforced.value}
        usage = {"prompt": u.prompt, "completion": u.completion, "thinking": u.thinking, "cached": u.cached}
        known = {k: v for k, v in usage.items() if v is not None}
        return {k: v for k, v in whole.items() if v} | {"usage": known, "seconds": round(self.seconds, 4)}

    @classmethod
    def of(cls, data: Json) -> Answer:
        """From plain data. Raises TypeError or ValueError where it is none."""
        rest = {k: v for k, v in data.items() if k not in ("usage", "enforced")}
        return cls(**rest, usage=Usage(**data.get("usage", {})), enforced=Enforced(data.get("enforced", "none")))


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request: the last answer, read and validated, and what it took."""

    outcome: Outcome
    text: str = ""
    value: Any = None
    """The validated object where a schema was asked for and met."""
    thinking: str = ""
    model: str = ""
    usage: Usage = Usage()
    """Summed over all times it was asked."""
    cost: float | None = None
    """US dollars, summed; None: the price or the tokens are unknown."""
    seconds: float = 0.0
    """From sending to the whole answer, summed; without waiting for a free place or between attempts."""
    asks: int = 1
    """How often it was asked: more than once where an answer was empty or did not fit."""
    kept: int = 0
    """How many of the answers came from the ledger or a cassette, for nothing."""
    sent: int = 0
    """Requests that went out, retries included."""
    enforced: Enforced = Enforced.NONE
    repairs: tuple[str, ...] = ()
    """What was mended in the last answer's text before it was read (`fence`, `first_object`)."""
    problems: tuple[str, ...] = ()
    """What was wrong with each answer that did not do, one line each."""

    def given(self) -> Any:
        """The object, or the text where no schema was asked for. Raises UnusableReply if the outcome is not `ok`."""
        if self.outcome is not Outcome.OK:
            raise UnusableReply(self.outcome.value, self.problems[-1] if self.problems else "")
        return self.text if self.value is None else self.value


class Transport(Protocol):
    """Carries one request to one endpoint, once. The same conformance tests hold for all (tests/test_llm_transports)."""

    async def send(self, body: Json, timeout: float, on_text: OnText | None) -> Json:
        """The body of a chat completion for the body of a request. Raises errors.CallError, and nothing else.

        `timeout`: seconds for the whole of it. `on_text`: the answer is streamed and its content told piece by piece.
        """

    async def close(self) -> None:
        """Gives back what is held open."""
