"""One clinical case: the patient, the facts, the orders, the images, the gold answer. See docs/scenario.md.

Owns the file format and what can be checked within one file; what needs a knowledge is checked by `consult.check`.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from consult.errors import UsageError
from consult.files import Record, Stamp, files_under, load, stamp
from consult.settings import search_path
from consult.terms import Department, FindingId, FindingSpec, Sex, Slug, Text, Urgency, Words, problem


class State(StrEnum):
    """Whether a fact's finding is so."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Release(StrEnum):
    """When a patient may tell a fact; each rule admits what the ones before it admit."""

    OPENING = "opening"
    """Told in the first words."""
    VOLUNTEERED = "volunteered"
    """Told when an open question leaves room, or its topic is open."""
    ON_TOPIC = "on_topic"
    """Told when its topic is asked about."""
    DIRECT = "direct"
    """Told when asked for specifically."""
    SENSITIVE = "sensitive"
    """Told when asked for specifically and trust has reached the fact's threshold."""
    UNKNOWN = "unknown"
    """The patient cannot know it."""
    ORDER_ONLY = "order_only"
    """Only an order's result tells it."""


class Speaker(StrEnum):
    """Who speaks for the patient."""

    SELF = "self"
    PARENT = "parent"
    CARER = "carer"


class Patient(Record):
    """Who the patient is."""

    age: float = Field(ge=0, le=120)
    """Years; 0.5 is six months."""
    sex: Sex
    name: Words = ""
    speaker: Speaker = Speaker.SELF


class Fact(Record):
    """One indivisible statement about the case."""

    finding: FindingId
    state: State = State.PRESENT
    values: tuple[Slug, ...] = ()
    """For a categorical finding one, for a multi one several."""
    text: Words = ""
    """The patient's own words for it, first person; required where the finding's kind is text, where they fill the
    slot of its sentence. Elsewhere they are the whole sentence, and must be read as the fact."""
    release: Release = Release.DIRECT
    trust: float = Field(default=0.5, ge=0, le=1)
    """For a sensitive fact: the trust (0..1) from which it is told."""
    severity: Annotated[str, Field(pattern=r"^(mild|moderate|severe|)$")] = ""
    """How bad it is; temperament plays a mild one down and a severe one up, in wording only."""
    order: Slug | None = None
    """For order_only: the order whose result tells it."""

    @property
    def id(self) -> str:
        """`finding` or `finding=value` or `finding=value+value`."""
        return self.finding + ("=" + "+".join(self.values) if self.values else "")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.release is Release.ORDER_ONLY) != (self.order is not None):
            raise problem(f"fact {self.finding}: `order` and `release: order_only` go together", "give both or neither")
        if (self.state is State.UNKNOWN) != (self.release is Release.UNKNOWN):
            raise problem(
                f"fact {self.finding}: `state: unknown` and `release: unknown` go together",
                "give both or neither",
            )
        if self.values and self.state is not State.PRESENT:
            raise problem(f"fact {self.finding}: values belong to a present fact", "remove `values` or set present")
        return self


class OrderResult(Record):
    """A recorded result of an order."""

    order: Slug
    result: Text
    """What the report says."""
    cost: float | None = Field(default=None, gt=0, le=1000)
    delay: float | None = Field(default=None, ge=0, le=1e6)
    invasiveness: int | None = Field(default=None, ge=0, le=3)


class Image(Record):
    """A picture that comes with the first message."""

    caption: Text
    """What can be seen, for agents without vision."""
    path: Words = ""
    """Relative to the scenario's file, or an https URL; may be absent."""


class Gold(Record):
    """The answer key. No patient, recipient, triage or inquirer ever sees it."""

    condition: Slug
    alternatives: tuple[Slug, ...] = ()
    """Conditions accepted as correct too."""
    differential: tuple[Slug, ...] = ()
    """Conditions a sound doctor would consider."""
    department: Department
    urgency: Urgency
    must_ask: tuple[FindingSpec, ...] = ()
    """Findings a sound doctor asks about."""
    dangers: tuple[FindingSpec, ...] = ()
    """Red flags of this case that must be asked about, present or not."""
    plan: tuple[Text, ...] = ()


class Scenario(Record):
    """One case."""

    id: Slug
    title: Text
    """A neutral title that does not give the answer away."""
    tags: tuple[Slug, ...] = ()
    knowledge: Words = "general"
    """The knowledge whose findings and conditions it is coded in."""
    source: Words = ""
    """Where the case comes from, with its licence, if it is not our own."""
    patient: Patient
    opening: Words = ""
    """The patient's first words; empty: made from the opening facts."""
    closed_world: bool = False
    """True: what no fact mentions is absent. False: what no fact mentions is not known."""
    unrecorded_orders: Annotated[str, Field(pattern=r"^(not_done|synthesise)$")] = "not_done"
    """What the examiner says to an order without a recorded result; a synthesised one is flagged."""
    facts: tuple[Fact, ...] = Field(min_length=1)
    orders: tuple[OrderResult, ...] = ()
    images: tuple[Image, ...] = ()
    gold: Gold

    @cached_property
    def by_finding(self) -> dict[str, Fact]:
        """The fact of each finding (a finding has one fact at the most)."""
        return {f.finding: f for f in self.facts}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [f.finding for f in self.facts]
        if len(set(names)) != len(names):
            n = next(i for i, name in enumerate(names) if name in names[:i])
            raise problem(
                f"two facts about {names[n]}", "keep one; several values go into its `values`", ("facts", n, "finding")
            )
        if not any(f.release is Release.OPENING and f.state is State.PRESENT for f in self.facts):
            raise problem("no fact is told at the opening", "give one present fact `release: opening`", ("facts",))
        ids = [o.order for o in self.orders]
        if len(set(ids)) != len(ids):
            raise problem("an order has two results", "keep one", ("orders",))
        for n, f in enumerate(self.facts):
            if f.order is not None and f.order not in ids:
                raise problem(
                    f"fact {f.finding}: order {f.order} has no result here",
                    "add it under `orders:`",
                    ("facts", n, "order"),
                )
        return self


def load_scenario(path: Path) -> Scenario:
    """One scenario file; one read before is given again until it changes. Raises DataError or DataErrors."""
    return _kept(path, stamp(path))


@lru_cache(maxsize=256)
def _kept(path: Path, _: tuple[Stamp, ...]) -> Scenario:
    return load(path, Scenario)


def scenario_files(extra: tuple[Path, ...] = ()) -> dict[str, Path]:
    """Scenario files by name, of `extra` folders or files first, then the search path.

    The name is the file's stem; where a folder holds a stem twice, the later ones go by their path within it.
    """
    found: dict[str, Path] = {}
    for root in (*extra, *search_path("scenarios")):
        here: set[str] = set()
        if root.is_file():
            found.setdefault(root.stem, root)
        elif root.is_dir():
            for path in files_under(root):
                inside = path.relative_to(root)
                if "hospitals" not in inside.parts[:-1]:
                    own = path.stem in here  # a second 001.yaml goes by its folder too
                    name = inside.with_suffix("").as_posix() if own else path.stem
                    here.add(path.stem)
                    found.setdefault(name, path)
    return found


def find_scenario(name: str, extra: tuple[Path, ...] = ()) -> Path:
    """The file of a scenario given by id or path. Raises UsageError."""
    path = Path(name)
    if path.suffix and path.is_file():
        return path
    files = scenario_files(extra)
    if name in files:
        return files[name]
    raise UsageError(f"SCENARIO: there is no {name!r} (mend: `consult list scenarios` shows them, or give a file)")
