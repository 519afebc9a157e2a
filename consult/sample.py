"""New scenarios drawn from a knowledge: a condition, a patient it may befall, and what that patient shows.

The generative model is the one that `consult.knowledge.belief` inverts: prevalence, complaint, then every finding by its
probability, details only under what they describe. Sample i of a seed is the same however many are drawn. Imports no
agents and no simulation.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from consult.errors import UsageError
from consult.hospital import load_hospital
from consult.knowledge.belief import Known, belief
from consult.knowledge.model import Condition, Finding, FindingKind, Knowledge, Source
from consult.language.lexicon import suits
from consult.scenario import Fact, Gold, OrderResult, Patient, Release, Scenario, Speaker, State
from consult.seeds import rng
from consult.terms import Sex

LIFE: Final = 95
"""Years: ages are drawn below this, and an open age band ends here (or ten years after its start if that is later)."""
MUST_ASK: Final = 8
NEAREST: Final = 3
SPEAKS_FROM: Final = 12
"""Years; a parent speaks for younger patients."""
TRUST: Final = 0.55
"""Trust from which a sensitive fact is told."""
_FLOOR: Final = 1e-4
_RULES: Final = (Release.VOLUNTEERED, Release.ON_TOPIC, Release.DIRECT)
_NEAR: Final = (0.25, 0.4, 0.35)
"""How facts of the complaint's own topic are released (ours, after the built-in scenarios)."""
_FAR: Final = (0.1, 0.35, 0.55)
"""The same for other topics."""
_ORDER: Final = (Release.OPENING, *_RULES, Release.SENSITIVE)

Drawn = dict[str, tuple[str, ...]]
"""Present findings with their values."""


def sample(n: int, seed: int, knowledge: Knowledge) -> Iterator[Scenario]:
    """`n` scenarios. Raises UsageError where no condition of the knowledge can befall anyone or show itself."""
    weights = [_weight(c) for c in knowledge.conditions]
    if not any(weights):
        raise UsageError(f"sample: no condition of {knowledge.id} has a prevalence (mend: give `prevalence:` weights)")
    for i in range(n):
        yield _one(i, seed, knowledge, weights)


def _one(i: int, seed: int, k: Knowledge, weights: list[float]) -> Scenario:
    r = rng(seed, i)
    c = r.choices(k.conditions, weights)[0]
    patient = _patient(c, r)
    draw = _Draw(k, c, patient, r)
    complaint = draw.complaint()
    draw.findings(complaint)
    if complaint is None:
        complaint = draw.complaint_among_present()
    facts = [*draw.history(complaint), *draw.revealed()]
    return Scenario(
        id=f"sample_{seed}_{i}",
        title=f"Sampled patient {i}: {patient.age:g} years, {patient.sex.value}",
        tags=("sampled",),
        knowledge=k.id,
        source=f"Sampled from the knowledge {k.id} with seed {seed}. {k.source}".strip(),
        patient=patient,
        closed_world=True,
        facts=tuple(facts),
        orders=tuple(draw.results()),
        gold=_gold(k, c, patient, facts, complaint),
    )


def _bands(c: Condition) -> list[tuple[int, int, float]]:
    """(first year, last year, factor) of each age band; one of all ages where there is none."""
    out = []
    for band, factor in c.prevalence.ages.items():
        low, _, high = band.rstrip("+").partition("-")
        open_end = max(int(low) + 9, LIFE - 1) if band.endswith("+") else int(low)
        out.append((int(low), min(int(high) if high else open_end, 120), factor))
    return [b for b in out if b[0] <= b[1]] or [(0, LIFE - 1, 1.0)]


def _weight(c: Condition) -> float:
    """Prevalence summed over ages (years count alike) and sexes: the chance of the condition in a random patient."""
    years = sum((high - low + 1) * factor for low, high, factor in _bands(c))
    return c.prevalence.weight * years * sum(c.prevalence.sex.get(s, 1.0) for s in Sex)


def _patient(c: Condition, r: random.Random) -> Patient:
    bands = _bands(c)
    low, high, _ = r.choices(bands, [(b[1] - b[0] + 1) * b[2] for b in bands])[0]
    age = r.randint(low, high)
    sex = r.choices(list(Sex), [c.prevalence.sex.get(s, 1.0) for s in Sex])[0]
    return Patient(age=age, sex=sex, speaker=Speaker.PARENT if age < SPEAKS_FROM else Speaker.SELF)


def _probability(c: Condition, f: Finding) -> float:
    """P(present), the parent being so, of a binary finding."""
    p = c.findings.get(f.id, f.background)
    return p if isinstance(p, float | int) else 0.0


def _table(c: Condition, f: Finding) -> dict[str, float]:
    """P(value) of a valued finding, the parent being so."""
    p = c.findings.get(f.id, f.background)
    if isinstance(p, dict):
        return {v: p.get(v, 0.0) for v in f.value_ids}
    return dict.fromkeys(f.value_ids, 1 / len(f.values) if f.kind is FindingKind.CATEGORICAL else p)


@dataclass(slots=True)
class _Draw:
    """One patient's findings while they are drawn."""

    k: Knowledge
    c: Condition
    patient: Patient
    r: random.Random
    present: Drawn = field(default_factory=dict)

    def suits(self, f: Finding) -> bool:
        """Whether the finding, and all that it describes, makes sense for this patient."""
        parent = self.k.finding[f.parent] if f.parent is not None else None
        return suits(f, self.patient.age, self.patient.sex) and (parent is None or self.suits(parent))

    def _above(self, finding: str) -> list[str]:
        """What a finding describes, nearest first."""
        parent = self.k.finding[finding].parent
        return [] if parent is None else [parent, *self._above(parent)]

    def complaint(self) -> str | None:
        """What the patient comes with, where the condition says what its patients come with."""
        choices = {f: p for f, p in self.c.complaint.items() if p > 0 and self._can_open(self.k.finding[f])}
        return self.r.choices(list(choices), list(choices.values()))[0] if choices else None

    def _can_open(self, f: Finding) -> bool:
        return f.source is Source.HISTORY and f.kind is not FindingKind.TEXT and self.suits(f)

    def findings(self, complaint: str | None) -> None:
        """Draw every finding, what is described before its details; the complaint and what it describes are so."""
        sure = {complaint, *self._above(complaint)} if complaint is not None else set()
        waiting = list(self.k.findings)
        done: set[str] = set()
        while waiting:
            ready = [f for f in waiting if f.parent is None or f.parent in done]
            for f in ready:
                self._finding(f, sure=f.id in sure)
                done.add(f.id)
            waiting = [f for f in waiting if f.id not in done]

    def _finding(self, f: Finding, *, sure: bool) -> None:
        possible = self.suits(f) and (f.parent is None or f.parent in self.present)
        if f.kind is FindingKind.TEXT or not possible:
            return
        if not f.values:
            if self.r.random() < _probability(self.c, f) or sure:
                self.present[f.id] = ()
            return
        values = self._values(f, sure=sure)
        if values:
            self.present[f.id] = values

    def _values(self, f: Finding, *, sure: bool) -> tuple[str, ...]:
        table = _table(self.c, f)
        if f.kind is FindingKind.CATEGORICAL:
            weights = list(table.values())
            return (self.r.choices(list(table), weights if any(weights) else None)[0],)
        if f.none is not None and self.r.random() < table.pop(f.none):
            return (f.none,)
        named = tuple(v for v, p in table.items() if self.r.random() < p)
        if not named and (sure or f.none is not None):  # not "none", so something: the likeliest
            named = (max(table, key=lambda v: table[v]),)
        return named

    def complaint_among_present(self) -> str:
        """A complaint for a condition that does not say: a present symptom that it lists, by its probability."""
        listed = {
            f.id: max(_probability(self.c, f), _FLOOR)
            for f in (self.k.finding[name] for name in self.c.findings)
            if f.kind is FindingKind.BINARY and self._can_open(f)
        }
        here = {f: p for f, p in listed.items() if f in self.present}
        if here:
            return self.r.choices(list(here), list(here.values()))[0]
        if not listed:
            raise UsageError(
                f"sample: {self.c.id} lists no history finding that suits a {self.patient.sex} of {self.patient.age:g}"
                " (mend: list one under its `findings:`, or narrow its `prevalence:`)"
            )
        chosen = self.r.choices(list(listed), list(listed.values()))[0]
        for name in (chosen, *self._above(chosen)):
            f = self.k.finding[name]
            if name not in self.present:
                self.present[name] = self._values(f, sure=True) if f.values else ()
        return chosen

    def history(self, complaint: str) -> list[Fact]:
        """What the patient can tell: all that is so, and what the condition lists or dreads and is not so."""
        rules = dict.fromkeys((complaint, *self._above(complaint)), Release.OPENING)
        expected = {*self.c.findings, *(flag.partition("=")[0] for flag in self.c.red_flags)}
        out = []
        for f in self.k.findings:
            if f.source is not Source.HISTORY:
                continue
            if f.id in self.present:
                rule = self._release(f, rules, self.k.finding[complaint].topic)
                trust = {"trust": TRUST} if rule is Release.SENSITIVE else {}
                out.append(Fact(finding=f.id, values=self.present[f.id], release=rule, **trust))
            elif f.id in expected and self._could_be_asked(f):
                out.append(Fact(finding=f.id, state=State.ABSENT))
        return out

    def _could_be_asked(self, f: Finding) -> bool:
        parent_is_so = f.parent is None or f.parent in self.present
        return f.kind is not FindingKind.TEXT and parent_is_so and self.suits(f)

    def _release(self, f: Finding, rules: dict[str, Release], topic: str) -> Release:
        """When a present fact is told: drawn, but a detail never before what it describes."""
        if f.id not in rules:
            drawn = Release.DIRECT
            if self.k.open_questions:
                drawn = self.r.choices(_RULES, _NEAR if f.topic == topic else _FAR)[0]
            if f.sensitive:
                drawn = Release.SENSITIVE
            above = self._release(self.k.finding[f.parent], rules, topic) if f.parent is not None else Release.OPENING
            rules[f.id] = max(drawn, above, key=_ORDER.index)
        return rules[f.id]

    def revealed(self) -> list[Fact]:
        """What only orders tell."""
        out = []
        for name, order in self.k.revealed_by.items():
            f = self.k.finding[name]
            if f.source is Source.HISTORY or f.kind is FindingKind.TEXT or not self.suits(f):
                continue
            state = State.PRESENT if name in self.present else State.ABSENT
            values = self.present.get(name, ())
            out.append(Fact(finding=name, state=state, values=values, release=Release.ORDER_ONLY, order=order))
        return out

    def results(self) -> list[OrderResult]:
        """A report for every order that makes sense for this patient."""
        out = []
        for o in self.k.orders:
            lines = [self._line(self.k.finding[f]) for f in o.reveals if self.suits(self.k.finding[f])]
            if lines:
                out.append(OrderResult(order=o.id, result=" ".join(lines)))
        return out

    def _line(self, f: Finding) -> str:
        name = f.clinical or f.plain
        if f.id not in self.present:
            return (f.absent or f"{name}: no").rstrip(".") + "."
        words = {v.id: v.clinical or v.plain for v in f.values}
        values = ", ".join(words[v] for v in self.present[f.id])
        line = f.present.replace("{value}", values) if f.present else f"{name}: {values or 'yes'}"
        return line.rstrip(".") + "."


def _gold(k: Knowledge, c: Condition, patient: Patient, facts: list[Fact], complaint: str) -> Gold:
    told = {f.finding for f in facts if f.release is not Release.ORDER_ONLY}
    telling = sorted(
        ((_ratio(c, k.finding[f]), f) for f in c.findings if f in told and f != complaint), key=lambda x: (-x[0], x[1])
    )
    return Gold(
        condition=c.id,
        differential=_nearest(k, c, patient, facts, complaint),
        department=load_hospital().for_patient(c.department, patient.age),
        urgency=c.urgency,
        must_ask=tuple(f for _, f in telling[:MUST_ASK]),
        dangers=tuple(flag for flag in c.red_flags if flag.partition("=")[0] in told),
        plan=c.plan,
    )


def _ratio(c: Condition, f: Finding) -> float:
    """The greatest likelihood ratio of any answer: P(answer | condition) / P(answer | a condition not listing it)."""
    if not f.values:
        p = _probability(c, f)
        q = f.background if isinstance(f.background, float | int) else 0.0
        return max(p / max(q, _FLOOR), (1 - p) / max(1 - q, _FLOOR))
    usual = _table(c.model_copy(update={"findings": {}}), f)
    return max(p / max(usual[v], _FLOOR) for v, p in _table(c, f).items())


def _nearest(k: Knowledge, c: Condition, patient: Patient, facts: list[Fact], complaint: str) -> tuple[str, ...]:
    """The conditions a reader of all the facts would believe in next."""
    b = belief(k)
    known = {f.finding: Known(f.state.value, f.values) for f in facts}
    p = b.posterior(known, patient.age, patient.sex, complaint)
    ranked = sorted(zip(-p, b.conditions, strict=True))
    return tuple(name for _, name in ranked if name != c.id)[:NEAREST]
