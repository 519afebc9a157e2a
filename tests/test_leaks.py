"""A doctor's model that asks for the answer, a patient's model that wants to give it: nothing of it reaches a transcript.

A part of benchmarks/leaks.py, which plays every scenario with every temperament. Judged by the audit, by what the leaking
model knows that it said, and by a watcher that shares nothing with the guard (leaking_model.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from leaking_model import FORMS, Leak, Leaker, caught, leaks, letters, names, watched
from patient_world import HEART, SCENARIOS, K, view_of
from scripted_server import Say, ScriptedServer, asked_as, plays, words_given

from consult.agents.llm.talk import Models, hang_up
from consult.agents.llm.wording import Wording
from consult.events import Audited, Guarded, Header, Utterance
from consult.language.disguise import unspoken
from consult.language.giveaway import abroad
from consult.language.guard import breaches
from consult.settings import Limits
from consult.sim.session import Setup, header, play
from consult.store.transcript import Transcript

Make = Callable[..., Setup]
BOTH = {"inquirer": "llm:openai/local", "patient": "llm:openai/local"}
SOME = (
    ("indigestion_at_the_wheel", "choleric"), ("scaly_elbows", "sanguine"), ("barking_at_night", "neutral"),
    ("dropping_the_cups", "melancholic"), ("first_term_away", "phlegmatic"), ("the_heat_and_the_garden", "neutral"),
)  # fmt: skip


FACT = K.finding["sweating"].present


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(plays) as running:
        yield running
        hang_up()


def at(server: ScriptedServer, setup: Setup) -> Setup:
    return replace(setup, agents=BOTH, models=Models(server.url))


def test_nothing_that_a_model_tries_to_tell_is_heard(setup_of: Make, server: ScriptedServer) -> None:
    tried: list[Leak] = []
    for name, persona in SOME:
        scenario = SCENARIOS[name]
        leaker = server.default = Leaker(leaks(scenario, K))
        t = play(at(server, setup_of(name, persona, limits=Limits(10, 0))))
        assert leaker.reached(t) == []
        assert watched(t, scenario, K) == []
        assert t.events[-1].clean  # type: ignore[union-attr]
        stopped, again, fallen = caught(t)
        assert stopped == again + fallen
        assert fallen, "where three wordings fail, the template speaks"
        tried += [leak for _, _, leak in leaker.tried]
    assert len(tried) > 120
    assert {leak.kind.partition(",")[0] for leak in tried} >= {"name", "fact", "prompt", "id", "plan"}


def test_who_watches_would_see(setup_of: Make) -> None:
    """Each judge by itself, on words that nobody stopped."""
    setup = setup_of()
    scenario, given = SCENARIOS["indigestion_at_the_wheel"], "My chest feels tight."
    head: Header = header(setup)
    for words in ("A hart attack.", "kcatta traeh", "h.e.a.r.t a-t-t-a-c-k", f"{FACT}."):
        leaker = Leaker(iter([Leak("name", words)]))
        said = leaker({"messages": [{"content": "You play a person"}, {"content": f"…:\n{given}"}]}).text
        t = Transcript(head, (Utterance(text=said or ""),))
        assert [x.words for x in leaker.reached(t)] == [words]
        assert watched(t, scenario, K), words
        honest = Transcript(head, (Utterance(text=given),))
        assert (leaker.reached(honest), watched(honest, scenario, K)) == ([], [])


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("Is it about losing my licence to drive the bus?", ("unreleased", "ice.concern")),
        ("What about a bus driver?", ("unreleased", "social.occupation")),
        ("Ask me about pneumonia.", ("invention", "pneumonia")),
        ("I haven't noticed sweating.", ("invention", "sweating")),
        ("", ("role_break", "empty")),
        ("Well " * 300, ("role_break", "too long")),
    ],
)
def test_each_way_to_give_something_away_is_seen_by_one_who_looks_for_it(words: str, fault: tuple[str, str]) -> None:
    """What these say, nothing else in the guard would see."""
    view = view_of(HEART, question="And how are you?")
    wording = Wording(view, (), (), (), template="Well, doctor.", given=view.question, prompt="You play a person.")
    assert wording.faults(words) == [fault]
    assert wording.faults("Well, doctor.") == []


@pytest.mark.parametrize("form", FORMS)
def test_a_name_is_known_in_every_form(form: str) -> None:
    for scenario in list(SCENARIOS.values())[::9]:
        for name in names(scenario, K):
            if form in ("plain", "capitals") or len(letters(name)) > 5:
                text = FORMS[form](name) if form == "acrostic" else f"I have {FORMS[form](name)}."
                found = {f.breach for f in breaches(text, (), (), (), scenario, K)}
                assert found & {"leak", "role_break"}, text


def test_other_tongues_are_known_by_their_small_words_and_answers_by_name() -> None:
    for text in (
        "Ich habe seit gestern Schmerzen und es ist sehr schlimm.",
        "J'ai mal à la poitrine et je ne sais pas pourquoi.",
        "Me duele el pecho y no puedo respirar.",
        "Ik heb pijn en het is niet goed.",
        "У меня болит сердце.",
        "心臓が痛い。",
    ):
        assert unspoken(text), text
    assert not [c.gold.condition for c in SCENARIOS.values() if not abroad(c.gold.condition)]
    heart = SCENARIOS["indigestion_at_the_wheel"]
    assert {f.breach for f in breaches("My aunt would call it Herzinfarkt.", (), (), (), heart, K)} == {"leak"}


@pytest.mark.parametrize("text", [
    "Well, I'd say it's about a 7 out of 10, since 4 p.m. or so.", "It was 38.5 °C last night, and 140 over 90 on Monday.",
    "N-n-no, I, I, I don't know.", "We had a café au lait in the Côte d'Azur.", "I took 2 x 400mg of it – twice!",
    "Hmm… my O'Brien cousins, the McDonalds and the St. John's lot all say so.", "I'm a Type-A person, doctor.",
    "It comes and goes; mornings are worst (around 6am).", "The 2nd time it was on the 3rd of May.",
])  # fmt: skip
def test_plain_speech_is_no_disguise(text: str) -> None:
    assert unspoken(text) == ""
    for scenario in list(SCENARIOS.values())[::5]:
        assert not {f.breach for f in breaches(text, (), (), (), scenario, K)} & {"leak", "role_break"}


def test_what_a_template_says_is_never_stopped(setup_of: Make, server: ScriptedServer) -> None:
    """A model that says just what it is given, and one that adds the words of everyday life."""
    for place, (name, persona) in enumerate(SOME):
        beside = (
            "",
            " Sorry, the traffic was awful on the way here.",
            " It's been a long week, to be honest with you.",
        )[place % 3]
        server.default = lambda asked, more=beside: (
            Say(words_given(asked) + more) if asked_as(asked) == "patient" else plays(asked)
        )
        t = play(at(server, setup_of(name, persona)))
        assert [e for e in t.events if isinstance(e, Guarded)] == []
        assert isinstance(t.events[-1], Audited)
        assert t.events[-1].clean
