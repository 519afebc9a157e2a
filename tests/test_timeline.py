"""How a consultation stood at any event: against a plain fold over the events, for every golden transcript."""

from __future__ import annotations

from itertools import pairwise

import pytest
from golden import CELLS, FOLDER
from handmade import header, made, numbered

from consult.events import (
    Audited,
    Belief,
    MoodChange,
    Question,
    RecordUpdate,
    Result,
    Stopped,
    StopReason,
    Triaged,
    Utterance,
)
from consult.scenario import load_scenario, scenario_files
from consult.show.names import names_of
from consult.show.panels import PANELS, Scene, spark
from consult.show.timeline import Timeline
from consult.show.words import LONGEST, reading_time
from consult.store.transcript import Transcript, read


@pytest.fixture(scope="module", params=list(CELLS))
def transcript(request: pytest.FixtureRequest) -> Transcript:
    return read(FOLDER / f"{request.param}.jsonl")


def test_every_place_is_as_a_fold_says(transcript: Transcript) -> None:
    timeline = Timeline(transcript.header, transcript.events)
    lines: dict[str, object] = {}
    complaint, turn, cost = "", 0, 0.0
    last: dict[type, object] = {}
    told: set[str] = set()
    for n, event in enumerate(transcript.events):
        last[type(event)] = event
        if isinstance(event, RecordUpdate):
            complaint = event.chief_complaint
            lines |= {s.finding: s for s in event.statements}
        if isinstance(event, Result):
            cost += event.cost
        if isinstance(event, (Utterance, Result)):
            told |= {t.finding for t in event.told if t.state != "withheld"}
        turn += isinstance(event, Question)
        upto = n + 1
        assert timeline.record(upto) == (complaint, list(lines.values()))
        assert timeline.turn(upto) == turn
        assert timeline.cost(upto)[0] == cost
        for kind in (Triaged, Belief, MoodChange, Audited):
            assert timeline.last(kind, upto) == last.get(kind)
        assert {f for f, h in timeline.heard(upto).items() if h.told is not None} == told


def test_stops_lead_from_one_end_to_the_other_and_back(transcript: Transcript) -> None:
    timeline = Timeline(transcript.header, transcript.events)
    stops = [0]
    while stops[-1] < len(timeline):
        stops.append(timeline.after(stops[-1]))
        assert stops[-1] > stops[-2]
    for a, b in pairwise(stops[2:]):
        assert timeline.before(b) == a
    assert timeline.before(0) == 0
    for turn in range(1, timeline.turn(len(timeline)) + 1):
        place = timeline.answered(turn)
        assert timeline.turn(place) == turn
        assert any(isinstance(e, Utterance) for e in timeline.events[timeline.start_of(turn) : place])
    assert timeline.start_of(999) == len(timeline)


def test_panels_can_be_drawn_at_any_place_and_width(transcript: Transcript) -> None:
    timeline = Timeline(transcript.header, transcript.events)
    h = transcript.header
    facts = load_scenario(scenario_files()[h.scenario]).facts
    scene = Scene(names_of(h), facts)
    for upto in (0, 1, len(timeline) // 2, len(timeline)):
        for width in (20, 80):
            drawn = {name: paint(timeline, upto, scene, width).plain for name, paint in PANELS.items()}
            assert all(drawn.values())
    assert "never asked" in drawn["facts"] or "oracle" in h.agents.values()
    shown = drawn["facts"].count("✓") + drawn["facts"].count("✗") + drawn["facts"].count("—")
    assert shown == len(facts)


def test_a_panel_says_what_happened() -> None:
    t = made()
    timeline = Timeline(t.header, t.events)
    drawn = {name: paint(timeline, len(timeline), Scene(), 60).plain for name, paint in PANELS.items()}
    assert "chest pain since this morning" in drawn["record"]
    assert "URGENT" in drawn["triage"]
    assert "Emergency › Resuscitation" in drawn["triage"]
    assert "Chest pain first (hard)" in drawn["triage"]
    assert "41 %" in drawn["belief"]
    assert "cue ignored" in drawn["mood"]
    assert "together: cost 2 (a question is 1), 10 min" in drawn["orders"]
    assert "guard stopped a leak" in drawn["audit"]
    assert "the patient kept to the law" in drawn["audit"]
    assert "not at hand" in drawn["facts"]


def test_marks_are_flags_and_evidence_in_order_of_place() -> None:
    events = [
        *made().events[:-1],
        Audited(leaks=1, unreleased=0, inventions=0, role_breaks=0, early_end=False, evidence=(7,)),
    ]
    timeline = Timeline(header(), numbered(events))
    marks = timeline.marks()
    assert [m.seq for m in marks] == sorted(m.seq for m in marks)
    assert [(m.seq, m.words) for m in marks if m.flag] == [(6, "guard: leak"), (7, "audit: against the law")]
    assert {m.words for m in marks if not m.flag} == {"diagnosis.top1", "inquiry.relevance"}
    broken = Timeline(header(), numbered([Stopped(reason=StopReason.INFRASTRUCTURE_ERROR, detail="patient: it broke")]))
    assert [m.words for m in broken.marks()] == ["end: infrastructure error"]
    assert "it broke" in PANELS["audit"](broken, 1, Scene(), 40).plain


def test_a_row_of_blocks_keeps_its_width_and_bounds() -> None:
    assert spark([0.0, 0.5, 1.0], 10) == "▁▅█"
    assert spark([-1.0, 2.0], 10) == "▁█"
    assert spark([0.1] * 50, 10) == "▁" * 10
    assert spark([0.3], 0) == ""


def test_reading_takes_as_long_as_the_words() -> None:
    assert reading_time(Question(text="x" * 18)) == pytest.approx(1.0)
    assert reading_time(Question(text="x" * 10**6)) == LONGEST
    assert reading_time(MoodChange(cause="start", trust=0, irritation=0, anxiety=0)) == 0
