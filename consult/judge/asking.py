"""One judge, some items, one view: the questions put, the answers checked, and asked again where they do not hold.

What goes wrong ends as rulings without a value and their reason; nothing is ever read as 0. Owns the bound on asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from consult.clean import one_line
from consult.events import Ruling
from consult.judge.panel import Judge
from consult.judge.rubric import Item, Rubric
from consult.judge.rulings import RulingsSaid, check
from consult.judge.view import View
from consult.llm.base import Message, Outcome, Reply, Request
from consult.llm.endpoint import Endpoint
from consult.llm.errors import BudgetSpent, CallError, Kind
from consult.llm.prompts import Prompts

ASKED: Final = 2
"""Times that rulings are asked for which do not hold: once, and once more with what was wrong (ours)."""
ROLE: Final = "assessor"
_LATER: Final = (Kind.FILTERED,)
"""Failures that belong to this one consultation, though asking again would not help."""


class Asks(Protocol):
    """By what a judge is asked: `consult.llm.client.Calls`, or what stands for it."""

    def ask(
        self, endpoint: Endpoint, request: Request, *, role: str, turn: int, attempt: int = 0, kept_as: str = ""
    ) -> Reply:
        """The reply to a request; `kept_as` as of `consult.llm.client.Where`. Raises CallError, BudgetSpent or StoreError."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The right answer, as a judge is told it for the items that need it."""

    diagnosis: str
    accepted: tuple[str, ...]
    urgency: str
    plan: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked at once."""

    rubric: Rubric
    items: tuple[Item, ...]
    view: View
    subject: int | None = None
    """seq of the event that alone is judged."""
    turn: int = 0
    answer: Answer | None = None
    """None: judged blind."""


@dataclass(slots=True)
class Trouble:
    """What went wrong around the judges in one consultation."""

    failed: str = ""
    """The first failure that another attempt may mend."""
    fatal: CallError | None = None
    """What no further call can get past (a key, an address): nothing is asked any more."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a task."""

    rulings: dict[str, Ruling] = field(default_factory=dict)
    """By item, all of them."""
    model: str = ""


def ask(task: Task, judge: Judge, calls: Asks, prompts: Prompts, trouble: Trouble) -> Heard:
    """The judge's rulings on a task. Raises UsageError and StoreError only."""
    held: dict[str, Ruling] = {}
    pending = list(task.items)
    messages = list(_messages(task, prompts))
    wrong, model = dict[str, str](), ""
    place = (judge.vote - 1) * ASKED  # so that the same question of the next vote is not answered from the ledger
    for attempt in range(ASKED):
        if trouble.fatal is not None:
            wrong = _all(pending, str(trouble.fatal))
            break
        request = Request(tuple(messages), RulingsSaid, judge.sampling)
        try:
            reply = calls.ask(judge.endpoint, request, role=ROLE, turn=task.turn, attempt=place + attempt)
        except (CallError, BudgetSpent) as e:
            note(e, trouble)
            wrong = _all(pending, str(e))
            break
        model = reply.model or model
        if reply.outcome is not Outcome.OK:
            problem = f": {reply.problems[-1]}" if reply.problems else ""
            wrong = _all(pending, f"the judge's reply is {reply.outcome.value}{problem}")
            break
        checked = check(reply.given(), task.rubric, pending, task.view, task.subject)
        held |= checked.good
        wrong, pending = checked.wrong, [i for i in pending if i.id in checked.wrong]
        if not pending:
            break
        again = prompts.render("again", wrong=wrong)
        messages += [Message("assistant", reply.text), Message("user", again)]
    lost = {i.id: _missing(i, wrong[i.id]) for i in pending}
    return Heard({i.id: held.get(i.id) or lost[i.id] for i in task.items}, model)


def note(e: CallError | BudgetSpent, trouble: Trouble) -> None:
    """Remembers what went wrong; a budget that is used up is no trouble."""
    if isinstance(e, BudgetSpent):
        return
    if e.kind.retryable:
        trouble.failed = trouble.failed or str(e)
    elif e.kind not in _LATER:
        trouble.fatal = e


def _all(items: Sequence[Item], problem: str) -> dict[str, str]:
    return {i.id: problem for i in items}


def _missing(item: Item, problem: str) -> Ruling:
    return Ruling(item=item.id, value=None, reason=one_line(problem, limit=400))


def _messages(task: Task, prompts: Prompts) -> tuple[Message, Message]:
    shared: dict[str, Any] = {"mark": task.view.mark, "subject": task.subject}
    quotes = {i.quotes for i in task.items}
    whose = "doctor" if quotes == {"doctor"} else "any"
    items = []
    for item in task.items:
        low, high = task.rubric.range(item)
        items.append(
            {"id": item.id, "text": item.text, "levels": item.levels, "quotes": item.quotes, "low": low, "high": high}
        )
    return (
        Message("system", prompts.render("system", whose=whose, **shared)),
        Message(
            "user",
            prompts.render(
                "items", transcript=task.view.text, answer=task.answer, items=items,
                scale=task.rubric.scoring.value, **shared,
            ),
        ),
    )  # fmt: skip
