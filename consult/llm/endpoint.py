"""Where a model is reached and how: its name, its address, its key, how many calls at a time. Imports no transport."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from math import isfinite
from typing import Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from consult.errors import UsageError
from consult.llm.prices import Price, price_of, sees

KEY: Final = "CONSULT_API_KEY"
"""The variable that holds the key for `--api-base`. OPENAI_API_KEY is never sent to another's server."""
TIMEOUT: Final = 120.0
CONCURRENCY: Final = 16
_KEYED: Final = re.compile(r"key|token|secret|pass|auth|sig|code", re.IGNORECASE)
"""Names of what an address may carry behind its question mark that must not be written."""
BOUND: Final = "max-tokens="
"""What the end of a spec begins with that says how long one answer may be: `llm:MODEL+max-tokens=80`."""
MOST: Final = 100_000
"""Tokens of one answer beyond which no bound can be meant."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind an address. With `api_base` it is called directly, else through litellm.

    Raises UsageError where the name or the address can be none.
    """

    model: str
    """The model's name as litellm writes it: `openai/gpt-5-mini`, `anthropic/…`, `openai/local`."""
    api_base: str = ""
    """The address of an OpenAI-compatible server, up to `/v1`; empty: the provider's own."""
    key: str = field(default="", repr=False)
    """The key; empty: `CONSULT_API_KEY` with an `api_base`, else the provider's own variable, which litellm reads."""
    transport: str = ""
    """`direct` or `litellm`; empty: direct where there is an `api_base`."""
    concurrency: int = CONCURRENCY
    """Calls under way at a time; the rest wait."""
    per_minute: int | None = None
    """Calls that may begin in any minute; None: as many as there are."""
    timeout: float = TIMEOUT
    """Seconds for one whole answer."""
    vision: bool = True
    """Whether pictures are sent; else their captions are."""
    price: Price | None = None
    """US dollars a token; None: as litellm's table has it, where the provider's own address is used."""

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise UsageError("llm: no model is named (mend: e.g. llm:openai/gpt-5-mini)")
        if self.api_base and not _is_address(self.api_base):
            shown = self.api_base.rpartition("@")[2].partition("?")[0]  # there may be a password or a key around it
            raise UsageError(f"--api-base: {shown!r} is no address (mend: e.g. http://127.0.0.1:8081/v1)")
        if self.transport not in ("", "direct", "litellm") or (self.transport == "direct" and not self.api_base):
            raise UsageError(f"llm: {self.transport or 'no'!r} is no transport here (mend: direct needs --api-base)")
        if self.concurrency < 1 or (self.per_minute is not None and self.per_minute < 1):
            raise UsageError("llm: concurrency and calls per minute are more than 0 (mend: give 1 or more)")
        if not (isfinite(self.timeout) and self.timeout > 0):
            raise UsageError("--timeout: it is more than 0 and has an end (mend: seconds, e.g. 120)")

    @property
    def direct(self) -> bool:
        """Whether it is called without litellm."""
        return self.transport == "direct" or (not self.transport and bool(self.api_base))

    @property
    def url(self) -> str:
        """Where chat completions are asked for; what stands behind the question mark of `api_base` stays there."""
        parts = urlsplit(self.api_base)
        return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/chat/completions", fragment=""))

    @property
    def server_model(self) -> str:
        """The name that an OpenAI-compatible server knows it by: without litellm's prefix for such servers."""
        prefix, _, rest = self.model.partition("/")
        return rest if rest and prefix in ("openai", "hosted_vllm", "lm_studio", "llamafile") else self.model

    @property
    def secret(self) -> str:
        """The key, as given or from the environment; empty where litellm is to find it."""
        return (self.key or (os.environ.get(KEY, "") if self.api_base else "")).strip()

    @property
    def server(self) -> str:
        """Who is behind it: what limits of concurrency and rate are counted by."""
        return self.api_base or self.model.partition("/")[0]

    @property
    def name(self) -> str:
        """How errors name it; without what an address may carry of a password."""
        if not self.api_base:
            return self.model
        parts = urlsplit(self.api_base)
        return f"{self.model} at {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def key_name(self) -> str:
        """The variable that should hold the key."""
        return KEY if self.api_base else f"{self.model.partition('/')[0].upper()}_API_KEY"

    def secrets(self) -> tuple[str, ...]:
        """What must never be written: the key, those in the address, and the provider's where litellm finds it itself."""
        parts = urlsplit(self.api_base)
        asked = [value for name, value in parse_qsl(parts.query) if _KEYED.search(name)]
        theirs = "" if self.api_base else os.environ.get(self.key_name, "").strip()
        return tuple(s for s in (self.secret, parts.password or "", *asked, theirs) if len(s) >= 4)

    def known_price(self) -> Price | None:
        """The price, or None if nobody knows it. What a server of one's own costs stands in no table."""
        if self.price is not None:
            return self.price
        return None if self.api_base else price_of(self.model)

    def sees(self) -> bool | None:
        """Whether the model takes pictures; None where nobody knows. Of a server of one's own nothing stands in a table."""
        return None if self.api_base else sees(self.model)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def bound_of(word: str) -> int | None:
    """The tokens that the end of a spec allows an answer; None where it speaks of something else. Raises UsageError."""
    if not word.startswith(BOUND):
        return None
    figure = word.removeprefix(BOUND)
    if not (figure.isascii() and figure.isdecimal() and 1 <= int(figure[:8]) <= MOST):
        raise UsageError(f"SPEC: +{word} is no bound on an answer (mend: tokens, e.g. +{BOUND}200)")
    return int(figure)


def model_of(spec: str) -> str:
    """The model that an agent spec names. Raises UsageError where it is not `llm:MODEL`."""
    prefix, _, model = spec.partition(":")
    if prefix != "llm" or not model.strip():
        raise UsageError(f"SPEC: {spec!r} names no model (mend: e.g. llm:openai/gpt-5-mini)")
    return model


def bounded(spec: str) -> tuple[str, int | None]:
    """The model of a spec that says nothing else of how it works, and the bound on its answers. Raises UsageError."""
    rest, plus, word = spec.rpartition("+")
    bound = bound_of(word) if plus else None
    return model_of(spec if bound is None else rest), bound
