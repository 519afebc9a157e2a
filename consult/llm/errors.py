"""What goes wrong between us and a model, by kind; each says in one line what to set. No secret stands in any.

InfrastructureError
└── CallError       the request was not answered: `kind` says why and whether another attempt may help
AgentError
└── UnusableReply   it was answered, with nothing of use: empty, truncated, refused, filtered, invalid
ConsultError
└── BudgetSpent     a budget of calls, tokens, money or time is used up
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from consult.clean import one_line
from consult.errors import AgentError, ConsultError, InfrastructureError
from consult.events import StopReason


class Kind(StrEnum):
    """Why a request was not answered."""

    AUTH = "auth"
    QUOTA = "quota"
    NOT_FOUND = "not_found"
    TOO_LONG = "too_long"
    BAD_REQUEST = "bad_request"
    FILTERED = "filtered"
    REDIRECT = "redirect"
    NOT_RECORDED = "not_recorded"
    CLOSED = "closed"
    RATE_LIMIT = "rate_limit"
    OVERLOAD = "overload"
    TIMEOUT = "timeout"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    GARBLED = "garbled"

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed a moment later."""
        return self in _RETRYABLE


_RETRYABLE: Final = frozenset(
    (Kind.RATE_LIMIT, Kind.OVERLOAD, Kind.TIMEOUT, Kind.RESET, Kind.UNREACHABLE, Kind.GARBLED)
)
_WORDS: Final = {
    Kind.AUTH: ("the key is missing or not accepted", "set {key} to a valid key"),
    Kind.QUOTA: ("the account has no credit left", "add credit, or take another model"),
    Kind.NOT_FOUND: ("there is no such model or address", "correct the model's name or --api-base"),
    Kind.TOO_LONG: ("the messages are longer than the model can read", "take a model or server with a longer context"),
    Kind.BAD_REQUEST: ("the server does not accept the request", "change the setting that it names"),
    Kind.FILTERED: ("the provider's filter stopped the request", "take another model"),
    Kind.REDIRECT: ("the server sends us elsewhere, which is not followed", "set --api-base to the final address"),
    Kind.NOT_RECORDED: ("the cassette has no such request", "record it again with --record"),
    Kind.CLOSED: ("the run was ended", "the same command goes on"),
    Kind.RATE_LIMIT: ("too many requests", "lower --concurrency, or try again later"),
    Kind.OVERLOAD: ("the server fails or is overloaded", "try again later"),
    Kind.TIMEOUT: ("no answer in time", "raise the time-out, or lower --concurrency"),
    Kind.RESET: ("the connection broke off", "look at the server's own messages, then try again"),
    Kind.UNREACHABLE: ("nothing answers there", "start the server, or correct --api-base"),
    Kind.GARBLED: ("the answer is no chat completion", "check that --api-base names an OpenAI-compatible server"),
}


class CallError(InfrastructureError):
    """A request that was not answered. Its text is one line: where, what, what the server said, and the mend."""

    def __init__(
        self, kind: Kind, detail: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        """`detail`: the server's words, free of secrets; `retry_after`: seconds that it asks us to wait."""
        self.kind = kind
        self.detail = one_line(detail, limit=300)
        self.status = status
        self.retry_after = retry_after
        self.where = ""
        self.key_name = "the key's variable"
        self.attempts = 1
        super().__init__(kind, self.detail)

    def __str__(self) -> str:
        what, mend = _WORDS[self.kind]
        said = ", ".join(x for x in (f"status {self.status}" if self.status else "", self.detail) if x)
        tried = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        where = f"{self.where}: " if self.where else ""
        return f"{where}{what}{tried}{f' ({said})' if said else ''} (mend: {mend.format(key=self.key_name)})"


class UnusableReply(AgentError):
    """The model answered, but not what can be used."""

    def __init__(self, outcome: str, problem: str = "") -> None:
        self.outcome = outcome
        super().__init__(one_line(f"the reply is {outcome}: {problem}" if problem else f"the reply is {outcome}"))

    @property
    def stop(self) -> StopReason:
        """The reason with which a consultation ends that cannot do without the reply."""
        return StopReason.REFUSED if self.outcome in ("refused", "filtered") else StopReason.MODEL_ERROR


class BudgetSpent(ConsultError):
    """A budget is used up. It ends a consultation, which is then scored as it stands; it is no failure."""

    exit_code = 3

    def __init__(self, what: str, limit: float, spent: float, whose: str) -> None:
        """`what`: calls, tokens, cost or seconds; `whose`: consultation or run."""
        self.what = what
        self.limit = limit
        self.spent = spent
        self.whose = whose
        super().__init__(what, limit, spent, whose)

    def __str__(self) -> str:
        what = f"the {self.whose}'s budget of {self.limit:g} {_UNITS[self.what]} is used up"
        return f"{what} ({self.spent:g}) (mend: raise --budget{'-each' if self.whose == 'consultation' else ''})"

    @property
    def stop(self) -> StopReason:
        """The reason with which the consultation ends."""
        return StopReason.TIME_LIMIT if self.what == "seconds" else StopReason.BUDGET


_UNITS: Final = {"calls": "calls", "tokens": "tokens", "cost": "US dollars", "seconds": "seconds of waiting for models"}
