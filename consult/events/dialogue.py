"""The events of the dialogue: what patient, recipient, triage, doctor and examiner do, and its end."""

from __future__ import annotations

from operator import not_
from typing import Literal

from pydantic import Field

from consult.actions import Diagnosis
from consult.events.base import Actor, EventBase, StopReason
from consult.files import Record
from consult.terms import Department, Said, Urgency


class Told(Record):
    """A fact told, and how."""

    fact: str
    """The fact's id; the finding's where nothing was told of it, so that no value stands here unsaid."""
    finding: str
    state: Literal["present", "absent", "unknown", "not_noticed", "withheld"]
    values: tuple[str, ...] = ()
    rule: str = ""
    """The release rule that let it out."""
    tone: Literal["plain", "played_down", "dramatised"] = "plain"


class Query(Record):
    """What the patient understood an utterance to ask."""

    findings: tuple[str, ...] = ()
    """Specifically asked."""
    topics: tuple[str, ...] = ()
    """Opened."""
    open: bool = False
    """Leaves room to tell whatever comes to mind."""
    asks_nothing: bool = False


class Utterance(EventBase):
    """The patient (or who speaks for them) says something."""

    type: Literal["utterance"] = "utterance"
    actor: Literal[Actor.PATIENT] = Actor.PATIENT
    text: Said
    told: tuple[Told, ...] = ()
    query: Query | None = None
    """None for the opening."""
    cue: str = ""
    """The kind of cue given ("worry", "outcome"), empty if none."""
    flags: tuple[str, ...] = ()
    """What temperament did: digression, ask_back, seek_outcome, seek_reassurance, emotion, irritated, played_down,
    dramatised, reluctant, not_understood, leaves."""
    images: tuple[str, ...] = ()
    """Captions of images that come with the words."""


class MoodChange(EventBase):
    """The patient's mood moved, and why."""

    type: Literal["mood"] = "mood"
    actor: Literal[Actor.PATIENT] = Actor.PATIENT
    cause: str
    """`start`, or one of `consult.persona.Cause`."""
    trust: float
    irritation: float
    anxiety: float
    """The new values, 0..1."""


class Guarded(EventBase):
    """The guard stopped an utterance before it was said."""

    type: Literal["guard"] = "guard"
    actor: Literal[Actor.PATIENT] = Actor.PATIENT
    breach: Literal["leak", "unreleased", "invention", "contradiction", "role_break", "omission", "unresolved"]
    """What was wrong with the words; `omission`: what was to be told is not in them (of a model that words it);
    `unresolved`: a model gave no usable reading of the question, and the rule's was taken."""
    about: str = ""
    """The finding it concerns, or the kind of words."""
    attempt: int
    action: Literal["retried", "replaced"]


class Question(EventBase):
    """The inquirer says something to the patient."""

    type: Literal["question"] = "question"
    actor: Literal[Actor.INQUIRER] = Actor.INQUIRER
    text: str
    rationale: str = ""


class Belief(EventBase):
    """The inquirer's belief, if it keeps one: the most probable conditions."""

    type: Literal["belief"] = "belief"
    actor: Literal[Actor.INQUIRER] = Actor.INQUIRER
    top: tuple[tuple[Said, float], ...]
    entropy: float
    """Bits, over all conditions."""


class Ordered(EventBase):
    """The inquirer asks for an examination or test."""

    type: Literal["order"] = "order"
    actor: Literal[Actor.INQUIRER] = Actor.INQUIRER
    order: str
    rationale: str = ""


class Hinted(EventBase):
    """A human doctor asked for a hint and got one: the question after it earns them no information."""

    type: Literal["hint"] = "hint"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    topic: str
    """What to ask about: the topic, or the order, of greatest expected information; empty: nothing would tell more."""
    text: str
    bits: float = 0
    """What the best of it is expected to tell."""


class Changed(EventBase):
    """From here on something is otherwise: a human took over a role or handed it back, or a fork began with a change."""

    type: Literal["change"] = "change"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    what: Literal["inquirer", "patient", "triage", "persona", "result"]
    """A role, the patient's temperament, or what an order is answered with."""
    before: Said = ""
    """Who played it, or which temperament it was, until here."""
    now: Said
    """Likewise from here on; of a result `ORDER=TEXT`, with the findings it tells."""
    content: str = ""
    """sha256 of the temperament before."""


class Result(EventBase):
    """The examiner answers an order."""

    type: Literal["result"] = "result"
    actor: Literal[Actor.EXAMINER] = Actor.EXAMINER
    order: str
    status: Literal["recorded", "not_done", "synthesised", "unknown_order", "repeated", "overridden"]
    """Where the result comes from; `overridden`: given at a fork, not the case's own."""
    text: str
    told: tuple[Told, ...] = ()
    cost: float = 0
    delay: float = 0
    invasiveness: int = 0


class Statement(Record):
    """One line of the record, traceable to its turn."""

    section: Literal["chief_complaint", "present_illness", "past_history"]
    heading: str
    """Within the section: onset, main symptom, course, accompanying symptoms, diseases, medication …"""
    finding: str
    state: Literal["present", "absent", "unknown", "not_noticed"]
    values: tuple[str, ...] = ()
    text: str = ""
    """The words it was taken from, where they carry the content."""
    source: int
    """seq of the event it was taken from."""


class RecordUpdate(EventBase):
    """What the recipient added to or changed in the record."""

    type: Literal["record"] = "record"
    actor: Literal[Actor.RECIPIENT] = Actor.RECIPIENT
    statements: tuple[Statement, ...]
    chief_complaint: str
    """Main symptom and duration, as it stands now; "not given" while empty."""


class FiredRule(Record):
    """A rule that applied, with the findings that made it."""

    id: str
    kind: Literal["hard", "comparison", "belief", "danger", "fallback"]
    strength: str = ""
    favours: str = ""
    evidence: tuple[str, ...] = ()


class Triaged(EventBase):
    """The triage of this round."""

    type: Literal["triage"] = "triage"
    actor: Literal[Actor.TRIAGE] = Actor.TRIAGE
    round: int
    department: Department
    runner_up: Department
    urgency: Urgency
    rules: tuple[FiredRule, ...] = ()
    guidance: str = ""
    """The primary department whose inquiry rules the inquirer now has."""
    compared: tuple[str, ...] = ()
    """The pairs ("a/b") whose comparison rules were at hand."""
    in_question: tuple[str, ...] = ()
    """The pairs ("a/b": a is predicted, b the runner-up) whose rules the next round gets; empty: of this prediction."""
    rationale: Said = Field(default="", exclude_if=not_)
    """Why, of a model; not written where it is empty, so that the transcripts of others stay what they were."""


class Concluded(EventBase):
    """The inquirer ends with a diagnosis."""

    type: Literal["conclusion"] = "conclusion"
    actor: Literal[Actor.INQUIRER] = Actor.INQUIRER
    differential: tuple[Diagnosis, ...]
    plan: tuple[str, ...] = ()
    urgency: Urgency | None = None
    department: Department | None = None
    explanation: str = ""
    safety_net: str = ""
    rationale: str = ""


class Referred(EventBase):
    """The inquirer ends by sending the patient elsewhere."""

    type: Literal["referral"] = "referral"
    actor: Literal[Actor.INQUIRER] = Actor.INQUIRER
    department: Department
    urgency: Urgency
    differential: tuple[Diagnosis, ...] = ()
    reason: str = ""
    explanation: str = ""
    safety_net: str = ""
    rationale: str = ""


class Stopped(EventBase):
    """The dialogue is over."""

    type: Literal["stop"] = "stop"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    reason: StopReason
    detail: str = ""
