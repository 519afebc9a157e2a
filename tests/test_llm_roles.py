"""Models as recipient, triage and question resolver, and every mix of models and rules, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from scripted_server import Fail, Json, Say, ScriptedServer, asked_as, plays
from test_judge import faithful

from consult.agents.llm.talk import Models, hang_up
from consult.agents.llm.triage import NOT_ON_RECORD
from consult.agents.llm.words import can_hold, condition_in_words
from consult.batch import Plan
from consult.batch.forking import fork_of
from consult.batch.rescore import Content, scored_again
from consult.cli.main import cli
from consult.errors import UsageError
from consult.events import (
    Audited,
    Guarded,
    Judgement,
    RecordUpdate,
    Result,
    Scored,
    Stopped,
    Triaged,
    Used,
    Utterance,
    Verdict,
)
from consult.hospital import When
from consult.score.understanding import NAME
from consult.settings import Limits
from consult.sim.session import Setup, play
from consult.store.db import Store
from consult.store.packed import packed
from consult.store.rows import Judged, ScoredBy
from consult.store.transcript import Transcript, dumps, jsonl, loads
from consult.tui.feed import setup_of as chosen

Make = Callable[..., Setup]
MODEL = "llm:openai/local"
SEATS = {
    "inquirer": (MODEL, ("inquirer",)),
    "patient": (f"{MODEL}+resolver", ("patient", "resolver")),
    "recipient": (MODEL, ("recipient",)),
    "triage": (MODEL, ("triage",)),
}
"""Each seat that a model can have at run time: its spec, and the roles under which its calls are counted."""
MIXES = [[seat for seat, by in zip(SEATS, mix, strict=True) if by] for mix in product((False, True), repeat=len(SEATS))]
ALL = {seat: spec for seat, (spec, _) in SEATS.items()}
SHORT = Limits(3, 1)


def played(setup: Setup, server: ScriptedServer, **models: Any) -> Transcript:
    return play(replace(setup, models=Models(server.url, **models)))


def told(t: Transcript, kind: type[Any]) -> list[Any]:
    return [e for e in t.events if isinstance(e, kind)]


def sent_to(server: ScriptedServer, role: str) -> list[Json]:
    return [r for r in server.requests if asked_as(r) == role]


def answering(role: str, *answers: Any) -> Callable[[Json], Any]:
    """Everybody plays by rule; one role gives these answers, the last of them for ever."""
    left = list(answers)

    def default(asked: Json) -> Any:
        if asked_as(asked) != role:
            return plays(asked)
        answer = left.pop(0) if len(left) > 1 else left[0]
        return Say(json.dumps(answer)) if isinstance(answer, dict) else answer

    return default


@pytest.mark.parametrize("seats", MIXES, ids=lambda seats: "+".join(seats) or "none")
def test_every_mix_of_models_and_rules_is_equal_over_both_transports(
    seats: list[str], setup_of: Make, server: ScriptedServer
) -> None:
    setup = setup_of(persona="choleric", agents={s: SEATS[s][0] for s in seats}, limits=SHORT)
    direct = played(setup, server, transport="direct")
    calls = len(server.requests)
    other = played(setup, server, transport="litellm")
    text = dumps(direct.header, direct.events)
    assert dumps(other.header, other.events) == text
    assert len(server.requests) == 2 * calls
    assert told(direct, Stopped)[0].reason in ("concluded", "referred")
    assert {e.role for e in told(direct, Used)} == {role for s in seats for role in SEATS[s][1]}
    assert sum(e.calls for e in told(direct, Used)) == calls
    assert loads(text) == direct
    assert len(told(direct, Audited)) == 1


def test_judges_are_equal_over_both_transports(setup_of: Make, server: ScriptedServer) -> None:
    judge = faithful()
    server.default = lambda asked: (
        judge(asked) if asked["messages"][0]["content"].startswith("You assess") else plays(asked)
    )
    agents, texts = {"inquirer": MODEL, "assessor": f"{MODEL},llm:openai/other"}, []
    for transport in ("direct", "litellm"):
        t = played(setup_of(agents=agents, rubrics=("mdbench",), limits=SHORT), server, transport=transport)
        assert len(told(t, Judgement)) == 2
        assert {e.role for e in told(t, Used)} == {"inquirer", "assessor"}
        texts.append(dumps(t.header, t.events))
    assert texts[0] == texts[1]


# --- recipient --------------------------------------------------------------------------------------------------------

RECIPIENT = {"recipient": MODEL}
FIRST = "I have a cough, and my chest hurts."


def statement(finding: str, words: str, state: str = "present", values: tuple[str, ...] = ()) -> Json:
    return {"finding": finding, "state": state, "values": list(values), "words": words}


def noted(t: Transcript) -> dict[str, Any]:
    return {s.finding: s for e in told(t, RecordUpdate) for s in e.statements}


def test_the_record_is_what_the_model_read_and_each_statement_has_its_turn(
    setup_of: Make, server: ScriptedServer
) -> None:
    smoking = next(name for name in setup_of().knowledge.finding if name.endswith("smoking"))

    def default(asked: Json) -> Any:
        if asked_as(asked) != "recipient":
            return plays(asked)
        prompt = asked["messages"][1]["content"]
        said = prompt.rpartition('said: "')[2].rpartition('"')[0]
        first = "These are the first words" in prompt
        found = statement("chest_pain", said) if first else statement(smoking, said, "absent")
        return Say(json.dumps({"statements": [found]}))

    server.default = default
    t = played(setup_of(agents=RECIPIENT | {"inquirer": MODEL}), server)
    statements = noted(t)
    assert statements["chest_pain"].section == "chief_complaint"
    assert statements[smoking].state == "absent"
    spoken = {e.seq for e in told(t, Utterance)}
    results = {e.seq for e in told(t, Result)}
    assert statements["chest_pain"].source == min(spoken)
    assert {s.source for e in told(t, RecordUpdate) for s in e.statements} <= spoken | results
    assert len(sent_to(server, "recipient")) == len(spoken) - 1  # not the last word, and no result of an order
    assert any(s.source in results for s in statements.values())


BAD_RECORDS = {
    "no finding": (statement("made_up", "I"), "is no finding of the list"),
    "one of a test": (statement("ecg_st", "I"), "is no finding of the list"),
    "no value": (statement("chest_pain", "I", values=("purple",)), "it has none"),
    "not said": (statement("chest_pain", "my left arm tingles at night"), "were not said"),
    "nothing quoted": (statement("chest_pain", ""), "were not said"),
}


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_what_does_not_hold_is_asked_again_and_is_never_the_doctors_fault(
    name: str, setup_of: Make, server: ScriptedServer
) -> None:
    bad, problem = BAD_RECORDS[name]
    server.default = answering("recipient", {"statements": [bad]}, {"statements": []})
    mended = played(setup_of(agents=RECIPIENT, limits=SHORT), server)
    assert problem in sent_to(server, "recipient")[1]["messages"][-1]["content"]
    assert told(mended, Stopped)[0].reason == "concluded"
    assert told(mended, Used)[0].asked_again == 1
    server.forget()
    server.default = answering("recipient", {"statements": [bad]})
    t = played(setup_of(agents=RECIPIENT, limits=SHORT), server)
    assert len(server.requests) == 3
    unscored(t, "recipient", "invalid")


def unscored(t: Transcript, role: str, outcome: str) -> None:
    stop = told(t, Stopped)[0]
    assert stop.reason == "infrastructure_error"
    assert stop.detail.startswith(f"{role}: UnusableReply: the reply is {outcome}")
    assert not stop.reason.clinical
    assert {e.value for e in told(t, Scored)} == {None}


@pytest.mark.parametrize("role", ["recipient", "triage"])
@pytest.mark.parametrize(
    ("answer", "outcome", "calls"),
    [
        (Say("", message={"refusal": "I will not."}), "refused", 1),
        (Say("", finish="content_filter"), "filtered", 1),
        (Say(""), "empty", 3),
        (Say('{"statements": [{'), "invalid", 3),
        (Say('{"statements": [', finish="length"), "truncated", 3),
    ],
    ids=["refused", "filtered", "empty", "garbage", "cut"],
)
def test_a_failed_reply_has_its_own_outcome(
    role: str, answer: Say, outcome: str, calls: int, setup_of: Make, server: ScriptedServer
) -> None:
    server.default = answering(role, answer)
    t = played(setup_of(agents={role: MODEL}), server)
    assert len(server.requests) == calls
    unscored(t, role, outcome)


@pytest.mark.parametrize("role", ["recipient", "triage", "patient"])
def test_a_server_that_takes_no_key_is_told(role: str, setup_of: Make, server: ScriptedServer) -> None:
    server.default = Fail(401)
    t = played(setup_of(agents={role: ALL[role]}), server, concurrency=3)
    assert told(t, Stopped)[0].reason == "infrastructure_error"
    assert "CONSULT_API_KEY" in told(t, Stopped)[0].detail


# --- triage -----------------------------------------------------------------------------------------------------------

TRIAGE = {"triage": MODEL}


def place(department: str, runner_up: str, *rules: str, **other: Any) -> Json:
    said = {"reasoning": "Because.", "department": department, "runner_up": runner_up, "urgency": "urgent"}
    return said | {"rules": list(rules)} | other


HEART, GUT = "internal_medicine/cardiology", "internal_medicine/gastroenterology"


def test_rules_come_with_the_pair_of_the_round_before_and_guidance_with_its_department(
    setup_of: Make, server: ScriptedServer
) -> None:
    skin = next(f"{p.id}/{s.id}" for p in setup_of().hospital.departments if "derma" in p.id for s in p.secondary)
    server.default = answering("triage", place(HEART, GUT), place(skin, HEART), place(HEART, GUT))
    setup = setup_of(agents=TRIAGE, limits=SHORT)
    t = played(setup, server)
    prompts = [r["messages"][1]["content"] for r in sent_to(server, "triage")]
    pair = setup.hospital.comparison[frozenset(("cardiology", "gastroenterology"))]
    assert "- rule" not in prompts[0]
    assert all(f"- rule {r.id} (" in prompts[1] for r in pair.rules)
    assert not any(f"- rule {r.id} (" in prompts[2] for r in pair.rules)
    of = {p.id: p.inquiry.scope for p in setup.hospital.departments}
    assert [[p for p, scope in of.items() if f"{p} ({scope}) looks for" in text] for text in prompts[:3]] == [
        [], ["internal_medicine"], [skin.partition("/")[0]],
    ]  # fmt: skip
    rounds = told(t, Triaged)
    assert [r.round for r in rounds] == list(range(1, len(rounds) + 1))
    assert (rounds[0].compared, rounds[1].compared) == ((), ("/".join(pair.pair),))
    assert [r.guidance for r in rounds[:3]] == ["internal_medicine", skin.partition("/")[0], "internal_medicine"]
    assert rounds[0].rationale == "Because."
    assert "not given" in prompts[0]  # what is empty is said
    assert '"rationale"' not in jsonl([e.model_copy(update={"rationale": ""}) for e in rounds])


def test_rules_are_cited_by_ids_that_exist_and_by_what_is_on_record(setup_of: Make, server: ScriptedServer) -> None:
    setup = setup_of(agents=TRIAGE)
    pair = setup.hospital.comparison[frozenset(("cardiology", "gastroenterology"))]
    ids = [r.id for r in pair.rules]
    server.default = answering("triage", place(HEART, GUT, ids[0]), place(HEART, GUT), place(HEART, GUT, *ids))
    t = played(setup, server)
    asked = sent_to(server, "triage")
    assert f"'{ids[0]}' is no id of a rule that was given" in asked[1]["messages"][-1]["content"]  # none in round 1
    first, *_, last = told(t, Triaged)
    assert first.rules == ()
    assert [r.id for r in last.rules] == ids
    assert {r.kind for r in last.rules} == {"comparison"}
    for rule, fired in zip(pair.rules, last.rules, strict=True):
        held = fired.strength != NOT_ON_RECORD
        assert held == bool(fired.evidence)
        assert fired.favours == rule.favours
        assert fired.strength in (rule.strength.value, NOT_ON_RECORD)
    assert {NOT_ON_RECORD} < {r.strength for r in last.rules}


def test_the_runner_up_is_another(setup_of: Make, server: ScriptedServer) -> None:
    server.default = answering("triage", place(HEART, HEART), place(HEART, GUT, urgency="emergency"))
    t = played(setup_of(agents=TRIAGE, limits=SHORT), server)
    assert "the same as department" in sent_to(server, "triage")[1]["messages"][-1]["content"]
    assert told(t, Triaged)[0].urgency == "emergency"
    assert told(t, Verdict)[0].triaged.secondary == "cardiology"


def test_a_hard_rule_is_cited_with_the_age_that_it_goes_by(setup_of: Make, server: ScriptedServer) -> None:
    server.default = answering("triage", place("paediatrics/general_paediatrics", HEART, "child_to_paediatrics"))
    setup = setup_of("barking_at_night", agents=TRIAGE, limits=Limits(0, 0))
    wards = [s.id for p in setup.hospital.departments if p.id == "paediatrics" for s in p.secondary]
    server.default = answering("triage", place(f"paediatrics/{wards[0]}", HEART, "child_to_paediatrics"))
    t = played(setup, server)
    (rule,) = told(t, Triaged)[0].rules
    assert (rule.kind, rule.strength, rule.favours) == ("hard", "decisive", "paediatrics")


def test_conditions_in_words_and_none_of_what_a_knowledge_does_not_have(setup_of: Make) -> None:
    knowledge = setup_of().knowledge
    when = When(all=("chest_pain",), any=("fever", "chest_pain.radiation=left_arm"), none=("cough",), max_age=14.99)
    assert condition_in_words(when, knowledge) == (
        "chest pain; and one of: fever, where the chest pain spreads (left arm); and none of: cough; and age 0 to 14.99"
    )
    assert condition_in_words(When(), knowledge) == "always"
    assert can_hold(when, knowledge)
    assert can_hold(When(any=("no_such", "fever")), knowledge)
    assert not can_hold(When(any=("no_such",)), knowledge)
    assert not can_hold(When(all=("fever", "no_such")), knowledge)


@pytest.mark.parametrize("role", ["recipient", "triage"])
def test_they_are_shown_what_was_said_and_nothing_of_the_case(
    role: str, setup_of: Make, server: ScriptedServer
) -> None:
    setup = setup_of(persona="melancholic", agents={role: MODEL}, limits=SHORT)
    t = played(setup, server)
    shown = "\n".join(m["content"] for r in sent_to(server, role) for m in r["messages"])
    verdict = told(t, Verdict)[0]
    names = [n for c in verdict.accepted for n in (c, setup.knowledge.condition[c].name, setup.persona.id)]
    assert not [n for n in names if n.lower() in shown.lower()]
    said = " ".join(e.text for e in told(t, Utterance))
    unsaid = [f.text for f in setup.scenario.facts if f.text and f.text not in said]
    assert unsaid
    assert not [text for text in unsaid if text in shown]


# --- the patient's resolver -------------------------------------------------------------------------------------------

ODD = "Anything else with your left side, the one you write with?"


def asking(asked: Json, text: str) -> Any:
    from scripted_server import acts, concludes

    if asked_as(asked) != "inquirer":
        return plays(asked)
    asks = "Doctor: " not in asked["messages"][-1]["content"]
    return acts({"kind": "ask", "text": text} if asks else concludes())


def resolving(*choices: Any, text: str = ODD) -> Callable[[Json], Any]:
    chosen_by = answering("resolver", *choices)
    return lambda asked: chosen_by(asked) if asked_as(asked) == "resolver" else asking(asked, text)


PATIENT = {"patient": f"{MODEL}+resolver", "inquirer": MODEL}


def test_a_models_choice_is_what_was_asked_and_the_audit_says_where_it_differs(
    setup_of: Make, server: ScriptedServer
) -> None:
    server.default = resolving({"kind": "specific", "findings": ["chest_pain.radiation"]})
    setup = setup_of(agents=PATIENT)
    t = played(setup, server)
    answer = told(t, Utterance)[1]
    assert answer.query.findings == ("chest_pain.radiation",)
    assert "chest_pain.radiation" in {x.finding for x in answer.told}
    assert told(t, Audited)[0].unreleased  # by rule, that was not asked
    (score,) = [e for e in told(t, Scored) if e.name == NAME]
    assert (score.value, score.evidence) == (0.0, (answer.seq,))
    assert "turn 1: chest_pain.radiation, by rule" in score.reason
    by = ScoredBy("scorers", "0", None)
    again = scored_again(packed(dumps(t.header, t.events)), Content(Plan()), by)
    assert isinstance(again, Judged)
    assert dict(zip(json.loads(again.names), json.loads(again.scores), strict=True))[NAME] == 0.0


def test_a_resolver_that_reads_like_the_rule_changes_nothing(setup_of: Make, server: ScriptedServer) -> None:
    server.default = resolving({"kind": "specific", "findings": ["fever"]}, text="Have you had a fever?")
    with_it = played(setup_of(agents=PATIENT), server)
    without = played(setup_of(agents={**PATIENT, "patient": MODEL}), server)
    kinds = (Utterance, Audited)
    assert [_bare(e) for e in with_it.events if isinstance(e, kinds)] == [
        _bare(e) for e in without.events if isinstance(e, kinds)
    ]
    (score,) = [e for e in told(with_it, Scored) if e.name == NAME]
    assert (score.value, score.evidence) == (1.0, ())
    assert not [e for e in told(without, Scored) if e.name == NAME]


def _bare(e: Any) -> Any:
    return e.model_copy(update={"seq": 0})


def test_topics_are_the_rules_where_a_choice_opens_none(setup_of: Make, server: ScriptedServer) -> None:
    family = "Tell me about your family."
    for choice, topics in (
        ({"kind": "open", "findings": []}, ("family",)),
        ({"kind": "open", "findings": ["complaint.duration"]}, ("family", "course")),
        ({"kind": "specific", "findings": ["complaint.duration"]}, ()),
        ({"kind": "nothing", "findings": []}, ()),
    ):
        server.default = resolving(choice, text=family)
        query = told(played(setup_of(agents=PATIENT), server), Utterance)[1].query
        assert (query.topics, query.asks_nothing) == (topics, choice["kind"] == "nothing")


def test_ids_that_are_not_listed_are_asked_again_and_then_the_rule_reads(
    setup_of: Make, server: ScriptedServer
) -> None:
    strange = {"kind": "specific", "findings": ["acute_coronary_syndrome"]}
    server.default = resolving(strange, {"kind": "specific", "findings": ["fever"]}, text="Have you had a fever?")
    t = played(setup_of(agents=PATIENT), server)
    assert "is no id of the list" in sent_to(server, "resolver")[1]["messages"][-1]["content"]
    assert not told(t, Guarded)
    server.default = resolving(strange, text="Have you had a fever?")
    t = played(setup_of(agents=PATIENT), server)
    (missed,) = told(t, Guarded)
    assert (missed.breach, missed.about, missed.attempt, missed.action) == ("unresolved", "invalid", 3, "replaced")
    assert told(t, Utterance)[1].query.findings == ("fever",)
    server.default = resolving(Say("", message={"refusal": "No."}), text="Have you had a fever?")
    t = played(setup_of(agents=PATIENT), server)
    assert [(g.about, g.attempt) for g in told(t, Guarded)] == [("refused", 1)]
    assert told(t, Stopped)[0].reason == "concluded"


def test_a_resolver_is_shown_names_and_never_what_is_so(setup_of: Make, server: ScriptedServer) -> None:
    setup = setup_of(agents=PATIENT)
    played(setup, server)
    shown = "\n".join(m["content"] for r in sent_to(server, "resolver") for m in r["messages"])
    facts = setup.scenario.facts
    assert not [f.text for f in facts if f.text and f.text in shown]
    assert not [f.id for f in facts if f.values and f.id in shown]
    assert not [f.finding for f in facts if f.order and f"\n{f.finding}: " in shown]
    listed = {f.finding: f"\n{f.finding}: " in shown for f in facts if f.order is None}
    assert all(listed.values())
    assert {f.state.value for f in facts} > {"present"}
    gold = setup.knowledge.condition[setup.scenario.gold.condition].name
    assert gold.lower() not in shown.lower()


def test_only_a_patient_resolves_and_its_prompts_are_in_the_provenance(setup_of: Make) -> None:
    for role in ("inquirer", "recipient", "triage"):
        with pytest.raises(UsageError, match=rf"--{role}: .* only a patient has one"):
            play(setup_of(agents={role: f"{MODEL}+resolver"}))
    own = setup_of(agents=ALL).provenance.prompts
    assert {name.partition("/")[0] for name in own} == {"inquirer", "patient", "recipient", "triage", "resolver"}
    assert "resolver/turn" not in setup_of(agents={"patient": MODEL}).provenance.prompts


# --- ledger and forks -------------------------------------------------------------------------------------------------


def test_a_cassette_answers_for_every_role(setup_of: Make, server: ScriptedServer, tmp_path: Path) -> None:
    setup, tape = setup_of(agents=ALL, limits=SHORT), str(tmp_path / "tape.jsonl")
    first = played(setup, server, record=tape)
    hang_up()
    calls = len(server.requests)
    assert played(setup, server, replay=tape) == first
    hang_up()
    assert len(server.requests) == calls


def dialogue(t: Transcript) -> str:
    return jsonl(_bare(e) for e in t.events if not isinstance(e, (Used, Scored, Audited, Verdict)))


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_the_past_of_a_fork_costs_no_call(turn: int, setup_of: Make, server: ScriptedServer) -> None:
    setup = setup_of(persona="choleric", agents=ALL, limits=SHORT)
    parent = played(setup, server)
    calls = len(server.requests)
    fork = fork_of(parent, turn, models=Models(server.url))
    assert len(server.requests) == calls
    assert fork.past is not None
    server.forget()
    child = play(fork)
    assert jsonl(child.events[: len(fork.past.events)]) == jsonl(fork.past.events)
    assert dialogue(child) == dialogue(parent)
    rounds = sum(isinstance(e, Triaged) for e in fork.past.events)
    assert len(sent_to(server, "triage")) == len(told(parent, Triaged)) - rounds > 0
    assert sum(e.calls for e in told(child, Used)) == len(server.requests) < calls
    assert child.header.parent == parent.id


def test_a_fork_bears_in_mind_what_a_model_took_the_question_to_ask(setup_of: Make, server: ScriptedServer) -> None:
    server.default = resolving({"kind": "specific", "findings": ["chest_pain.radiation"]})
    parent = played(setup_of(agents=PATIENT), server)
    fork = fork_of(parent, 1, models=Models(server.url))
    assert fork.past is not None
    assert "chest_pain.radiation" in fork.past.memory["asked"]
    assert dialogue(play(fork)) == dialogue(parent)


def test_a_fork_says_what_is_missing_to_reach_a_model(
    setup_of: Make, server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "CONSULT_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    # by litellm, so that what it warns of at its first call comes under the filter that is set when it is imported
    parent = played(setup_of(agents={"inquirer": MODEL}, limits=SHORT), server, transport="litellm")
    db = tmp_path / "a.db"
    with Store(db) as store:
        store.save(parent)
    run = CliRunner().invoke
    words = ["fork", parent.id, "--turn", "1", "--db", str(db)]
    server.forget()
    lost = run(cli, words)
    assert lost.exit_code == 2
    assert len(lost.stderr.strip().splitlines()) == 1
    for part in ("--api-base: the inquirer is llm:openai/local", "CONSULT_API_BASE", "OPENAI_API_KEY"):
        assert part in lost.stderr
    on_the_screen = {"parent": parent.id, "turn": "1"}
    with pytest.raises(UsageError, match="CONSULT_API_BASE"):
        chosen(on_the_screen, db)
    assert chosen(on_the_screen | {"inquirer": "curt"}, db).line_up["inquirer"] == "curt"
    assert not server.requests
    assert run(cli, [*words, "--inquirer", "curt", "--quiet"]).exit_code == 0
    assert not server.requests
    monkeypatch.setenv("CONSULT_API_BASE", server.url)
    assert chosen(on_the_screen, db).models.api_base == server.url
    done = run(cli, [*words, "--json", "--record", str(tmp_path / "tape.jsonl")])
    assert done.exit_code == 0, done.output
    calls = len(server.requests)
    assert json.loads(done.stdout)["usage"]["calls"] == calls > 0
    again = run(cli, [*words, "--json", "--replay", str(tmp_path / "tape.jsonl"), "--no-save"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["diagnosis"] == json.loads(done.stdout)["diagnosis"]
    assert len(server.requests) == calls
    assert fork_of(parent, 1, models=Models(replay="tape.jsonl")).models.replay  # which needs no address
