"""The events of a consultation: immutable records, one discriminated union. The transcript is their list.

Events are what graph nodes return. `seq` counts from 0; `turn` is the number of questions asked so far. They hold no
clock time: the same seed gives the same bytes. See docs/transcript.md.
"""

from __future__ import annotations

from enum import StrEnum
from operator import not_
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from consult.actions import Diagnosis
from consult.files import Record
from consult.header import (
    SCHEMA_VERSION as SCHEMA_VERSION,
)  # a transcript is read as a whole: whoever needs one needs both
from consult.header import Header as Header
from consult.header import Provenance as Provenance
from consult.terms import Department, Said, Urgency


class Actor(StrEnum):
    """Who did it."""

    PATIENT = "patient"
    RECIPIENT = "recipient"
    TRIAGE = "triage"
    INQUIRER = "inquirer"
    EXAMINER = "examiner"
    ASSESSOR = "assessor"
    SYSTEM = "system"


class StopReason(StrEnum):
    """Why a dialogue ended."""

    CONCLUDED = "concluded"
    REFERRED = "referred"
    PATIENT_LEFT = "patient_left"
    TURN_LIMIT = "turn_limit"
    ORDER_LIMIT = "order_limit"
    BUDGET = "budget"
    TIME_LIMIT = "time_limit"
    REFUSED = "refused"
    MODEL_ERROR = "model_error"
    INFRASTRUCTURE_ERROR = "infrastructure_error"
    CANCELLED = "cancelled"

    @property
    def clinical(self) -> bool:
        """Whether the end says something about the doctor; the others are failures around it, never scored as wrong."""
        return self not in (StopReason.INFRASTRUCTURE_ERROR, StopReason.CANCELLED)


class _Event(Record):
    seq: int = Field(default=0, ge=0)
    turn: int = Field(default=0, ge=0)
    actor: Actor


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


class Utterance(_Event):
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


class MoodChange(_Event):
    """The patient's mood moved, and why."""

    type: Literal["mood"] = "mood"
    actor: Literal[Actor.PATIENT] = Actor.PATIENT
    cause: str
    """`start`, or one of `consult.persona.Cause`."""
    trust: float
    irritation: float
    anxiety: float
    """The new values, 0..1."""


class Guarded(_Event):
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


class Question(_Event):
    """The inquirer says something to the patient."""

    type: Literal["question"] = "question"
    actor: Literal[Actor.INQUIRER] = Actor.INQUIRER
    text: str
    rationale: str = ""


class Belief(_Event):
    """The inquirer's belief, if it keeps one: the most probable conditions."""

    type: Literal["belief"] = "belief"
    actor: Literal[Actor.INQUIRER] = Actor.INQUIRER
    top: tuple[tuple[Said, float], ...]
    entropy: float
    """Bits, over all conditions."""


class Ordered(_Event):
    """The inquirer asks for an examination or test."""

    type: Literal["order"] = "order"
    actor: Literal[Actor.INQUIRER] = Actor.INQUIRER
    order: str
    rationale: str = ""


class Hinted(_Event):
    """A human doctor asked for a hint and got one: the question after it earns them no information."""

    type: Literal["hint"] = "hint"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    topic: str
    """What to ask about: the topic, or the order, of greatest expected information; empty: nothing would tell more."""
    text: str
    bits: float = 0
    """What the best of it is expected to tell."""


class Changed(_Event):
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


class Result(_Event):
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


class RecordUpdate(_Event):
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


class Triaged(_Event):
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


class Concluded(_Event):
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


class Referred(_Event):
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


class Stopped(_Event):
    """The dialogue is over."""

    type: Literal["stop"] = "stop"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    reason: StopReason
    detail: str = ""


class Used(_Event):
    """What a role that a model plays took of it. Written after the dialogue; latency and retries are no part of it."""

    type: Literal["usage"] = "usage"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    role: str
    models: tuple[Said, ...]
    """Model ids as the server returned them."""
    calls: int
    """Answers that were had, those of a ledger included."""
    prompt_tokens: int | None
    """Read; None, here and below, where it is not known."""
    completion_tokens: int | None
    cost: float | None
    """In dollars."""
    asked_again: int = 0
    """Answers that were of no use, so that it was asked once more."""
    repaired: int = 0
    """Answers out of whose text the object had to be taken."""

    @property
    def tokens(self) -> int | None:
        """Read and written."""
        known = self.prompt_tokens is not None and self.completion_tokens is not None
        return (self.prompt_tokens or 0) + (self.completion_tokens or 0) if known else None


class Named(Record):
    """One entry of a differential, matched to the knowledge."""

    condition: str | None
    """Condition id; None where nothing in the knowledge matches."""
    name: str
    """As the inquirer wrote it."""
    icd10: str = ""
    probability: float | None = None


class Pictured(Record):
    """One of the patient's pictures, and how it was shown."""

    of: str
    """The scenario that it belongs to: with the control `wrong`, another one."""
    how: Literal["image", "url", "caption", "nothing"]
    """The picture itself, its address, its caption in words, or nothing of it."""
    caption: Said
    why: str = ""
    """Why it was not the picture."""
    url: Said = ""
    media_type: str = ""
    bytes: int | None = None
    pixels: tuple[int, int] | None = None
    sha256: str = ""


class Shown(_Event):
    """What an inquirer by a model was shown of the patient's pictures; written before its first action."""

    type: Literal["pictures"] = "pictures"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    control: Literal["none", "blank", "wrong"] = "none"
    """A grey picture, or another case's, in the place of each; none: the patient's own."""
    pictures: tuple[Pictured, ...]


class Suggested(_Event):
    """What a classifier from outside told an inquirer by a model; written before its first action."""

    type: Literal["classifier"] = "classifier"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    classifier: Said
    """What it calls itself."""
    top: tuple[Named, ...]
    """Its likeliest conditions, the likeliest first."""
    content: str
    """sha256 of what it said."""


class Verdict(_Event):
    """The answer key beside what was answered. Written after the dialogue; the only event that names the gold."""

    type: Literal["verdict"] = "verdict"
    actor: Literal[Actor.ASSESSOR] = Actor.ASSESSOR
    gold: str
    accepted: tuple[str, ...]
    """Conditions that count as right: the gold and its alternatives."""
    differential: tuple[Named, ...]
    rank: int | None
    """1-based rank of the first accepted condition; None if it is not there."""
    department: Department
    """The right department in this hospital; below, the one triage ended with (None if it never spoke)."""
    urgency: Urgency
    triaged: Department | None
    triaged_urgency: Urgency | None

    @property
    def top(self) -> str | None:
        """What was named first, None after an abstention."""
        return (self.differential[0].condition or self.differential[0].name) if self.differential else None


class Scored(_Event):
    """One score; `value` is None where it could not be had, with the reason."""

    type: Literal["score"] = "score"
    actor: Literal[Actor.ASSESSOR] = Actor.ASSESSOR
    name: str
    value: float | None
    unit: str = ""
    evidence: tuple[int, ...] = ()
    """seq of the events it rests on."""
    reason: str = ""


class Quoted(Record):
    """Words that a judge's ruling rests on."""

    event: int
    """seq."""
    text: str


class Ruling(Record):
    """A judge's answer to one item of a rubric."""

    item: str
    value: float | None
    """None: missing, and `reason` says why."""
    quotes: tuple[Quoted, ...] = ()
    """Looked up: they stand in the transcript."""
    reason: str = ""


class Judgement(_Event):
    """What one judge said, once: the votes behind the scores `judge.*`."""

    type: Literal["judgement"] = "judgement"
    actor: Literal[Actor.ASSESSOR] = Actor.ASSESSOR
    rubric: str
    """Its name in the scores: `judge.RUBRIC`."""
    judge: str
    """The spec of the judge."""
    vote: int
    """From 1, in the order of the judges that were asked for."""
    model: str = ""
    """The model's id as returned; empty where nothing was."""
    content: str = ""
    """sha256 of the rubric."""
    prompts: str = ""
    """sha256 over the judge's prompts."""
    same_as: tuple[str, ...] = ()
    """Roles that the judge's own model played in this consultation: it judged itself."""
    subject: int | None = None
    """seq of the one thing that was judged; None: the whole consultation."""
    rulings: tuple[Ruling, ...]


class Audited(_Event):
    """The audit of the simulated patient."""

    type: Literal["audit"] = "audit"
    actor: Literal[Actor.ASSESSOR] = Actor.ASSESSOR
    leaks: int
    unreleased: int
    inventions: int
    contradictions: int = 0  # the default is for transcripts made before they were told from inventions
    role_breaks: int
    early_end: bool
    evidence: tuple[int, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether the patient kept to the law throughout."""
        counts = (self.leaks, self.unreleased, self.inventions, self.contradictions, self.role_breaks)
        return not (any(counts) or self.early_end)


Event = Annotated[
    Utterance
    | MoodChange
    | Guarded
    | Question
    | Belief
    | Ordered
    | Hinted
    | Changed
    | Result
    | RecordUpdate
    | Triaged
    | Concluded
    | Referred
    | Stopped
    | Used
    | Shown
    | Suggested
    | Verdict
    | Scored
    | Judgement
    | Audited,
    Field(discriminator="type"),
]
EVENT: TypeAdapter[Any] = TypeAdapter(Event)
EVENTS: TypeAdapter[Any] = TypeAdapter(tuple[Event, ...])
