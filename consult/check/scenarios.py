"""The scenario linter: facts fit the patient and each other, words read back, and nothing gives the answer away."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from consult.agents.llm.pictures import look
from consult.check.speech import agrees, as_sentence, misread, quoted, said, told
from consult.errors import DataError
from consult.events import Told
from consult.files import Faults, Loc
from consult.hospital import Hospital
from consult.knowledge.links import link_scenario, near
from consult.knowledge.model import Finding, FindingKind, Knowledge, Source
from consult.language.extractor import Reading
from consult.language.giveaway import leaks
from consult.language.lexicon import suits
from consult.language.realiser import statement, voiced
from consult.language.role import role_breaks
from consult.scenario import Fact, Release, Scenario, Speaker, State

_SILENT: Final = (Release.UNKNOWN, Release.ORDER_ONLY)
"""Rules under which the patient never tells the fact."""


def check_scenario(
    scenario: Scenario, knowledge: Knowledge | None, hospital: Hospital | None, path: Path | None = None
) -> list[DataError]:
    """Everything wrong with a scenario that loads; `path` is the file it came from, if there is one.

    Without a knowledge (or hospital) what it would decide is left out.
    """
    faults = Faults(path, f"scenario {scenario.id}")
    look(scenario, faults, path.parent if path is not None else None)
    _role(scenario, faults)
    if hospital is not None:
        _department(scenario, hospital, faults)
    if knowledge is None:
        return faults.errors
    link_scenario(scenario, knowledge, faults)
    if faults.errors:
        return faults.errors  # what follows needs ids that exist
    for n, fact in enumerate(scenario.facts):
        _fact(n, fact, scenario, knowledge, faults)
    _orders(scenario, knowledge, faults)
    _gold(scenario, knowledge, faults)
    _opening(scenario, knowledge, faults)
    _given_away(scenario, knowledge, faults)
    return faults.errors


def _role(scenario: Scenario, faults: Faults) -> None:
    """A patient does not speak of vignettes."""
    words: list[tuple[Loc, str]] = [(("opening",), scenario.opening)]
    words += [(("facts", n, "text"), f.text) for n, f in enumerate(scenario.facts)]
    for where, text in words:
        for broken in role_breaks(text):
            faults.add(where, f"{quoted(broken)} is not what a patient would say", "use the patient's words")


def _department(scenario: Scenario, hospital: Hospital, faults: Faults) -> None:
    own = scenario.gold.department
    if own.primary not in hospital.primary:
        what = f"{own.primary} is no primary department of the hospital {hospital.id}"
        faults.add(("gold", "department", "primary"), what, near(own.primary, hospital.primary))
    elif hospital.parent_of.get(own.secondary) != own.primary:
        what = f"{own.secondary} is no department of {own.primary} in the hospital {hospital.id}"
        choices = [s.id for s in hospital.primary[own.primary].secondary]
        faults.add(("gold", "department", "secondary"), what, near(own.secondary, choices))


def _fact(n: int, fact: Fact, scenario: Scenario, knowledge: Knowledge, faults: Faults) -> None:
    finding = knowledge.finding[fact.finding]
    patient = scenario.patient
    if not suits(finding, patient.age, patient.sex):
        what = f"{finding.id} does not suit a patient of {patient.age:g} who is {patient.sex.value}"
        faults.add(("facts", n, "finding"), what, "remove the fact, or correct the patient")
    if finding.source is not Source.HISTORY and fact.release not in _SILENT:
        what = f"{finding.id} comes from an {finding.source.value}; no patient can tell it".replace("an test", "a test")
        faults.add(("facts", n, "release"), what, "set `release: order_only` and `order:`")
    if fact.order is not None and fact.finding not in knowledge.order[fact.order].reveals:
        what = f"the order {fact.order} does not reveal {fact.finding}"
        reveals = ", ".join(o.id for o in knowledge.orders if fact.finding in o.reveals)
        faults.add(("facts", n, "order"), what, f"use {reveals}" if reveals else "give the fact another release")
    if fact.release not in _SILENT and finding.source is Source.HISTORY:
        _spoken(n, fact, finding, scenario, knowledge, faults)


def _spoken(n: int, fact: Fact, finding: Finding, scenario: Scenario, knowledge: Knowledge, faults: Faults) -> None:
    """The sentence that tells a fact is read back as that fact, and names no diagnosis."""
    state: Literal["present", "absent"] = "present" if fact.state is State.PRESENT else "absent"
    t = Told(fact=fact.id, finding=fact.finding, state=state, values=fact.values)
    sentence = voiced(statement(t, finding, scenario), finding, scenario)
    meant = Reading(fact.finding, state, fact.values, fact.text if state == "present" else "")
    where = ("facts", n, "text" if fact.text else "finding")
    wrong = misread(sentence, meant, knowledge)
    if wrong:
        mend = "say it in one sentence of other words" if fact.text else "correct the wording in the knowledge"
        faults.add(where, f"{quoted(sentence)} is read as {wrong}, not as {told([meant])}", mend)
    if leaks(as_sentence(sentence), [t], scenario, knowledge):
        faults.add(where, f"{quoted(sentence)} names the diagnosis", "use other words")


def _orders(scenario: Scenario, knowledge: Knowledge, faults: Faults) -> None:
    """A result that no fact stands for tells the record nothing."""
    held = {f.order for f in scenario.facts if f.order is not None}
    for n, recorded in enumerate(scenario.orders):
        if recorded.order not in held:
            reveals = ", ".join(knowledge.order[recorded.order].reveals)
            what = f"no fact says what {recorded.order} shows"
            faults.add(("orders", n, "order"), what, f"add facts with `order: {recorded.order}` ({reveals})")


def _gold(scenario: Scenario, knowledge: Knowledge, faults: Faults) -> None:
    patient = scenario.patient
    for part in ("must_ask", "dangers"):
        for n, spec in enumerate(getattr(scenario.gold, part)):
            name, _ = knowledge.spec(spec)
            finding = knowledge.finding[name]
            if finding.source is not Source.HISTORY:
                what = f"{name} cannot be asked: it comes from an examination or a test"
                faults.add(("gold", part, n), what, "name a finding of the history")
            elif not suits(finding, patient.age, patient.sex):
                faults.add(("gold", part, n), f"{name} does not suit this patient", "remove it")
            elif name not in scenario.by_finding and not scenario.closed_world:
                faults.add(("gold", part, n), f"there is no fact about {name}", "add the fact, present or absent")


def _opening(scenario: Scenario, knowledge: Knowledge, faults: Faults) -> None:
    """The first words say the opening facts, and nothing else."""
    if not scenario.opening:
        return
    read = {
        r.finding: r for r in said(scenario.opening, knowledge, for_other=scenario.patient.speaker is not Speaker.SELF)
    }
    for f in scenario.facts:
        if f.release is not Release.OPENING:
            continue
        state: Literal["present", "absent"] = "present" if f.state is State.PRESENT else "absent"
        meant = Reading(f.finding, state, f.values, f.text)
        found = read.pop(f.finding, None)
        if found is None or not agrees(found, meant, knowledge):
            what = f"does not say {told([meant])}" + (f" but {told([found])}" if found else "")
            faults.add(("opening",), what, f"use the knowledge's words: {quoted(_plainly(f, scenario, knowledge))}")
    if read:
        faults.add(("opening",), f"also says {told(read.values())}", "remove it, or give that fact `release: opening`")


def _plainly(f: Fact, scenario: Scenario, knowledge: Knowledge) -> str:
    finding = knowledge.finding[f.finding]
    state: Literal["present", "absent"] = "present" if f.state is State.PRESENT else "absent"
    return voiced(statement(Told(fact=f.id, finding=f.finding, state=state, values=f.values), finding, scenario),
                  finding, scenario)  # fmt: skip


def _given_away(scenario: Scenario, knowledge: Knowledge, faults: Faults) -> None:
    """Nothing that the inquirer sees before it concludes may name the answer."""
    opening = [
        Told(fact=f.id, finding=f.finding, state="present" if f.state is State.PRESENT else "absent", values=f.values)
        for f in scenario.facts
        if f.release is Release.OPENING and knowledge.finding[f.finding].kind is not FindingKind.TEXT
    ]
    if leaks(scenario.title, (), scenario, knowledge):
        faults.add(("title",), "names the diagnosis", "give a neutral title")
    if leaks(scenario.opening, opening, scenario, knowledge):
        faults.add(("opening",), "names the diagnosis", "use other words")
    for n, image in enumerate(scenario.images):
        if leaks(image.caption, (), scenario, knowledge):
            faults.add(("images", n, "caption"), "names the diagnosis", "describe what can be seen")
