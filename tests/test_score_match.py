"""Matching of diagnoses: right names right, wrong names wrong, nothing guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from score_world import KNOWLEDGE, SHINGLES, Script, differential

from consult import load_hospital, load_knowledge
from consult.actions import Diagnosis
from consult.knowledge.model import Knowledge
from consult.score import Case, diagnosis
from consult.score.match import index_of, match, matched
from consult.score.phrasing import fold

GENERAL = load_knowledge()
TABLE: dict[str, list[str]] = yaml.safe_load((Path(__file__).parent / "data" / "diagnoses.yaml").read_text("utf-8"))
"""Diagnoses in free words by the condition of the general knowledge that they mean; `none` for none."""


@pytest.mark.parametrize("condition", TABLE)
def test_free_words_for_the_general_knowledge(condition: str) -> None:
    wanted = None if condition == "none" else condition
    assert {t: match(GENERAL, t) for t in TABLE[condition]} == dict.fromkeys(TABLE[condition], wanted)


def test_the_table_is_large_and_has_every_label() -> None:
    named = [t for c, texts in TABLE.items() if c != "none" for t in texts]
    assert len(named) == len(set(named)) >= 500
    assert len(TABLE["none"]) >= 100
    assert {c.id for c in GENERAL.conditions if c.label} <= TABLE.keys() <= {"none", *GENERAL.condition}
    assert sum(c.label is not None for c in GENERAL.conditions) == 34


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("Plaque Psoriasis..", "psoriasis"),
        ("**Eczema**", "eczema"),
        ("acute eczema", "eczema"),
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
        ("L40", "psoriasis"),  # of which L40.9 is the unspecified one
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
        "not shingles",
        "Eczema (infected)",
        "PSORIASIS (INVERSE)",
        "herpes (shingles)",
        "herpes / shingles",
        "postherpetic neuralgia (shingles)",
        "chest wall pain (MI)",
        "a skin growth",  # the plain name of two conditions
        "B02x",
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


@pytest.mark.parametrize("knowledge", [KNOWLEDGE, GENERAL], ids=lambda k: k.id)
def test_every_name_and_code_in_the_knowledge_finds_its_condition(knowledge: Knowledge) -> None:
    for c in knowledge.conditions:
        bare = c.icd10.replace(".", "")
        codes = (c.icd10, c.icd10.lower(), bare, bare.lower(), f"{bare}0" if len(bare) == 4 else bare)
        names = (c.id, c.name, *c.synonyms, *c.answers, *((c.label,) if c.label else ()))
        assert {t: match(knowledge, t) for t in (*names, *codes)} == dict.fromkeys((*names, *codes), c.id)


@pytest.mark.parametrize(
    "words",
    [
        "Probable {}",
        "{}, rule out scurvy",
        "Diagnosis: {}",
        "{} (likely)",
        "Severe {}",
        "{}, bilateral",
        "1. {}",
        "{}?",
    ],
)
def test_what_stands_around_a_name_makes_no_other_condition_of_it(words: str) -> None:
    for c in GENERAL.conditions:
        for name in (c.name, *c.synonyms):
            assert match(GENERAL, words.format(name)) == c.id, words.format(name)


@pytest.mark.parametrize(
    "words",
    ["not {}", "No evidence of {}", "{} ruled out", "{}, excluded", "Rule out {}", "Unlikely {}", "History of {}",
     "{} or scurvy", "{} and scurvy", "post-{} scarring", "{} in the family"],
)  # fmt: skip
def test_a_name_denied_or_joined_to_another_is_none(words: str) -> None:
    for c in GENERAL.conditions:
        for name in (c.name, *c.synonyms):
            assert match(GENERAL, words.format(name)) is None, words.format(name)


@pytest.mark.parametrize(
    ("gold", "said", "flat", "near"),
    [
        ("onychomycosis", "Onychomycosis (fungal nail infection)", 1, 1),
        ("onychomycosis", "Fungal infection of the skin", 0, 1),
        ("mycosis", "Tinea unguium", 0, 1),
        ("allergic_contact_dermatitis", "contact dermatitis", 0, 1),
        ("contact_dermatitis", "Contact dermatitis (allergic)", 0, 1),
        ("allergic_contact_dermatitis", "dermatitis", 0, 0),
        ("allergic_contact_dermatitis", "Irritant hand dermatitis", 0, 1),
        ("eczema", "contact dermatitis", 0, 0),
        ("herpes", "herpes zoster", 0, 0),
        ("shingles", "herpes", 0, 0),
        ("gingivitis", "periodontitis", 0, 0),
        ("nail_dystrophy", "onycholysis", 0, 0),
        ("abscess", "dental abscess", 0, 0),
        ("dental_abscess", "abscess", 0, 0),
        ("warts", "Seborrhoeic wart", 0, 0),
        ("caries", "dental calculus", 0, 0),
        ("stye", "chalazion", 0, 0),
        ("testicular_torsion", "ovarian torsion", 0, 0),
        ("appendicitis", "appendix epididymis torsion", 0, 0),
    ],
)
def test_the_hierarchy_beside_the_flat_score(gold: str, said: str, flat: float, near: float) -> None:
    """Labels that nest count as near; labels that lie close but do not nest count as wrong in both."""
    scenario = SHINGLES.model_copy(update={"gold": SHINGLES.gold.model_copy(update={"condition": gold})})
    made = Case(scenario, GENERAL, load_hospital(), Script().say("rash").conclude(said).events)
    found = {s.name: s.value for s in diagnosis.scores(made)}
    assert (found["diagnosis.top1"], found["diagnosis.hierarchy"]) == (flat, near)


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
