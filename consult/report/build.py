"""The report of a run: reads it once into columns, looks into a sample of its transcripts, and says what they come to.

The one function `report`; what each part means stands in `model`. Prints nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import Final

import numpy as np

from consult.agents.llm.spec import PREFIX, parse
from consult.report import answers, effects, peek
from consult.report.estimates import PROPORTION, as_estimate, counts, estimate, estimates, ratio
from consult.report.line_ups import plan_of
from consult.report.measures import headline as headline_of
from consult.report.model import Audit, By, Design, Estimate, Group, LineUp, Maque, Report
from consult.report.notable import notable
from consult.report.peek import Gold
from consult.report.table import Table, read_table
from consult.store.db import Store
from consult.terms import Urgency

FEW: Final = 20
"""Scenarios below which an interval is a rough guess; said in the notes."""
_TOP1: Final = "diagnosis.top1"


def report(store: Store, run: str, *, version: int | None = None) -> Report:
    """What the run came to. `version`: of the scorers; None: the latest that scored each consultation.

    Raises UsageError if there is no such run or version or nothing in it, StoreError.
    """
    plan = plan_of(store, run)
    table = read_table(store, run, version=version)
    headline = headline_of(table.scores)
    parts = {name: table.select(table.of("line_up", name)) for name in table.present("line_up")}
    peeked = {name: peek.peek(store, part, peek.SAMPLE // len(parts), version) for name, part in parts.items()}
    golds, guessed = peek.golds(store, table, {s: g for p in peeked.values() for s, g in p.golds.items()})
    names = answers.Names(table)
    line_ups = tuple(_line_up(name, part, peeked[name], golds, names, headline) for name, part in parts.items())
    whole = counts(table)
    audit = _audit(store, table, whole.audited, whole.at_fault)
    made = Report(
        run=run,
        consult=version_of_consult(),
        scorers=scorers_of(store, run, version),
        design=_design(table, plan),
        counts=whole,
        headline=headline,
        line_ups=line_ups,
        groups=(*_groups(parts, golds, headline), *_strategies(table, headline)),
        temperaments=tuple(t for n, part in parts.items() for t in effects.temperaments(part, n, headline)),
        doses=tuple(d for n, part in parts.items() for d in effects.doses(part, n, headline)),
        audit=audit,
        failures=peek.failures(store, table),
        notable=tuple(n for name, part in parts.items() for n in notable(part, name)),
        notes=(),
    )
    return made.model_copy(update={"notes": tuple(_notes(made, guessed, names.unknown))})


def version_of_consult() -> str:
    """The version that makes the report."""
    try:
        return metadata.version("consult")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "(not installed)"


def scorers_of(store: Store, run: str, version: int | None = None) -> tuple[str, ...]:
    """The scorers (a hash of their sources; empty: unknown) behind the scores that count in the run."""
    there = store.scorings(run)
    return tuple(s["scorers"] for s in there if (s["latest"] if version is None else s["version"] == version))


def _line_up(
    name: str,
    part: Table,
    peeked: peek.Peeked,
    golds: Mapping[str, Gold],
    names: answers.Names,
    headline: Sequence[str],
) -> LineUp:
    all_scores = estimates(part, tuple(part.scores))
    made = counts(part)
    lacking = {s: e.missing for s, e in all_scores.items()}
    return LineUp(
        name=name,
        agents=part.agents[name],
        counts=made,
        scores=all_scores,
        without_faults=estimates(part.select(part.numbers["clean"] != 0), tuple(headline)),
        missing=peeked.missing(lacking),
        maque=tuple(_maque(part, all_scores)),
        classifications=answers.classifications(part, names, golds),
        calibration=answers.calibrated(peeked, made.judged),
        repeats=answers.repeated(part),
        course=peeked.course,
        course_of=peeked.followed,
        looked_into=peeked.n,
        taken=peeked.models.taken,
        agreed=peeked.models.agreed,
        matched=peeked.models.matched,
        itself=dict(sorted(peeked.models.itself.items())),
    )


def _groups(parts: Mapping[str, Table], golds: Mapping[str, Gold], headline: tuple[str, ...]) -> Iterator[Group]:
    ways: tuple[tuple[By, str], ...] = (
        ("persona", "persona"),
        ("condition", "gold"),
        ("department", "department"),
        ("urgency", "urgency"),
    )
    placed = {name: _placed(part, golds) for name, part in parts.items()}
    for by, column in ways:
        shown = next(iter(placed.values())).names[column]
        for name in shown:
            for line_up, part in placed.items():
                chosen = part.select(part.of(column, name))
                if len(chosen):
                    scores = estimates(chosen, headline)
                    yield Group(by=by, name=name, line_up=line_up, counts=counts(chosen), scores=scores)


def _strategies(table: Table, headline: tuple[str, ...]) -> Iterator[Group]:
    """By the strategies of inquirers that are models, each model apart; nothing where there is but one strategy."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, agents in table.agents.items():
        if (spec := agents.get("inquirer", "")).startswith(PREFIX):
            said = parse("inquirer", spec)
            found.setdefault((said.strategy, said.model), []).append(name)
    if len({strategy for strategy, _ in found}) < 2:
        return
    for (strategy, model), names in sorted(found.items()):
        chosen = table.select(np.logical_or.reduce([table.of("line_up", name) for name in names]))
        scores = estimates(chosen, headline)
        yield Group(by="strategy", name=strategy, line_up=model, counts=counts(chosen), scores=scores)


def _placed(part: Table, golds: Mapping[str, Gold]) -> Table:
    """The table with columns for the gold's department and urgency."""
    departments = tuple(sorted({g.department for g in golds.values()}))
    urgencies = tuple(str(u) for u in Urgency)
    scenarios = part.names["scenario"]
    places = np.full((len(scenarios), 2), -1, dtype=np.intp)
    number = {name: n for n, name in enumerate(departments)}
    for n, scenario in enumerate(scenarios):
        if scenario in golds:
            gold = golds[scenario]
            places[n] = number[gold.department], urgencies.index(gold.urgency)
    codes = part.codes["scenario"]
    return replace(
        part,
        codes=part.codes | {"department": places[codes, 0], "urgency": places[codes, 1]},
        names=part.names | {"department": departments, "urgency": urgencies},
    )


_MAQUE: Final = (
    ("coverage", "inquiry.coverage"),
    ("relevance", "inquiry.relevance"),
    ("efficiency", "inquiry.new_facts_per_turn"),
    ("clarity", "communication.jargon"),
    ("empathy", "communication.empathy"),
)
"""The families that are one score here; robustness and adherence are made below."""


def _maque(part: Table, scores: Mapping[str, Estimate]) -> Iterator[Maque]:
    for family, score in _MAQUE:
        if score in scores:
            yield Maque(family=family, score=score, value=scores[score])
    robust = _robustness(part)
    if robust is not None:
        yield robust
    clean = part.numbers["clean"]
    if not np.isnan(clean).all():
        value = estimate(clean, part.codes["scenario"], PROPORTION)
        yield Maque(family="adherence", score="share of consultations without a fault of the patient", value=value)


def _robustness(part: Table) -> Maque | None:
    """Accuracy under the other personas over accuracy under the base, on the scenarios that are there under both."""
    base = effects.base_of(part)
    right = part.scores.get(_TOP1)
    if base is None or right is None:
        return None
    there, plain = ~np.isnan(right), part.of("persona", base)
    size = len(part.names["scenario"])
    means = []
    for mask in (there & ~plain, there & plain):
        codes = part.codes["scenario"][mask]
        with np.errstate(invalid="ignore"):  # a scenario that is not there
            means.append(np.bincount(codes, right[mask], size) / np.bincount(codes, minlength=size))
    both = ~(np.isnan(means[0]) | np.isnan(means[1]))
    if not both.any() or not means[1][both].any():
        return None
    value = as_estimate(ratio(means[0][both], means[1][both]), n=int(there.sum()))
    return Maque(family="robustness", score=f"{_TOP1} under the other personas / under {base}", value=value)


def _audit(store: Store, table: Table, audited: int, at_fault: int) -> Audit:
    faults, breaches = peek.faults(store, table)
    share = estimate(1 - table.numbers["clean"], table.codes["scenario"], PROPORTION)
    return Audit(audited=audited, at_fault=at_fault, share=share, breaches=breaches, faults=faults)


def _design(table: Table, plan: Mapping[str, object]) -> Design:
    epochs = np.unique(table.numbers["epoch"])
    return Design(
        consultations=len(table),
        scenarios=len(table.present("scenario")),
        line_ups=table.present("line_up"),
        personas=table.present("persona"),
        epochs=len(epochs),
        seeds=tuple(sorted(int(s) for s in table.present("seed")))[:20],
        hospitals=table.present("hospital"),
        knowledges=table.present("knowledge"),
        conditions=len(table.present("gold")),
        superseded=table.superseded,
        plan={k: v for k, v in plan.items() if k != "content"},
    )


def _notes(r: Report, guessed: int, unknown: Sequence[str]) -> Iterator[str]:
    """What a reader must know first."""
    d, c = r.design, r.counts
    if c.failed:
        yield f"{c.failed} of {c.consultations} consultations failed around the doctor: they have no scores and are no wrong answers."
    broken = c.stop_reasons.get("model_error", 0)
    if broken:
        yield f"{broken} consultations ended because the doctor's model failed; they count as wrong answers."
    if c.at_fault:
        yield (
            f"In {c.at_fault} of {c.audited} audited consultations the simulated patient was at fault; the means include them, and "
            "the headline is shown without them too."
        )
    if d.scenarios < FEW:
        yield f"There are only {d.scenarios} scenarios: intervals are clustered by scenario and rough with so few."
    if len(r.scorers) > 1:
        yield f"The scores were made by {len(r.scorers)} versions of the scorers: the means mix them."
    if d.superseded:
        yield f"{d.superseded} consultations of cells that were run again from changed content are not counted."
    itself: Counter[str] = Counter()
    for line_up in r.line_ups:
        itself.update(line_up.itself)
    for who, n in itself.items():
        yield f"The same model: the judge {who} in {n} of the consultations that were looked into, so it judged itself."
    for line_up in r.line_ups:
        if line_up.looked_into < line_up.counts.consultations:
            yield (
                f"{line_up.name}: calibration, reasons for missing scores, what models took and how judges agree are from {line_up.looked_into} of "
                f"{line_up.counts.consultations} transcripts, evenly spread."
            )
    if guessed:
        yield f"The departments and urgencies of {guessed} scenarios are those of their condition in the knowledge."
    for name in unknown:
        yield f"The knowledge {name} cannot be read here: no labels of 3MDBench."
