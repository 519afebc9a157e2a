"""Matching of diagnoses: right names right, wrong names wrong, nothing guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_world import KNOWLEDGE, differential

from consult.actions import Diagnosis
from consult.score.match import fold, index_of, match, matched


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        # The faults of 3MDBench: a synonym is not the condition that shares a word with it.
        ("herpes zoster", "shingles"),
        ("Herpes zoster.", "shingles"),
        ("herpes", "herpes"),
        ("Eczema.", "eczema"),
        ("**Eczema**", "eczema"),
        ("plaque psoriasis", "psoriasis"),
        ("Plaque Psoriasis..", "psoriasis"),
        # Case, spacing, punctuation, number, possessives, spelling.
        ("  ALLERGIC   CONTACT-DERMATITIS ", "allergic_contact_dermatitis"),
        ("warts", "wart"),
        ("Verrucas", "wart"),
        ("cold sores", "herpes"),
        ("Crohn disease", "crohn"),
        ("Crohn’s disease", "crohn"),
        ("Crohns disease", "crohn"),
        ("gastroesophageal reflux disease", "reflux"),
        ("Gastro-oesophageal reflux disease", "reflux"),
        ("hepatitis a", "hepatitis_a"),
        ("1. Shingles", "shingles"),
        ("Zóster", "shingles"),
        # Ids and codes.
        ("allergic_contact_dermatitis", "allergic_contact_dermatitis"),
        ("L40.9", "psoriasis"),
        ("l409", "psoriasis"),
        ("B02.9", "shingles"),  # below a listed category
        # Asides and inversions.
        ("Gastroesophageal reflux disease (GERD)", "reflux"),
        ("GORD", "reflux"),
        ("Myocardial infarction (AMI)", "heart_attack"),
        ("Silent myocardial ischaemia [MI]", "heart_attack"),
        ("Shingles (herpes zoster)", "shingles"),
        ("Shingles (herpes zoster) (B02.9)", "shingles"),
        ("Herpes (zoster)", "shingles"),
        ("Contact dermatitis (allergic)", "allergic_contact_dermatitis"),
        ("dermatitis, allergic contact", "allergic_contact_dermatitis"),
        ("Shingles / herpes zoster", "shingles"),
    ],
)
def test_names_that_are_the_same(text: str, condition: str) -> None:
    assert match(KNOWLEDGE, text) == condition


@pytest.mark.parametrize(
    "text",
    [
        "herpes zosterr",
        "zoster ophthalmicus",
        "acute eczema",  # a qualifier may make another condition of it
        "not shingles",
        "Eczema (infected)",
        "PSORIASIS (INVERSE)",
        "herpes (shingles)",
        "herpes / shingles",
        "postherpetic neuralgia (shingles)",
        "chest wall pain (MI)",
        "a skin growth",  # the plain name of two conditions
        "B02x",
        "L40",  # broader than any listed code
        "",
        "…",
        "()",
        "((((",
        "eczema " * 1000,
    ],
)
def test_names_that_are_not(text: str) -> None:
    assert match(KNOWLEDGE, text) is None


def test_a_name_wins_over_a_synonym_of_something_else() -> None:
    conditions = [
        c.model_copy(update={"synonyms": ("eczema",)}) if c.id == "psoriasis" else c for c in KNOWLEDGE.conditions
    ]
    assert match(KNOWLEDGE.model_copy(update={"conditions": tuple(conditions)}), "eczema") == "eczema"


def test_a_code_helps_where_the_words_do_not_and_never_overrules_them() -> None:
    assert match(KNOWLEDGE, "girdle rash", "B02.9") == "shingles"
    assert match(KNOWLEDGE, "a skin growth", "B07") == "wart"
    assert match(KNOWLEDGE, "psoriasis", "B02") == "psoriasis"
    assert match(KNOWLEDGE, "girdle rash", "no code") is None


@pytest.mark.parametrize("condition", KNOWLEDGE.conditions, ids=lambda c: c.id)
def test_every_name_in_the_knowledge_finds_its_condition(condition: object) -> None:
    c = KNOWLEDGE.condition[condition.id]  # type: ignore[attr-defined]
    assert {match(KNOWLEDGE, t) for t in (c.id, c.name, c.icd10, *c.synonyms)} == {c.id}


def test_the_index_is_made_once_and_not_kept_for_another_knowledge() -> None:
    assert index_of(KNOWLEDGE) is index_of(KNOWLEDGE)
    for _ in range(40):
        other = KNOWLEDGE.model_copy(update={"conditions": KNOWLEDGE.conditions[:1]})
        assert match(other, "shingles") is None
    assert match(KNOWLEDGE, "shingles") == "shingles"


def test_duplicates_keep_the_best_rank_and_add_up() -> None:
    entries = differential(("zoster", 0.3), ("Rash of unknown kind", 0.1), ("B02", 0.2), ("rash of unknown kind.", 0.1))
    found = matched(KNOWLEDGE, (*entries, Diagnosis(condition="shingles")))
    assert [(n.condition, n.name, n.icd10, n.probability) for n in found] == [
        ("shingles", "zoster", "B02", pytest.approx(0.5)),
        (None, "Rash of unknown kind", "", pytest.approx(0.2)),
    ]


def test_a_duplicate_gives_its_probability_to_one_without() -> None:
    assert matched(KNOWLEDGE, differential("shingles", ("zoster", 0.2)))[0].probability == 0.2
    assert matched(KNOWLEDGE, differential("shingles", "zoster"))[0].probability is None


@given(st.text(max_size=300))
def test_hostile_text_neither_fails_nor_finds_what_is_not_there(text: str) -> None:
    found = match(KNOWLEDGE, text)
    assert found is None or found in KNOWLEDGE.condition
    assert fold(fold(text)) == fold(fold(fold(text)))


NAMES = [t for c in KNOWLEDGE.conditions for t in (c.name, *c.synonyms)]


@given(
    st.sampled_from(NAMES),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    st.text(" .,;:*_\"'!-", max_size=4),
    st.text(" .:;*!-", max_size=4),
)
def test_case_and_punctuation_around_a_name_do_not_matter(name: str, case: object, before: str, after: str) -> None:
    assert match(KNOWLEDGE, before + case(name) + after) == match(KNOWLEDGE, name)  # type: ignore[operator]
