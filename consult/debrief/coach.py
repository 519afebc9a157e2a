"""Better words by a model, where one is there for it, in place of the stock sentences of the rules.

It is shown the dialogue up to the doctor's words and what a rule found fault with: never the case, the answer, or what
followed. What it says is held against the same rules as the doctor's words; where it does not hold, or the model gives
nothing, the rule's words stay, with the reason. Owns that question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, Field

from consult.clean import clean, one_line
from consult.debrief.better import SPLIT
from consult.debrief.model import Better, Debrief, Line
from consult.debrief.words import faults_in_words
from consult.errors import UsageError
from consult.events import Query, Question, Utterance
from consult.judge.asking import Asks
from consult.judge.panel import COACH, TIMEOUT, prompts_in, sampling_at
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge
from consult.language.manner import is_stacked, manner, unexplained
from consult.language.resolver import resolve
from consult.llm.base import Message, Outcome, Request
from consult.llm.client import Client
from consult.llm.endpoint import Endpoint, bounded
from consult.llm.errors import BudgetSpent, CallError
from consult.llm.ledger import SqliteLedger
from consult.llm.prompts import Prompts
from consult.mood import is_explained, takes_up, takes_up_last
from consult.store.transcript import Transcript

LONGEST: Final = 800
"""Characters of what is to be said at once."""
SEEN: Final = 24
"""Lines of the dialogue that it is shown, the last ones."""
_PROMPTS: Final = Path(__file__).resolve().parent / "coach_prompts"
_PREFIX: Final = "llm:"


class Questions(BaseModel):
    """What is to be asked instead."""

    instead: list[str] = Field(min_length=1, max_length=SPLIT)
    """One after another."""


class Ending(BaseModel):
    """How it is to end instead."""

    explanation: str
    safety_net: str
    """What must bring the patient back."""


@dataclass(frozen=True)
class Coach:
    """Who is asked."""

    spec: str
    endpoint: Endpoint
    prompts: Prompts
    max_tokens: int | None
    """Of one answer; None: see `sampling_at`."""


def coach_of(spec: str, *, api_base: str = "") -> Coach:
    """The coach that a spec names. Raises UsageError or DataError."""
    if not spec.startswith(_PREFIX):
        raise UsageError(f"--{COACH}: {one_line(spec)!r} is no model (mend: llm:MODEL, or leave it out)")
    model, bound = bounded(spec)
    return Coach(spec, Endpoint(model, api_base, timeout=TIMEOUT), prompts_in(COACH, _PROMPTS), bound)


def by_coach(made: Debrief, transcript: Transcript, coach: Coach, db: Path) -> Debrief:
    """`coached`; what is answered is kept in the ledger beside a database that is there, so that nothing is paid twice."""
    ledger = SqliteLedger(db.with_suffix(".ledger")) if db.is_file() else None
    with Client(ledger=ledger) as client:
        return coached(made, transcript, coach, client.calls(transcript.id))


def coached(made: Debrief, transcript: Transcript, coach: Coach, calls: Asks) -> Debrief:
    """The debrief with the model's words. Raises DataError where a prompt cannot be rendered, StoreError."""
    knowledge = load_knowledge(transcript.header.knowledge)
    return made.model_copy(update={"better": tuple(_put(b, transcript, knowledge, coach, calls) for b in made.better)})


def _put(b: Better, transcript: Transcript, knowledge: Knowledge, coach: Coach, calls: Asks) -> Better:
    def wrong(given: Any) -> str:
        words = _words(given)
        return next((w for text in words if (w := _fault(text, knowledge))), "") or _of_all(words, b, knowledge)

    schema = Ending if b.cite.end else Questions
    messages = _messages(b, transcript, coach)
    request = Request(messages, schema, sampling_at(coach.endpoint, coach.max_tokens), check=wrong)
    try:
        reply = calls.ask(coach.endpoint, request, role=COACH, turn=b.cite.seq)
    except (CallError, BudgetSpent) as e:
        return b.model_copy(update={"why_not": one_line(str(e), limit=200)})
    if reply.outcome is not Outcome.OK:
        what = reply.problems[-1] if reply.problems else reply.outcome.value
        return b.model_copy(update={"why_not": one_line(f"{coach.spec}: {what}", limit=200)})
    return b.model_copy(update={"instead": _words(reply.given()), "by": coach.spec})


def _words(given: Questions | Ending) -> tuple[str, ...]:
    texts = given.instead if isinstance(given, Questions) else (given.explanation, given.safety_net)
    return tuple(one_line(clean(text), limit=LONGEST + 1) for text in texts)  # one more shows


def _fault(text: str, knowledge: Knowledge) -> str:
    """What is wrong with one of them."""
    if not text:
        return "one of them is empty"
    if len(text) > LONGEST:
        return f"one of them is longer than {LONGEST} characters"
    if terms := unexplained(text, knowledge):
        return f"clinical words, not explained: {', '.join(terms)}"
    return ""


def _of_all(words: tuple[str, ...], b: Better, knowledge: Knowledge) -> str:
    """What the rules that the doctor's words are held against find in these."""
    cue = next((f.about for f in b.faults if f.rule == "cue"), "")
    if b.cite.end:
        if not is_explained(words[0]):
            return "the explanation says no more than a name"
        passed_over = cue and not takes_up_last(cue, manner(" ".join(words), Query(), knowledge), words[0])
    else:
        queries = [resolve(text, knowledge) for text in words]
        if any(is_stacked(text, query) for text, query in zip(words, queries, strict=True)):
            return "several questions in one breath: give each as an entry of its own"
        passed_over = cue and not takes_up(manner(words[0], queries[0], knowledge))
    return "what the patient let show is not taken up, with a word of feeling or a reason" if passed_over else ""


def _messages(b: Better, transcript: Transcript, coach: Coach) -> tuple[Message, Message]:
    shown = coach.prompts.render(
        "turn", lines=list(_before(b, transcript))[-SEEN:], said=one_line(b.said, limit=LONGEST), end=b.cite.end,
        faults=faults_in_words(b), instead=[one_line(text) for text in b.instead],
    )  # fmt: skip
    return Message("system", coach.prompts.render("system")), Message("user", shown)


def _before(b: Better, transcript: Transcript) -> Iterator[Line]:
    for e in transcript.events:
        if e.seq >= b.cite.seq:
            return
        if isinstance(e, (Question, Utterance)):
            yield Line(who="doctor" if isinstance(e, Question) else "patient", text=one_line(e.text, limit=LONGEST))
