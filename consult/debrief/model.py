"""The debrief of one consultation, as data: what `consult debrief --json` prints. Computes nothing.

Every place in the consultation that something rests on is a `Cite`, to jump to.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from consult.files import Record
from consult.terms import Said


class Cite(Record):
    """A place in the consultation."""

    seq: int
    """Of the event."""
    turn: int
    """Questions asked by then."""
    end: bool = False
    """It is how the dialogue ended."""


class Mark(Record):
    """One score, and the places it rests on."""

    name: str
    value: float | None
    unit: str
    reason: Said
    cites: tuple[Cite, ...]


class Answer(Record):
    """The doctor's answer beside the key. None where it was not judged, or never given."""

    gold: str
    """Plain names, here and below."""
    named: tuple[Said, ...]
    """The differential."""
    rank: int | None
    """Of the first right one."""
    department: str
    triaged: str | None
    urgency: str
    triaged_urgency: str | None


class Missed(Record):
    """A question that was never asked, or an order never placed, and what it could have told."""

    kind: Literal["question", "order"]
    id: str
    name: str
    red_flag: bool
    """A danger sign of this case, or one that the patient has: these come first, whatever they would have told."""
    must_ask: bool
    bits: float
    """Expected information at the doctor's move where it was greatest, by the belief over the record as it stood then."""
    cite: Cite | None
    """What the doctor did instead at that move."""
    left: float
    """The same at the doctor's last move."""
    towards: float | None
    """Bits by which its answer would have brought the right diagnosis nearer at that move; None where there is no answer."""
    ask: str
    """A way to ask it; empty for an order."""
    answer: Said
    """What the case holds; empty where it holds nothing of it."""


class Why(StrEnum):
    """Why the patient never said something."""

    TRUST = "trust"
    """It was asked for, and trust was below what the fact needs."""
    RECALL = "recall"
    """It was asked for and did not come to mind."""
    CLINICAL = "clinical"
    """It was asked for in clinical words that this patient does not know."""
    PASSED = "passed"
    """It was asked for and might have been told, but was not."""
    ROOM = "room"
    """There was room for it, its topic open, and the patient told other things or nothing."""
    NOT_ASKED = "not_asked"
    ORDER_ONLY = "order_only"
    UNKNOWN = "unknown"
    """The patient cannot know it."""


class Unsaid(Record):
    """A fact of the case that never came out."""

    finding: str
    name: str
    present: bool
    words: Said
    """How the case puts it in the patient's words, if it does."""
    why: Why
    rule: str
    """Its release rule."""
    needed: float | None
    """Trust from which it is told, where it takes any."""
    trust: float | None
    """Trust as it stood when it was asked for, or at its best where it was not."""
    order: str
    """The order that tells it, by its name; empty if none does."""
    cites: tuple[Cite, ...]


class View(Record):
    """The patient's own idea, concern or expectation."""

    part: str
    """`ice.idea`, `ice.concern`, `ice.expectation`."""
    held: bool
    """Whether the case has one."""
    words: Said
    """What it is, in the patient's words."""
    asked: Cite | None
    told: Cite | None
    answered: Cite | None
    """The doctor's words that took it up."""


class Fault(Record):
    """What a rule found in the doctor's words."""

    rule: str
    """cue, jargon, stacked, repeat, closed, unread, abrupt, no_net."""
    about: Said
    """The terms, the cue, what was asked before."""


class Better(Record):
    """Words of the doctor's that could have been better, and how."""

    cite: Cite
    said: Said
    faults: tuple[Fault, ...]
    instead: tuple[Said, ...]
    """To be said instead, one after another."""
    weight: float
    by: Said = ""
    """The model that put it so; empty: the rule."""
    why_not: Said = ""
    """Why a model that was asked did not."""


class Line(Record):
    """A line of the other future."""

    who: Literal["doctor", "patient", "order", "result", "end"]
    text: Said


class Otherwise(Record):
    """How the reference doctor went on from a place in the same consultation."""

    cite: Cite
    """The doctor's move that it made otherwise."""
    missed: float
    """Bits by which the best move there was expected to tell more than the doctor's."""
    lines: tuple[Line, ...]
    questions: int
    """It asked from there."""
    orders: int
    top: str
    right: bool
    scores: dict[str, tuple[float | None, float | None]]
    """By name: of this consultation, of the other."""


class Debrief(Record):
    """What a finished consultation can teach."""

    consultation_id: Said
    scenario: Said
    persona: Said
    doctor: Said
    """The inquirer's spec."""
    end: str
    """The stop reason."""
    questions: int
    orders: int
    answer: Answer | None
    marks: tuple[Mark, ...]
    missed: tuple[Missed, ...]
    unsaid: tuple[Unsaid, ...]
    views: tuple[View, ...]
    better: tuple[Better, ...]
    """The weakest first."""
    otherwise: Otherwise | None
    why_not: Said = ""
    """Why there is no other future."""
