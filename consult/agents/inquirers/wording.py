"""How the reference inquirer speaks: empathy, questions, conclusions. Words only; decides nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from consult.agents.base import InquirerView
from consult.knowledge.model import Condition, Finding, Source
from consult.language.realiser import listed
from consult.language.voice import about_patient, told_of
from consult.scenario import Speaker
from consult.terms import Urgency

OPEN: Final = (
    "Thank you for coming in; I'm sorry to hear that. Tell me more about what has been going on.",
    "I'm sorry to hear that. Could you tell me more, in your own words?",
    "That sounds unpleasant. Please tell me everything that has been happening.",
)
EMPATHY: Final = (
    "I can hear how worried you are.",
    "I understand why this worries you.",
    "That must be hard for you.",
    "I can see this has been frightening.",
    "I'm sorry you are going through this.",
)
OUTCOME: Final = (
    "I understand how much you want an answer; a few more questions will help me get it right.",
    "I can see why you want this sorted out. I'm asking because the answers decide what we do next.",
    "I hear that you feel this takes long. It helps me to be sure before I say anything.",
)
DELICATE: Final = (
    "The next question is a personal one. It helps me to find the cause; take your time.",
    "I ask everyone this, because the answer can change what we do. Take your time.",
)
CONCERN: Final = ("ice.concern", "ice.idea", "ice.expectation")


def question(f: Finding, view: InquirerView, *, kind_words: bool, chance: random.Random) -> str:
    """A question for a finding, to whoever speaks, with what the patient's last words call for before it."""
    text = f.questions[0]
    if view.patient.speaker is not Speaker.SELF and f.topic != "ice":
        text = about_patient(text, view.patient.sex)
    if not kind_words:
        return text
    before = ""
    if f.sensitive:
        before = _pick(DELICATE, chance)
    elif view.cue == "worry":
        before = _pick(EMPATHY, chance)
    elif view.cue:
        before = _pick(OUTCOME, chance)
    return f"{before} {text}".strip()


def open_question(chance: random.Random) -> str:
    """The first question."""
    return _pick(OPEN, chance)


def explanation(c: Condition, view: InquirerView, because: Sequence[Finding]) -> str:
    """What is told to the patient: what it most likely is, why, and what comes next."""
    name = c.plain or c.name
    shown = [f for f in because[:3] if f.source is not Source.HISTORY]
    tests = " and what the tests show" if shown else ""
    parts = [f"From what you have told me{tests}, I think the most likely explanation is {name}."]
    if because:
        parts.append(f"What points to it: {listed([f.plain for f in because[:3]])}.")
    if c.explanation:
        of_other = view.patient.speaker is not Speaker.SELF
        parts.append(told_of(c.explanation, view.patient.sex) if of_other else c.explanation)
    return " ".join(parts)


def safety_net(c: Condition, urgency: Urgency) -> str:
    """What must bring the patient back."""
    if c.safety_net:
        return c.safety_net
    if urgency is Urgency.EMERGENCY:
        return "If it gets worse while you wait, tell the staff or call an ambulance at once."
    return "Please come back, or call for help, if it gets worse, if anything new appears, or if you are worried."


def _pick(bank: Sequence[str], chance: random.Random) -> str:
    return bank[int(chance.random() * len(bank))]
