"""The reference patient: policy, templates, guard. Needs no model; the same seed says the same words."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, Final

from consult.agents.base import PatientReply, PatientView
from consult.agents.patient.policy import Plan, Policy, findings_of
from consult.clean import clean
from consult.events import Event, Guarded, Query, Told, Utterance
from consult.language.guard import breaches
from consult.language.manner import manner
from consult.language.realiser import Saying, realise
from consult.language.resolver import resolve
from consult.mood import causes, change
from consult.persona import Cause
from consult.seeds import rng
from consult.settings import MAX_TEXT

ATTEMPTS: Final = 2
"""Wordings tried before the plainest one is used."""


class ReferencePatient:
    """A patient by templates."""

    def open(self, view: PatientView) -> PatientReply:
        """The chief complaint, in the scenario's words or the templates'."""
        chance = rng(view.seed, "opening")
        policy = _policy(view, chance, told=(), asked=frozenset())
        plan = policy.opening()
        images = tuple(i.caption for i in view.scenario.images)
        fixed = clean(view.scenario.opening, limit=MAX_TEXT)
        plan, text, events = _worded(view, plan, None, (), chance, fixed=fixed)
        utterance = Utterance(text=text, told=plan.told, flags=plan.extras, cue=plan.cue, images=images)
        memory = {"cue": plan.cue, "asked": [], "empathies": 0}
        return PatientReply((*events, utterance), view.mood, memory)

    def reply(self, view: PatientView) -> PatientReply:
        """The answer to a question; or the end, when patience is gone."""
        knowledge = view.world.knowledge
        query = resolve(view.question, knowledge, view.world.resolver)
        asked = frozenset(view.memory["asked"])
        told = view.told
        said = manner(view.question, query, knowledge)
        moves = causes(
            said, query, cue=view.memory["cue"], asked=asked, turn=view.turn, empathies=view.memory["empathies"]
        )
        mood, events = change(view.mood, moves, view.persona, view.turn)
        memory: dict[str, Any] = {
            "cue": "",
            "asked": sorted(asked | set(query.findings)),
            "empathies": view.memory["empathies"] + (Cause.EMPATHY in moves),
        }
        chance = rng(view.seed, "reply", view.turn)
        if mood.irritation >= view.persona.temper.leaves_at < 1:
            plan = Plan(lead="leave", flags=("leaves",))
            plan, text, guarded = _worded(view, plan, query, told, chance)
            gone = Utterance(text=text, turn=view.turn, query=query, flags=plan.flags)
            return PatientReply((*events, *guarded, gone), mood, memory, leaves=True)
        plan = _policy(view, chance, told=told, asked=asked, mood=mood).answer(query)
        plan, text, guarded = _worded(view, plan, query, told, chance)
        memory["cue"] = plan.cue
        utterance = Utterance(text=text, turn=view.turn, told=plan.told, query=query, cue=plan.cue, flags=plan.flags)
        return PatientReply((*events, *guarded, utterance), mood, memory)


def _policy(
    view: PatientView, chance: random.Random, *, told: tuple[Told, ...], asked: frozenset[str], mood: Any = None
) -> Policy:
    return Policy(
        view.scenario, view.world.knowledge, view.persona, mood or view.mood, findings_of(told), asked, chance
    )


def _worded(
    view: PatientView,
    plan: Plan,
    query: Query | None,
    before: tuple[Told, ...],
    chance: random.Random,
    *,
    fixed: str = "",
) -> tuple[Plan, str, list[Event]]:
    """The plan as far as it was carried out, the utterance for it, past the guard, and what the guard stopped."""
    events: list[Event] = []
    asked = query.findings if query is not None else ()
    knowledge = view.world.knowledge
    for attempt in range(1, ATTEMPTS + 1):
        last = attempt == ATTEMPTS
        if last:
            plan = _bare(plan)
        saying = Saying(plan.told, asked, plan.lead, plan.extras)
        text = fixed if fixed and not last else realise(saying, view.scenario, knowledge, view.persona, chance)
        if fixed and not last and plan.extras:
            text = f"{text} {realise(Saying(extras=plan.extras), view.scenario, knowledge, view.persona, chance)}"
        found = breaches(text, asked, plan.told, before, view.scenario, knowledge)
        if not found:
            return plan, text, events
        events += [
            Guarded(
                turn=view.turn,
                breach=f.breach,
                about=f.about,
                attempt=attempt,
                action="replaced" if last else "retried",
            )
            for f in found
        ]
    return Plan(), "I'm not sure how to put it.", events


def _bare(plan: Plan) -> Plan:
    """A plan without what temperament adds: nothing that is not said may be on record as said."""
    return replace(plan, extras=(), cue="", flags=tuple(f for f in plan.flags if f not in plan.extras))
