"""What a consultation says to models: one client per process and setting, and the account of each consultation.

Owns where models are reached (`Models`), what is remembered of replies, and the `usage` events. Knows no prompts.
"""

from __future__ import annotations

import atexit
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any, Final

from consult.agents.llm.spec import ModelSpec
from consult.agents.llm.spoken import Spoken
from consult.clean import one_line
from consult.errors import UsageError
from consult.events import Used
from consult.llm.account import Budget, Totals
from consult.llm.base import OnText, Reply, Request, Sampling
from consult.llm.client import Client
from consult.llm.endpoint import CONCURRENCY, TIMEOUT, Endpoint
from consult.llm.ledger import Ledger, Player, Recorder, SqliteLedger
from consult.stats.waits import Waits

UNBOUNDED: Final = Budget()
LOCAL_TOKENS: Final = 1000
"""Tokens of one answer, thinking included, of a server of one's own: small models do not find an end (ours)."""


@dataclass(frozen=True, slots=True)
class Models:
    """Where models are and what they may take. Can be sent to another process; holds no key, which stays in the environment."""

    api_base: str = ""
    """The address of an OpenAI-compatible server; empty: the provider's own."""
    transport: str = ""
    """As of `Endpoint`."""
    concurrency: int = CONCURRENCY
    """Calls under way at a time."""
    timeout: float = TIMEOUT
    """Seconds for one whole answer."""
    per_minute: int | None = None
    """Calls that may begin in any minute; None: as many as there are."""
    ledger: str = ""
    """The file in which answers are kept; empty: none."""
    record: str = ""
    """A cassette to be written."""
    replay: str = ""
    """A cassette to be answered from."""
    budget: Budget = UNBOUNDED
    """Of each consultation."""

    def endpoint(self, model: str) -> Endpoint:
        """Where a model is reached. Raises UsageError where its name or the address can be none."""
        return Endpoint(
            model, self.api_base, transport=self.transport, concurrency=self.concurrency, per_minute=self.per_minute,
            timeout=self.timeout,
        )  # fmt: skip

    def sampling(self, max_tokens: int | None) -> Sampling:
        """How a model draws its words: as its provider or server has it, but for how many there may be in an answer."""
        return Sampling(max_tokens=max_tokens or (LOCAL_TOKENS if self.api_base else None))


HERE: Final = Models()
"""Providers' own addresses, no ledger, no bounds."""
_clients: dict[Models, Client] = {}
_users: Counter[Models] = Counter()
"""How many batches and consultations of this process are `in_touch` by these settings."""
_lock = Lock()


def _client(models: Models) -> Client:
    """The client of these settings in this process; connections and the ledger are shared by all its consultations."""
    with _lock:
        if models not in _clients:
            if not _clients:
                atexit.register(hang_up)
            _clients[models] = Client(ledger=_ledger(models))
        return _clients[models]


def keep_in(models: Models, ledger: Ledger) -> None:
    """Answers of these settings are kept in `ledger`: in a process that has not the file which they name."""
    with _lock:
        if models not in _clients:
            _clients[models] = Client(ledger=ledger)


def _ledger(models: Models) -> Ledger | None:
    if models.record and models.replay:
        raise UsageError("--record: a cassette is written or answered from, not both (mend: leave out --replay)")
    if models.replay:
        return Player(models.replay)
    behind = SqliteLedger(models.ledger) if models.ledger else None
    return Recorder(models.record, behind) if models.record else behind


@contextmanager
def in_touch(models: Models) -> Iterator[None]:
    """Models are asked inside by these settings; the last to leave closes their connections, ledger and cassette.

    What else goes on in this process, by others, is left alone: an application plays several things at once.
    """
    with _lock:
        _users[models] += 1
    try:
        yield
    finally:
        with _lock:
            _users[models] -= 1
            client = None if _users[models] else _clients.pop(models, None)
        if client is not None:
            client.close()


def hang_up() -> None:
    """Closes all clients of this process, at its end. The next call opens them anew."""
    with _lock:
        clients = list(_clients.values())
        _clients.clear()
    atexit.unregister(hang_up)
    for client in clients:
        client.close()


@dataclass(slots=True)
class _Heard:
    """What is remembered of a role's replies beside the account."""

    models: list[str] = field(default_factory=list)
    asked_again: int = 0
    repaired: int = 0


class Talk:
    """The calls of one consultation."""

    def __init__(self, models: Models, consultation: str, hear: OnText | None = None, *, epoch: int = 0) -> None:
        """`hear`: the inquirer's words while they come. Raises ConsultError where the ledger or cassette cannot be used."""
        self._models = models
        self._hear = hear
        self._calls = _client(models).calls(consultation, epoch=epoch, budget=models.budget)
        self._heard: dict[str, _Heard] = {}

    def endpoint(self, said: ModelSpec) -> Endpoint:
        """Where this model is reached. Raises UsageError, also where money is counted and the price is not known."""
        endpoint = self._models.endpoint(said.model)
        if self._models.budget.cost is not None and endpoint.known_price() is None:
            raise UsageError(f"--budget: the price of {endpoint.name} is not known (mend: count tokens or calls)")
        return endpoint

    def sampling(self, said: ModelSpec) -> Sampling:
        """How this model draws its words."""
        return self._models.sampling(said.max_tokens)

    def ask(
        self, endpoint: Endpoint, request: Request, *, role: str, turn: int, attempt: int = 0, kept_as: str = ""
    ) -> Reply:
        """The reply, on the account of the role; see `client.Where`. Raises CallError, BudgetSpent or StoreError."""
        # A patient's words are nobody's before the guard has read them; litellm does not tell a stream's model.
        hear = Spoken(self._hear) if self._hear and role == "inquirer" and endpoint.direct else None
        reply = self._calls.ask(endpoint, request, role=role, turn=turn, attempt=attempt, on_text=hear, kept_as=kept_as)
        heard = self._heard.setdefault(role, _Heard())
        if reply.model and (model := one_line(reply.model, limit=200)) not in heard.models:
            heard.models.append(model)
        heard.asked_again += reply.asks - 1
        heard.repaired += bool(reply.repairs)
        return reply

    @property
    def waits(self) -> dict[str, Waits]:
        """How long the answers took so far, by role."""
        return self._calls.account.waits

    def kept(self) -> dict[str, Any]:
        """What each role took so far, for whoever goes on in another process."""
        account = self._calls.account
        return {
            role: {"totals": asdict(totals), "waits": account.waits.get(role, Waits()).plain(),
                   "heard": asdict(self._heard.get(role, _Heard()))}
            for role, totals in account.roles.items()
        }  # fmt: skip

    def take_up(self, kept: Mapping[str, Any]) -> None:
        """Counts what was paid before, unless it was paid here. Raises KeyError or TypeError where it is no such thing."""
        account = self._calls.account
        if account.roles:
            return
        for role, known in kept.items():
            account.take_up(role, Totals.of(known["totals"]), Waits.of(known["waits"]))
            self._heard[role] = _Heard(**known["heard"])

    def used(self) -> list[Used]:
        """What each role took so far, as events. What came from the ledger counts like the rest."""
        out = []
        for role, t in sorted(self._calls.account.roles.items()):
            heard = self._heard.get(role, _Heard())
            out.append(
                Used(
                    role=role,
                    models=tuple(heard.models),
                    calls=t.calls,
                    prompt_tokens=t.usage.prompt,
                    completion_tokens=t.usage.completion,
                    cost=None if t.unpriced else round(t.cost, 6),
                    asked_again=heard.asked_again,
                    repaired=heard.repaired,
                )
            )
        return out
