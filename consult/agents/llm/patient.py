"""A patient whose words come from a model: policy, template, then the model's wording of it past the guard.

The model is shown who the patient is, the mood, the question, what was told so far, and what the template says this turn:
never the diagnosis, a fact not released, or a score. Where its words do not do, the template's are said. Must not import sim.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from consult.agents.base import PatientView
from consult.agents.llm.resolver import ModelResolver
from consult.agents.llm.spec import ModelSpec, prompts
from consult.agents.llm.talk import Talk
from consult.agents.llm.wording import LONGEST, Fault, Wording
from consult.agents.llm.words import age_in_words, mood_in_words, traits_in_words
from consult.agents.patient.policy import Plan
from consult.agents.patient.reference import ReferencePatient, Voice
from consult.clean import clean
from consult.events import Event, Guarded, Query, Told
from consult.language.voice import third_person
from consult.llm.base import Message, Outcome, Request, Sampling
from consult.llm.endpoint import Endpoint
from consult.scenario import Speaker

WORDINGS: Final = 3
"""Times a model may word a turn before the template's words are said (ours)."""
_IN_VAIN: Final = (Outcome.REFUSED, Outcome.FILTERED, Outcome.TOO_LONG)
"""After these it is not asked again."""
_ROLE: Final = "patient"
_QUOTES: Final = "\"'“”„«»*` "


class ModelPatient(ReferencePatient):
    """A patient by policy and model."""

    def __init__(self, said: ModelSpec, talk: Talk) -> None:
        self._talk = talk
        self._endpoint = talk.endpoint(said)
        self._sampling = talk.sampling(said)
        self._resolver = ModelResolver(said, talk) if said.resolves else None

    def understand(self, view: PatientView) -> tuple[Query, list[Event]]:
        """See `ReferencePatient`. Raises CallError where no server answers, BudgetSpent."""
        own, events = super().understand(view)
        return self._resolver.understand(view, own) if self._resolver is not None else (own, events)

    def voice(self, view: PatientView, *turn: object) -> Voice:
        """See `ReferencePatient`."""
        return ModelVoice(self._talk, self._endpoint, self._sampling, view, *turn)


class ModelVoice(Voice):
    """Has the template's words said again by a model."""

    __slots__ = ("_endpoint", "_sampling", "_talk")

    def __init__(self, talk: Talk, endpoint: Endpoint, sampling: Sampling, view: PatientView, *turn: object) -> None:
        super().__init__(view, *turn)
        self._talk = talk
        self._endpoint = endpoint
        self._sampling = sampling

    def say(
        self, plan: Plan, query: Query | None, before: tuple[Told, ...], *, fixed: str = "", bare_answers: bool = True
    ) -> tuple[Plan, str, list[Event]]:
        """See `Voice`. Raises CallError where no server answers, BudgetSpent."""
        plan, template, events = super().say(plan, query, before, fixed=fixed, bare_answers=bare_answers)
        messages = self._messages(plan, template, before)
        check = Wording(
            view=self.view,
            asked=query.findings if query is not None else (),
            told=plan.told,
            before=before,
            template=template,
            given=" ".join((clean(self.view.question), *self._told(before))),
            prompt=f"{messages[0].text}\n{self._turn('', '', [], leaves=False)}",
        )
        for attempt in range(1, WORDINGS + 1):
            request = Request(messages, sampling=self._sampling)
            reply = self._talk.ask(self._endpoint, request, role=_ROLE, turn=self.view.turn, attempt=attempt)
            text = _spoken(reply.text)
            found = check.faults(text) if reply.outcome is Outcome.OK else [Fault("role_break", reply.outcome.value)]
            if not found:
                return plan, text, events
            last = attempt == WORDINGS or reply.outcome in _IN_VAIN
            events += self._guarded(found, attempt, "replaced" if last else "retried")
            if last:
                break
            messages = (*messages[:2], Message("assistant", text[:LONGEST] or "…"), self._again(found, template))
        return plan, template, events

    def _guarded(self, found: Sequence[Fault], attempt: int, action: Any) -> list[Event]:
        turn = self.view.turn
        kinds: list[tuple[Any, str]] = list(found)
        return [Guarded(turn=turn, breach=b, about=a, attempt=attempt, action=action) for b, a in kinds]

    def _messages(self, plan: Plan, template: str, before: tuple[Told, ...]) -> tuple[Message, ...]:
        view = self.view
        patient = view.scenario.patient
        system = prompts().render(
            "patient/system",
            age=age_in_words(patient.age),
            sex=patient.sex.value,
            speaker=patient.speaker.value,
            manner=view.persona.facets.model_dump(),
            traits=traits_in_words(view.persona),
            speech=view.persona.speech,
            literacy=view.persona.health_literacy,
        )
        turn = self._turn(clean(view.question), template, self._told(before), leaves=plan.lead == "leave")
        return Message("system", system), Message("user", turn)

    def _turn(self, question: str, content: str, told: list[str], *, leaves: bool) -> str:
        mood = mood_in_words(self.view.mood)
        return prompts().render("patient/turn", question=question, content=content, told=told, mood=mood, leaves=leaves)

    def _told(self, before: Sequence[Told]) -> list[str]:
        """What was told so far, a sentence of the knowledge for each."""
        view, patient, out = self.view, self.view.scenario.patient, []
        for t in {t.finding: t for t in before if t.state in ("present", "absent")}.values():
            finding, fact = view.world.knowledge.finding[t.finding], view.scenario.by_finding.get(t.finding)
            own = fact.text if fact is not None and t.state == "present" else ""
            values = ", ".join(v.replace("_", " ") for v in t.values)
            words = own or f"{finding.plain}: {values or ('yes' if t.state == 'present' else 'no')}"
            out.append(words if patient.speaker is Speaker.SELF else third_person(words, patient.sex))
        return out

    @staticmethod
    def _again(found: Sequence[Fault], template: str) -> Message:
        kinds = list(dict.fromkeys(f.breach for f in found))
        return Message("user", prompts().render("patient/again", breaches=kinds, content=template))


def _spoken(text: str) -> str:
    """What is said, on one line and without quotation marks around it."""
    return " ".join(clean(text, limit=LONGEST + 1).split()).strip(_QUOTES)
