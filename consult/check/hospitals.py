"""The hospital linter: rules that can fire, guidance for every department, and a place for every condition."""

from __future__ import annotations

from pathlib import Path

from consult.errors import DataError
from consult.files import Faults, Loc
from consult.hospital import Hospital
from consult.knowledge.links import conditions, link_hospital
from consult.knowledge.model import Knowledge, Source


def check_hospital(hospital: Hospital, knowledge: Knowledge | None, path: Path | None = None) -> list[DataError]:
    """Everything wrong with a hospital that loads; without its knowledge what that would decide is left out."""
    faults = Faults(path, f"hospital {hospital.id}")
    _rules(hospital, faults)
    if knowledge is not None:
        link_hospital(hospital, knowledge, faults)
        if not faults.errors:
            _askable(hospital, knowledge, faults)
        _places(hospital, knowledge, faults)
    return faults.errors


def _rules(hospital: Hospital, faults: Faults) -> None:
    for n, d in enumerate(hospital.departments):
        for part in ("must_ask", "danger_signs"):
            if not getattr(d.inquiry, part) and not any(getattr(x, part) for x in d.inquiry.by_complaint):
                what = f"the inquiry rules of {d.id} name no {part.replace('_', ' ')}"
                faults.add(("departments", n, "inquiry"), what, f"add `{part}:`, or to `by_complaint:`")
        for m, y in enumerate(d.inquiry.by_complaint):
            if not y.must_ask and not y.danger_signs:
                place: Loc = ("departments", n, "inquiry", "by_complaint", m)
                faults.add(place, f"an entry of {d.id} asks nothing", "add `must_ask:` or `danger_signs:`")
        own = {d.id, *(s.id for s in d.secondary)}
        for m, x in enumerate(d.inquiry.discriminators):
            if x.against == d.id or (len(own) == 2 and x.against in own):
                at = ("departments", n, "inquiry", "discriminators", m, "against")
                faults.add(at, f"tells {d.id} from itself", "name a neighbour")
    for n, h in enumerate(hospital.hard_rules):
        if h.to is None and h.urgency is None and not h.ask_first:
            faults.add(("hard_rules", n), f"the rule {h.id} does nothing", "add `to:`, `urgency:` or `ask_first:`")
    for where, when in conditions(hospital):
        if when.min_age > when.max_age:
            faults.add((*where, "min_age"), "no age is both above min_age and below max_age", "swap them")
        for spec in {*when.all, *when.any} & set(when.none):
            faults.add((*where, "none"), f"{spec} cannot be both present and absent", "remove one of them")
    _comparisons(hospital, faults)


def _comparisons(hospital: Hospital, faults: Faults) -> None:
    """Pairs that can be in question, and rules that say something new."""
    for n, c in enumerate(hospital.comparisons):
        a, b = c.pair
        if (a in hospital.primary) != (b in hospital.primary):
            what = f"{a} and {b} are not of one level, so they are never the pair in question"
            faults.add(("comparisons", n, "pair"), what, "compare two primary departments or two sub-departments")
        seen: dict[tuple[str, str], str] = {}
        for m, r in enumerate(c.rules):
            same = (r.favours, r.when.model_dump_json())
            if same in seen:
                what = f"the rule {r.id} says what {seen[same]} says"
                faults.add(("comparisons", n, "rules", m), what, "remove one of them")
            seen[same] = r.id
        for side in c.pair:
            if all(r.favours != side for r in c.rules):
                what = f"no rule favours {side}, so it can only lose"
                faults.add(("comparisons", n, "rules"), what, "add a rule for it")


def _askable(hospital: Hospital, knowledge: Knowledge, faults: Faults) -> None:
    """What the inquirer is told to ask must be something that can be asked."""
    for n, d in enumerate(hospital.departments):
        lists: list[tuple[Loc, tuple[str, ...]]] = [(("must_ask",), d.inquiry.must_ask)]
        lists += [(("by_complaint", m, "must_ask"), y.must_ask) for m, y in enumerate(d.inquiry.by_complaint)]
        lists += [(("discriminators", m, "ask"), x.ask) for m, x in enumerate(d.inquiry.discriminators)]
        for where, specs in lists:
            _history(("departments", n, "inquiry", *where), specs, knowledge, faults)
    for n, h in enumerate(hospital.hard_rules):
        _history(("hard_rules", n, "ask_first"), h.ask_first, knowledge, faults)


def _history(where: tuple[str | int, ...], specs: tuple[str, ...], knowledge: Knowledge, faults: Faults) -> None:
    for n, spec in enumerate(specs):
        name, _ = knowledge.spec(spec)
        if knowledge.finding[name].source is not Source.HISTORY:
            what = f"{name} cannot be asked: it comes from an examination or a test"
            faults.add((*where, n), what, "name a finding of the history")


def _places(hospital: Hospital, knowledge: Knowledge, faults: Faults) -> None:
    """Departments of the knowledge's conditions that only the fallback takes, and departments that none leads to."""
    primary = {name for d in hospital.departments for name in (d.id, *d.covers)}
    secondary = {name for d in hospital.departments for s in d.secondary for name in (s.id, *s.covers)}
    homeless: dict[str, str] = {}
    for c in knowledge.conditions:
        if c.department.primary not in primary and c.department.secondary not in secondary:
            homeless.setdefault(f"{c.department.primary}/{c.department.secondary}", c.id)
    for name, condition in homeless.items():
        what = f"no department covers {name} (of {condition}); the fallback would take it"
        faults.add(("departments",), what, "add it to the `covers:` of one")
    _reached(hospital, knowledge, faults)


def _reached(hospital: Hospital, knowledge: Knowledge, faults: Faults) -> None:
    """Every department takes a condition at some age, or says why not."""
    ages = sorted({age for h in hospital.hard_rules for age in (h.when.min_age, h.when.max_age)})
    taken = {hospital.for_patient(c.department, age).secondary for c in knowledge.conditions for age in (*ages, 40.0)}
    taken.add(hospital.fallback.secondary)
    for n, d in enumerate(hospital.departments):
        for m, s in enumerate(d.secondary):
            at = ("departments", n, "secondary", m)
            if s.id not in taken and not s.no_condition:
                what = f"no condition of {knowledge.id} leads to {s.id}"
                faults.add(at, what, "add to its `covers:`, or say why in `no_condition:`")
            elif s.id in taken and s.no_condition:
                faults.add((*at, "no_condition"), f"conditions lead to {s.id}", "remove `no_condition:`")
