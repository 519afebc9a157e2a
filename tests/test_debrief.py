"""The debrief: what was missed, left unsaid and better put; on golden transcripts and on a doctor who does everything wrong."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from debrief_world import HOSTILE, QUESTIONS, STACKED, bad_doctor, hostile_doctor
from golden import CELLS, FOLDER
from handmade import made

from consult import load_knowledge
from consult.batch.forking import parent_setup
from consult.cli.main import cli
from consult.debrief.build import debrief
from consult.debrief.markdown import plain_lines, to_markdown
from consult.debrief.model import Debrief, Why
from consult.debrief.words import Row, sections, short
from consult.errors import UsageError
from consult.events import Question, Utterance
from consult.events import Result as Report
from consult.html import debrief as page
from consult.language.manner import is_stacked, manner, unexplained
from consult.language.resolver import resolve
from consult.mood import takes_up
from consult.show.names import Names
from consult.store.db import Store
from consult.store.transcript import Transcript, dumps, read


@cache
def of(name: str) -> tuple[Transcript, Debrief]:
    transcript = {"bad": bad_doctor, "hostile": hostile_doctor}.get(name, lambda: read(FOLDER / f"{name}.jsonl"))()
    return transcript, debrief(transcript)


ALL = (*CELLS, "bad", "hostile")


def told_in(transcript: Transcript, *states: str) -> set[str]:
    """The findings that were told so."""
    spoken = [e for e in transcript.events if isinstance(e, (Utterance, Report))]
    return {t.finding for e in spoken for t in e.told if t.state in states}


@pytest.mark.parametrize("name", ALL)
def test_every_place_is_one_of_the_consultation(name: str) -> None:
    transcript, d = of(name)
    rows = [row for section in sections(d) for row in section.rows]
    cites = [cite for row in rows for cite in row.cites]
    assert cites
    assert all(transcript.events[c.seq].turn == c.turn for c in cites)
    scored = {m.name: m.cites for m in d.marks}
    assert any(scored.values())


@pytest.mark.parametrize("name", ALL)
def test_what_was_missed_was_not_asked_and_dangers_come_first(name: str) -> None:
    transcript, d = of(name)
    told = told_in(transcript, "present", "absent", "unknown", "not_noticed")
    asked = {f for e in transcript.events if isinstance(e, Utterance) and e.query for f in e.query.findings}
    assert not {m.id for m in d.missed if m.kind == "question"} & (told | asked)
    assert [m.red_flag for m in d.missed] == sorted((m.red_flag for m in d.missed), reverse=True)
    for flagged in (True, False):
        bits = [m.bits for m in d.missed if m.red_flag is flagged]
        assert bits == sorted(bits, reverse=True)
    assert all(m.left <= m.bits for m in d.missed)


@pytest.mark.parametrize("name", ALL)
def test_each_fact_is_told_or_there_is_a_reason(name: str) -> None:
    transcript, d = of(name)
    facts = parent_setup(transcript).case.facts
    told = told_in(transcript, "present", "absent")
    assert {u.finding for u in d.unsaid} == {f.finding for f in facts} - told
    for u in d.unsaid:
        assert (u.why is Why.ORDER_ONLY) == (u.rule == "order_only")
        assert (u.why is Why.ORDER_ONLY) == bool(u.order)
        assert bool(u.cites) == (u.why not in (Why.NOT_ASKED, Why.ORDER_ONLY, Why.UNKNOWN))
        if u.why is Why.TRUST:
            assert u.needed is not None
            assert u.trust is not None
            assert u.trust < u.needed


@pytest.mark.parametrize("name", ALL)
def test_better_words_have_none_of_the_faults(name: str) -> None:
    _, d = of(name)
    knowledge = load_knowledge()
    for b in d.better:
        rules = {f.rule for f in b.faults}
        assert rules
        for words in b.instead:
            assert unexplained(words, knowledge) == ()
            if not b.cite.end:
                assert not is_stacked(words, resolve(words, knowledge))
        if "cue" in rules and b.instead:
            assert takes_up(manner(b.instead[0], resolve(b.instead[0], knowledge), knowledge))
    assert [b.weight for b in d.better] == sorted((b.weight for b in d.better), reverse=True)


def test_the_bad_doctor() -> None:
    _, d = of("bad")
    assert d.answer is not None
    assert (d.answer.gold, d.answer.rank) == ("Acute coronary syndrome", None)
    flags = {m.id: m for m in d.missed if m.red_flag}
    assert flags["sweating"].answer == "yes"
    assert flags["sweating"].ask == "Have you had cold sweats?"
    assert flags["sweating"].towards is not None
    assert flags["sweating"].towards > 1
    assert {m.id for m in d.missed if m.kind == "order"} <= {"ecg", "troponin", "vital_signs"}
    why = {u.finding: u for u in d.unsaid}
    assert why["breathlessness"].why is Why.CLINICAL
    assert why["breathlessness"].cites[0].turn == 1
    assert why["risk.smoking"].why is Why.TRUST
    assert (why["risk.smoking"].needed, why["risk.smoking"].cites[0].turn) == (0.55, 4)
    assert why["sweating"].why is Why.NOT_ASKED
    assert {u.order for u in d.unsaid if u.why is Why.ORDER_ONLY} == {"Vital signs", "ECG", "Troponin"}
    assert {v.part: (v.told is not None, v.answered is not None) for v in d.views}["ice.concern"] == (False, False)


def test_the_bad_doctors_words() -> None:
    _, d = of("bad")
    first = d.better[0]
    assert first.said == STACKED
    assert {f.rule for f in first.faults} == {"cue", "jargon", "stacked", "closed"}
    assert "dyspnoea" in next(f.about for f in first.faults if f.rule == "jargon")
    assert len(first.instead) > 2
    assert "tell me" in first.instead[0].casefold()
    end = next(b for b in d.better if b.cite.end)
    assert {f.rule for f in end.faults} == {"abrupt", "no_net"}
    assert "stomach acid" in end.instead[0]
    again = [b for b in d.better if any(f.rule == "repeat" for f in b.faults)]
    assert all(QUESTIONS[1] not in words for b in again for words in b.instead)


def test_how_the_reference_doctor_went_on() -> None:
    transcript, d = of("bad")
    o = d.otherwise
    assert o is not None
    assert o.right
    assert isinstance(transcript.events[o.cite.seq], Question)
    assert o.lines[0].who == "doctor"
    assert o.lines[-1].text == "concluded"
    assert o.questions == sum(line.who == "doctor" for line in o.lines) - 1
    here, there = o.scores["communication.composite"]
    assert here is not None
    assert there is not None
    assert here < there


def test_the_reference_doctor_is_not_compared_with_itself() -> None:
    _, d = of("indigestion-choleric-reference")
    assert d.otherwise is None
    assert "reference" in d.why_not
    assert not d.better or all("jargon" not in {f.rule for f in b.faults} for b in d.better)


def test_the_same_debrief_again() -> None:
    transcript, d = of("bad")
    assert debrief(transcript) == d
    assert Debrief.model_validate_json(d.model_dump_json()) == d


@pytest.mark.parametrize("name", ["bad", "hostile", "ectopic-phlegmatic-curt"])
def test_all_forms_say_the_same(name: str) -> None:
    transcript, d = of(name)
    html, md = page.page(transcript, d, Names()), to_markdown(d)
    plain = "\n".join(plain_lines(sections(d)))
    for section in sections(d):
        assert section.title in html
        assert f"## {section.title}" in md
        assert section.title in plain
    assert len(re.findall('<li class="row', html)) == sum(r.kind != "head" for s in sections(d) for r in s.rows)
    targets = set(re.findall(r'id="e(\d+)"', html))
    assert set(re.findall(r'href="#e(\d+)"', html)) <= targets
    assert len(list(plain_lines(short(sections(d))))) < len(plain.splitlines()) / 2


def test_hostile_words_stay_words() -> None:
    transcript, d = of("hostile")
    html, md = page.page(transcript, d, Names()), to_markdown(d)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    for text in (html, md, "\n".join(plain_lines(sections(d)))):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert not re.search(r"^#+ heading", md, re.MULTILINE)
    assert "<script" not in md.replace("\\<script", "")
    assert not re.search(r"(?<!\\)\]\(http", md)
    assert d.orders == 1
    assert HOSTILE not in md


def test_rows_of_a_short_debrief_say_how_many_are_left_out() -> None:
    _, d = of("bad")
    whole = {s.id: s for s in sections(d)}
    for s in short(sections(d)):
        left = len(whole[s.id].rows) - whole[s.id].brief
        assert (s.rows[-1] == Row(f"… {left} more")) == (left > 0)


def consult(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, list(words), input=typed, env={"COLUMNS": "100"}, prog_name="consult")


def test_the_command(tmp_path: Path) -> None:
    transcript, d = of("bad")
    db = tmp_path / "a.db"
    with Store(db) as store:
        identifier = store.save(transcript)
    common = ("debrief", identifier[:8], "--db", str(db))
    shown = consult(*common)
    assert shown.exit_code == 0, shown.output
    assert "What the patient never said" in shown.stdout
    assert len(consult(*common, "--short").stdout) < len(shown.stdout) / 2
    assert not set("│━─") & set(consult(*common, "--plain").stdout)
    assert json.loads(consult(*common, "--json").stdout)["missed"][0]["id"] == d.missed[0].id
    written = consult(*common, "--md", str(tmp_path / "d.md"), "--html", str(tmp_path / "d.html"))
    assert written.stdout == ""
    assert (tmp_path / "d.md").read_text("utf-8").startswith("# Debrief")
    assert "<title>" in (tmp_path / "d.html").read_text("utf-8")
    assert consult(*common, "--md", "-").stdout.startswith("# Debrief")


def test_what_cannot_be_debriefed(tmp_path: Path) -> None:
    transcript, _ = of("bad")
    half = Transcript(transcript.header, transcript.events[:12])
    with pytest.raises(UsageError, match="is not over"):
        debrief(half)
    with pytest.raises(UsageError, match=r"has changed since.*cannot be debriefed"):
        debrief(made())
    path = tmp_path / "half.jsonl"
    path.write_text(dumps(half.header, half.events), "utf-8")
    for words in (("debrief", str(path)), ("debrief", "nobody", "--db", str(tmp_path / "none.db"))):
        bad = consult(*words)
        assert bad.exit_code == 2
        assert "mend" in bad.stderr
        assert len(bad.stderr.splitlines()) == 1


END = "/diagnose\nreflux\n\nurgent\n3\n\nReflux.\n\n"


@pytest.mark.parametrize(("option", "there"), [((), True), (("--debrief", "none"), False)])
def test_play_ends_with_it(option: tuple[str, ...], there: bool, tmp_path: Path) -> None:
    typed = f"{STACKED}\n{END}"
    done = consult("play", "--plain", "--db", str(tmp_path / "a.db"), *option, typed=typed)
    assert done.exit_code == 0, done.output
    assert ("What was missed." in done.stdout) is there
    assert ("clinical words" in done.stdout) is there
