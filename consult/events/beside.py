"""The events beside the dialogue: what a model took and was given, and what is made of it all at the end."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from consult.events.base import Actor, EventBase
from consult.files import Record
from consult.terms import Department, Said, Urgency


class Used(EventBase):
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
    by: Said = Field(default="", exclude_if=lambda by: not by)
    """The model that said which condition is meant, where no name of the knowledge did; empty: by rule."""


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


class Shown(EventBase):
    """What an inquirer by a model was shown of the patient's pictures; written before its first action."""

    type: Literal["pictures"] = "pictures"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    control: Literal["none", "blank", "wrong"] = "none"
    """A grey picture, or another case's, in the place of each; none: the patient's own."""
    pictures: tuple[Pictured, ...]


class Suggested(EventBase):
    """What a classifier from outside told an inquirer by a model; written before its first action."""

    type: Literal["classifier"] = "classifier"
    actor: Literal[Actor.SYSTEM] = Actor.SYSTEM
    classifier: Said
    """What it calls itself."""
    top: tuple[Named, ...]
    """Its likeliest conditions, the likeliest first."""
    content: str
    """sha256 of what it said."""


class ByModel(Record):
    """What a model was asked of a differential: the conditions behind names that nothing in the knowledge matches."""

    matcher: Said
    """Its spec."""
    asked: int
    """Names that it was to match."""
    matched: int
    """Those of them that it found a condition for."""
    rank: int | None
    """As of the verdict, by rule alone."""
    unanswered: int | None = None
    """Place in the differential of the first name that it did not answer for; None: it answered for all."""
    reason: str = ""
    """Why it did not."""


class Verdict(EventBase):
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
    by_model: ByModel | None = Field(default=None, exclude_if=lambda asked: asked is None)
    """What a model was asked, where one was there to match names."""

    @property
    def unsettled(self) -> str:
        """Why it is open whether the diagnosis is right: a name before it was not answered for; empty if it is not open."""
        asked = self.by_model
        if asked is None or asked.unanswered is None or (self.rank or asked.unanswered) < asked.unanswered:
            return ""
        return f"no answer on which condition is meant: {asked.reason}"

    @property
    def top(self) -> str | None:
        """What was named first, None after an abstention."""
        return (self.differential[0].condition or self.differential[0].name) if self.differential else None


class Scored(EventBase):
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


class Judgement(EventBase):
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


class Audited(EventBase):
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
