"""Text and findings: what is asked is found, what is said is read back, and no text whatever breaks or slows it."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consult.events import Told
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Finding, FindingKind, Knowledge, Source
from consult.language.extractor import Reading, extract
from consult.language.guard import breaches
from consult.language.lexicon import lexicon
from consult.language.manner import manner
from consult.language.realiser import OWN_TOPICS, Saying, realise
from consult.language.replies import short_reply
from consult.language.resolver import resolve
from consult.language.tokens import sentences, tokens
from consult.language.voice import about_patient, third_person
from consult.persona import Cause, Persona
from consult.scenario import Scenario, find_scenario, load_scenario
from consult.terms import Sex

K = load_knowledge()
VOICES = (None, Sex.FEMALE, Sex.MALE)
KIND = ("", "That must be hard for you. ", "I'm sorry to hear that. ", "I understand why this worries you. ")


def _read(text: str, *asked: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What is read in a text, implied parents left out."""
    return {r.finding: (r.state, r.values) for r in extract(text, K, asked) if not r.implied}


def _statements(f: Finding) -> list[tuple[str, str, tuple[str, ...]]]:
    """Everything the templates can say of a finding: (sentence, state, values)."""
    out = [(f.absent, "absent", ())] if f.absent else []
    if f.kind is FindingKind.BINARY:
        out.append((f.present, "present", ()))
    return [*out, *((f.present.replace("{value}", v.plain), "present", (v.id,)) for v in f.values)]


def _voiced(text: str, f: Finding, voice: Sex | None) -> str:
    return text if voice is None or f.topic in OWN_TOPICS else third_person(text, voice)


HISTORY = [f for f in K.findings if f.source is Source.HISTORY]


def test_no_two_findings_share_a_phrase() -> None:
    assert lexicon(K).clashes == []


@pytest.mark.parametrize("before", KIND)
@pytest.mark.parametrize("voice", VOICES)
def test_every_question_asks_for_its_finding(voice: Sex | None, before: str) -> None:
    wrong = []
    for f in K.findings:
        for q in f.questions:
            text = before + (q if voice is None else about_patient(q, voice))
            query = resolve(text, K)
            if (query.findings, query.topics, query.open, query.asks_nothing) != ((f.id,), (), False, False):
                wrong.append((f.id, text, query))
    assert wrong == []


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("voice", VOICES)
def test_every_statement_is_read_back(voice: Sex | None, *, asked: bool) -> None:
    wrong = []
    for f in HISTORY:
        for said, state, values in _statements(f):
            text = _voiced(said, f, voice) + "."
            if (read := _read(text, *((f.id,) if asked else ()))) != {f.id: (state, values)}:
                wrong.append((f.id, text, read))
    assert wrong == []


def test_every_synonym_of_a_symptom_is_heard() -> None:
    wrong = []
    for f in HISTORY:
        if f.kind is FindingKind.BINARY:
            wrong += [(f.id, s) for s in f.synonyms if _read(f"I have {s}.").get(f.id, ("",))[0] != "present"]
    assert wrong == []


def test_several_values_are_all_read() -> None:
    wrong = []
    for f in HISTORY:
        if f.kind is FindingKind.MULTI:
            named = [v for v in f.values if v.id != f.none]
            for a, b in pairwise(named):
                text = f.present.replace("{value}", f"{a.plain} and {b.plain}")
                if _read(text + ".") != {f.id: ("present", (a.id, b.id))}:
                    wrong.append((f.id, text, _read(text)))
    assert wrong == []


def test_a_list_of_values() -> None:
    f = K.finding["chest_pain.radiation"]
    a, b, c = f.values[:3]
    text = f.present.replace("{value}", f"{a.plain}, {b.plain} and {c.plain}")
    assert _read(text + ".") == {f.id: ("present", (a.id, b.id, c.id))}


def test_a_bare_value_answers_the_question_for_it() -> None:
    assert _read("To the left arm and the jaw.", "chest_pain.radiation") == {
        "chest_pain.radiation": ("present", ("left_arm", "jaw"))
    }
    assert _read("Sharp, I'd say.", "chest_pain.character") == {"chest_pain.character": ("present", ("sharp",))}
    assert _read("To the left arm and the jaw.") == {}, "said out of the blue it means nothing"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("I have no fever.", {"fever": "absent"}),
        ("I don't have a fever but I have a cough.", {"fever": "absent", "cough": "present"}),
        ("I have a cough but no fever.", {"cough": "present", "fever": "absent"}),
        ("No fever, no cough.", {"fever": "absent", "cough": "absent"}),
        ("I don't think I have a fever.", {"fever": "absent"}),
        ("I don't know if I have a fever.", {"fever": "unknown"}),
        ("I don't have a fever or a cough.", {"fever": "absent", "cough": "absent"}),
        ("I have a fever or a cough.", {"fever": "present", "cough": "present"}),
        ("No fever or cough.", {"fever": "absent", "cough": "absent"}),
        ("Neither fever nor cough.", {"fever": "absent", "cough": "absent"}),
        ("I have never had a fever.", {"fever": "absent"}),
        ("I have a fever without a cough.", {"fever": "present", "cough": "absent"}),
        ("Not only a fever but a cough too.", {"fever": "present", "cough": "present"}),
        ("I don't have a fever. I have a cough.", {"fever": "absent", "cough": "present"}),
        ("I'm not sure about a fever.", {"fever": "unknown"}),
        ("I don't know about fever.", {"fever": "unknown"}),
        ("I haven't noticed a fever.", {"fever": "not_noticed"}),
        ("Do you think I have a fever?", {}),
        ("Is it a fever? I have a cough.", {"cough": "present"}),
        ("", {}),
        ("...", {}),
    ],
)
def test_negation_and_its_reach(text: str, read: dict[str, str]) -> None:
    assert {f: state for f, (state, _) in _read(text).items()} == read


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Yes.", "present"), ("Yes, I do.", "present"), ("I do.", "present"), ("Yeah", "present"),
        ("No.", "absent"), ("No, not at all.", "absent"), ("Never.", "absent"), ("Not really.", "absent"),
        ("I don't know.", "unknown"), ("I can't remember.", "unknown"), ("I'd rather not go into that.", "unknown"),
        ("Not that I've noticed.", "not_noticed"), ("I haven't noticed anything of the kind.", "not_noticed"),
        ("It's raining.", None), ("Why do you ask?", None),
    ],
)  # fmt: skip
def test_a_bare_answer_takes_its_meaning_from_the_question(text: str, state: str | None) -> None:
    assert _read(text, "fever") == ({"fever": (state, ())} if state else {})
    assert _read(text) == {}


def test_a_no_answers_everything_stacked_and_a_yes_nothing() -> None:
    assert {f: s for f, (s, _) in _read("No.", "fever", "cough").items()} == {"fever": "absent", "cough": "absent"}
    assert _read("Yes.", "fever", "cough") == {}


def test_stacked_answers_keep_apart() -> None:
    text = f"Yes, {K.finding['fever'].present}. {K.finding['cough'].absent}."
    assert _read(text, "fever", "cough") == {"fever": ("present", ()), "cough": ("absent", ())}


def test_what_rules_out_the_parent_answers_for_the_attribute() -> None:
    assert _read("I don't have any pain in my chest.", "chest_pain.radiation") == {"chest_pain": ("absent", ())}


def test_a_described_pain_is_a_pain() -> None:
    found = extract("My chest pain is sharp.", K)
    assert Reading("chest_pain", "present", implied=True) in found
    assert not any(
        r.finding == "chest_pain" for r in extract("My chest pain doesn't spread anywhere.", K) if r.state == "absent"
    )


@pytest.mark.parametrize(("finding", "words"), [
    ("medication", "a blood pressure pill and aspirin"), ("ice.concern", "a heart attack"),
    ("social.occupation", "a bus driver"),
])  # fmt: skip
@pytest.mark.parametrize("voice", VOICES)
def test_free_words_are_kept_as_they_are(finding: str, words: str, voice: Sex | None) -> None:
    f = K.finding[finding]
    frame, _, tail = f.present.partition("{text}")
    said = _voiced(frame, f, voice) + words + tail
    for asked in ((), (finding,)):
        (found,) = extract(said + ".", K, asked)
        assert (found.finding, found.state, found.text) == (finding, "present", words)


REFUSALS = [
    "I'd rather not go into that.",
    "I'm not comfortable talking about that yet.",
    "That's private, move on.",
    "I don't know.",
]


@pytest.mark.parametrize("text", REFUSALS)
@pytest.mark.parametrize("finding", ["medication", "ice.concern"])
def test_a_refusal_is_no_content(finding: str, text: str) -> None:
    (found,) = extract(text, K, (finding,))
    assert (found.finding, found.state, found.text) == (finding, "unknown", "")


def test_every_refusal_of_every_persona_leaves_things_unknown(personas: dict[str, Persona]) -> None:
    wrong = []
    for name, persona in personas.items():
        for bank, states in (("reluctant", {"unknown"}), ("dont_know", {"unknown"}), ("not_noticed", {"not_noticed"})):
            for text in getattr(persona.wording, bank):
                for asked in ("fever", "medication"):
                    read = {r.state for r in extract(text, K, (asked,))}
                    if not read <= states or (bank != "reluctant" and not read):
                        wrong.append((name, bank, text, asked, read))
    assert wrong == []


def test_words_around_facts_state_nothing(personas: dict[str, Persona]) -> None:
    """No bank may hold a clinical statement: said alone, unasked, it reads as nothing."""
    wrong = []
    for name, persona in personas.items():
        for bank in type(persona.wording).model_fields:
            for text in getattr(persona.wording, bank):
                if extract(text, K):
                    wrong.append((name, bank, text, extract(text, K)))
    assert wrong == []


def test_what_temperament_adds_does_not_change_the_answer(
    personas: dict[str, Persona], scenarios: dict[str, Scenario]
) -> None:
    """Asked for a symptom, any yes, tone and extra of any persona around its sentence reads as that answer."""
    scenario = scenarios["indigestion_at_the_wheel"]
    for name, persona in personas.items():
        for state in ("present", "absent", "unknown", "not_noticed"):
            for extras in (
                ("emotion",),
                ("digression",),
                ("ask_back", "seek_outcome"),
                ("seek_reassurance", "irritated"),
            ):
                for seed in range(8):
                    told = (Told(fact="fever", finding="fever", state=state, tone="plain"),)
                    text = realise(Saying(told, ("fever",), "", extras), scenario, K, persona, random.Random(seed))
                    assert {f: s for f, (s, _) in _read(text, "fever").items()} == {"fever": state}, (name, text)


@pytest.mark.parametrize(
    ("text", "topics", "is_open"),
    [
        ("Tell me more about what has been going on.", (), True),
        ("What brings you here today?", (), True),
        ("Hello, how are you today?", (), True),
        ("How is your breathing?", ("breathing",), True),
        ("Can you tell me about your stomach and bowels?", ("abdomen",), True),
    ],
)
def test_open_questions(text: str, topics: tuple[str, ...], *, is_open: bool) -> None:
    query = resolve(text, K)
    assert (query.topics, query.open, query.findings, query.asks_nothing) == (topics, is_open, (), False)


@pytest.mark.parametrize(
    "text", ["Thank you very much.", "I see.", "That must be hard for you.", "I'm sorry to hear that."]
)
def test_what_asks_nothing(text: str) -> None:
    assert resolve(text, K).asks_nothing


def test_stacked_questions_are_all_found() -> None:
    query = resolve("Do you have a fever? And do you have a cough?", K)
    assert query.findings == ("fever", "cough")
    assert Cause.STACKED in manner("Do you have a fever? And do you have a cough?", query, K)


@pytest.mark.parametrize(("text", "cause"), [
    ("I'm sorry to hear that. Do you have a fever?", Cause.EMPATHY),
    ("I'm asking because it helps me find the cause. Do you have a fever?", Cause.EXPLANATION),
    ("Any haemoptysis?", Cause.JARGON),
])  # fmt: skip
def test_manner(text: str, cause: Cause) -> None:
    assert cause in manner(text, resolve(text, K), K)


def test_the_first_question_of_no_finding_is_jargon_or_empathy() -> None:
    wrong = [(f.id, m) for f in HISTORY if (m := manner(f.questions[0], resolve(f.questions[0], K), K))]
    assert wrong == []


@pytest.mark.parametrize(("first", "female", "male"), [
    ("I have pain in my leg", "She has pain in her leg", "He has pain in his leg"),
    ("I don't have any pain", "She doesn't have any pain", "He doesn't have any pain"),
    ("I'm tired", "She's tired", "He's tired"),
    ("I am tired", "She is tired", "He is tired"),
    ("I've had a cough", "She's had a cough", "He's had a cough"),
    ("I haven't been drinking", "She hasn't been drinking", "He hasn't been drinking"),
    ("I feel sick when I eat", "She feels sick when she eats", "He feels sick when he eats"),
    ("I often cough at night", "She often coughs at night", "He often coughs at night"),
    ("I can't sleep", "She can't sleep", "He can't sleep"),
    ("I was sick", "She was sick", "He was sick"),
    ("I cry a lot", "She cries a lot", "He cries a lot"),
    ("I need to go", "She needs to go", "He needs to go"),
    ("I coughed up blood", "She coughed up blood", "He coughed up blood"),
    ("I bleed easily", "She bleeds easily", "He bleeds easily"),
    ("I wash myself", "She washes herself", "He washes himself"),
    ("It hurts me", "It hurts her", "It hurts him"),
    ("My own skin itches", "Her own skin itches", "His own skin itches"),
])  # fmt: skip
def test_third_person(first: str, female: str, male: str) -> None:
    def full(text: str) -> str:
        return (
            text.replace("She's had", "She has had").replace("He's had", "He has had").replace("'s tired", " is tired")
        )

    assert full(third_person(first, Sex.FEMALE)) == full(female)
    assert full(third_person(first, Sex.MALE)) == full(male)


@pytest.mark.parametrize(("question", "asked"), [
    ("Do you have a cough?", "Does she have a cough?"),
    ("Are you tired?", "Is she tired?"),
    ("Have you had a fever?", "Has she had a fever?"),
    ("Were you sick?", "Was she sick?"),
    ("Did you fall?", "Did she fall?"),
    ("Can you walk?", "Can she walk?"),
    ("Does your chest hurt?", "Does her chest hurt?"),
    ("Does it hurt when you breathe in?", "Does it hurt when she breathes in?"),
    ("How long have you had this?", "How long has she had this?"),
    ("What do you take?", "What does she take?"),
    ("Is the pain bothering you?", "Is the pain bothering her?"),
    ("Have you hurt yourself?", "Has she hurt herself?"),
    ("Are you worried that you have a cold?", "Is she worried that she has a cold?"),
])  # fmt: skip
def test_about_the_patient(question: str, asked: str) -> None:
    assert about_patient(question, Sex.FEMALE) == asked


ODD = st.text(alphabet=st.sampled_from("aI .?!,;:'’-\n\t\x00…–\U0001f600é0"), max_size=60)
WORDY = st.lists(
    st.sampled_from([
        "I", "don't", "have", "pain", "in", "my", "chest", "no", "but", "fever", "?", ".", "and", "yes", "the left arm", "spreads to",
        "I take", "not that I", "know", "rather not", "tell me more about", "your breathing", "chest pain", "a", "the", "…",
    ]), max_size=30,
).map(" ".join)  # fmt: skip
ANY = st.text(max_size=80) | ODD | WORDY


def _all_of(text: str, scenario: Scenario, asked: tuple[str, ...] = ()) -> None:
    query = resolve(text, K)
    assert all(f in K.finding for f in query.findings)
    manner(text, query, K)
    for r in extract(text, K, asked):
        assert r.finding in K.finding
        assert set(r.values) <= set(K.finding[r.finding].value_ids)
    breaches(text, asked, (), (), scenario, K)


@given(ANY, st.lists(st.sampled_from([f.id for f in K.findings]), max_size=3, unique=True).map(tuple))
@example("\ud800", ())
@example("don't know about ﬁﬁ", ("medication",))
@example("I take", ("medication",))
def test_no_text_breaks_the_reading(text: str, asked: tuple[str, ...]) -> None:
    _all_of(text, load_scenario(find_scenario("indigestion_at_the_wheel")), asked)


@given(ANY)
def test_tokens_and_sentences(text: str) -> None:
    assert all(t and not t.isspace() for t in tokens(text))
    assert tokens(text) == tokens(text.upper().lower()) or not text.isascii()
    joined = "".join("".join(sentences(text)).split())
    assert len(joined) <= len("".join(text.split()))


LONG = {
    "one word": "x" * 100_000,
    "lines": "\n" * 100_000,
    "stops": "a. " * 33_000,
    "open": "tell me more about " * 5_200,
    "statements": "my chest pain is tight " * 4_400,
    "many values": "my chest pain spreads to the left arm " * 2_600,
    "negated": "no x " + "left arm " * 11_000,
    "articles": "a " * 50_000 + "I take aspirin",
    "dashes": " – " * 33_000,
}


@pytest.mark.parametrize("name", LONG)
def test_a_very_long_text_is_read(scenarios: dict[str, Scenario], name: str) -> None:
    """A tenth of a megabyte: what grows faster than the text would run for many minutes here."""
    _all_of(LONG[name], scenarios["indigestion_at_the_wheel"], ("chest_pain.radiation",))


def test_another_knowledge_is_read_by_its_own_words(general: Knowledge) -> None:
    small = general.model_copy(update={"findings": tuple(f for f in general.findings if f.id == "fever")})
    del small.__dict__["finding"]
    assert extract("I have a fever and a cough.", small) == (Reading("fever", "present"),)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("I'd rather keep that to myself.", "unknown"),
        ("I keep such things to myself.", "unknown"),
        ("I'm not comfortable talking about that.", "unknown"),
        ("I took a blow to my eye.", None),
        ("I always need to go.", None),
        ("I'm not comfortable lying down.", None),
        ("It happened another time.", None),
    ],
)
def test_a_refusal_is_one_only_if_it_refuses(text: str, state: str | None) -> None:
    assert short_reply(tokens(text)) == state


def test_everything_fits_is_no_seizure(general: Knowledge) -> None:
    for text in ("Everything fits.", "My shoes don't fit.", "I'm quite fit."):
        assert [r for r in extract(text, general) if r.finding == "seizure"] == []
    for text in ("I had a fit.", "He gets seizures.", "I have had fits."):
        assert "seizure" in {r.finding for r in extract(text, general) if r.state == "present"}
    assert resolve("Any fits?", general).findings == ("seizure",)


def test_who_says_goodbye_has_answered_nothing(general: Knowledge) -> None:
    assert extract("I won't be treated like this. Goodbye.", general, ("allergy",)) == ()
    assert extract("Penicillin, it brings me out in a rash.", general, ("allergy",)) != ()
