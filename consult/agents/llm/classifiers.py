"""Classifiers from outside, whose likeliest conditions an inquirer is told: a plug-in, a file of predictions, a simulated one.

Owns the specs, the file format and the simulation. A plug-in sees what can be seen of a case, never its answer; the simulated
one alone knows that, because its accuracy is set. Must not import sim or batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, Protocol, Self

from pydantic import Field, ValidationError, model_validator

from consult.actions import Diagnosis
from consult.agents.llm.pictures import Picture
from consult.clean import one_line
from consult.errors import DataError, InfrastructureError, UsageError
from consult.events import Named, Suggested
from consult.files import SUFFIXES, Record, load
from consult.knowledge.model import Knowledge
from consult.knowledge.per_object import content_hash
from consult.scenario import Scenario
from consult.score.match import matched
from consult.seeds import digest, rng, seed_of
from consult.terms import Probability, Text, problem

GROUP: Final = "consult.classifiers"
TOP_K: Final = 3
"""As in 3MDBench."""
SIMULATED: Final = "simulated:"
_SLACK: Final = 1e-6
_MEND: Final = "give PREDICTIONS.yaml, simulated:TOP1/TOPK such as simulated:0.6/0.85, or a plug-in"


class Look(NamedTuple):
    """What a classifier sees of a case."""

    scenario: str
    """The id."""
    age: float
    sex: str
    captions: tuple[str, ...]
    pictures: tuple[Picture, ...]


class Classifies(Protocol):
    """A plug-in: what an entry point of `consult.classifiers`, called without arguments, gives."""

    def classify(self, case: Look) -> Sequence[tuple[str, float]]:
        """Conditions (id, name or ICD-10 code) with their probabilities, the likeliest first."""


class Classifier(Protocol):
    """A classifier as it is asked here."""

    @property
    def name(self) -> str:
        """What it calls itself."""

    @property
    def content(self) -> str:
        """sha256 of what it is."""

    def covers(self, scenario: str) -> None:
        """Raises DataError where nothing is known of that scenario."""

    def top(self, scenario: Scenario, pictures: Sequence[Picture], knowledge: Knowledge) -> Sequence[Diagnosis]:
        """The likeliest conditions, the likeliest first."""


# --- a file of predictions -------------------------------------------------------------------------------------------


class Prediction(Record):
    """One condition that a classifier thinks of."""

    condition: Text
    """Id, name or ICD-10 code; one that the knowledge does not have is told as it stands."""
    probability: Probability | None = None


class Predictions(Record):
    """What a classifier said of each scenario."""

    classifier: Text
    """What it is called, in transcripts."""
    predictions: dict[str, tuple[Prediction, ...]] = Field(min_length=1)
    """By the scenario's id, the likeliest first."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for scenario, listed in self.predictions.items():
            where = ("predictions", scenario)
            if not listed:
                raise problem("is empty", "give at least one condition, or remove it", where)
            told = [p.probability for p in listed if p.probability is not None]
            if any(later > earlier for earlier, later in pairwise(told)):
                raise problem("is not in order", "put the likeliest first", where)
            if sum(told) > 1 + _SLACK:
                raise problem(f"adds up to {sum(told):g}", "give probabilities that are together at most 1", where)
            names = [p.condition.casefold() for p in listed]
            if len(set(names)) < len(names):
                raise problem("names a condition twice", "keep the first", where)
        return self


@dataclass(frozen=True)
class FromFile:
    """What stands in a file."""

    path: str
    predictions: Predictions

    @property
    def name(self) -> str:
        """See `Classifier`."""
        return self.predictions.classifier

    @property
    def content(self) -> str:
        """See `Classifier`."""
        return content_hash(self.predictions)

    def covers(self, scenario: str) -> None:
        """See `Classifier`."""
        if scenario not in self.predictions.predictions:
            mend = "add it, or name the scenarios that are there (--scenarios)"
            raise DataError("is missing", file=self.path, field=f"predictions.{scenario}", mend=mend)

    def top(self, scenario: Scenario, pictures: Sequence[Picture], knowledge: Knowledge) -> Sequence[Diagnosis]:
        """See `Classifier`."""
        self.covers(scenario.id)
        return [Diagnosis(**p.model_dump()) for p in self.predictions.predictions[scenario.id]]


# --- a simulated one -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Simulated:
    """Right in a set share of cases, drawn for each case by its content: the same case, the same answer (*ours*).

    The right condition is first with probability `top1`, among the first k with `topk`, and there in any other place alike.
    The rest are conditions that are easily taken for it: those of the answer's own differential first, then those of the
    same department, then any. The probabilities it gives are its own accuracy at each place, so that it is calibrated.
    """

    top1: float
    topk: float
    k: int = TOP_K
    seed: int = 0

    def __post_init__(self) -> None:
        places = self.k - 1
        if not (0 <= self.top1 <= self.topk <= 1 and self.topk - self.top1 <= places * self.top1 + _SLACK):
            what = f"accuracies {self.top1:g} and {self.topk:g} cannot be those of the first and the first {self.k}"
            mend = f"0 to 1, the second at least the first and at most {self.k} times it"
            raise UsageError(f"--classifier: {what} (mend: {mend})")

    @property
    def name(self) -> str:
        """See `Classifier`."""
        return f"{SIMULATED}{self.top1:g}/{self.topk:g}"

    @property
    def content(self) -> str:
        """See `Classifier`."""
        return digest([SIMULATED, self.top1, self.topk, self.k, self.seed])

    def covers(self, scenario: str) -> None:
        """See `Classifier`."""

    def top(self, scenario: Scenario, pictures: Sequence[Picture], knowledge: Knowledge) -> Sequence[Diagnosis]:
        """See `Classifier`."""
        key = ("classifier", self.content, content_hash(scenario))
        chance = rng(*key)
        drawn, gold = chance.random(), scenario.gold.condition
        others = _likely(scenario, knowledge, key)[: self.k]
        later = drawn < self.topk and self.k > 1
        place = 0 if drawn < self.top1 else chance.randrange(1, self.k) if later else self.k
        named = [*others[:place], gold, *others[place:]][: self.k]
        rest = (self.topk - self.top1) / (self.k - 1) if self.k > 1 else 0.0
        shares = [self.top1, *[rest] * (self.k - 1)]
        return [Diagnosis(condition=c, probability=round(p, 6)) for c, p in zip(named, shares, strict=False)]


def _likely(scenario: Scenario, knowledge: Knowledge, key: Sequence[object]) -> list[str]:
    """Wrong conditions, those first that are easily taken for the right one; in each group in a drawn order.

    What is a kind of the right one, or what it is a kind of, is left out: it would not be plainly wrong.
    """
    gold = scenario.gold
    right = {gold.condition, *gold.alternatives}
    broader = {above for c in right for above in knowledge.ancestors(c)}

    def group(condition: str) -> int:
        if condition in gold.differential:
            return 0
        return 1 if knowledge.condition[condition].department == gold.department else 2

    wrong = (
        c.id for c in knowledge.conditions if not right & {c.id, *knowledge.ancestors(c.id)} and c.id not in broader
    )
    return sorted(wrong, key=lambda c: (group(c), seed_of(*key, c)))


# --- a plug-in -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlugIn:
    """A classifier of another package."""

    name: str

    @property
    def content(self) -> str:
        """See `Classifier`; its version stands for what it is."""
        point = _plugins()[self.name]
        return digest([self.name, point.value, point.dist.version if point.dist is not None else ""])

    def covers(self, scenario: str) -> None:
        """See `Classifier`."""

    def top(self, scenario: Scenario, pictures: Sequence[Picture], knowledge: Knowledge) -> Sequence[Diagnosis]:
        """See `Classifier`. Raises InfrastructureError where it fails: that is no fault of the doctor."""
        who = scenario.patient
        case = Look(scenario.id, who.age, who.sex.value, tuple(i.caption for i in scenario.images), tuple(pictures))
        try:
            said: Classifies = _plugins()[self.name].load()()
            return [Diagnosis(condition=str(c), probability=float(p)) for c, p in said.classify(case)]
        except ValidationError as e:
            problem = e.errors(include_url=False, include_input=False)[0]["msg"]
            what = f"answers what is no diagnosis: {one_line(problem)}"
            raise InfrastructureError(f"classifier {self.name} {what}") from e
        except Exception as e:
            what = f"{type(e).__name__}: {one_line(str(e))}"
            raise InfrastructureError(f"classifier {self.name} fails on {scenario.id}: {what}") from e


def _plugins() -> dict[str, EntryPoint]:
    return {p.name: p for p in entry_points(group=GROUP)}


# --- which one -------------------------------------------------------------------------------------------------------


def classifier_of(spec: str, *, k: int = TOP_K, seed: int = 0) -> Classifier:
    """The classifier that a spec names. Raises UsageError, and DataError or DataErrors for a file."""
    if spec.startswith(SIMULATED):
        return _simulated(spec, k, seed)
    if Path(spec).suffix in SUFFIXES:
        return FromFile(spec, load(Path(spec), Predictions))
    if spec in _plugins():
        return PlugIn(spec)
    known = ", ".join(sorted(_plugins())) or "none is installed"
    raise UsageError(f"--classifier: there is no {one_line(spec)!r} (mend: {_MEND}: {known})")


def _simulated(spec: str, k: int, seed: int) -> Simulated:
    first, _, all_ = spec.removeprefix(SIMULATED).partition("/")
    try:
        return Simulated(float(first), float(all_ or first), k, seed)
    except ValueError:
        raise UsageError(f"--classifier: {one_line(spec)!r} has no accuracies (mend: {_MEND})") from None


def suggestion(
    classifier: Classifier, k: int, scenario: Scenario, pictures: Sequence[Picture], knowledge: Knowledge
) -> Suggested:
    """What the classifier says of a case, its first k, as the event that is written of it."""
    said = classifier.top(scenario, pictures, knowledge)[:k]
    top = tuple(_named(n, knowledge) for n in matched(knowledge, said))
    content = digest([n.model_dump(mode="json") for n in top])
    return Suggested(classifier=classifier.name, top=top, content=content)


def _named(n: Named, knowledge: Knowledge) -> Named:
    """By the condition's own name where the knowledge has it: an id is no word for a doctor."""
    return n if n.condition is None else n.model_copy(update={"name": knowledge.condition[n.condition].name})
