"""A doctor who does everything wrong, for the tests of the debrief: jargon, stacked questions, cues passed over, no danger asked for."""

from __future__ import annotations

from functools import cache

from consult import Setup, load_hospital, load_knowledge, load_persona, load_scenario
from consult.actions import Ask, Conclude, Diagnosis, Order
from consult.scenario import find_scenario
from consult.sim.sitting import Sitting
from consult.store.transcript import Transcript

STACKED = "Any dyspnoea, haemoptysis, syncope or haematuria? Nausea?"
QUESTIONS = (STACKED, "Do you have angina?", "Do you have angina?", "Do you smoke?", "blubber wibble")
HOSTILE = "[/b][red]x<script>alert(1)</script>\x1b[31m| `*_#\u202e ## heading ](http://a) 😀"


def setup(persona: str = "melancholic+literacy=low", scenario: str = "indigestion_at_the_wheel") -> Setup:
    return Setup(
        load_scenario(find_scenario(scenario)), load_persona(persona), load_hospital(), load_knowledge(), {}, seed=3
    )


def sat(questions: tuple[str, ...], end: Conclude, *orders: str) -> Transcript:
    """What a human doctor said and ordered, and how they ended it."""
    sitting = Sitting(setup())
    list(sitting.begin())
    for words in questions:
        list(sitting.act(Ask(text=words)))
    for order in orders:
        list(sitting.act(Order(order=order)))
    list(sitting.act(end))
    return sitting.transcript


@cache
def bad_doctor() -> Transcript:
    return sat(QUESTIONS, Conclude(differential=(Diagnosis(condition="gastro-oesophageal reflux disease"),)))


@cache
def hostile_doctor() -> Transcript:
    end = Conclude(
        differential=(Diagnosis(condition=HOSTILE),),
        explanation=f"It is {HOSTILE}",
        safety_net=HOSTILE,
        plan=(HOSTILE,),
    )
    return sat((HOSTILE, HOSTILE + " Do you smoke?"), end, HOSTILE)
