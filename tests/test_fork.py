"""Forks: the past is the parent's, byte for byte; the future is another one only where something is to be different."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from golden import CELLS, FOLDER

from consult import Setup, play, stream
from consult.actions import Ask, Conclude
from consult.batch import Plan, setups
from consult.batch.forking import fork_of
from consult.batch.rescore import Content, scored_again
from consult.cli.main import cli
from consult.errors import UsageError
from consult.events import (
    Audited,
    Belief,
    Changed,
    MoodChange,
    Question,
    RecordUpdate,
    Result,
    Stopped,
    StopReason,
    Triaged,
    Utterance,
)
from consult.report.branches import family, shared
from consult.score.audit import audit
from consult.settings import Limits
from consult.sim.past import GIVEN
from consult.sim.sitting import Sitting
from consult.store.db import Store
from consult.store.packed import packed, unpacked
from consult.store.rows import Missing
from consult.store.transcript import Transcript, dumps, jsonl, read
from consult.store.versions import ScoredBy

WHOLE = "indigestion-choleric-reference"
LAST = 14


def golden(name: str = WHOLE) -> Transcript:
    return read(FOLDER / f"{name}.jsonl")


def turns(t: Transcript) -> int:
    return sum(isinstance(e, Question) for e in t.events)


def places() -> list[tuple[str, int]]:
    """Every turn of one golden transcript; the first, one in the middle and the last of the others."""
    some = [
        (name, n) for name in CELLS if name != WHOLE for n in sorted({0, turns(golden(name)) // 2, turns(golden(name))})
    ]
    return [(WHOLE, n) for n in range(LAST + 1)] + some


@pytest.mark.parametrize(("name", "turn"), places())
def test_without_a_change_the_future_is_the_parents(name: str, turn: int) -> None:
    parent = golden(name)
    setup = fork_of(parent, turn)
    assert setup.past is not None
    assert 0 < len(setup.past.events) < len(parent.events)
    child = play(setup)
    assert jsonl(child.events) == jsonl(parent.events)
    assert child.header.parent == parent.id != child.id
    assert child.header.model_dump(exclude={"consultation_id", "parent", "provenance"}) == parent.header.model_dump(
        exclude={"consultation_id", "parent", "provenance"}
    )


@pytest.mark.parametrize("turn", range(LAST))
def test_with_another_persona_the_past_is_equal_and_the_future_differs(turn: int) -> None:
    parent = golden()
    before = dumps(parent.header, parent.events)
    setup = fork_of(parent, turn, {"persona": "phlegmatic"})
    assert setup.past is not None
    child = play(setup)
    past = len(setup.past.events)
    assert jsonl(child.events[:past]) == jsonl(parent.events[:past])
    assert child.events[past - 1].turn == turn
    said = [[e for e in t.events[past:] if isinstance(e, (MoodChange, Utterance))] for t in (parent, child)]
    assert said[0] != said[1]
    assert child.header.persona == "phlegmatic"
    assert dumps(parent.header, parent.events) == before == (FOLDER / f"{WHOLE}.jsonl").read_text("utf-8")


@pytest.mark.parametrize("turn", range(0, LAST, 3))
def test_the_past_is_audited_by_the_law_of_its_time(turn: int) -> None:
    """The choleric parent's past holds under the choleric law, whoever the patient is from there on."""
    parent = golden()
    setup = fork_of(parent, turn, {"persona": "melancholic"})
    assert setup.past is not None
    child = play(setup)
    at = len(setup.past.events)
    assert child.events[at] == Changed(
        seq=at, turn=turn, what="persona", before="choleric", now="melancholic",
        content=parent.header.provenance.persona,
    )  # fmt: skip
    (found,) = [e for e in child.events if isinstance(e, Audited)]
    assert found.clean, found
    again = scored_again(packed(dumps(child.header, child.events)), Content(Plan()), ScoredBy("other", "0", None))
    assert not isinstance(again, Missing)
    assert jsonl([found]) in unpacked(again.marks or b"", "marks"), (
        "scored again from header and events alone, it is the same"
    )
    grandchild = play(fork_of(child, min(turn + 2, LAST), {"persona": "neutral"}))
    assert [e.before for e in grandchild.events if isinstance(e, Changed)] == ["choleric", "melancholic"]
    assert all(e.clean for e in grandchild.events if isinstance(e, Audited))


def test_what_a_calm_patient_told_is_not_held_against_an_irritable_one() -> None:
    """With less trust, part of this past would have been told too soon; it was told by somebody with more."""
    parent = play(setups(Plan(scenarios=("school_photo",), personas=("sanguine",)))[0])
    setup = fork_of(parent, turns(parent), {"persona": "choleric"})
    events = play(setup).events
    assert setup.past is not None
    assert audit(setup.past.events, setup.case, setup.knowledge, setup.persona).unreleased
    assert [e.clean for e in events if isinstance(e, Audited)] == [True]


def test_an_order_is_answered_otherwise_and_says_so() -> None:
    parent = golden()
    done = next(e for e in parent.events if isinstance(e, Result) and e.order == "ecg")
    first = done.turn - 1
    given = "ECG=Sinus rhythm, 60/min, no ST changes/-ecg_st"
    setup = fork_of(parent, first, {"results": (given,)})
    child = play(setup)
    assert setup.past is not None
    at = len(setup.past.events)
    assert jsonl(child.events[:at]) == jsonl(parent.events[:at])
    assert child.events[at] == Changed(seq=at, turn=first, what="result", now=given)
    got = next(e for e in child.events if isinstance(e, Result) and e.order == "ecg")
    assert (got.status, got.text, got.cost) == ("overridden", "Sinus rhythm, 60/min, no ST changes", done.cost)
    assert [(t.finding, t.state, t.rule) for t in got.told] == [("ecg_st", "absent", "overridden")]
    assert any(
        s.finding == "ecg_st" and s.state == "absent"
        for e in child.events
        if isinstance(e, RecordUpdate)
        for s in e.statements
    )
    beliefs = [[e.top for e in t.events if isinstance(e, Belief)][-1] for t in (parent, child)]
    assert beliefs[0] != beliefs[1], "the doctor believes what the examiner says"
    again = play(fork_of(child, first, {"seed": 3}))
    assert [e.status for e in again.events if isinstance(e, Result) and e.order == "ecg"] in ([], ["overridden"])
    with pytest.raises(UsageError, match="its result stands"):
        fork_of(parent, turns(parent), {"results": (given,)})


@pytest.mark.parametrize(
    ("given", "said"),
    [("ecg", "is no order"), ("tarot=The Tower", "is no order"), ("ecg=", "has no text"),
     ("ecg=fine/ecg_sst", "no finding 'ecg_sst'"), ("ecg=fine/ecg_st=very", "has no value 'very'")],
)  # fmt: skip
def test_a_result_that_cannot_be(given: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fork_of(golden(), 0, {"results": (given,)})


def test_each_change_makes_another_future_and_another_id() -> None:
    parent = golden()
    ids = {parent.id}
    for change in ({}, {"seed": 8}, {"inquirer": "curt"}, {"max_turns": 6}, {"say": "Do you smoke?"}):
        child = play(fork_of(parent, 4, change))
        assert (jsonl(child.events) == jsonl(parent.events)) == (not change), change
        ids.add(child.id)
    assert len(ids) == 6
    assert play(fork_of(parent, 4, {"max_turns": 6})).events[-1].turn == 6


def test_words_put_into_the_doctors_mouth() -> None:
    child = play(fork_of(golden(), 4, {"say": "Do you smoke?"}))
    own = [e for e in child.events if isinstance(e, Question)]
    assert (own[4].text, own[4].rationale) == ("Do you smoke?", GIVEN)
    assert own[5].rationale != GIVEN
    assert [e.told[0].finding for e in child.events if isinstance(e, Utterance) and e.turn == 5 and e.told]


def test_another_hospital_begins_with_its_own_triage() -> None:
    parent = golden()
    setup = fork_of(parent, 4, {"hospital": "community"})
    assert setup.past is not None
    child = play(setup)
    past = len(setup.past.events)
    assert jsonl(child.events[:past]) == jsonl(parent.events[:past])
    first = child.events[past]
    assert isinstance(first, Triaged)
    assert first.department.primary in {d.id for d in setup.hospital.departments}
    assert child.header.hospital == "community"


def test_a_fork_of_a_fork_and_the_tree(tmp_path: Path) -> None:
    parent = golden()
    child = play(fork_of(parent, 3, {"inquirer": "curt"}))
    grandchild = play(fork_of(child, 6, {"persona": "neutral"}))
    twin = play(fork_of(parent, 5))
    with Store(tmp_path / "a.db") as store:
        for t in (parent, child, grandchild, twin):
            store.save(t)
        tree = family(store, grandchild.id)
        assert [b.id for b in family(store, parent.id)] == [b.id for b in tree]
    assert [(b.id, b.depth, b.after, b.changed) for b in tree] == [
        (parent.id, 0, None, ""), (child.id, 1, shared(parent, child), "inquirer curt"),
        (grandchild.id, 2, 6, "persona neutral"), (twin.id, 1, LAST, "nothing"),
    ]  # fmt: skip
    assert shared(parent, child) >= 3


def test_where_the_doctor_has_no_move_there_is_no_fork() -> None:
    with pytest.raises(UsageError, match="0 to 14"):
        fork_of(golden(), 15)
    t = golden()
    gone = Stopped(seq=0, turn=1, reason=StopReason.PATIENT_LEFT)
    answer = next(n for n, e in enumerate(t.events) if isinstance(e, Utterance) and e.turn == 1)
    left = Transcript(t.header, (*t.events[: answer + 1], gone.model_copy(update={"seq": answer + 1})))
    with pytest.raises(UsageError, match="not the doctor's turn"):
        fork_of(left, 1)
    changed = t.header.model_copy(update={"provenance": t.header.provenance.model_copy(update={"scenario": "0" * 64})})
    with pytest.raises(UsageError, match="has changed since"):
        fork_of(Transcript(changed, t.events), 1)
    with pytest.raises(UsageError, match="no agent"):
        fork_of(t, 1, {"inquirer": "nobody"})


def test_a_human_goes_on_from_a_turn_and_an_agent_from_theirs() -> None:
    parent = golden()
    setup = fork_of(parent, 2, {"inquirer": "human"})
    assert setup.past is not None
    sitting = Sitting(setup)
    assert tuple(sitting.begin()) == setup.past.whole
    assert setup.past.whole[:-1] == setup.past.events
    asked = next(e for e in parent.events if isinstance(e, Question) and e.turn == 3)
    got = [e for e in sitting.act(Ask(text=asked.text)) if isinstance(e, Utterance)]
    assert got[0].text == next(e.text for e in parent.events if isinstance(e, Utterance) and e.turn == 3)
    again = Sitting(setup)
    assert again.take_up(sitting.kept()) == sitting.events
    list(again.act(Conclude(differential=())))
    played = again.transcript
    assert played.header.parent == parent.id
    with pytest.raises(UsageError, match="a human was the doctor"):
        fork_of(played, 2)
    back = play(fork_of(played, 3, {"inquirer": "reference"}))
    assert back.events[: len(sitting.events)] == sitting.events
    found = [[e.text for e in t.events if isinstance(e, Result)] for t in (back, parent)]
    assert found[0] == found[1]


def test_a_stream_of_a_fork_is_what_it_plays(setup_of: Callable[..., Setup]) -> None:
    parent = play(setup_of(limits=Limits(max_turns=4)))
    setup = fork_of(parent, 2, {"seed": 3})
    assert tuple(stream(setup)) == play(setup).events
    assert replace(setup, past=None).cell != setup.cell


def test_the_command(tmp_path: Path) -> None:
    db = str(tmp_path / "a.db")
    parent = golden()
    with Store(db) as store:
        store.save(parent)
    run = CliRunner().invoke
    env = {"COLUMNS": "160"}
    done = run(cli, ["fork", parent.id[:8], "--turn", "12", "--inquirer", "curt", "--db", db], env=env)
    assert done.exit_code == 0, done.stderr
    assert "question 13" in done.stdout
    assert "question 12 " not in done.stdout
    assert "forked from" in done.stderr
    told = run(cli, ["fork", parent.id, "--turn", "12", "--persona", "neutral", "--json", "--db", db])
    assert json.loads(told.stdout)["persona"] == "neutral"
    listed = run(cli, ["fork", parent.id, "--db", db], env=env)
    assert "inquirer curt" in listed.stdout
    tree = json.loads(run(cli, ["fork", parent.id, "--json", "--db", db]).stdout)
    assert [b["depth"] for b in tree] == [0, 1, 1]
    assert tree[0]["after_turn"] is None
    other = run(
        cli, ["fork", parent.id, "--turn", "0", "--result", "ecg=normal/-ecg_st", "--quiet", "--db", db], env=env
    )
    assert (
        "an order is answered otherwise than in the case from here on: ECG: normal; no changes on the heart tracing"
        in other.stdout
    )
    assert "result ecg=normal/-ecg_st" in run(cli, ["fork", parent.id, "--db", db], env={"COLUMNS": "200"}).stdout
    for bad in (
        ["--turn", "99"],
        ["--turn", "1", "--result", "ecg"],
        ["--turn", "1", "--hospital", "nowhere"],
        ["--turn", "1", "--persona", "nobody"],
    ):
        refused = run(cli, ["fork", parent.id, *bad, "--db", db])
        assert refused.exit_code == 2
        assert len(refused.stderr.strip().splitlines()) == 1
    with Store(db) as store:
        assert jsonl(store.get(parent.id).events) == jsonl(parent.events)
