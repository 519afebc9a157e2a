"""Whether a scenario or a hospital fits a knowledge: every id it names is there, every value belongs to its finding.

What fails here could not be played, so `consult run` and `consult batch` refuse it; `consult.check` goes further. Reads
no text and knows nothing of language.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Final

from consult.files import Faults, Loc
from consult.hospital import Hospital, When
from consult.knowledge.model import FindingKind, Knowledge
from consult.scenario import Fact, Release, Scenario, State

_VALUES: Final = 8
"""Values listed in a mend, at the most."""


def link_scenario(scenario: Scenario, knowledge: Knowledge, faults: Faults) -> None:
    """Note every id of the scenario that the knowledge does not have, and every fact of the wrong form."""
    for n, fact in enumerate(scenario.facts):
        _fact(fact, ("facts", n), knowledge, faults)
        _above(fact, ("facts", n, "finding"), scenario, knowledge, faults)
    for n, recorded in enumerate(scenario.orders):
        if recorded.order not in knowledge.order:
            what = f"{recorded.order} is no order of the knowledge {knowledge.id}"
            faults.add(("orders", n, "order"), what, near(recorded.order, knowledge.order))
    gold = scenario.gold
    conditions: list[tuple[Loc, str]] = [(("gold", "condition"), gold.condition)]
    for part in ("alternatives", "differential"):
        conditions += [(("gold", part, n), c) for n, c in enumerate(getattr(gold, part))]
    for where, name in conditions:
        if name not in knowledge.condition:
            what = f"{name} is no condition of the knowledge {knowledge.id}"
            faults.add(where, what, near(name, knowledge.condition))
    for part in ("must_ask", "dangers"):
        _specs(("gold", part), getattr(gold, part), knowledge, faults)


def _fact(fact: Fact, where: Loc, knowledge: Knowledge, faults: Faults) -> None:
    finding = knowledge.finding.get(fact.finding)
    if finding is None:
        what = f"{fact.finding} is no finding of the knowledge {knowledge.id}"
        faults.add((*where, "finding"), what, near(fact.finding, knowledge.finding))
        return
    for value in fact.values:
        if value not in finding.value_ids:
            what = f"{finding.id} has no value {value}"
            faults.add((*where, "values"), what, near(value, finding.value_ids))
    if finding.covers and not finding.present:
        faults.add(
            (*where, "finding"),
            f"nobody has {finding.id} as such",
            f"name what it covers: {', '.join(finding.covers[:4])}",
        )
    present = fact.state is State.PRESENT
    if finding.kind is FindingKind.CATEGORICAL and present and len(fact.values) != 1:
        faults.add((*where, "values"), f"{finding.id} takes exactly one value", _one_of(finding.value_ids))
    if finding.kind is FindingKind.MULTI and present and not fact.values:
        faults.add((*where, "values"), f"{finding.id} takes one value or more", _one_of(finding.value_ids))
    if finding.none is not None and finding.none in fact.values and len(fact.values) > 1:
        faults.add((*where, "values"), f"{finding.none} of {finding.id} comes alone", "remove it, or the others")
    if finding.kind is FindingKind.TEXT and present and not fact.text:
        faults.add((*where, "text"), f"{finding.id} is told in the patient's own words", "add `text:`")
    if fact.release in (Release.UNKNOWN, Release.ORDER_ONLY) and fact.text:
        faults.add((*where, "text"), f"{finding.id} is never told by the patient", "remove `text:`")


def _above(fact: Fact, where: Loc, scenario: Scenario, knowledge: Knowledge, faults: Faults) -> None:
    """Nobody can describe a pain that is not there, and nobody is asked about one that no fact mentions."""
    finding = knowledge.finding.get(fact.finding)
    parent = finding.parent if finding is not None else None
    if parent is None or fact.state is not State.PRESENT or fact.order is not None:
        return
    above = scenario.by_finding.get(parent)
    if above is None:
        faults.add(where, f"{fact.finding} describes {parent}, of which there is no fact", f"add `finding: {parent}`")
    elif above.state is not State.PRESENT:
        what = f"{fact.finding} is present while {parent}, which it describes, is {above.state.value}"
        faults.add(where, what, f"make {parent} present, or remove this fact")


def _one_of(values: Iterable[str]) -> str:
    return f"one of: {', '.join(list(values)[:_VALUES])}"


def link_hospital(hospital: Hospital, knowledge: Knowledge, faults: Faults) -> None:
    """Note every finding in the hospital's rules that the knowledge does not have."""
    for n, d in enumerate(hospital.departments):
        at: Loc = ("departments", n, "inquiry")
        _specs((*at, "must_ask"), d.inquiry.must_ask, knowledge, faults)
        _specs((*at, "danger_signs"), d.inquiry.danger_signs, knowledge, faults)
        for m, x in enumerate(d.inquiry.discriminators):
            _specs((*at, "discriminators", m, "ask"), x.ask, knowledge, faults)
        for m, y in enumerate(d.inquiry.by_complaint):
            _specs((*at, "by_complaint", m, "must_ask"), y.must_ask, knowledge, faults)
            _specs((*at, "by_complaint", m, "danger_signs"), y.danger_signs, knowledge, faults)
    for n, h in enumerate(hospital.hard_rules):
        _specs(("hard_rules", n, "ask_first"), h.ask_first, knowledge, faults)
    for where, when in conditions(hospital):
        for part in ("all", "any", "none"):
            _specs((*where, part), getattr(when, part), knowledge, faults)


def conditions(hospital: Hospital) -> Iterator[tuple[Loc, When]]:
    """Every `when` of a hospital, with its place."""
    for n, d in enumerate(hospital.departments):
        for m, x in enumerate(d.inquiry.discriminators):
            yield ("departments", n, "inquiry", "discriminators", m, "when"), x.when
        for m, y in enumerate(d.inquiry.by_complaint):
            yield ("departments", n, "inquiry", "by_complaint", m, "when"), y.when
    for n, h in enumerate(hospital.hard_rules):
        yield ("hard_rules", n, "when"), h.when
    for n, c in enumerate(hospital.comparisons):
        for m, r in enumerate(c.rules):
            yield ("comparisons", n, "rules", m, "when"), r.when


def _specs(where: Loc, specs: Iterable[str], knowledge: Knowledge, faults: Faults) -> None:
    for n, text in enumerate(specs):
        try:
            knowledge.spec(text)
        except ValueError:
            faults.add(
                (*where, n), f"{text} is no finding of the knowledge {knowledge.id}", _near_spec(text, knowledge)
            )


def _near_spec(text: str, knowledge: Knowledge) -> str:
    name, _, value = text.partition("=")
    if name in knowledge.finding:
        return near(value, knowledge.finding[name].value_ids) if value else "give an id of the knowledge"
    return near(name, knowledge.finding)


def near(name: str, known: Iterable[str]) -> str:
    """A mend for an id that is not known: the likeliest one meant."""
    names = list(known)
    found = difflib.get_close_matches(name[:100], names, n=1)
    if found:
        return f"did you mean {found[0]}?"
    return _one_of(names) if 0 < len(names) <= _VALUES else "correct the id, or add it to the knowledge"
