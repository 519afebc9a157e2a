"""Loaded once by the process that the workers of a batch are forked from: what every one of them needs."""

import consult.sim.session  # noqa: F401
from consult.batch.garbage import collect_seldom
from consult.hospital import load_hospital
from consult.knowledge.load import load_knowledge
from consult.language.lexicon import lexicon

lexicon(load_knowledge())
load_hospital()

collect_seldom()
