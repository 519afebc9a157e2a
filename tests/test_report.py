"""Reports: what stands in them is what was put into the store, counted by hand; renderers and rows draw from it."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from report_world import keep, one

from consult import tidy
from consult.batch import Plan, execute, setups
from consult.batch.plan import LineUp as LineUpOf
from consult.cli.main import cli
from consult.errors import UsageError
from consult.events import StopReason
from consult.report import report
from consult.report.markdown import to_markdown
from consult.report.measures import HEADLINE, MEASURES
from consult.report.model import LineUp, Report
from consult.report.rows import COLUMNS, write_csv
from consult.report.table import read_table
from consult.report.tables import p_value, sections
from consult.stats.intervals import mean, proportion
from consult.store.db import Store
from consult.store.transcript import Transcript

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "r.db") as opened:
        yield opened


def reported(store: Store, *transcripts: Transcript, **plan: Any) -> Report:
    keep(store, "r", transcripts, **plan)
    return report(store, "r")


def line_up(r: Report, name: str = "reference") -> LineUp:
    return next(x for x in r.line_ups if x.name == name)


def test_means_and_intervals_are_those_of_the_values(store: Store) -> None:
    rows = [(f"s{n // 2}", n % 2, n % 3 != 0, n / 10) for n in range(8)]
    made = [one(s, epoch=e, top="angina" if hit else "reflux", inquiry__coverage=v) for s, e, hit, v in rows]
    scores = line_up(reported(store, *made)).scores
    names = [s for s, *_ in rows]
    hits, values = proportion([hit for *_, hit, _ in rows], names), mean([v for *_, v in rows], names)
    top1, coverage = scores["diagnosis.top1"], scores["inquiry.coverage"]
    assert (top1.mean, top1.low, top1.high) == pytest.approx((hits.mean, hits.low, hits.high), abs=1e-6)
    assert (top1.n, top1.scenarios, top1.method) == (8, 4, "wilson")
    assert coverage.mean == pytest.approx(values.mean)
    assert coverage.low == pytest.approx(max(0.0, values.low), abs=1e-6)
    assert coverage.method == "bootstrap"


def test_what_is_missing_is_counted_with_its_reason_and_never_a_zero(store: Store) -> None:
    made = [
        one("s0", inquiry__coverage=0.5),
        *(one(f"s{n}", inquiry__coverage="no question was asked") for n in (1, 2)),
    ]
    found = line_up(reported(store, *made))
    e = found.scores["inquiry.coverage"]
    assert (e.mean, e.low, e.n, e.missing) == (0.5, None, 1, 2)
    assert [(m.score, m.n, m.reasons) for m in found.missing] == [("inquiry.coverage", 2, {"no question was asked": 2})]


def test_failures_around_the_doctor_stand_apart_and_abstentions_count_as_wrong(store: Store) -> None:
    r = reported(
        store,
        one("s0"),
        one("s1", top=None, stop=StopReason.TURN_LIMIT),
        one("s2", stop=StopReason.INFRASTRUCTURE_ERROR, detail="the server is gone"),
    )
    c = r.counts
    assert (c.consultations, c.judged, c.failed, c.abstained) == (3, 2, 1, 1)
    assert c.stop_reasons == {"concluded": 1, "infrastructure_error": 1, "turn_limit": 1}
    top1 = line_up(r).scores["diagnosis.top1"]
    assert (top1.mean, top1.n, top1.missing) == (0.5, 2, 0)
    assert [(f.scenario, f.stop_reason, f.detail) for f in r.failures] == [
        ("s2", "infrastructure_error", "the server is gone")
    ]
    assert any("failed around the doctor" in note for note in r.notes)


def test_faults_of_the_patient_are_shown_and_the_headline_is_given_with_and_without(store: Store) -> None:
    r = reported(store, one("s0"), one("s1", top="reflux", leaks=2), one("s2"))
    assert line_up(r).scores["diagnosis.top1"].mean == pytest.approx(2 / 3, abs=1e-6)
    assert line_up(r).without_faults["diagnosis.top1"].mean == 1
    assert (r.audit.at_fault, r.audit.audited, r.audit.breaches) == (1, 3, {"leaks": 2})
    assert [(f.scenario, f.breaches) for f in r.audit.faults] == [("s1", {"leaks": 2})]
    assert "Without faults of the patient" in {s.title for s in sections(r)}


def test_the_order_in_the_store_changes_nothing(tmp_path: Path) -> None:
    made = [
        one(f"s{n}", persona, inquirer, inquiry__coverage=n / 7, p=0.1 * n)
        for n in range(7)
        for persona in ("neutral", "choleric")
        for inquirer in ("reference", "curt")
    ]
    texts = []
    for turn in range(2):
        if turn:
            random.Random(3).shuffle(made)
        with Store(tmp_path / f"{turn}.db") as store:
            texts.append(reported(store, *made).model_dump_json())
    assert texts[0] == texts[1]


def test_groups_by_hand(store: Store) -> None:
    r = reported(
        store,
        one("s0", "neutral"),
        one("s0", "choleric", top="reflux"),
        one("s1", "neutral", gold="psoriasis", top="psoriasis"),
    )
    found = {(g.by, g.name): (g.counts.consultations, g.scores["diagnosis.top1"].mean) for g in r.groups}
    assert found == {
        ("persona", "neutral"): (2, 1),
        ("persona", "choleric"): (1, 0),
        ("condition", "angina"): (2, 0.5),
        ("condition", "psoriasis"): (1, 1),
        ("department", "internal_medicine"): (2, 0.5),
        ("department", "dermatology_venereology"): (1, 1),
        ("urgency", "urgent"): (2, 0.5),
        ("urgency", "routine"): (1, 1),
    }
    assert r.design.personas == ("neutral", "choleric")


def test_answers_by_hand(store: Store) -> None:
    """Two psoriasis right, one taken for eczema, one abstention, one answer that is no condition; an angina without a label."""
    r = reported(
        store,
        one("s0", gold="psoriasis", top="psoriasis"),
        one("s1", gold="psoriasis", top="psoriasis"),
        one("s2", gold="psoriasis", top="eczema", triage__urgency_error=1.0),
        one("s3", gold="psoriasis", top=None, stop=StopReason.TURN_LIMIT),
        one("s4", gold="psoriasis", top="a dragon's curse"),
        one("s5"),
    )
    by = {c.what: c for c in line_up(r).classifications}
    label = by["label"]
    assert (label.n, label.abstained, label.outside, label.accuracy) == (5, 1, 1, 0.4)
    assert label.labels["psoriasis"].f1 == pytest.approx(2 * 0.4 / 1.4, abs=1e-6)
    assert label.as_3mdbench is not None
    assert (label.as_3mdbench.n, label.as_3mdbench.dropped) == (3, 2)
    assert label.as_3mdbench.accuracy == pytest.approx(2 / 3, abs=1e-6)
    assert by["condition"].n == 6
    assert {(f.gold, f.answered, f.n) for f in by["condition"].confusion} == {
        ("psoriasis", "psoriasis", 2), ("psoriasis", "eczema", 1), ("psoriasis", "(none)", 1),
        ("psoriasis", "(other)", 1), ("angina", "angina", 1),
    }  # fmt: skip
    assert ("routine", "self_care", 1) in {(f.gold, f.answered, f.n) for f in by["urgency"].confusion}


def test_calibration_and_course_come_from_the_transcripts(store: Store) -> None:
    found = line_up(reported(store, one("s0", p=0.95), one("s1", p=0.85, top="reflux"), one("s2", p=None)))
    c = found.calibration
    assert c is not None
    assert (c.n, c.of) == (2, 3)
    assert c.ece == pytest.approx((0.05 + 0.85) / 2)
    first, second = found.course
    assert (first.n, first.trust, first.belief) == (3, 0.5, 0.2)
    assert (second.trust, second.anxiety, second.belief) == (0.7, 0.2, 0.2)


def test_epochs_by_hand(store: Store) -> None:
    ends = {"s0": ("angina", "angina"), "s1": ("angina", "reflux")}
    r = reported(store, *(one(s, epoch=e, top=top) for s, tops in ends.items() for e, top in enumerate(tops)))
    found = line_up(r).repeats
    assert found is not None
    assert [found.pass_hat_k[k].mean for k in (1, 2)] == [0.75, 0.5]
    assert found.flip_rate.mean == 0.5
    assert r.design.epochs == 2


def test_a_temperament_is_compared_on_the_same_cells(store: Store) -> None:
    made = [one(f"s{n}", inquiry__coverage=0.5 + n / 100) for n in range(12)]
    made += [one(f"s{n}", "choleric", inquiry__coverage=0.3 + n / 100 + n % 3 / 50) for n in range(10)]
    r = reported(store, *made)
    t = next(t for t in r.temperaments if t.score == "inquiry.coverage")
    assert (t.persona, t.base, t.difference.pairs, t.difference.verdict) == ("choleric", "neutral", 10, "worse")
    assert t.difference.mean == pytest.approx(-0.2 + np.mean([n % 3 / 50 for n in range(10)]), abs=1e-6)
    same = next(t for t in r.temperaments if t.score == "diagnosis.top1")
    assert same.difference.verdict == "not told apart"


def test_a_dose_has_the_slope_that_it_was_given(store: Store) -> None:
    grades = {"neutral": 0.0, "choleric@0.25": 0.25, "choleric@0.5": 0.5, "choleric": 1.0, "sanguine": 1.0}
    made = [
        one(f"s{n}", persona, communication__trust=0.8 - 0.4 * grade + n / 100)
        for n in range(8)
        for persona, grade in grades.items()
    ]
    r = reported(store, *made)
    assert {d.temperament for d in r.doses} == {"choleric"}
    d = next(d for d in r.doses if d.score == "communication.trust")
    assert d.grades == (0, 0.25, 0.5, 1)
    assert d.slope.mean == pytest.approx(-0.4)
    assert (d.slope.verdict, d.slope.pairs, d.slope.scenarios) == ("worse", 32, 8)


def test_families_of_maque(store: Store) -> None:
    made = [one(f"s{n}", p, top=t) for n, t in enumerate(("angina", "reflux")) for p in ("neutral",)]
    made += [one("s0", "choleric", top="reflux"), one("s0", "sanguine"), one("s1", "choleric", top="reflux", leaks=1)]
    found = {m.family: m.value for m in line_up(reported(store, *made)).maque}
    assert found["robustness"].mean == pytest.approx(0.5)
    assert found["adherence"].mean == pytest.approx(4 / 5)


def test_what_is_worth_reading(store: Store) -> None:
    made = [one("s0", epoch=e, top="reflux" if e == 3 else "angina", diagnosis__log_score=-e) for e in range(6)]
    made += [one("s1", top="reflux", diagnosis__log_score=-13.8)]
    found = [(n.kind, n.scenario, n.epoch) for n in reported(store, *made).notable]
    assert found == [("worst", "s1", 0), ("worst", "s0", 3), ("surprising", "s0", 3)]


def test_a_cell_that_was_run_again_counts_once(store: Store) -> None:
    r = reported(store, one(version="a", top="reflux"), one(version="b"))
    assert (r.counts.consultations, r.design.superseded) == (1, 1)
    assert line_up(r).scores["diagnosis.top1"].mean == 1


def test_line_ups_that_share_an_inquirer_are_named_by_what_differs(store: Store) -> None:
    r = reported(store, one(), one(agents={"triage": "none"}, version="b"), one(inquirer="curt"))
    assert {x.name for x in r.line_ups} == {"reference+triage=none", "reference+triage=reference", "curt"}


def test_line_ups_that_the_plan_names_go_by_that(store: Store) -> None:
    named = [{"name": "no rules", "triage": "reference:no-rules"}, {"name": "plain", "inquirer": "reference"}]
    made = [one(), one(agents={"triage": "reference:no-rules"}, version="b"), one(inquirer="curt")]
    r = reported(store, *made, line_ups=named)
    assert [x.name for x in r.line_ups] == ["no rules", "plain", "curt"]


def test_the_names_of_a_plan_are_those_of_every_form(store: Store, tmp_path: Path) -> None:
    """Two line-ups that share an inquirer, really played: summary, Markdown, page, JSON, CSV and comparison say the plan's names."""
    team = (LineUpOf(name="with rules"), LineUpOf(name="no rules", triage="reference:no-inquiry"))
    plan = Plan(name="r", scenarios=("scaly_elbows", "worst_monday"), line_ups=team, max_turns=1, max_orders=0)
    assert {d.status for d in execute(plan, setups(plan), store)} == {"done"}
    names = ["with rules", "no rules"]
    assert [x["name"] for x in json.loads(consult(tmp_path, "report", "r", "--json").stdout)["line_ups"]] == names
    for words in ((), ("--md", "-"), ("--html", "-")):
        page = consult(tmp_path, "report", "r", *words).stdout
        assert [n for n in names if n not in page] == [], words
        assert "triage=reference" not in page
    rows = list(csv.DictReader(io.StringIO(consult(tmp_path, "report", "r", "--csv", "-").stdout)))
    assert {(row["line_up"], row["triage"]) for row in rows} == {(x.name, x.triage or "reference") for x in team}
    told = consult(tmp_path, "compare", "r:with rules", ":no rules").stdout
    assert told.startswith("A: r:with rules, 2 consultations, 0 without a partner\nB: r:no rules, 2 ")


def test_line_ups_stand_in_the_order_of_the_plan(store: Store) -> None:
    r = reported(store, one(inquirer="aa"), one(inquirer="random"), one(), inquirer=["reference", "random", "aa"])
    assert [x.name for x in r.line_ups] == ["reference", "random", "aa"]


def test_rows_with_other_scores_do_not_get_those_of_their_neighbours(store: Store) -> None:
    keep(store, "r", [one("s0", inquiry__coverage=0.1), one("s1"), one("s2", inquiry__relevance=0.2)])
    table = read_table(store, "r")
    assert np.isnan(table.scores["inquiry.coverage"]).tolist() == [False, True, True]
    assert np.isnan(table.scores["inquiry.relevance"]).tolist() == [True, True, False]


def test_a_run_that_is_not_there_or_empty(store: Store) -> None:
    store.ensure_run("empty", {})
    with pytest.raises(UsageError, match=r"^RUN: there is no run 'x' \(mend: one of: empty\)$"):
        report(store, "x")
    with pytest.raises(UsageError, match="holds no consultation"):
        report(store, "empty")


def test_the_table_of_scores_is_that_of_the_docs_and_of_the_scorers() -> None:
    lines = (ROOT / "transcripts").rglob("*.jsonl")
    text = next(iter(sorted(lines))).read_text("utf-8")
    events = [json.loads(line) for line in text.splitlines()]
    written = {e["name"]: e["unit"] for e in events if e["type"] == "score"}
    assert list(written) == list(MEASURES)
    assert written == {name: m.unit for name, m in MEASURES.items()}
    assert set(HEADLINE) <= set(MEASURES)
    page = (ROOT / "docs" / "scoring.md").read_text("utf-8")
    said = re.findall(r"^\| `(\w+\.\w+)`[^|]*\|[^|]*\|[^|]*\| (high|low|–|0) \|", page, re.MULTILINE)
    assert len(said) > 30
    better = {"high": "high", "low": "low", "–": "", "0": ""}
    assert [(name, MEASURES[name].better) for name, _ in said] == [(name, better[word]) for name, word in said]


def small(store: Store) -> None:
    made = [
        one(f"s{n}", persona, inquirer, epoch=e, inquiry__coverage=0.1 * n, top="angina" if n else "reflux")
        for n in range(3)
        for persona in ("neutral", "choleric")
        for inquirer in ("reference", "curt|<script>")
        for e in range(2)
    ]
    keep(store, "small", made)


def consult(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--db", str(tmp_path / "r.db")], prog_name="consult")


def test_markdown_is_one_table_after_another_and_nothing_breaks_out(store: Store) -> None:
    small(store)
    page = to_markdown(report(store, "small"))
    tables = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    assert len(tables) > 20
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
    assert "<script>" not in page.replace("\\<script>", "")


def test_markdown_has_words_for_conditions_and_departments(store: Store) -> None:
    small(store)
    made = report(store, "small")
    ids = {g.name for g in made.groups if g.by in ("condition", "department")} | {n.top for n in made.notable if n.top}
    page = to_markdown(made, lambda identifier: f"the words for {identifier[::-1]}")
    for identifier in ids:
        assert f"the words for {identifier[::-1]}".replace("_", "\\_") in page
        assert identifier.replace("_", "\\_") not in page


def test_json_is_what_its_schema_says(store: Store, tmp_path: Path) -> None:
    small(store)
    for words, kind in (
        (["report", "small"], "report"),
        (["compare", "small:reference", ":curt|<script>"], "comparison"),
    ):
        done = consult(tmp_path, *words, "--json")
        assert done.exit_code == 0, done.output
        schema = json.loads(CliRunner().invoke(cli, ["schema", kind]).stdout)
        jsonschema.validate(json.loads(done.stdout), schema)


def test_the_summary_names_every_line_up(store: Store, tmp_path: Path) -> None:
    small(store)
    done = consult(tmp_path, "report", "small")
    assert done.exit_code == 0
    assert "Run small: 24 consultations of 3 scenarios, 2 personas, 2 line-ups, 2 epochs" in done.stdout
    assert "Note: There are only 3 scenarios" in done.stdout
    assert {"diagnosis.top1", "reference", "curt|<script>"} <= set(done.stdout.split())


def test_rows_are_tidy_and_go_into_a_frame(store: Store) -> None:
    small(store)
    frame = pd.DataFrame(tidy(store, "small"))
    assert list(frame.columns) == [*COLUMNS, *MEASURES]
    assert frame.groupby("scenario")["diagnosis.top1"].mean().to_dict() == {"s0": 0, "s1": 1, "s2": 1}


def test_csv_runs_nothing_in_a_spreadsheet(store: Store) -> None:
    keep(
        store,
        "r",
        [one("s0", top="=cmd|' /C calc'!A0"), one("s1", top="+1"), one("s2", top="@x", inquiry__coverage=-0.5)],
    )
    out = io.StringIO()
    assert write_csv(tidy(store, "r"), out) == 3
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [row["top"][0] for row in rows] == ["'", "'", "'"]
    assert rows[2]["inquiry.coverage"] == "-0.5"
    assert rows[0]["inquiry.coverage"] == ""


def test_csv_to_a_file_and_to_stdout_is_the_same(store: Store, tmp_path: Path) -> None:
    small(store)
    assert consult(tmp_path, "report", "small", "--csv", str(tmp_path / "x.csv")).exit_code == 0
    assert (tmp_path / "x.csv").read_text("utf-8") == consult(tmp_path, "report", "small", "--csv", "-").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "x"], "RUN: there is no run 'x' (mend: one of: small)"),
        (["report", "small", "--md", "-", "--json"], "only one can go to stdout"),
        (["report", "small", "--csv", "nowhere/x.csv"], "--csv: nowhere/x.csv cannot be written"),
        (["report", "small", "--md", "nowhere/x.md"], "--md: nowhere/x.md cannot be written"),
        (["compare", "small", "x"], "A: the run 'small' has several line-ups"),
        (["compare", "small:reference", "small:x"], "B: the run 'small' has no line-up 'x'"),
        (["compare", "small:reference", ":reference"], "is the same as A"),
    ],
)
def test_bad_input_is_one_line(store: Store, tmp_path: Path, words: list[str], said: str) -> None:
    small(store)
    done = consult(tmp_path, *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_p_value_is_never_0() -> None:
    assert [p_value(p) for p in (None, 0.0, 0.0004, 0.04)] == ["–", "< 0.001", "< 0.001", "0.040"]
