"""The built-in patients for the tests of what they say: content loaded once, what a patient is handed, what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from consult.agents.base import PatientReply, PatientView, World
from consult.events import Utterance
from consult.hospital import load_hospital
from consult.knowledge.load import load_knowledge
from consult.persona import NEUTRAL, load_persona, persona_files
from consult.scenario import Scenario, load_scenario, scenario_files

K = load_knowledge()
WORLD = World(K, load_hospital())
SCENARIOS = {name: load_scenario(path) for name, path in sorted(scenario_files().items())}
PERSONAS = {name: load_persona(name) for name in sorted(persona_files())}
"""Not fixtures: hypothesis prints its arguments, and these are long."""
HEART = "indigestion_at_the_wheel"


def view_of(scenario: Scenario | str, persona: str = NEUTRAL, question: str = "", **changes: Any) -> PatientView:
    """What a patient would be handed."""
    case = SCENARIOS[scenario] if isinstance(scenario, str) else scenario
    who = PERSONAS.get(persona) or load_persona(persona)
    view = PatientView(WORLD, case, who, who.temper.start, {}, (), question, 1 if question else 0, 11)
    return replace(view, **changes)


def said_in(reply: PatientReply) -> Utterance:
    """The one utterance of a reply."""
    (said,) = [e for e in reply.events if isinstance(e, Utterance)]
    return said
