"""Pages: complete, self-contained, every text from outside shown as text, every link leading somewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from handmade import header, made, numbered
from pages_world import NAMES, Read, a_run, golden, hostile

from consult.cli.main import cli
from consult.events import Question, Result, Stopped, StopReason, Utterance
from consult.html import grid, replay
from consult.html import report as report_page
from consult.html.consultation import Reader
from consult.html.matrix import matrix
from consult.html.picture import line_chart
from consult.report import Report
from consult.report.classified import Classification, Confused, Label
from consult.report.model import Difference, Estimate
from consult.show.names import Names
from consult.store.db import Store
from consult.store.transcript import Transcript, write


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, list[Transcript]]:
    """A small run."""
    return a_run(tmp_path_factory.mktemp("run") / "run.db")


@pytest.fixture(scope="module")
def pages(run: tuple[Report, list[Transcript]]) -> dict[str, str]:
    """One page of each kind."""
    played = golden("indigestion-choleric-reference")
    return {
        "replay": replay.page(played, Names()),
        "hostile": replay.page(hostile(), NAMES),
        "report": report_page.page(*run, Names()),
    }


KINDS = ("replay", "hostile", "report")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_asks_the_network_for_nothing(kind: str, pages: dict[str, str]) -> None:
    page = Read(pages[kind])
    assert [tag for tag, attrs in page.tags if {"src", "srcset", "data", "action", "style"} & attrs.keys()] == []
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    assert all(a["href"].startswith("#") for a in page.all("a"))
    assert not re.search(r"url\(\s*['\"]?(?!#)|@import", page.inside["style"])
    assert not [k for _, attrs in page.tags for k in attrs if k.startswith("on")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_policy_allows_our_own_style_and_script_only(kind: str, pages: dict[str, str]) -> None:
    page = Read(pages[kind])
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        text = page.inside[tag].encode()
        assert allowed[name] == f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
    assert allowed["default-src"] == "'none'"


@pytest.mark.parametrize("kind", KINDS)
def test_links_lead_somewhere_and_ids_are_unique(kind: str, pages: dict[str, str]) -> None:
    page = Read(pages[kind])
    assert len(page.ids) == len(set(page.ids))
    goals = {a["href"].removeprefix("#") for a in page.all("a")}
    cited = {goal for a in page.all("a") for goal in a.get("data-cites", "").split()}
    assert cited
    assert goals | cited <= set(page.ids)
    named = {i for _, attrs in page.tags for i in attrs.get("aria-labelledby", "").split()}
    assert named <= set(page.ids)


def test_hostile_words_are_words(pages: dict[str, str]) -> None:
    page = Read(pages["hostile"])
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert "".join(page.words).count("broken=1") > 40
    assert "49" not in re.findall(r"\b49\b", "".join(page.words))


def test_everything_said_is_there_in_order() -> None:
    t = golden("shingles-sanguine-checklist")
    beats = Reader(t, Names()).beats
    said = [e.text for e in t.events if isinstance(e, (Utterance, Question, Result))]
    assert [b.text for b in beats if b.kind in ("patient", "doctor", "result")] == said
    covered = [seq for b in beats for seq in range(b.seq, b.last + 1)]
    assert covered == list(range(len(covered)))
    assert t.events[len(covered) - 1].type == "stop"


def test_a_score_cites_each_turn_once() -> None:
    reader = Reader(made(), Names())
    relevance = next(s for s in reader.families()["inquiry"] if s.name == "relevance")
    assert [(c.turn, len(c.beats)) for c in relevance.cited] == [(1, 1)]
    assert reader.cited((99,)) == ()


def test_a_transcript_cut_off_is_a_page() -> None:
    t = made()
    page = Read(replay.page(Transcript(t.header, t.events[:6]), Names()))
    assert "No verdict is kept" in "".join(page.words)
    assert Read(replay.page(Transcript(t.header, ()), Names())).all("main")


def test_a_failure_around_the_doctor_is_not_called_wrong() -> None:
    answer = Reader(made(StopReason.INFRASTRUCTURE_ERROR), Names()).answer()
    assert answer is not None
    assert not answer.judged
    assert "not judged" in answer.words


def test_a_huge_text_is_cut() -> None:
    events = numbered([Utterance(text="x" * 1_000_000), Stopped(reason=StopReason.CONCLUDED)])
    assert len(replay.page(Transcript(header(), events), Names())) < 200_000


def test_the_command_writes_a_page(tmp_path: Path) -> None:
    t = made()
    write(tmp_path / "t.jsonl", t.header, t.events)
    result = CliRunner().invoke(cli, ["replay", str(tmp_path / "t.jsonl"), "--html", str(tmp_path / "page.html")])
    assert (result.exit_code, result.stderr) == (0, f"written to {tmp_path / 'page.html'}\n")
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    t = made()
    write(tmp_path / "t.jsonl", t.header, t.events)
    for goal in (tmp_path / "no" / "page.html", tmp_path):
        result = CliRunner().invoke(cli, ["replay", str(tmp_path / "t.jsonl"), "--html", str(goal)])
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1
        assert "--html" in result.stderr


def test_a_report_takes_in_what_is_worth_reading_and_says_what_it_leaves(run: tuple[Report, list[Transcript]]) -> None:
    report, transcripts = run
    ids = [f"c{n}" for n in range(10_000)]
    taken = report_page.wanted(report, ids)
    assert {n.consultation for n in report.notable} <= set(taken)
    assert len([i for i in taken if i in ids]) == report_page.SAMPLED
    assert taken == list(dict.fromkeys(taken))
    many = [
        n.model_copy(update={"consultation": f"n{i}-{u}", "line_up": str(u)})
        for u in range(50)
        for i, n in enumerate([report.notable[0]] * 5)
    ]
    some = report_page.wanted(report.model_copy(update={"notable": tuple(many)}), [])
    assert sum(i.startswith("n") for i in some) == report_page.NOTABLE
    assert {f"n0-{u}" for u in range(50)} < set(some)
    assert len(transcripts) == report.design.consultations == 8
    assert "6 others are not" in report_page.page(report, transcripts[:2], Names())
    assert "others are not" not in report_page.page(report, transcripts, Names())


def test_faults_of_the_patient_are_shown_and_the_headline_without_them(pages: dict[str, str]) -> None:
    words = " ".join("".join(Read(pages["report"]).words).split())
    assert "4 of 8 audited consultations with the simulated patient at fault" in words
    assert "The headline without them" in words
    assert "leaks 1" in words


def test_a_report_without_transcripts_is_a_page(run: tuple[Report, list[Transcript]]) -> None:
    bare = run[0].model_copy(update={"groups": (), "temperaments": (), "notable": ()})
    assert "8 others are not" in report_page.page(bare, [], Names())


def estimate(mean: float | None, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(mean=mean, low=low, high=high, n=5, scenarios=3, method="bootstrap")


def test_whiskers_lie_where_the_numbers_say() -> None:
    cell = grid.estimates([("a", "diagnosis.top1", [estimate(0.5, 0.25, 0.75)])])[0].cells[0]
    assert (cell.value, cell.interval, cell.whisker) == ("50 %", "25 to 75 %", (25.0, 50.0, 75.0))
    row = grid.estimates([("a", "inquiry.questions", [estimate(4.0, 3.0, 1e9), estimate(8.0, None, None), None])])[0]
    assert [c.whisker for c in row.cells] == [(33.3, 44.4, 100.0), (88.9, 88.9, 88.9), None]
    nothing = grid.estimates([("a", "inquiry.questions", [estimate(0.0), estimate(None)])])[0]
    assert [c.value for c in nothing.cells] == ["0.00", "—"]


@pytest.mark.parametrize(
    ("value", "share", "words"),
    [
        (-0.001, True, "0 %"),
        (-0.1, True, "−10 %"),
        (-0.004, False, "0.00"),
        (12.345, False, "12.35"),
        (None, True, "—"),
    ],
)
def test_numbers_are_worded_without_minus_zero(value: float | None, share: bool, words: str) -> None:
    assert grid.number(value, share=share) == words


def test_differences_of_a_score_share_one_scale_around_zero() -> None:
    def of(mean: float, low: float, high: float) -> Difference:
        fields = {
            "base": 0.5,
            "p": 0.5,
            "adjusted": 0.5,
            "smallest": 0.1,
            "pairs": 9,
            "scenarios": 3,
            "test": "bootstrap",
        }
        return Difference(mean=mean, low=low, high=high, verdict="not told apart", **fields)  # type: ignore[arg-type]

    rows = grid.differences([("x", [of(0.1, 0.0, 0.2)]), ("y", [of(-0.2, -0.4, 0.0), None])], "diagnosis.top1")
    assert [c.whisker for r in rows for c in r.cells] == [(50.0, 62.5, 75.0), (0.0, 25.0, 50.0), None]
    assert [c.value for r in rows for c in r.cells] == ["+10 %", "−20 %", "—"]


def test_a_matrix_draws_shares_of_rows_and_lists_what_is_wrong() -> None:
    labels = {
        k: Label(support=n, answered=n, right=1, precision=0, recall=0, f1=0) for k, n in (("a", 4), ("b", 2), ("c", 0))
    }
    confusion = (
        Confused(gold="a", answered="a", n=1),
        Confused(gold="a", answered="b", n=3),
        Confused(gold="b", answered="(none)", n=2),
    )
    c = Classification(
        what="condition",
        n=6,
        abstained=2,
        outside=0,
        accuracy=0.2,
        macro_f1=0.1,
        weighted_f1=0.1,
        labels=labels,
        confusion=confusion,
    )
    m = matrix(c, Names({"a": "Angina"}))
    assert (m.rows, m.columns) == (("Angina", "B"), ("Angina", "B", "(none)"))
    assert [(f.x, f.y, f.share, f.right) for f in m.fields] == [
        (0, 0, 0.25, True),
        (1, 0, 0.75, False),
        (2, 1, 1.0, False),
    ]
    assert [(x.gold, x.answered, x.n, x.of) for x in m.confusions] == [("Angina", "B", 3, 4), ("B", "(none)", 2, 2)]
    many = {f"l{n}": Label(support=1, answered=1, right=1, precision=1, recall=1, f1=1) for n in range(60)}
    assert matrix(c.model_copy(update={"labels": many, "confusion": ()}), Names()).rows == ()


def test_a_line_goes_through_its_points() -> None:
    chart = line_chart("t", "d", [("trust", [(0, 0.0), (10, 1.0), (20, 2.0)])], turns=20)
    assert chart.lines[0].path == "M40 156L210 10L380 10"
    assert line_chart("t", "d", [("a", [(5, 0.5)])], turns=10).lines[0].path == "M207 83h6"
    assert [label for _, label in chart.across] == ["0", "3", "6", "9", "12", "15", "18"]


def test_the_store_is_not_touched_by_a_page(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        name = store.save(made())
    before = (tmp_path / "x.db").read_bytes()
    args = ["replay", name, "--db", str(tmp_path / "x.db"), "--html", str(tmp_path / "p.html")]
    assert CliRunner().invoke(cli, args).exit_code == 0
    assert (tmp_path / "x.db").read_bytes() == before
