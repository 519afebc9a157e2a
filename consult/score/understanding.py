"""Where a model said what questions ask for: how far the reference resolver reads them alike, and where not.

Owns the score `patient.understood_alike` (ours), which is written only for consultations in which a model was asked. Reads
events only; must not import agents, sim, store or llm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from consult.events import Event, Query, Question, Scored, Told, Used, Utterance
from consult.knowledge.model import Knowledge
from consult.language.context import talk_of
from consult.language.manner import understood
from consult.language.resolver import resolve
from consult.persona import Persona
from consult.scenario import Scenario
from consult.score.audit import Teller, audit
from consult.score.base import score
from consult.terms import Resolver

NAME: Final = "patient.understood_alike"
ROLE: Final = "resolver"
"""Of the `usage` event that says that a model was asked."""
_TOLD: Final = 3


def understanding(
    events: Iterable[Event], knowledge: Knowledge, persona: Persona, resolver: Resolver = Resolver.LEXICON
) -> list[Scored]:
    """The share of questions that both take to ask for the same; the answers to the others are its evidence.

    Nothing where no model was asked. `resolver`: the one that the header names.
    """
    happened = list(events)
    if not any(isinstance(e, Used) and e.role == ROLE for e in happened):
        return []
    asked, differ = 0, list[tuple[int, str]]()
    question: Question | None = None
    told: list[Told] = []
    for e in happened:
        if isinstance(e, Question):
            question = e
        elif isinstance(e, Utterance) and e.query is not None and question is not None:
            own = resolve(question.text, knowledge, resolver, talk_of(told, knowledge))
            own = understood(question.text, own, knowledge, persona.health_literacy)
            asked += 1
            if _asks(own) != _asks(e.query):
                differ.append((e.seq, f"turn {e.turn}: {_in_words(e.query)}, by rule {_in_words(own)}"))
            question = None
        told += e.told if isinstance(e, Utterance) else ()
    if not asked:
        return [score(NAME, None, "share", reason="no question was answered")]
    reason = "; ".join(words for _, words in differ[:_TOLD])
    return [score(NAME, 1 - len(differ) / asked, "share", (seq for seq, _ in differ), reason)]


def audited(
    events: Sequence[Event],
    scenario: Scenario,
    knowledge: Knowledge,
    persona: Persona,
    resolver: Resolver,
    earlier: Sequence[Teller] = (),
) -> list[Event]:
    """What is said of the patient beside the doctor's scores: the above where it applies, and the audit (`earlier`: see there)."""
    return [
        *understanding(events, knowledge, persona, resolver),
        audit(events, scenario, knowledge, persona, resolver, earlier),
    ]


def _asks(query: Query) -> tuple[frozenset[str], bool, bool]:
    return frozenset(query.findings), query.open, query.asks_nothing


def _in_words(query: Query) -> str:
    return ", ".join([*(["open"] if query.open else ()), *query.findings]) or "nothing"
