"""Free text of a human or a model: paraphrase, negation, doubt, whose and when; and the resolver that is chosen by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from consult import Limits, Setup, load_hospital, load_knowledge, load_persona, load_scenario, play
from consult.agents.base import Record
from consult.agents.recipient import receive
from consult.errors import UsageError
from consult.events import Audited, Question, Told, Utterance
from consult.language import similar
from consult.language.concepts import concepts
from consult.language.context import talk_of
from consult.language.extractor import extract
from consult.language.gist import gists
from consult.language.resolver import resolve
from consult.language.tokens import tokens
from consult.scenario import find_scenario
from consult.score.audit import audit
from consult.terms import Resolver

K = load_knowledge()
ROOT = Path(__file__).resolve().parent.parent
needs_vectors = pytest.mark.skipif(not similar.available(), reason="the extra consult[embeddings] is not installed")


def asked(text: str, by: Resolver = Resolver.LEXICON) -> tuple[str, ...]:
    return resolve(text, K, by).findings


def read(text: str, *about: str, for_other: bool = False) -> dict[str, str]:
    found = extract(text, K, about, for_other=for_other)
    return {r.finding: r.state for r in found if not r.implied}


@pytest.mark.parametrize(
    ("one", "other"),
    [("My tummy hurts", "belly pain"), ("I vomited", "vomiting"), ("out of breath", "shortness of breath"), ("dizzy", "dizziness")],
)  # fmt: skip
def test_words_for_one_thing_are_one_concept(one: str, other: str) -> None:
    assert set(concepts(tokens(one))) == set(concepts(tokens(other))) != set()


def test_sleepy_is_not_sleep() -> None:
    assert concepts(tokens("sleepy")) != concepts(tokens("sleep"))


@pytest.mark.parametrize(("text", "findings"), [
    ("Is your belly sore?", {"abdominal_pain"}),
    ("Have you thrown up?", {"vomiting"}),
    ("Before we go on, have you had a temperature?", {"fever"}),
    ("I know this must be frightening, but can you tell me if your chest hurts?", {"chest_pain"}),
    ("Any pain or swelling in your calves?", {"calf_pain", "calf_swelling"}),
    ("Is the chest pain worse on breathing in?", {"chest_pain.pleuritic"}),
    ("Has anybody in the family had blood clots?", {"family.blood_clots"}),
    ("How's your appetite?", {"appetite_loss"}),
    ("do you have a fever", {"fever"}),
    ("No fevers, no vomiting?", {"fever", "vomiting"}),
])  # fmt: skip
def test_a_paraphrase_asks_the_same(text: str, findings: set[str]) -> None:
    assert set(asked(text)) == findings


@pytest.mark.parametrize("text", [
    "Do you mind if I examine your chest?", "We'll do some blood tests.", "You mentioned your mother had heart disease.",
    "If you get more short of breath, please go straight to hospital.", "It's good that you don't smoke.",
])  # fmt: skip
def test_what_only_mentions_asks_nothing(text: str) -> None:
    assert resolve(text, K).asks_nothing


@pytest.mark.parametrize("text", ["Do you have any pets?", "How old are you?", "Does it spread anywhere?"])
def test_what_no_finding_stands_for_is_not_guessed(text: str) -> None:
    query = resolve(text, K)
    assert (query.findings, query.topics, query.open, query.asks_nothing) == ((), (), False, False)


TOLD = ("rash", "chest_pain", "abdominal_pain", "vomiting")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Where is the pain?", "abdominal_pain.site"),
        ("Where exactly does it hurt?", "abdominal_pain.site"),
        ("Does it spread anywhere?", "abdominal_pain.radiation"),
        ("And does the pain go anywhere else?", "abdominal_pain.radiation"),
        ("Is it sharp or dull?", "abdominal_pain.character"),
        ("What is it like?", "abdominal_pain.character"),
        ("Did it come on suddenly?", "abdominal_pain.onset"),
        ("How did it start?", "abdominal_pain.onset"),
        ("Is it worse when you breathe in?", "chest_pain.pleuritic"),
        ("Is it itchy?", "rash.itch"),
        ("What colour is it?", "rash.colour"),
    ],
)
def test_what_says_too_little_is_of_the_complaint_told_last(text: str, finding: str) -> None:
    told = [Told(fact=f, finding=f, state="present", rule="direct") for f in TOLD]
    assert resolve(text, K, talk=talk_of(told, K)).findings == (finding,)


@pytest.mark.parametrize("text", ["Where do you come from?", "Is it dry?", "Is the room cold?", "Do you keep a dog?"])
def test_the_talk_is_not_stretched(text: str) -> None:
    assert resolve(text, K, talk=("abdominal_pain", "chest_pain")).findings == asked(text)


def test_the_talk_is_of_complaints_that_are_there() -> None:
    told = [
        Told(fact="a", finding="chest_pain", state="present", rule="direct"),
        Told(fact="b", finding="chest_pain.onset", state="present", rule="direct"),
        Told(fact="c", finding="rash", state="absent", rule="direct"),
        Told(fact="d", finding="past.ulcer", state="present", rule="direct"),
    ]
    assert talk_of(told, K) == ("chest_pain",)
    assert resolve("Where is the pain?", K, talk=("chest_pain",)).findings == ("chest_pain",)


@pytest.mark.parametrize(("text", "state"), [
    ("No fever, chest pain or cough.", {"fever": "absent", "chest_pain": "absent", "cough": "absent"}),
    ("No nausea, vomiting or diarrhoea.", {"nausea": "absent", "vomiting": "absent", "diarrhoea": "absent"}),
    ("I don't have a temperature but I have been coughing.", {"fever": "absent", "cough": "present"}),
    ("Fever yes, chills no.", {"fever": "present", "chills": "absent"}),
    ("I'm not sick, and I have a cough.", {"cough": "present"}),
    ("No fever, just a cough.", {"fever": "absent", "cough": "present"}),
    ("A headache, and I'm not sure about a fever.", {"headache": "present", "fever": "unknown"}),
    ("My throat is really sore.", {"sore_throat": "present"}),
    ("My chest pain goes down my left arm.", {"chest_pain": "present"}),
])  # fmt: skip
def test_several_things_in_one_sentence(text: str, state: dict[str, str]) -> None:
    found = read(text)
    assert {f: s for f, s in found.items() if f in state} == state
    assert "nausea" not in found or "nausea" in state


@pytest.mark.parametrize("text", [
    "My mother has a fever.", "My husband has a cough.", "My friend had a rash like that once.", "Everyone at work has been coughing.",
    "Last year I had a cough.", "I had a fever a few years ago.", "I used to have palpitations but not any more.",
    "I'm worried I'm going to get a fever.", "I looked up chest pain on the internet.", "I took some cough medicine.",
    "If I get a cough I'll call you.", "When I was pregnant I had heartburn.",
])  # fmt: skip
def test_what_is_no_present_complaint_of_the_patient(text: str) -> None:
    assert read(text) == {}


@pytest.mark.parametrize(("text", "found"), [
    ("My boss sent me over because I have a cough.", {"cough": "present"}),
    ("My wife says I have a cough.", {"cough": "present"}),
    ("I live with my mother and I have a cough.", {"cough": "present"}),
    ("My husband has a cough and I have a fever.", {"fever": "present"}),
])  # fmt: skip
def test_someone_else_in_the_sentence_takes_nothing_from_the_patient(text: str, found: dict[str, str]) -> None:
    assert read(text) == found


def test_a_parent_speaks_of_the_child() -> None:
    assert read("My son has a cough.") == {}
    assert read("My son has a cough.", for_other=True) == {"cough": "present"}
    assert read("Her brother has a cough.", for_other=True) == {}


def test_the_recipient_is_told_who_speaks() -> None:
    source = Utterance(seq=1, text="My son has a cough.")
    assert receive(Record(), source, "", K)[1] is None
    assert receive(Record(), source, "", K, for_other=True)[0].complaint == "cough"


@pytest.mark.parametrize(("text", "state"), [
    ("I think so.", "present"), ("Maybe a bit.", "present"), ("Sometimes.", "present"), ("Mm-hmm.", "present"), ("Probably.", "present"),
    ("It does, yes.", "present"), ("Yes, my husband has it too.", "present"), ("I don't think so.", "absent"), ("Thankfully not.", "absent"),
    ("No, but my husband has a fever.", "absent"), ("Not that I know of.", "not_noticed"), ("Not as far as I know.", "not_noticed"),
    ("Possibly, I couldn't say.", "unknown"), ("We're not going there.", "unknown"),
])  # fmt: skip
def test_a_bare_answer_with_doubt(text: str, state: str) -> None:
    assert read(text, "fever") == {"fever": state}


def test_answers_to_a_question_of_two_parts() -> None:
    two = ("nausea", "vomiting")
    assert read("Both.", *two) == {"nausea": "present", "vomiting": "present"}
    assert read("Neither.", *two) == {"nausea": "absent", "vomiting": "absent"}
    assert read("Yes to the first, no to the second.", *two) == {"nausea": "present", "vomiting": "absent"}
    assert read("Yes.", *two) == {}


@pytest.mark.parametrize("text", ["Thank you. Goodbye.", "Um.", "OK."])
def test_courtesies_are_no_content(text: str) -> None:
    assert read(text, "medication") == {}


def test_no_tablets_are_no_content() -> None:
    assert read("I don't take any tablets.", "medication") == {"medication": "absent"}


def test_a_parent_of_attributes_owns_the_phrasing_they_share() -> None:
    g = gists(K)
    assert [h.finding for h in g.about(("chest", "pain"))] == ["chest_pain"]
    assert g.about(()) == []


def test_the_vectors_are_never_asked_about_template_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "nearest", lambda *_: pytest.fail("asked"))
    for f in K.findings:
        for q in f.questions:
            assert asked(q, Resolver.EMBEDDING) == (f.id,)


def test_the_vectors_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "nearest", lambda text, _: ["fever"] if "zorch" in text else [])
    assert asked("Do you feel zorchy?", Resolver.EMBEDDING) == ("fever",)
    assert asked("Do you feel zorchy?") == ()


def _setup(inquirer: str = "reference", resolver: Resolver | None = None) -> Setup:
    scenario = load_scenario(find_scenario("indigestion_at_the_wheel"))
    agents = {"inquirer": inquirer}
    return Setup(scenario, load_persona("neutral"), load_hospital(), K, agents, Limits(max_turns=3), resolver=resolver)


def test_only_a_humans_resolver_depends_on_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for there in (False, True):
        monkeypatch.setattr("consult.sim.session.available", lambda there=there: there)
        for inquirer in ("reference", "curt", "llm:x"):
            assert _setup(inquirer).understood_by is Resolver.LEXICON
        assert (_setup("human").understood_by is Resolver.EMBEDDING) == there
        assert _setup("human", Resolver.LEXICON).understood_by is Resolver.LEXICON


def test_the_resolver_is_named_in_the_header_and_the_key() -> None:
    plain, other = _setup(), _setup(resolver=Resolver.EMBEDDING)
    assert plain.cell == _setup(resolver=Resolver.LEXICON).cell != other.cell
    assert (plain.provenance.resolver, other.provenance.resolver) == (Resolver.LEXICON, Resolver.EMBEDDING)


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "available", lambda: False)
    with pytest.raises(UsageError, match="wordllama"):
        play(_setup(resolver=Resolver.EMBEDDING))


def test_patient_recipient_and_audit_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question only the vectors understand: told, put on record, and lawful; read by the lexicon it is no such thing."""
    setup = _setup(resolver=Resolver.EMBEDDING)
    monkeypatch.setattr(similar, "available", lambda: True)
    monkeypatch.setattr(similar, "nearest", lambda text, _: ["chest_pain.radiation"] if "zorch" in text else [])
    monkeypatch.setattr("consult.agents.inquirers.reference.ReferenceInquirer.act", _zorch)
    transcript = play(setup)
    assert [e.text for e in transcript.events if isinstance(e, Question)] == ["Does it zorch?"]
    assert next(e for e in transcript.events if isinstance(e, Audited)).clean
    assert not audit(transcript.events, setup.scenario, K, setup.persona).clean


def _zorch(_: object, view: object) -> dict[str, object]:
    if view.turn == 0:  # type: ignore[attr-defined]
        return {"kind": "ask", "text": "Does it zorch?"}
    return {"kind": "conclude", "differential": [["angina", 1.0]]}


@needs_vectors
def test_likeness_finds_what_shares_no_word() -> None:
    assert asked("Have you been stuck in bed for a while?", Resolver.EMBEDDING) == ("risk.immobility",)
    assert asked("Which pharmacy do you use?", Resolver.EMBEDDING) == ()


@needs_vectors
def test_likeness_is_the_same_in_another_process() -> None:
    code = (
        "from consult import load_knowledge; from consult.language.resolver import resolve; from consult.terms import Resolver\n"
        "print(resolve('Have you been stuck in bed for a while?', load_knowledge(), Resolver.EMBEDDING).findings)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "('risk.immobility',)"
