"""What is printed: complete, within the width, never markup, nothing that a terminal would obey."""

from __future__ import annotations

import io
from typing import Any

import pytest
from handmade import header, made, numbered
from rich.cells import cell_len

from consult.actions import Diagnosis
from consult.events import Audited, Belief, Concluded, Question, Result, Scored, Stopped, StopReason, Told, Utterance
from consult.show import EventPrinter, Level, make_console
from consult.show.names import Names
from consult.store.transcript import Transcript

NAMES = Names({"myocardial_infarction": "Acute myocardial infarction"})


def printed(t: Transcript, width: int = 80, level: Level = Level.FULL, encoding: str = "utf-8", **more: Any) -> str:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    EventPrinter(make_console(out, width=width, **more), t.header, NAMES, level=level).print_all(t.events)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_everything_is_there_and_within_the_width(width: int) -> None:
    text = printed(made(), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    flat = " ".join(text.replace("│", " ").split())
    for words in (
        "Martin Vogel", "awful pressure", "Doctor", "+chest pain (dramatised)", "-fever", "trust", "irritation",
        "anxiety", "cue ignored", "Acute myocardial infarction", "41 %", "Internal medicine › Cardiology", "URGENT",
        "else Emergency › Resuscitation", "Chest pain first (hard)", "stopped: leak", "ST elevation", "cost 2",
        "the doctor concluded", "catheter", "score card", "✓ right", "1 level too late", "0.75", "no cue was given",
        "✓ the patient kept to the law", "chest-0a1b2c3d", "turn 1", "communication",
    ):  # fmt: skip
        assert words in flat, words


def test_no_meaning_by_colour_alone() -> None:
    coloured = printed(made(), terminal=True)
    assert "\x1b[" in coloured
    assert "\x1b[" not in printed(made())


def test_a_breach_and_a_wrong_answer_are_said() -> None:
    events = list(made(rank=None).events)
    events[-1] = Audited(seq=events[-1].seq, leaks=2, unreleased=1, inventions=0, role_breaks=1, early_end=True)
    text = printed(Transcript(header(), tuple(events)), 110)
    assert "✗ 2 leaks; 1 fact told too soon; 1 break of role; an early end" in text
    assert "not named" in text


def test_a_name_alone_is_no_speech() -> None:
    end = Concluded(
        differential=(Diagnosis(condition="myocardial_infarction"),), explanation="Acute myocardial infarction"
    )
    t = Transcript(header(), numbered([end, Stopped(reason=StopReason.CONCLUDED)]))
    assert printed(t, level=Level.PLAIN) == "(concludes: Acute myocardial infarction)\n"


def test_what_would_read_as_0_is_not_drawn() -> None:
    belief = Belief(top=(("angina", 0.004), ("reflux", 0.003)), entropy=3)
    text = printed(Transcript(header(), numbered([belief, Stopped(reason=StopReason.CONCLUDED)])))
    assert "Angina" in text
    assert "Reflux" not in text


def test_long_words_in_reasons_are_not_torn() -> None:
    score = Scored(
        name="own.score", value=0.5, unit="share", reason="not asked: complaint.durationofallofitinhours, fever"
    )
    text = printed(Transcript(header(), numbered([Stopped(reason=StopReason.CONCLUDED), score])))
    assert "complaint.durationofallofitinhours, fever" in text


def test_what_had_better_been_asked_has_a_line_each() -> None:
    named = "turn 2: unexpected vaginal bleeding (4.6 bits); turn 3: fainting (1.9 bits)"
    score = Scored(name="inquiry.efficiency", value=0.28, unit="share", evidence=(1,), reason=named)
    text = printed(Transcript(header(), numbered([Stopped(reason=StopReason.CONCLUDED), score])))
    lines = [line.strip() for line in text.splitlines() if "bits" in line]
    assert lines == [
        "better asked │ turn 2: unexpected vaginal bleeding (4.6 bits)",
        "│ turn 3: fainting (1.9 bits)",
    ]
    missing = score.model_copy(update={"value": None, "reason": "no question was answered"})
    text = printed(Transcript(header(), numbered([Stopped(reason=StopReason.CONCLUDED), missing])))
    assert "no question was answered" in " ".join(text.replace("│", " ").split())
    assert "better asked" not in text


def test_plain_is_the_dialogue_only() -> None:
    lines = printed(made(), level=Level.PLAIN).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Patient", "Doctor", "Patient", "Doctor"]


@pytest.mark.parametrize("speaker", ["parent", "carer", "Mrs Vogel"])
def test_who_speaks(speaker: str) -> None:
    t = made(names={"speaker": speaker})
    assert printed(t, level=Level.PLAIN).startswith(speaker.capitalize()[:3])


HOSTILE = [
    "[/b] [bold]x[/] [link=file:///etc/passwd]y",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "abc\u202edcba\u2066x\u200f",
    "tab\tnew\nline\r\nback\x08 nul\x00 form\x0c",
    "宽字符" * 50,
    "e\u0301" * 300 + "👩‍👩‍👧‍👦" * 30,
    "",
]


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("level", list(Level))
def test_hostile_text(words: str, level: Level) -> None:
    told = Told(fact=words, finding=words, state="present")
    events = numbered(
        [
            Utterance(text=words, told=(told,), flags=(words,), cue=words, images=(words,)),
            Question(text=words, rationale=words),
            Result(order=words, status="recorded", text=words),
            Stopped(reason=StopReason.MODEL_ERROR, detail=words),
            Scored(name=words, value=None, reason=words, unit=words),
            Scored(name=f"a.{words}", value=0.5, reason=words, unit=words),
        ]
    )
    t = Transcript(header(scenario=words, persona=words, names={"speaker": words or "x", "patient": words}), events)
    text = printed(t, level=level)
    assert not set("\x1b\x9b\x07\x08\x00\x0c\u202e\u2066\u200f") & set(text)
    if level is Level.FULL:
        assert max(cell_len(line) for line in text.splitlines()) <= 80
    if words.startswith("[/b]"):
        assert "[/b] [bold]x[/]" in text


def test_a_huge_line_is_cut() -> None:
    events = numbered([Utterance(text="x" * 1_000_000), Question(text="y " * 500_000)])
    text = printed(Transcript(header(), events))
    assert len(text) < 100_000
    assert "…" in text


def test_a_terminal_without_unicode() -> None:
    text = printed(Transcript(header(), made().events), encoding="ascii")
    assert "[yes] right" in text
    assert "###" in text


def test_skipped_events_still_count_in_the_card() -> None:
    out = io.StringIO()
    t = made()
    printer = EventPrinter(make_console(out, width=100), t.header)
    for event in t.events:
        printer.skip(event)
    printer.finish()
    assert "awful pressure" not in out.getvalue()
    assert "1 question · 1 order" in out.getvalue()
