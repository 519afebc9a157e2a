"""What was spent, by role, and what may be: budgets of calls, tokens, money and time.

An account may stand within another: a consultation's within a run's. What came from the ledger counts as if it had been
paid now, so that a consultation taken up again ends where an undisturbed one would have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from consult.errors import UsageError
from consult.llm.base import Answer, Request, Usage
from consult.llm.endpoint import Endpoint
from consult.llm.errors import BudgetSpent
from consult.stats.waits import Waits

_LETTERS: Final = 4
"""Characters that count as a token where a server does not count (ours; used for budgets only)."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent; None: as much as it takes. A call that is under way is never cut off by it."""

    calls: int | None = None
    tokens: int | None = None
    """Prompt and completion together."""
    cost: float | None = None
    """US dollars."""
    seconds: float | None = None
    """Of waiting for models, added up over calls: the same on a fast resume as when it was first played."""

    def __post_init__(self) -> None:
        given = {"calls": self.calls, "tokens": self.tokens, "cost": self.cost, "seconds": self.seconds}
        for name, value in given.items():
            if value is not None and not value >= 0:
                raise UsageError(f"--budget: {name} {value} is less than 0 (mend: give 0 or more)")


@dataclass(slots=True)
class Totals:
    """What a role's calls took."""

    calls: int = 0
    """Answers that were had."""
    kept: int = 0
    """Those of them that came from the ledger or a cassette."""
    sent: int = 0
    """Requests that went out, failed ones included."""
    failed: int = 0
    """Calls without an answer, after all attempts."""
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    """US dollars, of the calls whose cost is known."""
    unpriced: int = 0
    """Calls whose cost is not known."""
    seconds: float = 0.0

    def add(self, other: Totals) -> None:
        """Takes the other's in."""
        self.calls += other.calls
        self.kept += other.kept
        self.sent += other.sent
        self.failed += other.failed
        self.usage = self.usage + other.usage
        self.cost += other.cost
        self.unpriced += other.unpriced
        self.seconds += other.seconds

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Totals:
        """From what `dataclasses.asdict` made of it."""
        return cls(**{**data, "usage": Usage(**data["usage"])})

    def plain(self) -> dict[str, Any]:
        """As plain data; what is unknown is None. `latency`: seconds a call, on average."""
        tokens = {"prompt": self.usage.prompt, "completion": self.usage.completion, "thinking": self.usage.thinking}
        return {
            "calls": self.calls,
            "kept": self.kept,
            "sent": self.sent,
            "failed": self.failed,
            "tokens": tokens | {"cached": self.usage.cached},
            "cost": None if self.unpriced else round(self.cost, 6),
            "unpriced": self.unpriced,
            "latency": round(self.seconds / self.calls, 3) if self.calls else None,
        }


@dataclass(slots=True)
class Account:
    """One purse: its budget, what was spent by role, and the purse that it stands within."""

    budget: Budget = Budget()
    whose: str = "run"
    within: Account | None = None
    roles: dict[str, Totals] = field(default_factory=dict)
    waits: dict[str, Waits] = field(default_factory=dict)
    """How long the answers of this purse itself took, by role; of those within it they have it themselves."""
    _calls: int = 0
    _tokens: int = 0
    _cost: float = 0.0
    _seconds: float = 0.0

    def begin(self, endpoint: Endpoint) -> None:
        """Before a call. Raises BudgetSpent where nothing is left, UsageError where money is counted at no price."""
        self._check(endpoint)
        self._count_call()

    def _check(self, endpoint: Endpoint) -> None:
        b = self.budget
        if b.cost is not None and endpoint.known_price() is None:
            raise UsageError(
                f"--budget: the price of {endpoint.name} is not known (mend: give its price, or count tokens)"
            )
        spent = {"calls": self._calls, "tokens": self._tokens, "cost": self._cost, "seconds": self._seconds}
        limits = {"calls": b.calls, "tokens": b.tokens, "cost": b.cost, "seconds": b.seconds}
        for what, limit in limits.items():
            if limit is not None and spent[what] >= limit:
                raise BudgetSpent(what, limit, spent[what], self.whose)
        if self.within is not None:
            self.within._check(endpoint)

    def _count_call(self) -> None:
        self._calls += 1
        if self.within is not None:
            self.within._count_call()

    def charge(self, role: str, endpoint: Endpoint, answer: Answer, asked: Request, *, sent: int) -> float | None:
        """After an answer, for which `sent` requests went out (0: it was kept). Gives its cost."""
        price = endpoint.known_price()
        cost = price.cost(answer.usage) if price is not None else None
        counted = answer.usage if answer.usage.total is not None else _guess(asked, answer)
        spent = price.at_least(counted) if price is not None else 0.0
        totals = Totals(
            1, int(not sent), sent, 0, answer.usage, cost or 0.0, int(cost is None), answer.seconds
        )  # fmt: skip
        self._charge(role, totals, counted.total or 0, spent)
        waits = self.waits.setdefault(role, Waits())
        if sent:
            waits.add(answer.seconds)
        else:
            waits.kept += 1
        return cost

    def _charge(self, role: str, totals: Totals, tokens: int, cost: float) -> None:
        self._tokens += tokens
        self._cost += cost
        self._seconds += totals.seconds
        self.roles.setdefault(role, Totals()).add(totals)
        if self.within is not None:
            self.within._charge(role, totals, tokens, cost)

    def take_up(self, role: str, totals: Totals, waits: Waits) -> None:
        """What was spent by an earlier account of the same; tokens that no server counted are lost."""
        self._calls += totals.calls
        self._charge(role, totals, totals.usage.total or 0, totals.cost)
        self.waits[role] = waits

    def failed(self, role: str, sent: int) -> None:
        """After a call that had no answer."""
        self.roles.setdefault(role, Totals()).add(Totals(sent=sent, failed=1))
        if self.within is not None:
            self.within.failed(role, sent)

    def total(self) -> Totals:
        """All roles together."""
        out = Totals()
        for totals in self.roles.values():
            out.add(totals)
        return out

    def plain(self) -> dict[str, Any]:
        """All of it as plain data: the totals, and `roles`."""
        return self.total().plain() | {"roles": {role: t.plain() for role, t in sorted(self.roles.items())}}


def _guess(asked: Request, answer: Answer) -> Usage:
    """Tokens by letters, where a server does not count."""
    read = sum(len(m.text) for m in asked.messages)
    return Usage(read // _LETTERS, (len(answer.text) + len(answer.thinking)) // _LETTERS)
