"""Better words by a model: blind, held against the rules, recorded; the rule's words stay where it has none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from debrief_world import bad_doctor
from scripted_server import Fail, Json, Say, ScriptedServer
from textual.pilot import Pilot
from tui_world import SIZES, until, watch

from consult.cli.main import cli
from consult.debrief.build import debrief
from consult.debrief.coach import by_coach, coach_of
from consult.debrief.model import Better, Debrief
from consult.events import Utterance, Verdict
from consult.store.transcript import dumps
from consult.tui.consultation import Consultation
from consult.tui.debrief import Debriefing, Line

COACH = "llm:openai/coach"
PLAIN = "That must have been frightening. Does it hurt now?"
CLINICAL = "Any dyspnoea?"
NET = "Come back at once if it hurts more."
ENDED = "The doctor ended it"


def says(*instead: str, net: str = NET) -> Callable[[Json], Say]:
    """A question's answer where a question is asked for, an ending's where an ending is."""

    def answer(request: Json) -> Say:
        ending = {"explanation": instead[0], "safety_net": net}
        return Say(json.dumps(ending if ENDED in prompt(request) else {"instead": instead}), model="coach-1")

    return answer


def prompt(request: Json) -> str:
    return str(request["messages"][1]["content"])  # behind it, where it is asked again, is what was wrong


@cache
def by_rule() -> Debrief:
    return debrief(bad_doctor())


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(says(PLAIN)) as server:
        yield server


def made(server: ScriptedServer, db: Path = Path("none.db")) -> Debrief:
    return by_coach(by_rule(), bad_doctor(), coach_of(COACH, api_base=server.url), db)


def test_a_models_words_take_the_place_of_the_rules(server: ScriptedServer) -> None:
    found = made(server).better
    assert {b.instead for b in found} == {(PLAIN,), (PLAIN, NET)}
    assert {(b.by, b.why_not) for b in found} == {(COACH, "")}
    assert [b.faults for b in found] == [b.faults for b in by_rule().better]
    assert len(server.requests) == len(found)


def test_it_sees_what_was_said_before_and_nothing_else(server: ScriptedServer) -> None:
    made(server)
    events = bad_doctor().events
    verdict = next(e for e in events if isinstance(e, Verdict))
    for b, request in zip(by_rule().better, server.requests, strict=True):
        shown = prompt(request)
        later = [e.text for e in events if isinstance(e, Utterance) and e.seq > b.cite.seq]
        earlier = [e.text for e in events if isinstance(e, Utterance) and e.seq < b.cite.seq]
        assert earlier[0] in shown
        assert not [text for text in later if text in shown and text not in earlier]
        assert verdict.gold.replace("_", " ") not in shown.lower()
        assert b.said in shown


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says(CLINICAL), "clinical words, not explained: dyspnoea"),
        (says(""), "empty"),
        (says("x" * 900), "longer than 800"),
        (lambda said: Say("I think so."), "JSON"),
        (lambda said: Fail(400), "400"),
    ],
)
def test_where_it_has_none_that_hold_the_rules_words_stay(
    server: ScriptedServer, answer: Callable[[Json], Say | Fail], why: str
) -> None:
    server.default = answer
    found = made(server).better
    assert [b.instead for b in found] == [b.instead for b in by_rule().better]
    assert not any(b.by for b in found)
    assert all(why in b.why_not for b in found), found[0].why_not


def test_questions_in_one_breath_are_told_apart(server: ScriptedServer) -> None:
    apart = (PLAIN, "Are you sick?")
    assert asked_again(server, f"{PLAIN} {apart[1]}", *apart, end=False).instead == apart


@pytest.mark.parametrize(
    ("first", "then", "end"),
    [("Is it worse?", PLAIN, False), ("A burn.", PLAIN, True)],
    ids=["a worry passed over", "no more than a name"],
)
def test_the_rules_that_the_doctor_broke_hold_for_it(
    server: ScriptedServer, first: str, then: str, *, end: bool
) -> None:
    assert asked_again(server, first, then, end=end).instead[0] == then


def asked_again(server: ScriptedServer, first: str, *then: str, end: bool) -> Better:
    """What comes of an answer that does not hold, and one that does."""
    answers = iter((says(first), says(*then)))
    server.default = lambda said: next(answers)(said)
    one = by_rule().model_copy(update={"better": (next(b for b in by_rule().better if b.cite.end == end),)})
    (found,) = by_coach(one, bad_doctor(), coach_of(COACH, api_base=server.url), Path("none.db")).better
    assert not found.why_not
    assert len(server.requests) == 2
    return found


def test_the_command_and_its_ledger(server: ScriptedServer, tmp_path: Path) -> None:
    kept, db = tmp_path / "c.jsonl", tmp_path / "c.db"
    t = bad_doctor()
    kept.write_text(dumps(t.header, t.events), "utf-8")
    assert CliRunner().invoke(cli, ["run", "--quiet", "--max-turns", "0", "--db", str(db)]).exit_code == 0
    command = ["debrief", str(kept), "--coach", COACH, "--api-base", server.url, "--db", str(db), "--md", "-"]
    first, again = (CliRunner().invoke(cli, command) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert PLAIN in first.stdout
    assert f"put so by {COACH}" in first.stdout
    assert again.stdout == first.stdout
    assert len(server.requests) == len(by_rule().better)
    refused = CliRunner().invoke(cli, ["debrief", str(kept), "--coach", "somebody"])
    assert refused.exit_code == 2
    assert "mend: llm:MODEL" in refused.output


def test_on_the_screen(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSULT_COACH", COACH)
    monkeypatch.setenv("CONSULT_API_BASE", server.url)

    async def scene(pilot: Pilot[None], _: Consultation) -> None:
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, Debriefing))
        rows = lambda: [line.row for line in pilot.app.screen.query(Line)]  # noqa: E731
        await until(pilot, lambda: any(PLAIN in row.text for row in rows()))
        assert any(f"put so by {COACH}" in row.notes for row in rows())

    watch(bad_doctor(), scene, SIZES[1], Path("none.db"))
