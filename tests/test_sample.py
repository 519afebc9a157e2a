"""Sampled scenarios: valid, reproducible one by one, and drawn with the probabilities that the belief inverts."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from consult.check import check_scenario
from consult.errors import UsageError
from consult.files import Faults, dump_yaml
from consult.hospital import load_hospital
from consult.knowledge.links import link_scenario
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge, Source
from consult.language.lexicon import suits
from consult.sample import LIFE, MUST_ASK, NEAREST, sample
from consult.scenario import Release, Scenario, Speaker, State, load_scenario
from consult.terms import Sex

PLACE = {"primary": "internal_medicine", "secondary": "general_practice"}


def _finding(name: str, **changes: Any) -> dict[str, Any]:
    words = name.replace("_", " ").replace(".", " ")
    plain = {
        "id": name, "topic": name.split(".")[0], "plain": words, "questions": [f"Do you have {words}?"],
        "present": f"I have {words}", "absent": f"I don't have {words}",
    }  # fmt: skip
    return plain | changes


def _values(*names: str) -> list[dict[str, str]]:
    return [{"id": n, "plain": n} for n in names]


def _data() -> dict[str, Any]:
    sputum = {"source": "test", "questions": [], "clinical": "sputum culture", "background": 0.01}
    return {
        "id": "tiny",
        "findings": [
            _finding("cough.kind", kind="categorical", parent="cough", present="My cough is {value}",
                     values=_values("dry", "wet"), background={"dry": 0.5, "wet": 0.5}),
            _finding("cough", background=0.1),
            _finding("shame", sensitive=True, background=0.05),
            _finding("period", sex="female", min_age=12, max_age=55),
            _finding("sites", kind="multi", none="nowhere", present="It hurts here: {value}",
                     values=_values("nowhere", "arm", "leg"), background={"nowhere": 0.9, "arm": 0.1, "leg": 0.1}),
            _finding("worry", kind="text", present="I worry about {text}"),
            _finding("germs", present="Germs grow", absent="No germs grow", **sputum),
            _finding("cells", present="", absent="", **(sputum | {"clinical": "white cells"})),
        ],
        "conditions": [
            {
                "id": "bronchitis", "name": "Bronchitis", "icd10": "J40", "urgency": "routine", "department": PLACE,
                "prevalence": {"weight": 3, "ages": {"0-9": 1, "20-29": 3}, "sex": {"female": 3, "male": 1}},
                "findings": {"cough": 0.8, "cough.kind": {"dry": 0.25, "wet": 0.75}, "shame": 0.5, "germs": 0.7,
                             "sites": {"nowhere": 0.5, "arm": 0.6, "leg": 0.2}},
                "complaint": {"cough": 0.75, "shame": 0.25}, "red_flags": ["period", "cough.kind=wet"],
            },
            {
                "id": "stress", "name": "Stress", "icd10": "F43", "urgency": "self_care", "department": PLACE,
                "prevalence": {"weight": 1}, "findings": {"shame": 0.3, "cough": 0.1},
            },
        ],
        "orders": [
            {"id": "culture", "name": "Culture", "reveals": ["germs", "cells"]},
            {"id": "again", "name": "Culture again", "reveals": ["germs"]},
        ],
    }  # fmt: skip


def _tiny(**changes: Any) -> Knowledge:
    return Knowledge.model_validate(_data() | changes)


def _silent() -> Knowledge:
    """A knowledge whose only condition shows nothing that a patient could come with."""
    data = _data()
    data["conditions"] = [data["conditions"][0] | {"red_flags": [], "findings": {"germs": 0.5}, "complaint": {}}]
    return Knowledge.model_validate(data)


@pytest.fixture(scope="module")
def many() -> list[Scenario]:
    return list(sample(2000, 1, _tiny()))


def _near(count: float, n: int, p: float) -> bool:
    """Whether a count lies within 4.5 standard errors of n p."""
    return bool(abs(count - n * p) < 4.5 * (n * p * (1 - p)) ** 0.5)


def _of(many: list[Scenario], condition: str) -> list[Scenario]:
    return [s for s in many if s.gold.condition == condition]


def _so(s: Scenario, finding: str) -> bool:
    return finding in s.by_finding and s.by_finding[finding].state is State.PRESENT


def test_each_is_its_own_seed() -> None:
    k = _tiny()
    assert list(sample(3, 5, k)) == list(islice(sample(50, 5, k), 3))
    assert [s.id for s in sample(2, 5, k)] == ["sample_5_0", "sample_5_1"]
    assert list(sample(8, 5, k)) != list(sample(8, 6, k))
    assert list(sample(0, 5, k)) == []


def test_files_say_the_same(tmp_path: Path) -> None:
    for s in sample(20, 2, _tiny()):
        path = tmp_path / f"{s.id}.yaml"
        path.write_text(dump_yaml(s.model_dump(mode="json", exclude_defaults=True)), "utf-8")
        assert load_scenario(path) == s


def test_conditions_by_prevalence(many: list[Scenario]) -> None:
    ours, other = 3 * (10 * 1 + 10 * 3) * 4, 1 * LIFE * 2
    assert _near(len(_of(many, "bronchitis")), len(many), ours / (ours + other))


def test_ages_and_sexes(many: list[Scenario]) -> None:
    ill = _of(many, "bronchitis")
    ages = Counter(int(s.patient.age) for s in ill)
    assert set(ages) == {*range(10), *range(20, 30)}
    assert _near(sum(n for age, n in ages.items() if age < 10), len(ill), 0.25)
    assert _near(sum(s.patient.sex is Sex.FEMALE for s in ill), len(ill), 0.75)
    assert max(s.patient.age for s in many) < LIFE
    assert all((s.patient.speaker is Speaker.PARENT) == (s.patient.age < 12) for s in many)


def test_complaints_and_findings_by_probability(many: list[Scenario]) -> None:
    ill = _of(many, "bronchitis")
    by_cough = [s for s in ill if s.by_finding["cough"].release is Release.OPENING]
    assert _near(len(by_cough), len(ill), 0.75)
    assert _near(sum(_so(s, "shame") for s in by_cough), len(by_cough), 0.5)
    by_shame = [s for s in ill if s.by_finding["cough"].release is not Release.OPENING]
    assert _near(sum(_so(s, "cough") for s in by_shame), len(by_shame), 0.8)
    coughing = [s for s in ill if _so(s, "cough")]
    assert _near(sum(s.by_finding["cough.kind"].values == ("wet",) for s in coughing), len(coughing), 0.75)
    assert _near(sum(s.by_finding["germs"].state is State.PRESENT for s in ill), len(ill), 0.7)
    assert _near(sum(s.by_finding["cells"].state is State.PRESENT for s in ill), len(ill), 0.01)


def test_several_values_and_none_alone(many: list[Scenario]) -> None:
    ill = _of(many, "bronchitis")
    values = Counter(s.by_finding["sites"].values for s in ill)
    assert set(values) == {("nowhere",), ("arm",), ("leg",), ("arm", "leg")}
    assert _near(values["nowhere",], len(ill), 0.5)
    assert _near(values["arm", "leg"], len(ill), 0.5 * 0.6 * 0.2)


def test_a_condition_that_names_no_complaint_still_has_one(many: list[Scenario]) -> None:
    for s in _of(many, "stress"):
        [first] = [f for f in s.facts if f.release is Release.OPENING]
        assert first.finding in ("shame", "cough")
        assert first.state is State.PRESENT


def test_what_does_not_suit_is_not_there(many: list[Scenario]) -> None:
    k = _tiny()
    for s in many:
        assert "worry" not in s.by_finding
        for f in s.facts:
            assert suits(k.finding[f.finding], s.patient.age, s.patient.sex)
        if not _so(s, "cough"):
            assert "cough.kind" not in s.by_finding


def test_releases(many: list[Scenario]) -> None:
    seen = Counter(f.release for s in many for f in s.facts)
    assert set(seen) == {
        Release.OPENING, Release.VOLUNTEERED, Release.ON_TOPIC, Release.DIRECT, Release.SENSITIVE, Release.ORDER_ONLY,
    }  # fmt: skip
    order = list(Release)
    for s in many:
        shame = s.by_finding.get("shame")
        if shame is not None and shame.state is State.PRESENT:
            assert shame.release in (Release.OPENING, Release.SENSITIVE)
        if "cough.kind" in s.by_finding:
            parent, child = s.by_finding["cough"].release, s.by_finding["cough.kind"].release
            assert order.index(child) >= order.index(parent)


def test_records_of_ticked_boxes_are_told_only_when_asked() -> None:
    for s in sample(100, 3, _tiny(open_questions=False)):
        history = [f.release for f in s.facts if f.release is not Release.ORDER_ONLY and f.finding != "shame"]
        assert set(history) <= {Release.OPENING, Release.DIRECT}


def test_orders_report_what_they_reveal(many: list[Scenario]) -> None:
    for s in many[:200]:
        reports = {o.order: o.result for o in s.orders}
        assert set(reports) == {"culture", "again"}
        assert s.by_finding["germs"].order == "culture"
        so = _so(s, "germs")
        assert reports["again"] == ("Germs grow." if so else "No germs grow.")
        cells = "white cells: yes." if _so(s, "cells") else "white cells: no."
        assert reports["culture"] == f"{reports['again']} {cells}"


def test_gold(many: list[Scenario]) -> None:
    for s in many:
        g = s.gold
        first = next(f.finding for f in s.facts if f.release is Release.OPENING)
        assert g.condition not in g.differential
        assert len(g.differential) == 1
        assert set(g.must_ask) <= set(s.by_finding) - {first}
        assert all(flag.partition("=")[0] in s.by_finding for flag in g.dangers)
    women = [s for s in _of(many, "bronchitis") if s.patient.sex is Sex.FEMALE and s.patient.age >= 12]
    assert all("period" in s.gold.dangers for s in women)
    assert all(not s.gold.dangers for s in _of(many, "stress"))


def test_knowledge_that_cannot_be_sampled() -> None:
    rare = _data()
    rare["conditions"] = [rare["conditions"][1] | {"prevalence": {"weight": 0}}]
    with pytest.raises(UsageError, match="prevalence"):
        list(sample(1, 0, Knowledge.model_validate(rare)))
    with pytest.raises(UsageError, match="no history finding"):
        list(sample(1, 0, _silent()))


def test_the_built_in_knowledge_can_be_sampled() -> None:
    k = load_knowledge("general")
    drawn = list(sample(150, 0, k))
    assert len({s.gold.condition for s in drawn}) > 15
    for s in drawn:
        assert Scenario.model_validate(s.model_dump(mode="json")) == s
        assert len(s.gold.must_ask) <= MUST_ASK
        assert len(s.gold.differential) == NEAREST
        ordered = {o.order for o in s.orders}
        for f in s.facts:
            source = k.finding[f.finding].source
            assert (f.release is Release.ORDER_ONLY) == (source is not Source.HISTORY)
            assert f.order is None or f.order in ordered
            parent = k.finding[f.finding].parent
            assert f.state is State.ABSENT or parent is None or _so(s, parent)


def test_sampled_scenarios_fit_their_knowledge() -> None:
    k = load_knowledge("general")
    for s in sample(100, 4, k):
        faults = Faults(None, s.id)
        link_scenario(s, k, faults)
        assert faults.errors == []


def test_sampled_scenarios_pass_the_check() -> None:
    k, hospital = load_knowledge("general"), load_hospital()
    for s in sample(60, 4, k):
        assert not check_scenario(s, k, hospital)
