"""Comparisons: pairs, tests and sentences on runs made by hand, and the known groups on consultations really played."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from report_world import keep, one

from consult import Store, compare
from consult.batch import Plan, execute, setups
from consult.cli.main import cli
from consult.errors import UsageError
from consult.events import StopReason
from consult.report import Comparison
from consult.report.comparison import Compared


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "c.db") as opened:
        yield opened


def of(c: Comparison, score: str) -> Compared:
    return next(s for s in c.scores if s.score == score)


def test_pairs_are_cells_and_what_has_no_partner_is_counted(store: Store) -> None:
    keep(store, "a", [one(f"s{n}", inquiry__coverage=0.4) for n in range(8)])
    keep(store, "b", [one(f"s{n}", inquirer="curt", inquiry__coverage=0.4 + n / 100) for n in range(2, 11)])
    c = compare(store, "a", "b")
    assert (c.pairs, c.scenarios, c.a.unpaired, c.b.unpaired, c.by_seed) == (6, 6, 2, 3, True)
    found = of(c, "inquiry.coverage")
    assert found.difference is not None
    assert (found.a, found.b) == pytest.approx((0.4, 0.445))
    assert found.difference.mean == pytest.approx(0.045)


def test_better_worse_and_not_told_apart_go_by_the_sense_of_the_score(store: Store) -> None:
    def rows(inquirer: str, gain: float) -> list[object]:
        return [
            one(
                f"s{n}", inquirer=inquirer, inquiry__coverage=0.4 + gain + n % 3 / 50 * gain, inquiry__repeats=2 - gain * (2 + n % 2),
                inquiry__questions=9 + gain * (1 + n % 2), inquiry__relevance=0.5 + (gain if n % 2 else -gain) / 10,
            )
            for n in range(20)
        ]  # fmt: skip

    keep(store, "r", [*rows("x", 0.0), *rows("y", 0.3)])  # type: ignore[list-item]
    c = compare(store, "r:x", ":y")
    verdicts = {s.score: s.difference.verdict for s in c.scores if s.difference}
    assert verdicts["inquiry.coverage"] == "better"
    assert verdicts["inquiry.repeats"] == "better"
    assert verdicts["inquiry.questions"] == "higher"
    assert verdicts["inquiry.relevance"] == "not told apart"
    assert verdicts["diagnosis.top1"] == "not told apart"
    back = {s.score: s.difference.verdict for s in compare(store, "r:y", ":x").scores if s.difference}
    assert (back["inquiry.coverage"], back["inquiry.repeats"], back["inquiry.questions"]) == ("worse", "worse", "lower")
    assert of(c, "inquiry.coverage").sentence.startswith("inquiry.coverage: B is better than A (+0.306, 95 % interval ")
    assert "or more would probably have shown" in of(c, "inquiry.relevance").sentence


def test_p_is_corrected_over_its_family(store: Store) -> None:
    from statsmodels.stats.multitest import multipletests

    scores = ("inquiry__coverage", "inquiry__relevance", "inquiry__efficiency")
    made = [
        one(f"s{n}", inquirer=who, **{s: 0.5 + up * (0.02 * k + (n * (k + 1)) % 7 / 40) for k, s in enumerate(scores)})
        for n in range(20)
        for who, up in (("x", 0), ("y", 1))
    ]
    keep(store, "r", made)
    found = [of(compare(store, "r:x", "r:y"), s.replace("__", ".")).difference for s in scores]
    adjusted = multipletests([d.p for d in found if d], method="holm")[1]
    assert [d.adjusted for d in found if d] == pytest.approx(adjusted, abs=2e-6)


def test_too_few_scenarios_prove_nothing(store: Store) -> None:
    made = [one(f"s{n}", inquirer=who, inquiry__coverage=v) for n in range(3) for who, v in (("x", 0.1), ("y", 0.9))]
    keep(store, "r", made)
    d = of(compare(store, "r:x", "r:y"), "inquiry.coverage").difference
    assert d is not None
    assert (d.p, d.verdict) == (0.25, "not told apart")


def test_failures_are_no_pairs(store: Store) -> None:
    made = [one(f"s{n}") for n in range(3)]
    failed = [one(f"s{n}", inquirer="y", stop=StopReason.CANCELLED if n else StopReason.CONCLUDED) for n in range(3)]
    keep(store, "r", [*made, *failed])
    c = compare(store, "r:reference", ":y")
    d = of(c, "diagnosis.top1").difference
    assert d is not None
    assert (c.pairs, c.b.failed, d.pairs) == (3, 2, 1)


def test_a_score_that_no_pair_has(store: Store) -> None:
    keep(store, "r", [one(inquiry__coverage=0.1), one(inquirer="y", inquiry__coverage="none")])
    found = of(compare(store, "r:reference", ":y"), "inquiry.coverage")
    assert found.difference is None
    assert found.sentence == "inquiry.coverage: no pair has it on both sides."


def test_other_seeds_are_paired_by_cell_and_said(store: Store) -> None:
    keep(store, "a", [one(f"s{n}", epoch=e) for n in range(3) for e in range(2)])
    keep(store, "b", [one(f"s{n}", epoch=e, seed=1) for n in range(3) for e in range(2)], seed=1)
    c = compare(store, "a", "b")
    assert (c.pairs, c.by_seed) == (6, False)
    assert any("seeds are others" in note for note in c.notes)


def test_what_else_differs_is_said(store: Store) -> None:
    keep(store, "a", [one("s0", leaks=1)], max_turns=4)
    keep(store, "b", [one("s0", inquirer="y", hospital="community", gold="psoriasis")], hospital="community")
    notes = " ".join(compare(store, "a", "b").notes)
    assert "The hospital is another: general with A, community with B." in notes
    assert "The plans differ in max_turns: 4 with A, the default with B." in notes
    assert "1 pair have another gold answer" in notes
    assert "at fault in 1 of A's and 0 of B's" in notes


def test_nothing_that_pairs_is_refused(store: Store) -> None:
    keep(store, "a", [one("s0")])
    keep(store, "b", [one("s1", inquirer="y")])
    with pytest.raises(UsageError, match="nothing pairs: no scenario, persona and epoch is on both sides"):
        compare(store, "a", "b")


def test_other_versions_of_the_scorers_are_refused_unless_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keep(store, "a", [one("s0")])
    monkeypatch.setattr("consult.store.versions.scorers", lambda: "0123456789abcdef")
    keep(store, "b", [one("s0", inquirer="y")])
    words = ["compare", "a", "b", "--db", str(tmp_path / "c.db")]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2
    assert "scored by other versions of the scorers" in done.stderr
    assert done.stderr.count("\n") == 1
    allowed = CliRunner().invoke(cli, [*words, "--across-versions", "--json"])
    assert "different versions of the scorers" in json.loads(allowed.stdout)["notes"][0]


def test_names_with_colons_are_told_apart(store: Store) -> None:
    keep(store, "a:b", [one("s0", inquirer="llm:x:y"), one("s0")])
    keep(store, "a", [one("s0", inquirer="z")])
    c = compare(store, "a:b:llm:x:y", "a")
    assert (c.a.run, c.a.line_up, c.b.run, c.b.line_up) == ("a:b", "llm:x:y", "a", "z")


CASES = (
    "indigestion_at_the_wheel", "worst_monday", "burning_band", "same_old_back", "scratched_creases", "night_ward_sister",
    "scaly_elbows", "throat_before_exams", "a_smokers_winter", "up_before_the_bakery", "flu_among_the_roses",
    "the_heat_and_the_garden",
)  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Twelve scenarios under the neutral persona: a reference, three controls known to be worse, and the reference again."""
    with Store(tmp_path_factory.mktemp("known") / "known.db") as store:
        for plan in (
            Plan(name="groups", scenarios=CASES, inquirer=("reference", "checklist", "random", "curt"), max_turns=5),
            Plan(name="again", scenarios=CASES, seed=1, max_turns=5),
        ):
            assert {d.status for d in execute(plan, setups(plan), store)} == {"done"}
        yield store


@pytest.mark.parametrize(
    ("worse", "better", "scores"),
    [
        ("random", "checklist", ("inquiry.coverage", "inquiry.relevance")),
        ("random", "curt", ("inquiry.coverage", "inquiry.relevance")),
        (
            "curt",
            "reference",
            ("communication.composite", "communication.trust", "safety.safety_net"),
        ),
    ],
)
def test_known_groups_stand_in_order(played: Store, worse: str, better: str, scores: tuple[str, ...]) -> None:
    c = compare(played, f"groups:{worse}", f":{better}")
    assert {s: d.verdict for s in scores if (d := of(c, s).difference)} == dict.fromkeys(scores, "better")
    assert [
        s.score for s in c.scores if s.score == "diagnosis.top1" and s.difference and s.difference.verdict == "worse"
    ] == []


def test_the_reference_is_not_told_apart_from_itself(played: Store) -> None:
    c = compare(played, "groups:reference", "again")
    assert c.pairs == 12
    assert {s.difference.verdict for s in c.scores if s.difference} == {"not told apart"}
