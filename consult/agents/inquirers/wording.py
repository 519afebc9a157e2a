"""How the reference inquirer speaks: what it says around its questions, and its conclusions. Words only; decides nothing.

What was said before decides what may be said now: no phrase comes twice while there are others left.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from typing import Final

from consult.agents.base import InquirerView
from consult.events import Statement
from consult.knowledge.model import Condition, Finding, FindingKind, Source
from consult.knowledge.per_object import per_object
from consult.language.acts import SpeechAct, does
from consult.language.concepts import concepts
from consult.language.realiser import listed
from consult.language.resolver import resolve
from consult.language.tokens import tokens
from consult.language.voice import about_patient, second_person, third_person, told_of
from consult.scenario import Speaker
from consult.terms import Urgency

OPEN: Final = (
    "Thank you for coming in; I'm sorry to hear that. Tell me more about what has been going on.",
    "Hello. I'm sorry to hear that. Could you tell me more, in your own words?",
    "That sounds unpleasant. Please tell me everything that has been happening.",
    "I'm glad you came in with this. Tell me more about it, from the beginning.",
    "Hello, and take your time. Tell me more about what has been happening.",
    "That sounds difficult. Tell me all about it, in your own words.",
)
FEARED: Final = (
    "I can hear how worried you are.",
    "I understand why this worries you.",
    "I can see this has been frightening.",
    "Anyone would be uneasy about this.",
    "That sounds really worrying.",
)
"""To a fear said in words; below, what fits any feeling."""
EMPATHY: Final = (
    "That must be hard for you.",
    "I'm sorry you are going through this.",
    "It's understandable that you feel that way.",
    "I'm glad you told me that.",
    "I can imagine how upsetting this is.",
    "Thank you for being so open with me.",
    "You were right to come in with this.",
    "I hear you, and we will look after you here. You're not alone with this.",
    "I can see how much this weighs on you; I understand how hard it is to wait.",
)
OUTCOME: Final = (
    "I understand how much you want an answer; a few more questions will help me get it right.",
    "I can see why you want this sorted out. I'm asking because the answers decide what we do next.",
    "I hear that you feel this takes long. It helps me to be sure before I say anything.",
    "You'll get a straight answer from me. I need to know a little more to make sure it is the right one.",
    "I understand how frustrating this is. Each answer helps me to rule something out.",
    "I know you want to know what it is. This helps me to tell the likely from the unlikely.",
    "I can see how you want to get on with it. I ask so that we can start with the right thing.",
)
DELICATE: Final = (
    "The next question is a personal one. It helps me to find the cause; take your time.",
    "I ask everyone this, because the answer can change what we do. Take your time.",
    "This is a private matter, and I only ask because it helps me to understand. Take your time.",
)
OF_THE_MIND: Final = (
    "I ask everyone about this, because what weighs on the mind can make the body ill. Take your time.",
    "I only ask because it helps me to understand how you are as a whole. Take your time.",
)
OF_THAT: Final = (
    "Let me ask a little more about that, because it helps me to know what help you need.",
    "I need to ask about this too, because it decides what we do now.",
    "I'm asking on, because I want to be sure that you are safe.",
)
"""Before a detail of something hard to say that has been said."""
CONFIDED: Final = (
    "Thank you for telling me that; I know it is not easy to say.",
    "I'm glad you told me. It matters, and we will not leave you alone with it.",
)
"""To something hard to say that has just been said."""
FIRST: Final = (
    "Thank you. Now I'd like to ask you some questions about that.",
    "Thank you, that helps. I have a few questions for you now.",
    "All right. First, I'd like to ask about a few details.",
)
NEXT: Final = (
    "Now I'd like to ask about {topic}.",
    "Next, I'd like to ask about {topic}.",
    "Let me turn to {topic} for a moment.",
    "We should also talk about {topic}.",
    "Let's move on to {topic}.",
)
SAFETY: Final = (
    "I also have a few general questions. They are there to make sure that nothing is missed.",
    "Next, I have some questions that I ask everyone, to make sure that we miss nothing.",
)
SUMMARY: Final = (
    "Let me sum up what I have heard so far: {list}. Please correct me if I have got anything wrong.",
    "Let me check that I have understood: {list}. Stop me if I have missed something.",
    "So far you've told me that {list}. Tell me if I've left anything out.",
)
BEFORE_END: Final = (
    "We are nearly done. Before I explain what I think,",
    "Before we finish,",
    "Thank you for your patience. Before I tell you what I make of it,",
)
RECAP: Final = ("To sum up, {list}.", "Let me sum up: {list}.")
HEARD: Final = (
    "I know that you are worried, and I understand why, so let me tell you plainly what I think.",
    "I can hear how worried you are, so I will tell you plainly where we stand.",
    "I understand how uneasy this makes you, so let me be open with you.",
)
KEPT: Final = (
    "I have kept in mind what you said worries you, and we will talk that through too.",
    "What you said you are worried about is part of this, and we will come back to it together.",
)
AGREED_NOW: Final = (
    "I'd like to act on this right away, if you agree.",
    "We should start on this at once. Is that all right with you?",
    "I would like us to get going now, if that is all right with you.",
)
AGREED: Final = (
    "Does that sound all right to you, or is there something you would rather do differently?",
    "How does that sound to you?",
    "Are you happy to go ahead with that, or would you prefer to talk about other ways?",
    "We can decide on the details together. Is that all right with you?",
)
_FEAR: Final = re.compile(
    r"\b(?:afraid|worr\w+|fear\w*|scare\w*|fright\w+|dread\w*|terrif\w+|worst|dreadful|awful)\b", re.IGNORECASE
)
BACKGROUND: Final[dict[tuple[str, ...], str]] = {
    ("medication", "allergy"): "What medicines do you take, and are you allergic to anything?",
    ("past.surgery", "past.illness"): "Have you ever had an operation, and do you have any long-term illnesses?",
}
"""What is asked of everybody, two findings in a breath."""
SIGNPOST_EVERY: Final = 4
"""Questions from one signpost to the next, at least."""
SUMMARY_AT: Final = 7
"""Questions after which there is enough to sum up."""
LISTED: Final = 4
"""Things named in a summary."""


def question(f: Finding, view: InquirerView, *, kind_words: bool, chance: random.Random, duty: bool = False) -> str:
    """A question for a finding, to whoever speaks, with what the patient's last words call for before it.

    `duty`: it is asked for safety's sake, not for what it is expected to tell.
    """
    text = f.questions[0]
    if view.patient.speaker is not Speaker.SELF and f.topic != "ice":
        text = about_patient(text, view.patient.sex)
    return f"{_before(f, view, chance, duty=duty)} {text}".strip() if kind_words else text


def own_view(f: Finding, view: InquirerView, chance: random.Random, *, last: bool = False) -> str:
    """A question for the patient's idea, concern or hope; `last`: there is none after it."""
    text = _pick(f.questions, chance)
    kind = _to_cue(view, chance)
    if not last:
        return f"{kind} {text}".strip()
    return f"{kind} {_fresh(BEFORE_END, view, chance)} {text[:1].lower()}{text[1:]}".strip()


def _before(f: Finding, view: InquirerView, chance: random.Random, *, duty: bool) -> str:
    """The most fitting of: a word on what is private, on a cue, a summary, a signpost; or nothing."""
    heard = _fresh(CONFIDED, view, chance) if _has_confided(view) else ""
    if f.sensitive and f.parent is not None and view.record.holds(f.parent):
        return f"{heard} {_fresh(OF_THAT, view, chance)}".strip()
    if f.sensitive:
        return f"{heard} {_fresh(OF_THE_MIND if f.topic == 'mind' else DELICATE, view, chance)}".strip()
    if heard:
        return heard
    if view.cue:
        return _to_cue(view, chance)
    if view.turn >= SUMMARY_AT and not summed_up(view) and (told := _told(view)):
        return _fresh(SUMMARY, view, chance).format(list=told)
    if any(does(line, SpeechAct.SIGNPOST) for line in _own(view)[-(SIGNPOST_EVERY - 1) :]):
        return ""
    if view.turn == 1:
        return _fresh(FIRST, view, chance)
    if duty and not any(phrase in line for phrase in SAFETY for line in _own(view)):
        return _fresh(SAFETY, view, chance)
    topic = view.world.knowledge.topics.get(f.topic, "")
    if not topic or view.turn < 1 or f.topic == _last_topic(view):
        return ""
    if view.patient.speaker is not Speaker.SELF:
        topic = about_patient(topic, view.patient.sex)
        topic = topic[:1].lower() + topic[1:]
    return _fresh(NEXT, view, chance).format(topic=topic)


def _to_cue(view: InquirerView, chance: random.Random) -> str:
    if not view.cue:
        return ""
    if view.cue != "worry":
        return _fresh(OUTCOME, view, chance)
    said = next((line.text for line in reversed(view.dialogue) if line.speaker != "inquirer"), "")
    return _fresh((*FEARED, *EMPATHY) if _FEAR.search(said) else EMPATHY, view, chance)


def _has_confided(view: InquirerView) -> bool:
    """Whether the last answer was a yes to something hard to say."""
    findings = view.world.knowledge.finding
    last = _own(view)[-1:]
    return any(
        findings[name].sensitive and view.record.holds(name)
        for line in last
        for name in resolve(line, view.world.knowledge, view.world.resolver).findings
    )


@per_object
def _own(view: InquirerView) -> list[str]:
    """What the inquirer has said so far."""
    return [line.text for line in view.dialogue if line.speaker == "inquirer"]


def summed_up(view: InquirerView) -> bool:
    """Whether there has been a summary."""
    return any(does(line, SpeechAct.SUMMARY) for line in _own(view))


def _last_topic(view: InquirerView) -> str:
    """The topic of the last question that asked for a finding."""
    knowledge = view.world.knowledge
    for line in reversed(_own(view)):
        for name in resolve(line, knowledge, view.world.resolver).findings:
            return knowledge.finding[name].topic
    return ""


def _told(view: InquirerView) -> str:
    """What has been heard, said back: the complaint, how long it has lasted, what else there is, a danger that is not.

    Nothing if there is too little to sum up.
    """
    findings, statements = view.world.knowledge.finding, view.record.statements
    first = (view.record.complaint or "", "complaint.duration")
    names = _without_repeats(dict.fromkeys(n for n in (*first, *statements) if n in statements), view)
    there = [c for n in names if statements[n].state == "present" and (c := _clause(findings[n], statements[n], view))]
    absent = [findings[n] for n in names if statements[n].state == "absent" and findings[n].red_flag]
    gone = [c for f in absent if (c := _clause(f, statements[f.id], view))]
    return listed([*there[:LISTED], *gone[:1]]) if len(there) > 1 else ""


def _without_repeats(names: Iterable[str], view: InquirerView) -> list[str]:
    """`names` without what a detail named before has said already: blisters of a rash, and then the rash."""
    out: list[str] = []
    for name in names:
        if all(view.world.knowledge.finding[n].parent != name for n in out):
            out.append(name)
    return out


def _clause(f: Finding, s: Statement, view: InquirerView) -> str:
    """A statement of the record, said back; nothing for what is private, seen by tests only, or words of their own."""
    if f.sensitive or f.kind is FindingKind.TEXT or f.source is not Source.HISTORY:
        return ""
    plain = {v.id: v.plain for v in f.values}
    text = f.present.replace("{value}", listed([plain.get(v, v) for v in s.values]))
    if s.state == "absent":
        text = f.absent or f"I don't have {f.plain}"
    if view.patient.speaker is Speaker.SELF:
        return second_person(text)
    text = third_person(text, view.patient.sex)
    return text[:1].lower() + text[1:]


def background(names: Sequence[str], view: InquirerView, chance: random.Random, *, kind_words: bool) -> str:
    """One question for medicines and allergies, or for past illnesses and operations."""
    text = BACKGROUND[tuple(names)]
    if view.patient.speaker is not Speaker.SELF:
        text = about_patient(text, view.patient.sex)
    before = _before(view.world.knowledge.finding[names[0]], view, chance, duty=True) if kind_words else ""
    return f"{before} {text}".strip()


def open_question(view: InquirerView, chance: random.Random) -> str:
    """The first question."""
    return _fresh(OPEN, view, chance)


def explanation(
    c: Condition, view: InquirerView, because: Sequence[Finding], urgency: Urgency, chance: random.Random
) -> str:
    """What is told to the patient: what it most likely is, why, what comes next; and a question whether they agree."""
    name = c.plain or c.name
    because = _told_apart(because)[:3]
    shown = {f.source for f in because}
    tests = " and what the tests show" if Source.TEST in shown else ""
    tests = tests or (" and what I have found" if Source.EXAMINATION in shown else "")
    told = "" if summed_up(view) else _told(view)
    of_other = view.patient.speaker is not Speaker.SELF
    parts = (
        _pick(HEARD, chance) if view.cue == "worry" else "",
        _pick(RECAP, chance).format(list=told) if told and view.turn else "",
        f"From what you have told me{tests}, I think the most likely explanation is {name}.",
        f"What points to it: {listed([f.plain for f in because])}." if because else "",
        told_of(c.explanation, view.patient.sex) if of_other else c.explanation,
        _pick(KEPT, chance) if view.record.holds("ice.concern") else "",
        _pick(AGREED_NOW if urgency is Urgency.EMERGENCY else AGREED, chance),
    )
    return " ".join(part for part in parts if part)


def _told_apart(because: Sequence[Finding]) -> list[Finding]:
    """The reasons without those that mostly say another one again."""
    out: list[Finding] = []
    for f in because:
        said = concepts(tokens(f.plain))
        others = [concepts(tokens(o.plain)) for o in out]
        if all(2 * len(set(said) & set(o)) <= min(len(set(said)), len(set(o))) for o in others):
            out.append(f)
    return out


def safety_net(c: Condition, view: InquirerView, urgency: Urgency) -> str:
    """What must bring the patient back, as it is told to who speaks."""
    if c.safety_net:
        of_other = view.patient.speaker is not Speaker.SELF
        return told_of(c.safety_net, view.patient.sex) if of_other else c.safety_net
    if urgency is Urgency.EMERGENCY:
        return "If it gets worse while you wait, tell the staff or call an ambulance at once."
    return "Please come back, or call for help, if it gets worse, if anything new appears, or if you are worried."


def _fresh(bank: Sequence[str], view: InquirerView, chance: random.Random) -> str:
    """A phrase of the bank not said yet; any, once all have been."""
    said = " ".join(_own(view))
    left = [p for p in bank if p.partition("{")[0] not in said]
    return _pick(left or bank, chance)


def _pick(bank: Sequence[str], chance: random.Random) -> str:
    return bank[int(chance.random() * len(bank))]
