"""Another speaker than the scenario's: who may speak for whom, and what they can know. Must not import sim.

All rules are ours. A parent or carer tells of the patient in the third person, and does not know what only the patient
can tell: what is sensitive, and the patient's own ideas, worries and wishes. A scenario that is written for a parent or
carer says itself what they know, and is taken as it is.
"""

from __future__ import annotations

import re
from typing import Final

from consult.errors import UsageError
from consult.knowledge.model import Knowledge
from consult.language.realiser import OWN_TOPICS
from consult.language.voice import third_person
from consult.scenario import Fact, Release, Scenario, Speaker, State
from consult.terms import Sex

SPEAKS_FROM: Final = 5
"""Age in years from which a child can be the one who speaks."""
ADULT: Final = 18
"""Age in years from which nobody speaks as a parent."""
_THEIRS: Final = {Sex.FEMALE: re.compile(r"\bher\b"), Sex.MALE: re.compile(r"\bhis\b")}


def spoken_by(scenario: Scenario, speaker: str, knowledge: Knowledge) -> Scenario:
    """The scenario as `speaker` (self, parent, carer; empty: the scenario's own) tells it.

    Raises UsageError where they cannot speak for this patient.
    """
    patient = scenario.patient
    if speaker in ("", patient.speaker.value):
        return scenario
    _allowed(scenario, speaker)
    to = Speaker(speaker)
    facts = tuple(_known(f, scenario, to, knowledge) for f in scenario.facts)
    if not any(f.release is Release.OPENING and f.state is State.PRESENT for f in facts):
        raise UsageError(f"--persona: nobody but the patient can say what {scenario.id} is about (mend: no +speaker=)")
    changed = {"patient": patient.model_copy(update={"speaker": to}), "facts": facts, "opening": ""}
    return Scenario(**({k: getattr(scenario, k) for k in Scenario.model_fields} | changed))


def _allowed(scenario: Scenario, speaker: str) -> None:
    age = scenario.patient.age
    if speaker == Speaker.SELF and age < SPEAKS_FROM:
        raise UsageError(
            f"--persona: the patient of {scenario.id} is {age:g}; patients speak for themselves from {SPEAKS_FROM} on "
            "(mend: no +speaker=self)"
        )
    if speaker == Speaker.PARENT and age >= ADULT:
        raise UsageError(
            f"--persona: the patient of {scenario.id} is {age:g}, and nobody of {ADULT} or more is spoken for by a parent "
            "(mend: +speaker=carer)"
        )


def _known(fact: Fact, scenario: Scenario, to: Speaker, knowledge: Knowledge) -> Fact:
    """A fact as the new speaker knows it: in their words, or not at all."""
    if fact.release in (Release.UNKNOWN, Release.ORDER_ONLY):
        return fact
    finding = knowledge.finding.get(fact.finding)
    inner = finding is not None and (finding.topic in OWN_TOPICS or (finding.sensitive and to is not Speaker.SELF))
    if inner or (fact.release is Release.SENSITIVE and to is not Speaker.SELF):
        return Fact(finding=fact.finding, state=State.UNKNOWN, release=Release.UNKNOWN)
    return fact.model_copy(update={"text": _turned(fact.text, scenario, to)}) if fact.text else fact


def _turned(text: str, scenario: Scenario, to: Speaker) -> str:
    """Free words with the patient as "I" turned to "she" or "he", and back."""
    patient = scenario.patient
    if to is Speaker.SELF:
        return _THEIRS[patient.sex].sub("my", text)
    if patient.speaker is not Speaker.SELF:
        return text
    turned = third_person(text, patient.sex)
    return turned if text[:1].isupper() else turned[:1].lower() + turned[1:]
