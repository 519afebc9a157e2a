"""Scores of the diagnosis and of triage."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_world import ATTACK, KNOWLEDGE, SHINGLES, Script, case, gold, scored, values

from consult.events import StopReason
from consult.score.diagnosis import FLOOR, verdict
from consult.terms import Department, Urgency

CLINICAL = [r for r in StopReason if r.clinical]
DIAGNOSIS = ["top1", "top3", "top5", "rank", "brier", "log_score", "hierarchy"]


def _talk() -> Script:
    return Script().say("rash").triage("skin_clinic", "rashes", "urgent").ask("rash_pain", tells=["rash_pain"])


def _diagnosis(found: dict[str, float | None]) -> list[float | None]:
    return [found[f"diagnosis.{name}"] for name in DIAGNOSIS]


def test_a_right_diagnosis_in_other_words() -> None:
    script = _talk().conclude(("Herpes zoster.", 0.8), ("herpes", 0.2))
    found = scored(script)
    assert _diagnosis(values(script)) == [1, 1, 1, 1, pytest.approx(0.08), pytest.approx(math.log(0.8), abs=1e-6), 1]
    end = next(e.seq for e in script.events if e.type == "conclusion")
    assert found["diagnosis.top1"].evidence == (end,)


@pytest.mark.parametrize(
    ("names", "rank", "tops"),
    [
        (["herpes", "eczema", "shingles"], 3, [0, 1, 1]),
        (["herpes", "zoster", "shingles"], 2, [0, 1, 1]),
        (["herpes", "herpes simplex", "cold sore", "shingles"], 2, [0, 1, 1]),  # one condition under three names
        (["herpes", "eczema", "wart", "crohn", "shingles"], 5, [0, 0, 1]),
        (["herpes", "eczema", "wart", "crohn", "reflux", "shingles"], 6, [0, 0, 0]),
        (["herpes", "eczema"], None, [0, 0, 0]),
    ],
)
def test_ranks(names: list[str], rank: int | None, tops: list[float]) -> None:
    found = scored(_talk().conclude(*names))
    assert [found[f"diagnosis.top{k}"].value for k in (1, 3, 5)] == tops
    assert found["diagnosis.rank"].value == rank
    assert bool(found["diagnosis.rank"].reason) == (rank is None)


def test_an_alternative_counts_as_right_and_shares_the_probability() -> None:
    both = gold(SHINGLES, alternatives=("herpes",))
    found = values(_talk().conclude(("herpes", 0.5), ("shingles", 0.3), ("wart", 0.2)), both)
    assert found["diagnosis.top1"] == 1
    assert found["diagnosis.brier"] == pytest.approx(0.2**2 + 0.2**2)
    assert found["diagnosis.log_score"] == pytest.approx(math.log(0.8), abs=1e-6)


def test_an_unknown_name_is_wrong_and_named_in_the_reason() -> None:
    found = scored(_talk().conclude(("girdle rash", 1.0)))
    assert found["diagnosis.top1"].value == 0
    assert "girdle rash" in found["diagnosis.top1"].reason
    assert found["diagnosis.brier"].value == 2
    assert found["diagnosis.log_score"].value == pytest.approx(math.log(FLOOR), abs=1e-6)
    assert found["diagnosis.hierarchy"].value == 0


def test_what_the_differential_leaves_over_is_on_no_condition() -> None:
    assert values(_talk().conclude(("shingles", 0.6)))["diagnosis.brier"] == pytest.approx(0.16)


def test_without_probabilities_the_probability_scores_are_missing() -> None:
    for names in (["shingles", "herpes"], [("shingles", 0.5), "herpes"]):
        found = scored(_talk().conclude(*names))
        for name in ("diagnosis.brier", "diagnosis.log_score"):
            assert found[name].value is None
            assert "probabilit" in found[name].reason
        assert found["diagnosis.top1"].value == 1


def test_a_referral_carries_a_diagnosis_too() -> None:
    assert values(_talk().refer(("shingles", 0.9)))["diagnosis.top1"] == 1


def test_probabilities_above_one_in_all_are_scaled() -> None:
    assert values(_talk().refer(("shingles", 1.0), ("herpes", 1.0)))["diagnosis.brier"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("top", "near"),
    [
        ("eczema", 1),
        ("contact_dermatitis", 1),
        ("allergic_contact_dermatitis", 1),
        ("psoriasis", 0),
        ("girdle rash", 0),
    ],
)
def test_the_hierarchy_reaches_up_and_down_but_not_across(top: str, near: float) -> None:
    found = scored(_talk().conclude(top), gold(SHINGLES, condition="contact_dermatitis"))["diagnosis.hierarchy"]
    assert found.value == near
    assert bool(found.reason) == (top != "contact_dermatitis")


# --- verdict ---


def test_the_verdict_sets_the_gold_beside_the_answer() -> None:
    script = _talk().conclude(("Zoster", 0.5), ("girdle rash", 0.1))
    v = verdict(case(script))
    assert (v.gold, v.accepted, v.rank, v.top) == ("shingles", ("shingles",), 1, "shingles")
    assert [(d.condition, d.name, d.icd10, d.probability) for d in v.differential] == [
        ("shingles", "Zoster", "B02", 0.5),
        (None, "girdle rash", "", 0.1),
    ]
    assert v.department == Department(primary="skin_clinic", secondary="rashes")  # as this hospital calls it
    assert v.urgency == v.triaged_urgency == "urgent"
    assert v.triaged == v.department


def test_the_verdict_of_an_abstention_has_no_top() -> None:
    v = verdict(case(Script().say("rash").stop(StopReason.PATIENT_LEFT)))
    assert (v.differential, v.rank, v.top, v.triaged, v.triaged_urgency) == ((), None, None, None, None)


# --- triage ---


def test_the_last_triage_counts() -> None:
    script = Script().say("rash").triage("medicine", "heart", "emergency").triage("skin_clinic", "lumps", "urgent")
    found = scored(script.conclude("shingles"))
    assert [found[f"triage.{n}"].value for n in ("primary", "secondary", "urgency_error", "under", "over")] == [
        1,
        0,
        0,
        0,
        0,
    ]
    assert found["triage.primary"].evidence == (2,)
    assert found["triage.secondary"].reason == "lumps instead of rashes"


@pytest.mark.parametrize(("said", "error"), [("emergency", -1), ("urgent", 0), ("routine", 1), ("self_care", 2)])
def test_urgency_errs_in_both_directions(said: str, error: float) -> None:
    found = values(Script().say("rash").triage("medicine", "heart", said).conclude("shingles"))
    assert found["triage.urgency_error"] == error  # positive: less urgent than it is
    assert (found["triage.under"], found["triage.over"]) == (float(error > 0), float(error < 0))


@pytest.mark.parametrize(
    ("rounds", "first"), [("SS", 1), ("MS", 2), ("SMS", 3), ("SMMSSS", 4), ("SM", None), ("MM", None)]
)
def test_the_round_from_which_the_primary_department_stays_right(rounds: str, first: int | None) -> None:
    script = Script().say("rash")
    for letter in rounds:
        script.triage(*{"S": ("skin_clinic", "rashes"), "M": ("medicine", "heart")}[letter], "urgent")
    found = scored(script.conclude("shingles"))["triage.primary_round"]
    assert found.value == first
    assert bool(found.reason) == (first is None)
    if first is not None:
        assert found.evidence == (first,)  # the opening is event 0


def test_a_silent_triage_is_missing_not_wrong() -> None:
    found = scored(Script().say("rash").conclude("shingles"))
    for name in (n for n in found if n.startswith("triage.")):
        assert (found[name].value, found[name].reason) == (None, "triage never spoke")
    spoken = scored(_talk().conclude("shingles"))
    assert [(n, s.unit) for n, s in spoken.items()] == [(n, s.unit) for n, s in found.items()]


def test_a_gold_department_this_hospital_lacks_goes_to_its_fallback() -> None:
    eyes = gold(ATTACK, department=Department(primary="ophthalmology", secondary="cornea"), urgency=Urgency.ROUTINE)
    found = values(Script().say("chest_pain").triage("medicine", "heart", "routine").conclude("MI"), eyes)
    assert (found["triage.primary"], found["triage.secondary"]) == (1, 1)


# --- properties ---

ENTRIES = st.lists(
    st.tuples(st.sampled_from([*(c.name for c in KNOWLEDGE.conditions), "nothing known"]), st.floats(0, 1)), max_size=12
)


@given(ENTRIES)
def test_ranges(entries: list[tuple[str, float]]) -> None:
    found = values(_talk().refer(*entries))
    tops = [found[f"diagnosis.top{k}"] for k in (1, 3, 5)]
    assert tops == sorted(tops)  # type: ignore[type-var]
    assert set(tops) <= {0.0, 1.0}
    assert 0 <= found["diagnosis.brier"] <= 2  # type: ignore[operator]
    assert math.log(FLOOR) - 1e-6 <= found["diagnosis.log_score"] <= 0  # type: ignore[operator]
    assert found["diagnosis.hierarchy"] >= found["diagnosis.top1"]  # type: ignore[operator]
    assert (found["diagnosis.rank"] is None) == (found["diagnosis.log_score"] is not None and tops[-1] == 0) or len(
        entries
    ) > 5


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_the_honest_probability_scores_best(q: float, p: float) -> None:
    """Brier is proper: with the truth at q, saying q costs no more than saying p, even with mass withheld."""

    def expected(said: float) -> float:
        right = values(_talk().refer(("shingles", said)))["diagnosis.brier"]
        wrong = values(_talk().refer(("herpes", said)))["diagnosis.brier"]
        assert right is not None
        assert wrong is not None
        return q * right + (1 - q) * wrong

    assert expected(q) <= expected(p) + 1e-5
