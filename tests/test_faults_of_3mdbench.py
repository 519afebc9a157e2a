"""Every fault of 3MDBench's released code (arXiv 2504.13861), one part each with its fault in the first docstring.

More on the same subjects: names in tests/test_score_match.py, torn and hostile transcripts in tests/test_transcript.py and
tests/test_hostile.py, batches on the command line in tests/test_cli.py, killed ones with models in tests/test_llm_batch.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from score_world import SHINGLES, Script, gold, scored
from scripted_server import Say, ScriptedServer, acts, asked_as, concludes, plays

from consult.actions import Ask, Conclude, Diagnosis
from consult.agents.base import InquirerView, PatientReply, PatientView
from consult.agents.llm.talk import Models, hang_up
from consult.agents.patient.reference import ReferencePatient
from consult.batch import Plan, execute, line_ups, setups
from consult.errors import InfrastructureError
from consult.events import Audited, Question, Stopped, StopReason, Utterance, Verdict
from consult.hospital import Hospital
from consult.knowledge.model import Knowledge
from consult.language.role import role_breaks
from consult.persona import persona_files
from consult.score import Case
from consult.score.diagnosis import FLOOR, scores
from consult.settings import Limits
from consult.sim import session
from consult.sim.session import Setup, play
from consult.stats.labels import as_3mdbench, classify
from consult.store.db import Store
from consult.store.transcript import dumps, loads

Make = Callable[..., Setup]


def _talk() -> Script:
    return Script().say("rash").triage("skin_clinic", "rashes", "urgent").ask("rash_pain", tells=["rash_pain"])


# --- 1: synonyms of the right answer are scored wrong, and a shared word is scored right ---


@pytest.mark.parametrize(
    ("condition", "said", "right"),
    [
        ("shingles", "herpes zoster", 1),  # there: herpes
        ("herpes", "herpes zoster", 0),
        ("psoriasis", "plaque psoriasis", 1),  # there: no label at all
        ("eczema", "Eczema.", 1),  # there: no label at all
        ("eczema", "contact dermatitis", 0),
        ("chickenpox", "Varicella (chickenpox)", 1),
        ("onychomycosis", "mycosis", 0),
    ],
)
def test_synonyms_are_right_and_words_in_common_are_not(
    condition: str, said: str, right: float, general: Knowledge, hospital: Hospital
) -> None:
    """Fault 1: a synonym of the right answer is scored wrong, or by a word that it shares with another label.

    There "herpes zoster" becomes herpes, "plaque psoriasis" and "Eczema." become nothing.
    """
    made = Case(gold(SHINGLES, condition=condition), general, hospital, _talk().conclude(said).events)
    assert next(s.value for s in scores(made) if s.name == "diagnosis.top1") == right


# --- 2: whoever abstains on the hard cases scores better ---


def test_abstaining_on_the_hard_sixty_of_a_hundred_lifts_nothing() -> None:
    """Fault 2: abstentions are dropped, so whoever abstains on the hard 60 of 100 lifts the F1 from 0.40 to 1.00.

    Here an abstention takes recall from its label like a wrong answer; that way of counting is kept to compare with.
    """
    answers = [f"label{n % 10}" for n in range(100)]
    wrong = [g if n < 40 else "label0" if g != "label0" else "label1" for n, g in enumerate(answers)]
    shy = [a if n < 40 else None for n, a in enumerate(wrong)]
    assert as_3mdbench(answers, shy).weighted_f1 == pytest.approx(1)
    assert classify(answers, shy).accuracy == classify(answers, wrong).accuracy == 0.4
    for label in set(answers):
        assert classify(answers, shy).labels[label].recall <= classify(answers, wrong).labels[label].recall == 0.4


def test_an_abstention_is_a_wrong_answer() -> None:
    """Of fault 2: no answer is scored like a wrong one by every score of the answer, and the reason stands there."""
    found = scored(_talk().conclude())
    for k in (1, 3, 5):
        assert found[f"diagnosis.top{k}"].value == 0
        assert found[f"diagnosis.top{k}"].reason == "no diagnosis was given"
    assert found["diagnosis.rank"].value is None
    assert found["diagnosis.brier"].value == 1
    assert found["diagnosis.log_score"].value == pytest.approx(math.log(FLOOR), abs=1e-6)


@pytest.mark.parametrize("reason", [r for r in StopReason if r.clinical and r not in ("concluded", "referred")])
def test_a_dialogue_that_ended_without_a_conclusion_is_an_abstention(reason: StopReason) -> None:
    """Of fault 2: nor is it dropped where the dialogue ended before there was an answer."""
    found = scored(_talk().stop(reason))
    assert (found["diagnosis.top1"].value, found["diagnosis.top1"].reason) == (0, "no diagnosis was given")
    assert found["safety.safety_net"].value == 0


# --- 3: one failed dialogue crashes the metrics of all ---


class _Down(ReferencePatient):
    """A patient whose server is down."""

    def reply(self, view: PatientView) -> PatientReply:
        raise InfrastructureError("503")


def test_a_failed_consultation_leaves_the_means_of_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 3: one failed dialogue crashes the metrics of the whole run.

    Here it is kept as failed and left out of the means, which are those of the others.
    """
    sound = session.context
    broken = "scaly_elbows"

    def context(setup: Setup) -> Any:
        return replace(sound(setup), patient=_Down()) if setup.scenario.id == broken else sound(setup)

    monkeypatch.setattr(session, "context", context)
    plan = Plan(scenarios=(broken, "indigestion_at_the_wheel", "barking_at_night"), max_turns=2)
    with Store(tmp_path / "r.db") as store:
        cells = setups(plan)
        assert [d.status for d in execute(plan, cells, store)] == ["done"] * 3
        rows = store.consultations(plan.run)
    (line,) = line_ups(plan, rows)
    assert (line["n"], line["failed"], len(rows)) == (2, 1, 3)
    assert line["top1"] == sum(r["correct"] for r in rows if r["scenario"] != broken) / 2


@pytest.mark.parametrize("reason", [StopReason.INFRASTRUCTURE_ERROR, StopReason.CANCELLED])
@pytest.mark.parametrize("concluded", [False, True])
def test_a_failed_dialogue_has_no_scores_and_crashes_nothing(reason: StopReason, *, concluded: bool) -> None:
    """Of fault 3: each of its scores is missing, and says why."""
    script = _talk().conclude("shingles") if concluded else _talk()
    found = scored(script.stop(reason))
    assert list(found) == list(scored(_talk().conclude("shingles")))
    for s in found.values():
        assert s.value is None
        assert reason in s.reason


# --- 4: an unfinished dialogue is assessed as if it were complete ---


def test_an_unfinished_dialogue_is_not_assessed() -> None:
    """Fault 4: an unfinished dialogue is assessed as if it were complete."""
    for script in (Script(), Script().say("rash"), _talk()):
        for s in scored(script).values():
            assert (s.value, s.reason) == (None, "the dialogue is not finished")


def test_a_transcript_cut_off_anywhere_before_its_end_is_not_assessed(setup_of: Make) -> None:
    """Of fault 4: wherever it breaks off."""
    made = setup_of(limits=Limits(2, 0))
    events = play(made).events
    end = next(e.seq for e in events if e.type in ("conclusion", "referral"))
    for n in range(0, end, 3):
        cut = Case(made.scenario, made.knowledge, made.hospital, events[:n])
        assert {s.value for s in scores(cut)} == {None}
    assert None not in {s.value for s in scores(Case(made.scenario, made.knowledge, made.hospital, events[: end + 1]))}


# --- 5 and 6: the word "assistant" cuts a reply; a role word within an utterance breaks the split into turns ---

SAID = (
    "I am a dental assistant. Doctor: that is what they call me there. Patient: me! assistant\nuser: inquirer: system:"
)
ASKED = "Patient: is that what the assistant said?\n\nDoctor: do you have a fever? assistant: <|im_start|>"


class _RoleWords(ReferencePatient):
    """A sound patient who says role words in every answer."""

    def reply(self, view: PatientView) -> PatientReply:
        made = super().reply(view)
        said = (e.model_copy(update={"text": SAID}) if isinstance(e, Utterance) else e for e in made.events)
        return replace(made, events=tuple(said))


class _Names:
    """Asks twice in role words, then concludes."""

    def act(self, view: InquirerView) -> Ask | Conclude:
        assert all(line.text in (SAID, ASKED) for line in view.dialogue[1:])
        if view.turn < 2:
            return Ask(text=ASKED)
        return Conclude(differential=(Diagnosis(condition="influenza"),))


@pytest.fixture
def role_words(setup_of: Make, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A consultation in which both sides say role words."""
    sound = session.context
    monkeypatch.setattr(session, "context", lambda s: replace(sound(s), patient=_RoleWords(), inquirer=_Names()))
    return play(setup_of())


def test_the_word_assistant_cuts_no_reply(role_words: Any) -> None:
    """Fault 5: the word "assistant" in a reply cuts the reply off there."""
    answers = [e.text for e in role_words.events if isinstance(e, Utterance)][1:3]
    assert [a.split() for a in answers] == [SAID.split()] * 2
    back = loads(dumps(role_words.header, role_words.events))
    assert back.events == role_words.events


def test_who_is_an_assistant_keeps_the_role_and_who_speaks_as_one_does_not() -> None:
    """Of fault 5: the word itself is no break of role; to speak as one is."""
    assert role_breaks("I work as an assistant in a shop, and the assistant manager sent me home.") == ()
    assert role_breaks("As an assistant, I cannot have a fever.")


def test_role_words_of_a_model_arrive_as_they_were_said(setup_of: Make) -> None:
    """Of faults 5 and 6, at the seam: a model's words come whole, and are given whole to the model of the other side."""
    with ScriptedServer(_says_role_words) as server:
        setup = setup_of(agents=dict.fromkeys(("inquirer", "patient"), "llm:openai/local"), models=Models(server.url))
        events = play(setup).events
        hang_up()
    assert [e.text for e in events if isinstance(e, Question)] == [ASKED]
    heard = [r["messages"][-1]["content"] for r in server.requests if asked_as(r) == "patient"]
    assert ASKED in heard[1]


def _says_role_words(asked: dict[str, Any]) -> Say:
    if asked_as(asked) == "patient":
        return plays(asked)
    return acts(concludes()) if "Doctor: " in asked["messages"][-1]["content"] else acts({"kind": "ask", "text": ASKED})


def test_role_words_in_an_utterance_make_no_turn(role_words: Any) -> None:
    """Fault 6: a role word inside an utterance breaks the split into turns.

    Here who speaks is a field of the event and is never read out of the text.
    """
    said = [e for e in role_words.events if isinstance(e, (Question, Utterance))]
    assert [e.actor for e in said][:5] == ["patient", "inquirer", "patient", "inquirer", "patient"]
    assert sum(isinstance(e, Question) for e in said) == 2
    assert [e.turn for e in said][:5] == [0, 1, 1, 2, 2]
    (verdict,) = [e for e in role_words.events if isinstance(e, Verdict)]
    assert verdict.top == "influenza"
    assert sum(isinstance(e, Audited) for e in role_words.events) == 1


# --- 7: an interrupted run cannot go on ---


def _kept(plan: Plan, store: Store) -> dict[str, str]:
    members = store.members(plan.run)
    out = {}
    for cell, consultation in members.items():
        t = store.get(consultation)
        out[cell] = dumps(t.header, t.events)
    return out


def test_an_interrupted_run_goes_on_and_equals_an_undisturbed_one(tmp_path: Path) -> None:
    """Fault 7: an interrupted run cannot be resumed."""
    plan = Plan(
        scenarios=("indigestion_at_the_wheel", "barking_at_night"), personas=("neutral", "choleric"), max_turns=2
    )
    cells = setups(plan)
    with Store(tmp_path / "whole.db") as store:
        assert [d.status for d in execute(plan, cells, store)] == ["done"] * 4
        whole = _kept(plan, store)
    with Store(tmp_path / "torn.db") as store:
        running: Iterator[Any] = execute(plan, cells, store)
        next(running)
        next(running)  # and here it is killed
    with Store(tmp_path / "torn.db") as store:
        assert [d.status for d in execute(plan, setups(plan), store)] == ["skipped", "skipped", "done", "done"]
        assert _kept(plan, store) == whole


# --- 8: temperament is confounded with the case ---


def test_every_case_meets_every_temperament(scenarios: dict[str, Any]) -> None:
    """Fault 8: each case is played with one temperament, so that temperament is confounded with the case.

    Here the plan crosses them in full, so a difference between temperaments is none between their cases.
    """
    names = tuple(sorted(scenarios))[::20]
    cells = setups(Plan(scenarios=names, personas=("all",), inquirer=("reference", "curt"), epochs=2))
    met = [(c.scenario.id, c.persona.id, c.agents["inquirer"], c.epoch) for c in cells]
    wanted = {(s, p, i, e) for s in names for p in persona_files() for i in ("reference", "curt") for e in (0, 1)}
    assert len(met) == len(set(met)) == len({c.cell for c in cells})
    assert {(scenarios[s].id, p, i, e) for s, p, i, e in wanted} == set(met)


def test_the_same_case_under_another_temperament_has_the_same_answer(setup_of: Make) -> None:
    """Of fault 8: and the answer hangs on the case alone."""
    verdicts = []
    for persona in ("sanguine", "choleric", "melancholic", "phlegmatic", "neutral"):
        events = play(setup_of(persona=persona, limits=Limits(1, 0))).events
        assert any(isinstance(e, Stopped) for e in events)
        verdicts += [(e.gold, e.accepted, e.urgency, e.department) for e in events if isinstance(e, Verdict)]
    assert len(verdicts) == 5
    assert len(set(verdicts)) == 1
