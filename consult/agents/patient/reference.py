"""The reference patient: policy, templates, guard. Needs no model; the same seed says the same words."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any, Final

from consult.agents.base import Ending, PatientReply, PatientView
from consult.agents.patient.policy import Plan, Policy, findings_of
from consult.clean import clean
from consult.events import Event, Guarded, Query, Told, Utterance
from consult.language.guard import breaches
from consult.language.manner import manner, understood
from consult.language.phrases import Draw
from consult.language.realiser import Saying, realise
from consult.mood import Notes, ended, heard, is_explained
from consult.persona import Mood
from consult.seeds import rng
from consult.settings import MAX_TEXT

ATTEMPTS: Final = 2
"""Wordings tried before the plainest one is used."""
_NOTHING: Final = Query(asks_nothing=True)


class ReferencePatient:
    """A patient by templates."""

    def voice(self, view: PatientView, *turn: object) -> Voice:
        """What puts the plans of a turn into words; the policy before it is the same whoever words them."""
        return Voice(view, *turn)

    def open(self, view: PatientView) -> PatientReply:
        """The chief complaint, in the scenario's words or the templates'."""
        voice = self.voice(view, "opening")
        plan = _policy(view, voice.chance, Notes(), (), view.mood).opening()
        images = tuple(i.caption for i in view.scenario.images)
        fixed = clean(view.scenario.opening, limit=MAX_TEXT)
        plan, text, events = voice.say(plan, None, (), fixed=fixed)
        utterance = Utterance(text=text, told=plan.told, flags=plan.extras, cue=plan.cue, images=images)
        return PatientReply((*events, utterance), view.mood, voice.memory(Notes(cue=plan.cue)))

    def reply(self, view: PatientView) -> PatientReply:
        """The answer to a question; or the end, when patience is gone."""
        knowledge, persona = view.world.knowledge, view.persona
        read = view.world.read(view.question, view.told)
        query = understood(view.question, read, knowledge, persona.health_literacy)
        before = Notes.of(view.memory)
        said = manner(view.question, read, knowledge)
        mood, notes, events = heard(view.mood, before, said, query, persona, view.turn)
        voice = self.voice(view, "reply", view.turn)
        policy = _policy(view, voice.chance, before, view.told, mood)
        if mood.irritation >= persona.temper.leaves_at < 1:
            plan, text, guarded = voice.say(policy.leaving(), query, view.told)
            gone = Utterance(text=text, turn=view.turn, query=query, flags=plan.flags)
            return PatientReply((*events, *guarded, gone), mood, voice.memory(notes), leaves=True)
        lost = query != read
        plan = policy.answer(query, lost=lost)
        # A bare yes or no would be taken as the answer to the word that was not understood, too.
        plan, text, guarded = voice.say(plan, query, view.told, bare_answers=not lost)
        utterance = Utterance(text=text, turn=view.turn, told=plan.told, query=query, cue=plan.cue, flags=plan.flags)
        return PatientReply(
            (*events, *guarded, utterance), mood, voice.memory(notes.answered(query, plan.told, plan.cue))
        )

    def close(self, view: PatientView, ending: Ending) -> PatientReply:
        """The last word, by what was explained and in what mood it found the patient."""
        words, notes = ending.explanation, Notes.of(view.memory)
        said = manner(words, _NOTHING, view.world.knowledge)
        mood, events = ended(view.mood, notes, said, words, view.persona, view.turn)
        voice = self.voice(view, "closing")
        policy = _policy(view, voice.chance, notes, view.told, mood)
        plan = policy.closing(explained=is_explained(words), grave=ending.grave)
        plan, text, guarded = voice.say(plan, _NOTHING, view.told)
        last = Utterance(text=text, turn=view.turn, query=_NOTHING, flags=plan.flags)
        return PatientReply((*events, *guarded, last), mood, voice.memory(notes))


def _policy(view: PatientView, chance: random.Random, notes: Notes, told: tuple[Told, ...], mood: Mood) -> Policy:
    return Policy(view.scenario, view.world.knowledge, view.persona, mood, findings_of(told), notes.asked, chance)


@dataclass(slots=True)
class Voice:
    """Turns plans of one turn into words past the guard; holds its chance and how far each word bank is dealt."""

    view: PatientView
    chance: random.Random
    draw: Draw

    def __init__(self, view: PatientView, *turn: object) -> None:
        self.view = view
        self.chance = rng(view.seed, *turn)
        self.draw = Draw(view.seed, view.memory.get("drawn"))

    def memory(self, notes: Notes) -> dict[str, Any]:
        """What is carried on to the next turn."""
        return {**notes.plain(), "drawn": dict(sorted(self.draw.drawn.items()))}

    def say(
        self, plan: Plan, query: Query | None, before: tuple[Told, ...], *, fixed: str = "", bare_answers: bool = True
    ) -> tuple[Plan, str, list[Event]]:
        """The plan as far as it was carried out, the utterance for it, and what the guard stopped.

        `fixed`: the words for the facts, where the scenario gives them.
        """
        events: list[Event] = []
        asked = query.findings if query is not None else ()
        scenario, knowledge = self.view.scenario, self.view.world.knowledge
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            if last:
                plan = _bare(plan)
            text = self._words(plan, asked if bare_answers else (), "" if last else fixed)
            found = breaches(text, asked, plan.told, before, scenario, knowledge)
            if not found:
                return plan, text, events
            action: Any = "replaced" if last else "retried"
            events += [
                Guarded(turn=self.view.turn, breach=f.breach, about=f.about, attempt=attempt, action=action)
                for f in found
            ]
        return Plan(), "I'm not sure how to put it.", events

    def _words(self, plan: Plan, asked: tuple[str, ...], fixed: str) -> str:
        if not fixed:
            return self._realised(Saying(plan.told, asked, plan.lead, plan.extras, grave=plan.grave))
        before = self._realised(Saying(lead=plan.lead, grave=plan.grave))
        after = self._realised(Saying(extras=plan.extras, grave=plan.grave))
        return " ".join(part for part in (before, fixed, after) if part)

    def _realised(self, saying: Saying) -> str:
        view = self.view
        return realise(saying, view.scenario, view.world.knowledge, view.persona, self.chance, self.draw)


def _bare(plan: Plan) -> Plan:
    """A plan without what temperament adds: nothing that is not said may be on record as said."""
    return replace(plan, extras=(), cue="", flags=tuple(f for f in plan.flags if f not in plan.extras))
