"""What falls out of the patient's role, by what a real small model said when it played one; and what patients say that does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scripted_server import Json, Say, ScriptedServer, asked_as, plays, words_given
from test_llm_agents import PATIENT, played, told

from consult.events import Guarded, Utterance
from consult.knowledge.model import Knowledge
from consult.language.role import given_back, in_circles, of_the_listener, role_breaks
from consult.settings import Limits
from consult.sim.session import Setup, play

SAID = (
    "Now, I'm going to play the doctor. I have a few questions about your skin.",
    "(I look around, and I see the doctor's eyes, I can see that they're not worried, but they're still smiling.)",
    "The doctor says: \"Thank you, that helps.\"",
    "The doctor asks: - rash: yes - how long it has lasted: days",
    "The doctor is going to check it out. I'm going to tell you everything.",
    "What you say now, to be put in your own manner: I'm sorry that I wasn't able to answer your question.",
    "You didn't speak as the patient, or far too long.",
    "\"he has a rash again\" is an example of your style, it is clear, and you are not afraid to ask.",
    "You're just a patient, and I'm here to help you. I have a doctor's office.",
    "I'm afraid you're right, and I'm going to give you some medicine. But, you know, I'm a doctor.",
    "I'm not a doctor, I'm just a doctor.",
    "I'd like to ask you a few questions to make sure I understand you correctly.",
    "I am very happy to be of your service.",
    "I'm glad I could help, but I'm worried.",
    "You are telling the doctor what to do, just as you have told, without any additional words.",
    "A simple sentence, no sentences are given. No instruction. No answer to your questions.",
    "If you've been experiencing stomach problems, you're not alone.",
    "You're going to take the treatment, okay?",
)  # fmt: skip
"""Of SmolLM2-135M-Instruct; what it said is nobody's."""
MORE = (
    "As a language model, I do not have symptoms.", "Here is the patient's response: I have a headache.",
    "Patient: It hurts when I breathe.", "Doctor: And how long has that been so?", "*sighs* It hurts all the time, doctor.",
    "[pauses] It began on Monday.", "Sure! Here's my answer in character.",
    "I try to stay in character.", "Thank you for sharing that with me.",
)  # fmt: skip
HONEST = (
    "I'm not a doctor, but it feels wrong.", "My own doctor said it was nothing.", "The doctor at the clinic gave me tablets.",
    "I'm a nurse on nights, so I sleep badly.", "I'm a doctor myself, I should know better.", "Can you help me, doctor?",
    "I'm here for my knee.", "I'm glad you asked.", "Can you tell me more about these tablets?", "You're the doctor.",
    "I wanted to ask you about my mother's pills.", "I have a few questions, too.", "You feel it when you bend down, I find.",
    "We play cards on Fridays, and I play the piano.", "I told my sister: this is no cold.", "No, no, no. Not that.",
    "Do you think your treatment will help?", "I've had enough of being patient.", "I'll give you that.",
)  # fmt: skip


@pytest.mark.parametrize("text", [*SAID, *MORE])
def test_what_no_patient_says_is_out_of_role(text: str) -> None:
    assert role_breaks(text)
    assert role_breaks(text.replace("'", "’"))


@pytest.mark.parametrize("text", HONEST)
def test_what_patients_say_is_not(text: str, general: Knowledge) -> None:
    assert role_breaks(text) == ()
    assert not of_the_listener(text, "", general)
    assert not in_circles(text, "")


@pytest.mark.parametrize(
    "text",
    [
        "Yes, that is correct, your rash has blisters.", "You have a skin rash.", "Your headache started suddenly.",
        "You have had this for a few weeks, and now it itches.",
    ],
)  # fmt: skip
def test_what_is_said_of_the_listener_is_no_statement_of_the_patients(text: str, general: Knowledge) -> None:
    assert of_the_listener(text, "", general)
    assert not of_the_listener(text, f"Well. {text}", general), "what the template says may be said"
    assert of_the_listener(text, text.replace("Your", "My").replace("your", "my").replace("You", "I"), general)
    assert not of_the_listener(text.replace("Your", "My").replace("your", "my").replace("You", "I"), "", general)


def test_the_doctors_sentence_is_given_back_and_words_go_in_circles() -> None:
    question = "I'm glad you came in with this. Tell me more about it, from the beginning."
    assert given_back("Well. Tell me more about it, from the beginning.", question, "")
    assert not given_back("I'm glad, too.", question, "")
    assert in_circles("I'm sorry. I'm sorry, doctor. I'm sorry! I'm sorry.", "")
    assert not in_circles("I'm sorry. I'm sorry! I'm sorry.", "I'm sorry. I'm sorry. I'm sorry.")
    assert not in_circles("No. No. No.", "")


def test_the_reference_patient_never_falls_out_of_role(setup_of: Callable[..., Setup], general: Knowledge) -> None:
    """benchmarks/README.md has the count over all scenarios and temperaments."""
    said = [
        e.text
        for name, persona in (
            ("barking_at_night", "choleric"),
            ("worst_monday", "sanguine"),
            ("scaly_elbows", "melancholic"),
        )
        for e in told(play(setup_of(name, persona)), Utterance)
    ]
    assert len(said) > 30
    assert [t for t in said if role_breaks(t) or of_the_listener(t, "", general) or in_circles(t, "")] == []


def test_such_words_are_asked_again_and_then_the_template_speaks(
    setup_of: Callable[..., Setup], server: ScriptedServer
) -> None:
    def says(asked: Json) -> Say:
        if asked_as(asked) != "patient":
            return plays(asked)
        n = len(asked["messages"])
        return Say(f"{words_given(asked)} {SAID[n % len(SAID)] if n > 2 else 'Your cough started suddenly.'}")

    server.default = says
    t = played(setup_of(agents=PATIENT, limits=Limits(1, 0)), server)
    found = told(t, Guarded)
    assert ("role_break", "said of the doctor") in {(g.breach, g.about) for g in found if g.attempt == 1}
    assert {g.breach for g in found if g.attempt == 2} == {"role_break"}
    assert len([g for g in found if g.action == "replaced"]) >= len(told(t, Utterance))
