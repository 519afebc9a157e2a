"""What the content covers: labels, departments, urgencies, ages, speakers, emergencies in disguise, facts, figures.

Counts what a knowledge, its scenarios and a hospital hold; one flat row a count, so that a table, JSON and docs/content.md
are the same thing. Imports no simulation and prints nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from consult.agents.base import Record, TriageView, World
from consult.agents.triage import ReferenceTriage
from consult.events import Statement
from consult.hospital import Hospital
from consult.knowledge.model import BACKGROUND, Knowledge, Source
from consult.scenario import Release, Scenario, Speaker, State
from consult.terms import Sex, Urgency

AGES: Final = {"under 1": 1, "1-4": 5, "5-14": 15, "15-29": 30, "30-44": 45, "45-59": 60, "60-74": 75, "75+": 200}
"""Age bands by the age in years that is too old for each (ours)."""
SELF_DIAGNOSIS: Final = "self_diagnosis"
"""The tag of scenarios whose patients come with a wrong idea of their own and say so."""


class Row(NamedTuple):
    """One count. A field that makes no sense for it is None."""

    about: str
    """What is counted over: label, department, urgency, age, sex, speaker, danger, facts, size or condition."""
    name: str
    conditions: int | None = None
    """Conditions of the knowledge that belong to it."""
    scenarios: int | None = None
    """Scenarios whose patient, or whose right answer, belongs to it."""
    number: float | None = None
    """label: scenarios with a picture; facts: mean a scenario; size: how many; condition: its findings listed."""


def coverage(scenarios: Iterable[Scenario], knowledge: Knowledge, hospital: Hospital) -> list[Row]:
    """Every count, in the order of `Row.about`. Scenarios coded in another knowledge do not count."""
    own = [s for s in scenarios if s.knowledge == knowledge.id and s.gold.condition in knowledge.condition]
    return [
        *_labels(own, knowledge),
        *_departments(own, knowledge, hospital),
        *_urgencies(own, knowledge),
        *_ages(own, knowledge),
        *_sexes(own, knowledge),
        *(Row("speaker", s.value, scenarios=sum(x.patient.speaker is s for x in own)) for s in Speaker),
        *_dangers(own, knowledge, hospital),
        *_facts(own),
        *_sizes(own, knowledge),
        *_conditions(own, knowledge),
    ]


def _labels(scenarios: Sequence[Scenario], k: Knowledge) -> Iterator[Row]:
    def label(s: Scenario) -> str | None:
        return k.condition[s.gold.condition].label

    cases = Counter(label(s) for s in scenarios)
    pictured = Counter(label(s) for s in scenarios if s.images)
    held = Counter(c.label for c in k.conditions if c.label is not None)
    for name in sorted(held):
        yield Row("label", name, held[name], cases[name], pictured[name])


def _departments(scenarios: Sequence[Scenario], k: Knowledge, hospital: Hospital) -> Iterator[Row]:
    """Of this hospital, whatever department names the content uses."""
    held = Counter(hospital.place(c.department) for c in k.conditions)
    cases = Counter(hospital.place(s.gold.department) for s in scenarios)
    conditions = {(d.primary, d.secondary): n for d, n in held.items()}
    right = {(d.primary, d.secondary): n for d, n in cases.items()}
    for primary in hospital.departments:
        for secondary in primary.secondary:
            place = (primary.id, secondary.id)
            yield Row("department", "/".join(place), conditions.get(place, 0), right.get(place, 0))


def _urgencies(scenarios: Sequence[Scenario], k: Knowledge) -> Iterator[Row]:
    for u in Urgency:
        held = sum(c.urgency is u for c in k.conditions)
        yield Row("urgency", u.value, held, sum(s.gold.urgency is u for s in scenarios))


def _ages(scenarios: Sequence[Scenario], k: Knowledge) -> Iterator[Row]:
    first = 0
    for name, end in AGES.items():
        years = range(first, min(end, 100))
        held = sum(any(c.prevalence.at(y, sex) > 0 for y in years for sex in Sex) for c in k.conditions)
        yield Row("age", name, held, sum(first <= s.patient.age < end for s in scenarios))
        first = end


def _sexes(scenarios: Sequence[Scenario], k: Knowledge) -> Iterator[Row]:
    for sex in Sex:
        held = sum(c.prevalence.sex.get(sex, 1.0) > 0 for c in k.conditions)
        yield Row("sex", sex.value, held, sum(s.patient.sex is sex for s in scenarios))


def _dangers(scenarios: Sequence[Scenario], k: Knowledge, hospital: Hospital) -> Iterator[Row]:
    grave = [s for s in scenarios if s.gold.urgency is Urgency.EMERGENCY]
    hidden = [s for s in grave if at_first_sight(s, k, hospital) is not Urgency.EMERGENCY]
    yield Row("danger", "emergency", sum(c.urgency is Urgency.EMERGENCY for c in k.conditions), len(grave))
    yield Row("danger", "emergency whose opening triage does not call one", scenarios=len(hidden))
    misled = sum(SELF_DIAGNOSIS in s.tags for s in scenarios)
    yield Row("danger", "misleading self-diagnosis", scenarios=misled)


def at_first_sight(scenario: Scenario, knowledge: Knowledge, hospital: Hospital) -> Urgency:
    """What the reference triage says in its first round, when it knows the opening facts only."""
    said = [f for f in scenario.facts if f.release is Release.OPENING and f.state is State.PRESENT]
    main = next((f for f in said if knowledge.finding[f.finding].topic not in BACKGROUND), said[0])
    statements = {
        f.finding: Statement(
            section="chief_complaint",
            heading="",
            finding=f.finding,
            state="present",
            values=f.values,
            text="",
            source=1,
        )
        for f in said
    }
    record = Record(statements, main.finding)
    view = TriageView(World(knowledge, hospital), scenario.patient, record, round=1, last=None)
    return ReferenceTriage().triage(view).urgency


def _facts(scenarios: Sequence[Scenario]) -> Iterator[Row]:
    count: Mapping[str, int] = Counter(f.state.value for s in scenarios for f in s.facts)
    for state in State:
        yield Row("facts", state.value, number=_mean(count[state.value], len(scenarios)))
    yield Row("facts", "all", number=_mean(sum(count.values()), len(scenarios)))
    orders = sum(len(s.orders) for s in scenarios)
    yield Row("facts", "recorded orders", number=_mean(orders, len(scenarios)))


def _mean(total: int, n: int) -> float | None:
    return round(total / n, 1) if n else None


def _sizes(scenarios: Sequence[Scenario], k: Knowledge) -> Iterator[Row]:
    yield Row("size", "conditions", number=len(k.conditions))
    yield Row("size", "findings", number=len(k.findings))
    for source in Source:
        yield Row("size", f"findings by {source.value}", number=sum(f.source is source for f in k.findings))
    yield Row("size", "orders", number=len(k.orders))
    yield Row("size", "findings listed by conditions", number=sum(len(c.findings) for c in k.conditions))
    yield Row("size", "scenarios", number=len(scenarios))


def _conditions(scenarios: Sequence[Scenario], k: Knowledge) -> Iterator[Row]:
    cases = Counter(s.gold.condition for s in scenarios)
    for c in sorted(k.conditions, key=lambda c: c.id):
        yield Row("condition", c.id, scenarios=cases[c.id], number=len(c.findings))
