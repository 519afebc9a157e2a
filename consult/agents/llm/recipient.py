"""A recipient that is a model: it reads what the patient says and codes it; the record's own rules take it in.

Nothing is inferred: every statement names a finding of the list and quotes the words it was taken from, and both are
looked up; what does not hold is asked again with what was wrong. Results of orders are coded already and cost no call.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from consult.agents.base import RecipientView
from consult.agents.llm.spec import ModelSpec, prompts
from consult.agents.llm.talk import Talk
from consult.agents.llm.words import age_in_words, record_in_words
from consult.clean import one_line
from consult.disclosure import ancestors
from consult.judge.rulings import stands_in
from consult.knowledge.model import Finding, FindingKind, Knowledge, Source
from consult.knowledge.per_object import per_object
from consult.language.lexicon import suits
from consult.language.mentions import Reading
from consult.llm.base import Message, Request
from consult.llm.structured import at_most
from consult.scenario import Patient

_ROLE: Final = "recipient"
_LONGEST: Final = 4000
"""Characters of an utterance that the model is shown, of a human who does not find an end (ours)."""
_ANY: Final = (None, 0, 130)
"""Sex and ages of a finding that any patient may have."""
_QUOTED: Final = 400
"""Characters of the words for one thing that a server which enforces lengths lets the model write (ours)."""
Id = Annotated[str, at_most(maxLength=100)]


class Statement(BaseModel):
    """One thing that was said."""

    finding: Id
    state: Literal["present", "absent", "unknown", "not_noticed"]
    values: list[Id] = Field(max_length=20)
    words: Annotated[str, at_most(maxLength=_QUOTED)]


class Heard(BaseModel):
    """All that was said, the main complaint first."""

    statements: list[Statement] = Field(max_length=60)


class ModelRecipient:
    """A recipient by a model."""

    def __init__(self, said: ModelSpec, talk: Talk) -> None:
        self._talk = talk
        self._endpoint = talk.endpoint(said)
        self._sampling = talk.sampling(said)

    def read(self, view: RecipientView) -> tuple[Reading, ...]:
        """What the words say. Raises UnusableReply where nothing of use is given, CallError, BudgetSpent."""
        knowledge, words = view.world.knowledge, one_line(view.said.text, limit=_LONGEST)
        known = {f.id: f for f in _shared_first(knowledge) if _can_be_told(f, view.patient)}

        def wrong(heard: Heard) -> str:
            return next((w for s in heard.statements if (w := _wrong(s, known, words))), "")

        request = Request(self._messages(view, known, words), Heard, self._sampling, check=wrong)
        reply = self._talk.ask(self._endpoint, request, role=_ROLE, turn=view.said.turn)
        return _readings(reply.given(), knowledge)

    @staticmethod
    def _messages(view: RecipientView, known: dict[str, Finding], words: str) -> tuple[Message, Message]:
        patient, knowledge = view.patient, view.world.knowledge
        who: dict[str, Any] = {"speaker": patient.speaker.value}
        system = prompts().render(
            "recipient/system",
            age=age_in_words(patient.age),
            sex=patient.sex.value,
            findings=list(known.values()),
            **who,
        )
        turn = prompts().render(
            "recipient/turn", record=record_in_words(view.record, knowledge), question=one_line(view.question, limit=_LONGEST),
            words=words, **who,
        )  # fmt: skip
        return Message("system", system), Message("user", turn)


def _for_everyone_first(knowledge: Knowledge) -> tuple[Finding, ...]:
    """Findings that any patient may have, then the rest: so that prompts of all patients begin alike, and are read once."""
    return tuple(sorted(knowledge.findings, key=lambda f: (f.sex, f.min_age, f.max_age) != _ANY))


_shared_first = per_object(_for_everyone_first)


def _can_be_told(f: Finding, patient: Patient) -> bool:
    return f.source is Source.HISTORY and suits(f, patient.age, patient.sex)


def _wrong(s: Statement, known: dict[str, Finding], said: str) -> str:
    """What is wrong with a statement in one line; empty if nothing is."""
    finding = known.get(s.finding)
    if finding is None:
        return f"{s.finding[:80]!r} is no finding of the list"
    strange = [v for v in s.values if v not in finding.value_ids]
    if strange:
        of = f"its values are {', '.join(finding.value_ids)}" if finding.values else "it has none"
        return f"{strange[0][:80]!r} is no value of {s.finding}: {of}"
    return "" if stands_in(s.words, said) else f"the words given for {s.finding} were not said: {s.words[:80]!r}"


def _readings(heard: Heard, knowledge: Knowledge) -> tuple[Reading, ...]:
    """The statements as readings: the last of each finding, and what an attribute belongs to."""
    out: dict[str, Reading] = {}
    for s in heard.statements:
        text = one_line(s.words, limit=500) if knowledge.finding[s.finding].kind is FindingKind.TEXT else ""
        out.pop(s.finding, None)
        out[s.finding] = Reading(s.finding, s.state, tuple(dict.fromkeys(s.values)), text)
    for r in [r for r in out.values() if r.state == "present"]:
        for above in ancestors(r.finding, knowledge.parent_of):
            out.setdefault(above, Reading(above, "present", implied=True))
    return tuple(out.values())
