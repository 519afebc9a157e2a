"""The words for ids: what a person reads holds no id of a finding, a rule or a department where there are words for it."""

from __future__ import annotations

import io
import re

import pytest
from golden import FOLDER
from handmade import header

from consult.debrief.build import debrief
from consult.debrief.markdown import to_markdown
from consult.events import Changed, FiredRule, Scored, Told
from consult.html import replay
from consult.knowledge.load import load_knowledge
from consult.scenario import load_scenario, scenario_files
from consult.show import EventPrinter, Level, make_console
from consult.show.names import Names, names_of
from consult.show.panels import PANELS, Scene
from consult.show.timeline import Timeline
from consult.store.transcript import Transcript, read

NAMES = Names(
    {"surgery": "Surgery", "eye_clinic": "Eye clinic", "shy": "Shyness of light is migraine.", "migraine": "Migraine"},
    {"surgery": "an operation", "pain.site": "where it hurts", "pain.site=left": "on the left"},
)


@pytest.mark.parametrize("name", ["indigestion-choleric-reference", "ectopic-phlegmatic-curt"])
def test_no_id_is_shown_where_there_are_words(name: str) -> None:
    t = read(FOLDER / f"{name}.jsonl")
    names = names_of(t.header)
    ids = {i for i in (*names.findings, *names.things) if re.search(r"[._=]", i)} - {t.header.scenario}
    shown = {"printed": _printed(t, names), "debrief": to_markdown(debrief(t))}
    shown["page"] = re.sub(r"<[^>]*>", " ", replay.page(t, names))
    scene = Scene(names, load_scenario(scenario_files()[t.header.scenario]).facts)
    timeline = Timeline(t.header, t.events)
    shown["panels"] = "\n".join(paint(timeline, len(timeline), scene, 200).plain for paint in PANELS.values())
    assert any("not asked:" in words for words in shown.values())
    found = {where: sorted(ids.intersection(re.findall(r"[\w.=]+\w", words))) for where, words in shown.items()}
    assert not any(found.values()), found


def _printed(t: Transcript, names: Names) -> str:
    out = io.StringIO()
    EventPrinter(make_console(out, width=1000), t.header, names, level=Level.FULL).print_all(t.events)
    return out.getvalue()


def test_findings_are_named_with_their_values() -> None:
    assert NAMES.finding("pain.site", ("left", "far_right")) == "where it hurts: on the left, far right"
    assert NAMES.finding("pain.site=left") == "where it hurts: on the left"
    assert NAMES.finding("no pain.site") == "no where it hurts"
    assert NAMES.finding("not_known.at_all") == "not known, at all"
    told = Told(fact="f", finding="pain.site", state="absent", values=("left",), tone="played_down", rule="direct")
    assert NAMES.told(told) == "-where it hurts: on the left (played down)"


def test_a_rule_is_named_by_its_reason() -> None:
    def words(identifier: str, kind: str = "comparison", strength: str = "highly_suggestive") -> str:
        return NAMES.rule(FiredRule.model_validate({"id": identifier, "kind": kind, "strength": strength}))

    assert words("shy") == "Shyness of light is migraine (highly suggestive)"
    assert words("gone_since", "hard", "") == "Gone since (hard)"
    assert words("belief:migraine", "belief", "") == "Likeliest: Migraine"
    assert words("danger:eye_clinic", "danger", "") == "Danger sign for Eye clinic"


def test_a_change_is_told_without_ids() -> None:
    def words(given: str) -> str:
        return NAMES.change(Changed(what="result", now=given)).partition("from here on: ")[2]

    assert words("eye_clinic=normal/-pain.site") == "Eye clinic: normal; no where it hurts"
    assert words("ecg=on/off, 1/2 {now}/pain.site=left") == "Ecg: on/off, 1/2 {now}; where it hurts: on the left"


@pytest.mark.parametrize(
    ("score", "reason", "words"),
    [
        ("inquiry.must_ask", "not asked: pain.site, left_leg and 3 more", "not asked: where it hurts, left leg and 3 more"),
        ("inquiry.must_ask", "not asked: surgery", "not asked: an operation"),
        ("triage.primary", "surgery instead of eye_clinic", "Surgery instead of Eye clinic"),
        ("mdbench.1.1", "not asked: medication, surgery", "not asked: medication, surgery"),
        ("patient.understood_alike", "turn 1: open, by rule pain.site", "turn 1: open, by rule where it hurts"),
    ],
)  # fmt: skip
def test_reasons_are_shown_in_words(score: str, reason: str, words: str) -> None:
    assert NAMES.reason(Scored(name=score, value=0.5, reason=reason)) == words


def test_no_reason_of_any_score_is_shown_with_an_id() -> None:
    ids = {f.id for f in load_knowledge("general").findings if "." in f.id}
    reasons = [
        (e, names_of(t.header)) for t in map(read, FOLDER.glob("*.jsonl")) for e in t.events if isinstance(e, Scored)
    ]
    assert [e.name for e, names in reasons if ids.intersection(re.findall(r"[\w.]+\w", names.reason(e)))] == []
    assert any(ids.intersection(re.findall(r"[\w.]+\w", e.reason)) for e, _ in reasons), "so they are kept"


def test_files_that_are_gone_are_not_asked_for() -> None:
    elsewhere = header().model_copy(update={"knowledge": "/etc/passwd", "hospital": "general"})
    assert names_of(elsewhere).findings == {}
    assert names_of(elsewhere).of("general_practice") == "General practice", "the other file is still there"
