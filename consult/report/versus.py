"""Two line-ups on the same cells: paired tests over every score, and a plain sentence for each. Never a ranking.

A side is a run, or a line-up of one: `RUN` or `RUN:LINE_UP`. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from consult.errors import UsageError
from consult.report.build import scorers_of, version_of_consult
from consult.report.comparison import Compared, Comparison, Side
from consult.report.estimates import as_difference, compared, rounded
from consult.report.line_ups import plan_of
from consult.report.measures import Measure, family, headline, in_order, measure
from consult.report.model import Difference
from consult.report.pairing import Pairs, pairs
from consult.report.table import Table, read_table
from consult.stats.paired import ALPHA, holm
from consult.store.db import Store

_ASIDE: Final = ("name", "scenarios", "personas", "inquirer", "line_ups", "epochs", "seed", "budget", "content")
"""What a plan may say otherwise without making its cells others."""
FEW: Final = 20
"""Scenarios below which little can be told apart."""
_UNITS: Final = {"rank": " ranks", "round": " rounds", "turn": " turns"} | dict.fromkeys(
    ("0/1", "share", "0..1", "0..2"), ""
)


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """A side while it is compared."""

    run: str
    line_up: str
    table: Table
    plan: Mapping[str, Any]
    scorers: tuple[str, ...]


def compare(store: Store, a: str, b: str, *, across_versions: bool = False, version: int | None = None) -> Comparison:
    """Compare two sides, `RUN` or `RUN:LINE_UP`; `:LINE_UP` is one of A's run. The difference is B minus A.

    `version`: of the scorers; None: the latest. Raises UsageError if a side is not there, if no cell is on both, or if they were
    scored by different versions of the scorers and `across_versions` does not allow it.
    """
    tables: dict[str, Table] = {}  # the same run is read once
    one = _part(store, a, "A", tables, version)
    two = _part(store, f"{one.run}{b}" if b.startswith(":") else b, "B", tables, version)
    if (one.run, one.line_up) == (two.run, two.line_up):
        raise UsageError(f"B: {b!r} is the same as A (mend: give another run or line-up)")
    if one.scorers != two.scorers and not across_versions:
        what = f"were scored by other versions of the scorers ({_marks(one)} and {_marks(two)})"
        raise UsageError(f"A and B: {what} (mend: `consult score` one of them again, or give --across-versions)")
    met, by_seed = _pairs(one.table, two.table)
    if not len(met.a):
        what = "no scenario, persona and epoch is on both sides"
        raise UsageError(f"A and B: nothing pairs: {what} (mend: run the same scenarios and personas with both)")
    scores = tuple(_scores(one.table, two.table, met))
    return Comparison(
        consult=version_of_consult(),
        a=_side(one, len(one.table) - len(met.a)),
        b=_side(two, len(two.table) - len(met.b)),
        pairs=len(met.a),
        scenarios=len(np.unique(met.scenarios)),
        by_seed=by_seed,
        headline=headline(s.score for s in scores),
        scores=scores,
        notes=tuple(_notes(one, two, met, by_seed=by_seed)),
    )


def _part(store: Store, side: str, which: str, tables: dict[str, Table], version: int | None) -> _Part:
    runs = [r["name"] for r in store.runs()]
    run, line_up = _split(side, runs)
    if run not in runs:
        known = f"one of: {', '.join(runs)}" if runs else "`consult batch --name` makes one"
        raise UsageError(f"{which}: there is no run {run!r} (mend: {known})")
    if run not in tables:
        tables[run] = read_table(store, run, version=version)
    table = tables[run]
    there = table.present("line_up")
    if line_up is None and len(there) > 1:
        raise UsageError(f"{which}: the run {run!r} has several line-ups (mend: one of: {_choices(run, there)})")
    name = line_up if line_up is not None else there[0]
    if name not in there:
        raise UsageError(f"{which}: the run {run!r} has no line-up {name!r} (mend: one of: {_choices(run, there)})")
    return _Part(
        run, name, table.select(table.of("line_up", name)), plan_of(store, run), scorers_of(store, run, version)
    )


def _split(side: str, runs: list[str]) -> tuple[str, str | None]:
    """A run and a line-up; both may have colons in their names, so the longest run that fits is meant."""
    if side in runs:
        return side, None
    fitting = sorted((r for r in runs if side.startswith(f"{r}:")), key=len)
    if fitting:
        return fitting[-1], side[len(fitting[-1]) + 1 :]
    return side.partition(":")[0], None


def _choices(run: str, line_ups: tuple[str, ...]) -> str:
    return ", ".join(f"{run}:{name}" for name in line_ups)


def _marks(part: _Part) -> str:
    return "+".join(version[:8] or "unknown" for version in part.scorers) or "unknown"


def _pairs(a: Table, b: Table) -> tuple[Pairs, bool]:
    """By seed where both have one in common; else two runs with other seeds could not be compared at all."""
    if set(a.present("seed")) & set(b.present("seed")):
        return pairs(a, b, ("persona", "seed")), True
    return pairs(a, b, ("persona",)), False


def _side(part: _Part, unpaired: int) -> Side:
    t = part.table
    return Side(
        run=part.run,
        line_up=part.line_up,
        agents=t.agents[part.line_up],
        consultations=len(t),
        unpaired=unpaired,
        failed=int((~t.judged).sum()),
        at_fault=int((t.numbers["clean"] == 0).sum()),
        scorers=part.scorers,
    )


def _scores(a: Table, b: Table, met: Pairs) -> Iterator[Compared]:
    names = in_order(set(a.scores) & set(b.scores))
    both = a.judged[met.a] & b.judged[met.b]  # failures around the doctor have no scores anyway
    rows = Pairs(met.a[both], met.b[both], met.scenarios[both])
    found = {
        name: compared(a.scores[name][rows.a], b.scores[name][rows.b], rows.scenarios, measure(name)) for name in names
    }
    tested = {name: d for name, d in found.items() if d is not None}
    adjusted = dict(tested)
    for prefix in {family(name) for name in tested}:
        adjusted |= holm({name: d for name, d in tested.items() if family(name) == prefix})
    for name in names:
        what = measure(name)
        difference = as_difference(adjusted[name], what) if name in adjusted else None
        yield Compared(
            score=name,
            family=family(name),
            unit=what.unit,
            better=what.better,
            a=difference.base if difference else None,
            b=rounded(tested[name].b) if difference else None,
            difference=difference,
            sentence=sentence(name, what, difference),
        )


def sentence(score: str, what: Measure, d: Difference | None) -> str:
    """What the difference means, in words: better, worse, or not told apart, and what would have been seen."""
    if d is None:
        return f"{score}: no pair has it on both sides."
    unit = _UNITS.get(what.unit, f" {what.unit}" if what.unit else "")
    on = f"on {_counted(d.pairs, 'pair')} of {_counted(d.scenarios, 'scenario')}"
    within = "" if d.low is None or d.high is None else f", 95 % interval {d.low:+.3g} to {d.high:+.3g}"
    if d.p is None:
        return f"{score}: not told apart; {_counted(d.scenarios, 'scenario')} cannot tell."
    if d.verdict != "not told apart":
        return f"{score}: B is {d.verdict} than A ({d.mean:+.3g}{unit}{within}) {on}."
    why = " once the tests of its family are corrected for" if d.p < ALPHA else ""
    could = f"; {d.smallest:.2g}{unit} or more would probably have shown" if d.smallest else ""
    return f"{score}: not told apart{why} ({d.mean:+.3g}{unit}{within}) {on}{could}."


def _counted(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


def _notes(a: _Part, b: _Part, met: Pairs, *, by_seed: bool) -> Iterator[str]:
    """What a reader must know before the numbers."""
    if a.scorers != b.scorers:
        yield "The sides were scored by different versions of the scorers: a difference may be the scorers'."
    for column in ("hospital", "knowledge"):
        ours, theirs = a.table.present(column), b.table.present(column)
        if ours != theirs:
            yield f"The {column} is another: {', '.join(ours)} with A, {', '.join(theirs)} with B."
    for key in sorted({*a.plan, *b.plan} - {*_ASIDE, "hospital", "knowledge"}):
        if a.plan.get(key) != b.plan.get(key):
            yield f"The plans differ in {key}: {_said(a.plan, key)} with A, {_said(b.plan, key)} with B."
    golds = [t.codes["gold"][rows] for t, rows in ((a.table, met.a), (b.table, met.b))]
    named = [np.array([*t.names["gold"], ""], dtype=object)[g] for t, g in zip((a.table, b.table), golds, strict=True)]
    other = int((named[0] != named[1]).sum())
    if other:
        yield f"{_counted(other, 'pair')} have another gold answer on each side: the scenarios have changed."
    if not by_seed:
        yield "The seeds are others: cells are paired by scenario, persona and epoch, so chance differs within a pair."
    faults = [int((t.numbers["clean"][rows] == 0).sum()) for t, rows in ((a.table, met.a), (b.table, met.b))]
    if any(faults):
        yield f"The simulated patient was at fault in {faults[0]} of A's and {faults[1]} of B's paired consultations."
    if len(np.unique(met.scenarios)) < FEW:
        yield f"There are only {len(np.unique(met.scenarios))} scenarios: little can be told apart with so few."


def _said(plan: Mapping[str, Any], key: str) -> str:
    return repr(plan[key]) if key in plan else "the default"
