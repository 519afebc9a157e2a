"""What one call of a batch may take before it stops cleanly. Owns the wording of budgets; imports files only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, model_validator

from consult.files import Record
from consult.llm.account import Account
from consult.llm.account import Budget as Purse
from consult.terms import problem

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")


def _seconds(value: Any) -> Any:
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(found[1]) * _UNITS[found[2]] if found else value


class Each(Record):
    """Bounds of one consultation, which ends where one is reached (`budget`, `time_limit`) and is scored as it stands."""

    time: Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(_seconds)] = None
    """Seconds, or a number with its unit: `90s`, `30m`, `2h`, `1d`. Of one consultation: of waiting for models."""
    calls: Annotated[int, Field(ge=1)] | None = None
    """Answers of models, those of the ledger included; likewise below."""
    tokens: Annotated[int, Field(ge=1)] | None = None
    """Read and written."""
    cost: Annotated[float, Field(gt=0)] | None = None
    """In dollars; only where the price is known."""

    @model_validator(mode="before")
    @classmethod
    def _worded(cls, value: Any) -> Any:
        """`time=2h,consultations=500` stands for the mapping."""
        if not isinstance(value, str):
            return value
        parts = {k.strip(): v.strip() for k, _, v in (part.partition("=") for part in value.split(",") if part.strip())}
        if set(parts) - set(cls.model_fields):
            known = ", ".join(cls.model_fields)
            raise problem(f"{value!r} is no budget", f"write it as time=2h,calls=500; it may hold {known}")
        return parts

    @property
    def purse(self) -> Purse:
        """As an account has it."""
        return Purse(calls=self.calls, tokens=self.tokens, cost=self.cost, seconds=self.time)


class Budget(Each):
    """Bounds of one call. What was begun is finished and kept; the same command goes on, with its budget anew."""

    consultations: Annotated[int, Field(ge=1)] | None = None
    """Begun in this call; those that were done before do not count."""


@dataclass(slots=True)
class Allowed:
    """Whether one more consultation may be begun; of what a client's account says, and of time. Any thread may ask."""

    budget: Budget
    account: Account
    begun: int = 0
    _end: float | None = None
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._end = monotonic() + self.budget.time if self.budget.time is not None else None

    def begin(self) -> bool:
        """Counts a consultation that is begun; false, and not counted, where a bound is reached."""
        with self._lock:
            b, took = self.budget, self.account.total()
            late = self._end is not None and monotonic() >= self._end
            enough = b.consultations is not None and self.begun >= b.consultations
            if late or enough or Spent(took.calls, took.usage.total or 0, took.cost).all_of(b):
                return False
            self.begun += 1
            return True


@dataclass(slots=True)
class Spent:
    """What the models of one call have taken so far; what is not known counts as nothing."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0

    def add(self, usage: Mapping[str, Any]) -> None:
        """Counts one consultation."""
        self.calls += usage["calls"] or 0
        self.tokens += usage["tokens"] or 0
        self.cost += usage["cost"] or 0.0

    def all_of(self, budget: Budget) -> bool:
        """Whether any bound is reached."""
        bounds = ((self.calls, budget.calls), (self.tokens, budget.tokens), (self.cost, budget.cost))
        return any(bound is not None and spent >= bound for spent, bound in bounds)


def expected(specs: Iterable[tuple[str, str]], consultations: int) -> dict[str, Any]:
    """What so many consultations of these agents will take of models: calls and cost, null where that is not known.

    Built-in agents call none; what a plug-in does is its own affair.
    """
    from consult.agents.registry import built_in

    own = all(built_in(role, spec) for role, spec in specs)
    return {"consultations": consultations, "calls": 0 if own else None, "cost": 0.0 if own else None}
