"""Done once by the process that the workers of a batch are forked from: what every one of them needs is loaded and made.

A first consultation makes what all later ones use (about half a second), so one is played, for nothing.
"""

from contextlib import suppress

from consult.batch.garbage import collect_seldom
from consult.batch.plan import DEFAULT_SCENARIO
from consult.hospital import load_hospital
from consult.knowledge.load import load_knowledge
from consult.persona import NEUTRAL, load_persona
from consult.scenario import find_scenario, load_scenario
from consult.sim.session import Setup, play

with suppress(Exception):  # a file of the user's may stand for one of these; what is wrong is told where it is played
    scenario = load_scenario(find_scenario(DEFAULT_SCENARIO))
    play(Setup(scenario, load_persona(NEUTRAL), load_hospital(), load_knowledge()))

collect_seldom()
