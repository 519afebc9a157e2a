"""What a diagnosis means whose name nothing in the knowledge matches: asked of a model, where one is there for it.

It is asked after the consultation, and once for each distinct name: it is shown the name, the code given with it and the
list of all conditions, never the case, the dialogue or the right answer, so that its answer holds for every consultation
with that name and is kept for all of them. Owns that question; what comes of the answer is `consult.score`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field

from consult.clean import one_line
from consult.errors import UsageError
from consult.judge.asking import Asks, Trouble, note
from consult.judge.panel import MATCHER, TIMEOUT, prompts_in, sampling_at
from consult.knowledge.model import Knowledge
from consult.llm.base import Message, Outcome, Request
from consult.llm.endpoint import CONCURRENCY, Endpoint, bounded
from consult.llm.errors import BudgetSpent, CallError
from consult.llm.prompts import Prompts
from consult.score.base import Case
from consult.score.match import Diagnosed, Meant, unmatched

NONE: Final = "none"
_PROMPTS: Final = Path(__file__).resolve().parent / "match_prompts"
_PREFIX: Final = "llm:"
_REASON: Final = 200


class Choice(BaseModel):
    """What a name means."""

    condition: str = Field(max_length=200)
    """An id of the list, or none."""


@dataclass(frozen=True)
class Matcher:
    """Who is asked."""

    spec: str
    endpoint: Endpoint
    prompts: Prompts
    max_tokens: int | None
    """Of one answer; None: see `sampling_at`."""

    @cached_property
    def hashes(self) -> dict[str, str]:
        """sha256 of each prompt (`matcher/NAME`); with the spec, all that decides an answer."""
        return {f"{MATCHER}/{name}": known["sha256"] for name, known in self.prompts.identity.items()}


def matcher_of(
    spec: str,
    *,
    api_base: str = "",
    transport: str = "",
    concurrency: int = CONCURRENCY,
    per_minute: int | None = None,
) -> Matcher | None:
    """The matcher that a spec names; None: nobody, names are matched by rule alone. Raises UsageError or DataError."""
    if spec in ("", "reference"):
        return None
    if not spec.startswith(_PREFIX):
        raise UsageError(f"--{MATCHER}: {spec!r} is no model (mend: llm:MODEL, or leave it out)")
    model, bound = bounded(spec)
    endpoint = Endpoint(
        model, api_base, transport=transport, concurrency=concurrency, per_minute=per_minute, timeout=TIMEOUT
    )
    return Matcher(spec, endpoint, prompts_in(MATCHER, _PROMPTS), bound)


def asked(case: Case, matcher: Matcher, calls: Asks, trouble: Trouble) -> Meant:
    """What the names mean that nothing in the knowledge matches. Raises UsageError and StoreError only.

    Where the model gives no answer the name is missing, with the reason; that is a failure around the doctor.
    """
    there = case.end is not None and not case.void
    names = unmatched(case.knowledge, case.end.differential) if there and case.end is not None else []
    conditions: dict[Diagnosed, str | None] = {}
    reason = ""
    for name in names:
        try:
            reply = calls.ask(
                matcher.endpoint, _request(name, case.knowledge, matcher), role=MATCHER, turn=0, kept_as=MATCHER
            )
        except (CallError, BudgetSpent) as e:
            note(e, trouble)
            reason = str(e)
            break
        if reply.outcome is Outcome.OK:
            said = reply.given().condition
            conditions[name] = None if said == NONE else said
        else:
            what = reply.problems[-1] if reply.problems else reply.outcome.value
            reason = f"the matcher's reply is {reply.outcome.value}: {what}"
    return Meant(matcher.spec, conditions, one_line(reason, limit=_REASON))


def _request(name: Diagnosed, knowledge: Knowledge, matcher: Matcher) -> Request:
    def wrong(choice: Choice) -> str:
        known = choice.condition == NONE or choice.condition in knowledge.condition
        return "" if known else f"{choice.condition[:80]!r} is neither an id of the list nor {NONE!r}"

    words, code = name
    system = matcher.prompts.render("system", conditions=knowledge.conditions)
    shown = matcher.prompts.render("name", name=one_line(words), code=one_line(code))
    messages = (Message("system", system), Message("user", shown))
    return Request(messages, Choice, sampling_at(matcher.endpoint, matcher.max_tokens), check=wrong)
