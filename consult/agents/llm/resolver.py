"""What a question asks for, by a model's choice among the ids of the case's facts. The patient's law stays what it is.

The model is shown the doctor's words and the names of what can be asked about: never whether it is so, a value, or words of
the case; what it chooses is shown to nobody who words an answer. Ids that are not in the list are refused and asked again; where
no usable choice comes, the reference resolver's reading stands, and a `guard` event says so. The audit always reads by the
reference one, and `consult.score.understanding` says where the two differ.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, Field

from consult.agents.base import PatientView
from consult.agents.llm.spec import RESOLVER, ModelSpec, prompts
from consult.agents.llm.talk import Talk
from consult.clean import one_line
from consult.events import Event, Guarded, Query
from consult.knowledge.model import Finding
from consult.llm.base import Message, Outcome, Request
from consult.scenario import Release

_LONGEST: Final = 4000
"""Characters of a question that the model is shown (ours)."""


class Choice(BaseModel):
    """What a question asks for."""

    kind: Literal["specific", "open", "nothing"]
    findings: list[str] = Field(max_length=12)


class ModelResolver:
    """A model that says what is asked."""

    def __init__(self, said: ModelSpec, talk: Talk) -> None:
        self._talk = talk
        self._endpoint = talk.endpoint(said)
        self._sampling = talk.sampling(said)

    def understand(self, view: PatientView, own: Query) -> tuple[Query, list[Event]]:
        """The model's reading of the question, or `own`, with the event that says so. Raises CallError, BudgetSpent."""
        known = _askable(view, own)

        def wrong(choice: Choice) -> str:
            strange = [name for name in choice.findings if name not in known]
            return f"{strange[0][:80]!r} is no id of the list" if strange else ""

        system = prompts().render("resolver/system", findings=list(known.values()))
        turn = prompts().render("resolver/turn", question=one_line(view.question, limit=_LONGEST))
        messages = (Message("system", system), Message("user", turn))
        request = Request(messages, Choice, self._sampling, check=wrong)
        reply = self._talk.ask(self._endpoint, request, role=RESOLVER, turn=view.turn)
        if reply.outcome is not Outcome.OK:
            missed = Guarded(
                turn=view.turn, breach="unresolved", about=reply.outcome.value, attempt=reply.asks, action="replaced"
            )
            return own, [missed]
        return _query(reply.given(), known, own), []


def _askable(view: PatientView, own: Query) -> dict[str, Finding]:
    """What can be asked about: what the patient may know of, and whatever the reference resolver reads in the words."""
    knowledge = view.world.knowledge
    facts = (f.finding for f in view.scenario.facts if f.release is not Release.ORDER_ONLY)
    return {name: knowledge.finding[name] for name in sorted({*facts, *own.findings}) if name in knowledge.finding}


def _query(choice: Choice, known: dict[str, Finding], own: Query) -> Query:
    """The choice as a question: an open one opens the topics of what it names; topics named are those of the rule's reading."""
    found, is_open = tuple(dict.fromkeys(choice.findings)), choice.kind == "open"
    opened = [known[name].topic for name in found] if is_open else []
    topics = (*own.topics, *opened) if is_open or not found else ()
    nothing = choice.kind == "nothing" and not found
    return Query(
        findings=found, topics=() if nothing else tuple(dict.fromkeys(topics)), open=is_open, asks_nothing=nothing
    )
