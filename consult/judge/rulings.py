"""What a judge answers, and whether it holds: every item once, within its range, with quotes that stand in the transcript.

Owns the form of the answer and the check of its citations. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from consult.clean import one_line
from consult.events import Quoted, Ruling
from consult.judge.rubric import Item, Rubric
from consult.judge.view import View
from consult.llm.structured import at_most

LEAST: Final = 2
"""Letters or digits that a quote has at least."""
_KEPT: Final = 400
"""Characters of a quote or a reason that are kept."""
_NAME: Final = 100
"""Characters of an item's name."""
_QUOTES: Final = 8
"""Quotes for one item that a server which enforces counts lets a judge give (ours)."""


class QuoteSaid(BaseModel):
    """Words that a judge says it found in an event."""

    model_config = ConfigDict(frozen=True)
    event: int
    text: Annotated[str, at_most(maxLength=_KEPT)]


class RulingSaid(BaseModel):
    """A judge's answer to one item. Quotes and reason come before the value, so that they are thought of first."""

    model_config = ConfigDict(frozen=True)
    item: Annotated[str, at_most(maxLength=_NAME)]
    quotes: Annotated[list[QuoteSaid], at_most(maxItems=_QUOTES)] = Field(default_factory=list)
    reason: Annotated[str, at_most(maxLength=_KEPT)] = ""
    value: int


class RulingsSaid(BaseModel):
    """A judge's answer; as it stands here, on one item."""

    model_config = ConfigDict(frozen=True)
    rulings: Annotated[list[RulingSaid], at_most(maxItems=1)]


@lru_cache(maxsize=64)
def schema_of(items: tuple[str, ...]) -> type[RulingsSaid]:
    """What is asked for of these items: servers that enforce a schema let a judge name no other.

    Where a schema is not enforced, one that is named beside them is passed over, as ever. A single item needs none of it:
    rubrics that are asked item by item have tens of thousands.
    """
    if len(items) < 2:
        return RulingsSaid
    item: Any = (Annotated[str, Field(json_schema_extra={"enum": list(items)})], ...)
    one: Any = create_model("RulingSaid", __base__=RulingSaid, item=item)
    return create_model(
        "RulingsSaid", __base__=RulingsSaid, rulings=(Annotated[list[one], at_most(maxItems=len(items))], ...)
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer after the check."""

    good: dict[str, Ruling] = field(default_factory=dict)
    """What holds, by item."""
    wrong: dict[str, str] = field(default_factory=dict)
    """Why it does not, by item."""


def check(said: RulingsSaid, rubric: Rubric, items: Sequence[Item], view: View, subject: int | None = None) -> Checked:
    """Which of the answers hold. `subject`: the event that alone is judged, of which the doctor's quotes must then be."""
    out = Checked()
    for item in items:
        found = [r for r in said.rulings if r.item == item.id]
        if len(found) != 1:
            out.wrong[item.id] = "it is not answered" if not found else "it is answered more than once"
            continue
        problem = _problem(found[0], rubric, item, view, subject)
        if problem:
            out.wrong[item.id] = problem
        else:
            out.good[item.id] = _ruling(found[0])
    return out


def _problem(said: RulingSaid, rubric: Rubric, item: Item, view: View, subject: int | None) -> str:
    low, high = rubric.range(item)
    if not low <= said.value <= high:
        return f"its value {said.value} is not from {low} to {high}"
    whose = []
    for quote in said.quotes:
        line = view.at.get(quote.event)
        if line is None:
            return f"it quotes event {quote.event}, which is not there"
        if not stands_in(quote.text, line.words):
            return f"it quotes event {quote.event} with words that do not stand there: {one_line(quote.text, limit=80)}"
        whose.append(line.seq if subject is not None and line.who == "doctor" else line.who)
    if not said.value or item.quotes == "none":
        return ""
    wanted = subject if subject is not None else "doctor"
    if item.quotes == "any" and whose:
        return ""
    if wanted not in whose:
        who = (
            f"event {subject}" if subject is not None else "the doctor" if item.quotes == "doctor" else "the transcript"
        )
        return f"its value is not 0, but nothing of {who} is quoted"
    return ""


def stands_in(quote: str, words: str) -> bool:
    """Whether the quote is there, whatever its case, spacing and quotation marks. An ellipsis joins parts in their order."""
    text, at = _folded(words), 0
    parts = [p for p in (_folded(part).strip() for part in re.split(r"\.\.\.|…|\[\.\.\.\]", quote)) if p]
    if sum(c.isalnum() for part in parts for c in part) < LEAST:
        return False
    for part in parts:
        found = _found(part, text, at)
        if found is None:
            return False
        at = found
    return True


def _found(part: str, text: str, start: int) -> int | None:
    """Where a part ends that begins and ends with whole words; None if it is not there."""
    at = text.find(part, start)
    while at >= 0:
        end = at + len(part)
        before, after = text[at - 1 : at], text[end : end + 1]
        if not (before.isalnum() and part[0].isalnum()) and not (after.isalnum() and part[-1].isalnum()):
            return end
        at = text.find(part, at + 1)
    return None


_SAME: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})


@lru_cache(maxsize=1024)
def _folded(text: str) -> str:
    return " ".join(text.translate(_SAME).casefold().split()).strip('"')


def _ruling(said: RulingSaid) -> Ruling:
    quotes = tuple(Quoted(event=q.event, text=one_line(q.text, limit=_KEPT)) for q in said.quotes)
    return Ruling(item=said.item, value=said.value, quotes=quotes, reason=one_line(said.reason, limit=_KEPT))
