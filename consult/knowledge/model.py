"""What is known of conditions and findings: the file format of a knowledge, and its models.

A knowledge is one .yaml or .json file, or a folder of them whose lists are joined. See docs/knowledge.md.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from consult.files import Record
from consult.terms import (
    Department,
    FindingId,
    FindingSpec,
    Probability,
    Sex,
    Slug,
    Text,
    Urgency,
    Weight,
    Words,
    problem,
)

BACKGROUND: Final = frozenset(
    {"course", "ice", "past", "risk", "family", "medicines", "social", "vaccination", "surgery"}
)
"""Topics that nobody comes with: they tell of the patient and of the illness's course, not of a complaint."""


class FindingKind(StrEnum):
    """What kind of answer a finding has."""

    BINARY = "binary"
    """Present or absent."""
    CATEGORICAL = "categorical"
    """Exactly one of the values."""
    MULTI = "multi"
    """Any number of the values, told together when asked once."""
    TEXT = "text"
    """Free words (a medication, an occupation, a concern); carries no probability."""


class Source(StrEnum):
    """How a finding comes to be known."""

    HISTORY = "history"
    EXAMINATION = "examination"
    TEST = "test"


class Value(Record):
    """One value of a categorical or multi finding."""

    id: Slug
    plain: Text
    """The words a patient uses for it; stands in place of {value} in the finding's `present`."""
    clinical: Words = ""
    synonyms: tuple[Text, ...] = ()


class Finding(Record):
    """A coded concept that facts, questions and knowledge share. Written as `id` or `id=value`."""

    id: FindingId
    kind: FindingKind = FindingKind.BINARY
    topic: Slug
    """What it belongs to (a site, a system, an aspect of history); an open question opens a topic."""
    plain: Text
    """Plain noun phrase: "chest pain"."""
    clinical: Words = ""
    """Clinical noun phrase: "angina". Using it on a patient counts as jargon where it differs from plain."""
    questions: tuple[Text, ...] = ()
    """Ways to ask it, to "you", plain words, the best one first. May be empty only if source is not history."""
    present: Words = ""
    """What a patient says when it is so, first person: "I have pain in my chest". {value} where it has values;
    {text} for kind text. May be empty only if nobody has it as such: if it covers others, or its source is not history."""
    absent: Words = ""
    """What a patient says when it is not so: "I don't have any pain in my chest"."""
    synonyms: tuple[Text, ...] = ()
    """Other phrases that mean the finding is present, noun or verb phrases without the subject."""
    heard: tuple[Text, ...] = ()
    """Further ways in which a doctor may ask for it: understood as they stand, by their words or all they hold, never said."""
    covers: tuple[FindingId, ...] = ()
    """For a text finding: the findings for which it asks in general ("Do you have any pain?"); of them, what there is
    is told."""
    values: tuple[Value, ...] = ()
    none: Slug | None = None
    """For a multi finding: the value that says "nowhere" or "none of these"; it comes alone, and the probabilities
    of the other values are given that it is not this one."""
    parent: FindingId | None = None
    """The finding that must be present for this one to make sense (its values' probabilities are given that)."""
    source: Source = Source.HISTORY
    red_flag: bool = False
    """Asked for early: its presence points to danger."""
    sensitive: bool = False
    """A patient tells it only to someone trusted."""
    sex: Sex | None = None
    min_age: float = Field(default=0, ge=0, le=130)
    max_age: float = Field(default=130, ge=0, le=130)
    background: Probability | dict[Slug, Probability] = 0.02
    """P(present), or P(value | parent present), where a condition does not list it."""
    cost: float = Field(default=1, gt=0, le=1000)
    """Effort of asking it; a plain question is 1."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        valued = self.kind in (FindingKind.CATEGORICAL, FindingKind.MULTI)
        if valued and len(self.values) < 2:
            raise problem(f"finding {self.id}: kind {self.kind} needs two values or more", "list `values:`")
        if not valued and self.values:
            raise problem(f"finding {self.id}: kind {self.kind} has no values", "remove `values:` or change `kind:`")
        if len({v.id for v in self.values}) != len(self.values):
            raise problem(f"finding {self.id}: a value's id stands twice", "give each value its own id")
        if self.source is Source.HISTORY and not (self.questions and (self.present or self.covers)):
            raise problem(
                f"finding {self.id}: a history finding needs `questions` and `present`", "add what is missing"
            )
        if self.covers and self.kind is not FindingKind.TEXT:
            raise problem(f"finding {self.id}: only a finding of kind text covers others", "remove `covers:`")
        if self.none is not None and (self.kind is not FindingKind.MULTI or self.none not in self.value_ids):
            raise problem(f"finding {self.id}: `none` names a value of a multi finding", "correct or remove it")
        slot = {FindingKind.TEXT: "{text}"}.get(self.kind, "{value}" if valued else "")
        if self.present and slot and slot not in self.present:
            raise problem(f"finding {self.id}: `present` must contain {slot}", f"put {slot} where it is said")
        if isinstance(self.background, dict) != valued and self.background != 0.02:
            raise problem(
                f"finding {self.id}: `background` is a number, or one number a value where it has values",
                "give it that form",
            )
        if isinstance(self.background, dict):
            _check_values(self, self.background, "background", ("background",))
        return self

    @cached_property
    def value_ids(self) -> tuple[str, ...]:
        """The values' ids in order."""
        return tuple(v.id for v in self.values)


Where = tuple[str | int, ...]
"""A place in a file, as pydantic tells it."""


def _check_values(finding: Finding, table: dict[str, float], what: str, where: Where) -> None:
    unknown = sorted(set(table) - set(finding.value_ids))
    if unknown:
        raise problem(
            f"{what}: {finding.id} has no value {unknown[0]!r}", f"use: {', '.join(finding.value_ids[:8])}", where
        )
    if finding.kind is FindingKind.CATEGORICAL and sum(table.values()) > 1.0001:
        raise problem(f"{what}: the probabilities of {finding.id} add up to more than 1", "lower them", where)


class Prevalence(Record):
    """How common a condition is: weight x age factor x sex factor; only ratios between conditions matter."""

    weight: Weight = 1.0
    ages: dict[Annotated[str, StringConstraints(pattern=r"^\d{1,3}(-\d{1,3}|\+)$")], Weight] = {}
    """Factor by age band in whole years ("0-4", "65+"). Without bands 1 at any age; with bands, 0 outside them."""
    sex: dict[Sex, Weight] = {}
    """Factor by sex; 1 where absent."""

    @cached_property
    def _bands(self) -> tuple[tuple[int, int, float], ...]:
        out = []
        for band, factor in self.ages.items():
            low, _, high = band.rstrip("+").partition("-")
            out.append((int(low), int(high) if high else 200 if band.endswith("+") else int(low), factor))
        return tuple(out)

    def at(self, age: float, sex: Sex) -> float:
        """The weight for a patient of that age (years) and sex."""
        whole = int(age)
        inside = (factor for low, high, factor in self._bands if low <= whole <= high)
        factor = next(inside, 0.0) if self.ages else 1.0
        return self.weight * factor * self.sex.get(sex, 1.0)


class Condition(Record):
    """A diagnosis: what it is called, how urgent, whose it is, and how it shows."""

    id: Slug
    name: Text
    plain: Words = ""
    """What to call it to a patient."""
    icd10: Annotated[str, StringConstraints(pattern=r"^[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?$")]
    synonyms: tuple[Text, ...] = ()
    answers: tuple[Text, ...] = ()
    """Further names or ICD-10 codes that count as this diagnosis when a doctor gives them, but that a patient may well
    say too ("asthma"); the guard does not look for these."""
    parent: Slug | None = None
    """The broader condition it is a kind of."""
    label: Words | None = None
    """The label of the 3MDBench set it stands for."""
    urgency: Urgency
    department: Department
    prevalence: Prevalence = Prevalence()
    findings: dict[FindingId, Probability | dict[Slug, Probability]]
    """P(present | condition), or P(value | condition, parent present) by value; each value on its own for multi."""
    complaint: dict[FindingId, Probability] = {}
    """P(the patient comes with this finding | condition). Empty: any finding, in proportion to its probability."""
    red_flags: tuple[FindingSpec, ...] = ()
    """Findings (`id` or `id=value`) whose presence makes this condition dangerous or likely dangerous."""
    explanation: Words = ""
    """The condition in plain words, said to the patient at the end."""
    plan: tuple[Text, ...] = ()
    """What a sound doctor does next: tests, treatment, follow-up; one step each."""
    safety_net: Words = ""
    """What must bring the patient back, said to the patient."""


class OrderType(Record):
    """An examination or test that can be asked for."""

    id: Slug
    name: Text
    synonyms: tuple[Text, ...] = ()
    reveals: tuple[FindingId, ...] = Field(min_length=1)
    """The findings its result tells."""
    cost: float = Field(default=2, gt=0, le=1000)
    """Effort in units of a plain question (1): an examination about 1-2, a blood test 3, imaging 5 and more."""
    delay: float = Field(default=0, ge=0, le=1e6)
    """Minutes until the result."""
    invasiveness: int = Field(default=0, ge=0, le=3)
    """0 none, 1 minor (a blood sample), 2 uncomfortable or radiating, 3 a procedure with risk."""


class Knowledge(Record):
    """Findings, conditions and orders that belong together."""

    id: Slug
    name: Words = ""
    description: Words = ""
    source: Words = ""
    """Where its figures come from, with the licence if they are someone else's."""
    open_questions: bool = True
    """Whether patients of this world tell more when asked an open question (records of ticked boxes do not)."""
    topics: dict[Slug, Text] = {}
    """Plain names of topics, for open questions ("your skin"); a topic without one is called by its id."""
    findings: tuple[Finding, ...] = Field(min_length=1)
    conditions: tuple[Condition, ...] = Field(min_length=1)
    orders: tuple[OrderType, ...] = ()

    @cached_property
    def finding(self) -> dict[str, Finding]:
        """Findings by id."""
        return {f.id: f for f in self.findings}

    @cached_property
    def condition(self) -> dict[str, Condition]:
        """Conditions by id."""
        return {c.id: c for c in self.conditions}

    @cached_property
    def order(self) -> dict[str, OrderType]:
        """Orders by id."""
        return {o.id: o for o in self.orders}

    @cached_property
    def revealed_by(self) -> dict[str, str]:
        """The order that reveals each finding (the first that names it)."""
        out: dict[str, str] = {}
        for o in self.orders:
            for f in o.reveals:
                out.setdefault(f, o.id)
        return out

    def parent_of(self, finding: str) -> str | None:
        """The finding that one belongs to; None for what belongs to none, or is no finding here."""
        f = self.finding.get(finding)
        return f.parent if f is not None else None

    def topic_of(self, finding: str) -> str:
        """A finding's topic; "" for what is no finding here."""
        f = self.finding.get(finding)
        return f.topic if f is not None else ""

    def covered_by(self, finding: str) -> tuple[str, ...]:
        """The findings for which one asks in general; none for what is no finding here."""
        f = self.finding.get(finding)
        return f.covers if f is not None else ()

    def ancestors(self, condition: str) -> list[str]:
        """The broader conditions of one, nearest first."""
        out: list[str] = []
        node = self.condition.get(condition)
        while node is not None and node.parent is not None and node.parent not in out:
            out.append(node.parent)
            node = self.condition.get(node.parent)
        return out

    @model_validator(mode="after")
    def _linked(self) -> Self:
        for what, ids in (
            ("finding", [f.id for f in self.findings]),
            ("condition", [c.id for c in self.conditions]),
            ("order", [o.id for o in self.orders]),
        ):
            seen: set[str] = set()
            for n, name in enumerate(ids):
                if name in seen:
                    raise problem(f"{what} {name} stands twice", "give each its own id", (f"{what}s", n, "id"))
                seen.add(name)
        for n, f in enumerate(self.findings):
            _check_parent(self, f, ("findings", n, "parent"))
            for m, f_id in enumerate(f.covers):
                if f_id not in self.finding:
                    raise problem(
                        f"finding {f.id} covers {f_id}, which is no finding",
                        "correct the id",
                        ("findings", n, "covers", m),
                    )
        for n, c in enumerate(self.conditions):
            _check_condition(self, c, ("conditions", n))
        for n, o in enumerate(self.orders):
            for m, f_id in enumerate(o.reveals):
                if f_id not in self.finding:
                    raise problem(
                        f"order {o.id} reveals {f_id}, which is no finding",
                        "add the finding or correct it",
                        ("orders", n, "reveals", m),
                    )
        return self

    def spec(self, text: str) -> tuple[str, str | None]:
        """`"id"` or `"id=value"` as (finding id, value id or None). Raises ValueError if there is no such."""
        name, _, value = text.partition("=")
        found = self.finding.get(name)
        if found is None or (value and value not in found.value_ids):
            raise ValueError(f"no finding {text!r} in knowledge {self.id}")
        return name, value or None


def _check_parent(k: Knowledge, f: Finding, where: Where) -> None:
    seen = {f.id}
    node: Finding | None = f
    while node is not None and node.parent is not None:
        if node.parent not in k.finding:
            raise problem(
                f"finding {node.id} has the parent {node.parent}, which is no finding", "correct `parent:`", where
            )
        if node.parent in seen:
            raise problem(f"finding {f.id} is its own ancestor", "break the circle of `parent:`", where)
        seen.add(node.parent)
        node = k.finding[node.parent]


def _check_condition(k: Knowledge, c: Condition, where: Where) -> None:
    for f_id, p in c.findings.items():
        f = k.finding.get(f_id)
        at = (*where, "findings", f_id)
        if f is None:
            raise problem(f"condition {c.id} lists {f_id}, which is no finding", "add it or correct the id", at)
        if f.kind is FindingKind.TEXT:
            raise problem(f"condition {c.id} lists {f_id}, whose kind is text", "text carries no probability", at)
        if f.values and not isinstance(p, dict):
            raise problem(f"condition {c.id}: {f_id} needs one probability a value", "write {value: probability}", at)
        if isinstance(p, dict):
            if not f.values:
                raise problem(f"condition {c.id}: {f_id} is binary", "write one probability", at)
            _check_values(f, p, f"condition {c.id}", at)
    for f_id in c.complaint:
        if f_id not in k.finding:
            raise problem(
                f"condition {c.id}: complaint {f_id} is no finding", "correct the id", (*where, "complaint", f_id)
            )
    if c.parent is not None and c.parent not in k.condition:
        raise problem(
            f"condition {c.id} has the parent {c.parent}, which is no condition",
            "correct `parent:`",
            (*where, "parent"),
        )
    if c.id in k.ancestors(c.id):
        raise problem(f"condition {c.id} is its own ancestor", "break the circle of `parent:`", (*where, "parent"))
    for n, flag in enumerate(c.red_flags):
        try:
            k.spec(flag)
        except ValueError:
            raise problem(
                f"condition {c.id}: red flag {flag} is no finding", "correct it", (*where, "red_flags", n)
            ) from None
