"""How much the questions told, against the best that could have been asked at each turn.

Owns `inquiry.information`, `.efficiency` and `.order_information`; all *ours*, see docs/scoring.md. The consultation is
heard again with the belief of the knowledge, whoever asked: what it is worth is how much nearer it brings the gold.
Must not import agents, sim, store or llm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from consult.disclosure import admits
from consult.events import (
    Concluded,
    Event,
    Hinted,
    MoodChange,
    Ordered,
    Query,
    Question,
    Referred,
    Result,
    Scored,
    Told,
    Utterance,
)
from consult.knowledge.belief import Array, Known, belief
from consult.knowledge.model import Finding, FindingKind
from consult.scenario import Fact
from consult.score.base import Case

NOTHING: Final = 0.01
"""Bits; where all that could still be told would have told less, there is nothing to be efficient about."""
WORTH_NAMING: Final = 0.1
"""Bits missed in a turn from which the better question is named."""
_WORST: Final = 3
"""Turns that are named."""
_HEARD: Final = ("present", "absent", "not_noticed")


@dataclass(slots=True)
class Turn:
    """A question that was answered, in bits towards the gold condition."""

    question: Question
    better: tuple[tuple[str, float], ...]
    """The findings that single questions could have brought out and that would have told most, with their bits."""
    gained: float = 0.0
    hinted: bool = False
    """Whether a hint had named the topic: what the question told is not to the doctor's credit (ours)."""

    @property
    def best(self) -> float:
        """What the best of them would have told; 0 if none would have told anything."""
        return self.better[0][1] if self.better else 0.0

    @property
    def used(self) -> float:
        """The part of the best that was had; a question may tell more than it (several facts), or mislead."""
        return 0.0 if self.hinted else min(max(self.gained, 0.0), self.best)


def scores(case: Case) -> Iterable[Scored]:
    """The three scores, in a fixed order."""
    replay = None if case.void else Replay.of(case)
    if replay is None:
        why = "the knowledge does not hold the gold condition"
        for name, unit in (("information", "bits"), ("efficiency", "share"), ("order_information", "bits")):
            yield case.score(f"inquiry.{name}", None, unit, (), why)
        return
    turns = replay.turns
    gained = sum(t.gained for t in turns) if turns else None
    telling = [t.question.seq for t in turns if t.gained > NOTHING]
    why = "" if turns else "no question was answered"
    yield case.score("inquiry.information", gained, "bits", telling, why)
    yield _efficiency(case, turns)
    ordered = replay.ordered if case.results else None
    seqs = [r.seq for r in case.results]
    yield case.score("inquiry.order_information", ordered, "bits", seqs, "" if seqs else "no order was placed")


def _efficiency(case: Case, turns: Sequence[Turn]) -> Scored:
    best = sum(t.best for t in turns)
    if best < NOTHING:
        why = "nothing that the patient could still tell would have told more" if turns else "no question was answered"
        return case.score("inquiry.efficiency", None, "share", (), why)
    worst = better_asked(turns)
    plain = case.knowledge.finding
    named = "; ".join(f"turn {t.question.turn}: {plain[name].plain} ({bits:.1f} bits)" for t, name, bits in worst)
    value = sum(t.used for t in turns) / best
    return case.score("inquiry.efficiency", value, "share", (t.question.seq for t, _, _ in worst), named)


def better_asked(turns: Iterable[Turn]) -> list[tuple[Turn, str, float]]:
    """The turns at which most was missed, in their order: what had better been asked, and the bits it was better by.

    No finding is named twice: a question that is never asked stays the best one for the rest of the consultation.
    """
    options = [(round(bits - t.used, 9), t, name) for t in turns for name, bits in t.better]
    found: dict[str, tuple[Turn, str, float]] = {}
    for missed, t, name in sorted(options, key=lambda o: (-o[0], o[1].question.seq, o[2])):
        if missed >= WORTH_NAMING and len(found) < _WORST and all(t is not other for other, _, _ in found.values()):
            found.setdefault(name, (t, name, missed))
    return sorted(found.values(), key=lambda o: o[0].question.seq)


class Replay:
    """Hears a consultation again, from what the patient is recorded to have told, and keeps count of the bits."""

    def __init__(self, case: Case, gold: NDArray[np.intp]) -> None:
        self.turns: list[Turn] = []
        self.ordered = 0.0
        """Bits that orders told."""
        self._belief = belief(case.knowledge)
        self._finding = case.knowledge.finding
        self._facts = case.scenario.by_finding
        self._gold = gold
        self._known: dict[str, Known] = {}
        self._complaint: str | None = None
        self._log_p = self._belief.log_prior(case.scenario.patient.age, case.scenario.patient.sex)
        self._bits = float(self._towards(self._log_p))
        self._asked: Question | None = None
        self._answering = False
        self._hinted = self._told_what_to_ask = False
        self._trust = 1.0  # a transcript without moods holds nothing back
        self._obtainable = {n: f for n, f in case.obtainable.items() if _carries_bits(self._finding.get(n))}
        self._free = frozenset(n for n, f in self._obtainable.items() if self._admitted(f, 0.0))
        """What is told whatever the trust."""
        self._rows: dict[str, Array] = {}
        """What the answers not given yet would add to the logarithm of the belief."""
        self._children: dict[str, list[str]] = {}
        for name in self._obtainable:
            self._children.setdefault(self._finding[name].parent or "", []).append(name)
        for e in case.events:
            self._hear(e)

    @classmethod
    def of(cls, case: Case) -> Replay | None:
        """The replay of a case; None if its knowledge does not hold the gold."""
        index = belief(case.knowledge).index
        accepted = sorted({index[c] for c in case.verdict.accepted if c in index})
        return cls(case, np.array(accepted, dtype=np.intp)) if case.scenario.gold.condition in index else None

    def _hear(self, e: Event) -> None:
        if isinstance(e, Question):
            self._asked, self._answering = e, False
            self._hinted, self._told_what_to_ask = self._told_what_to_ask, False
        elif isinstance(e, Hinted):
            self._told_what_to_ask = True
        elif isinstance(e, MoodChange):
            self._trust = e.trust
        elif isinstance(e, Utterance):
            self._answer(e)
        elif isinstance(e, Result):
            self.ordered += self._learn(e.told)
        elif isinstance(e, (Ordered, Concluded, Referred)):
            self._asked = None

    def _answer(self, e: Utterance) -> None:
        if e.query is None and self._complaint is None:
            came = (t.finding for t in e.told if t.state == "present")
            self._complaint = next(came, None)
        if self._asked is None:
            self._learn(e.told)
            return
        if not self._answering:
            better = () if "leaves" in e.flags else self._better(e.told)
            self.turns.append(Turn(self._asked, better, hinted=self._hinted))
            self._answering = True
        self.turns[-1].gained += self._learn(e.told)

    def _learn(self, told: Iterable[Told]) -> float:
        """Bits that it brings."""
        new: dict[str, Known] = {}
        for t in told:
            f = self._finding.get(t.finding)
            if f is not None and t.state in _HEARD and not (t.state == "not_noticed" and t.finding in self._known):
                new[t.finding] = Known(t.state, tuple(v for v in t.values if v in f.value_ids))
        if not new:
            return 0.0
        self._log_p = self._log_p + self._evidence(new)
        self._known |= new
        for name in new:  # what an answer says hangs on its parent and its known attributes
            self._rows.pop(self._finding[name].parent or "", None)
            for child in self._children.get(name, ()):
                self._rows.pop(child, None)
        before, self._bits = self._bits, float(self._towards(self._log_p))
        return self._bits - before

    def _evidence(self, new: dict[str, Known]) -> Array:
        """What `new` adds to the logarithm of the belief: itself, and what it changes in its known attributes."""
        after = self._known | new
        touched = [*new, *(f for f in self._known if f not in new and self._finding[f].parent in new)]
        out = np.zeros_like(self._log_p)
        for f in touched:
            out += self._belief.evidence(f, after, self._complaint)
            if f in self._known:
                out -= self._belief.evidence(f, self._known, self._complaint)
        return out

    def _better(self, told: Iterable[Told]) -> tuple[tuple[str, float], ...]:
        """The findings whose questions would have told most now, best first, with their bits."""
        held = {t.finding for t in told if t.state in ("withheld", "unknown")}
        names, rows = [], []
        for name, fact in self._obtainable.items():
            if name not in self._known and name not in held and self._in_reach(fact):
                if name not in self._rows:
                    self._rows[name] = self._evidence({name: Known(fact.state.value, fact.values)})
                names.append(name)
                rows.append(self._rows[name])
        if not rows:
            return ()
        gains = np.round(self._towards(self._log_p + np.array(rows)) - self._bits, 9)
        order = np.argsort(-gains, kind="stable")[:_WORST]  # of equals the first, so that machines agree
        return tuple((names[i], float(gains[i])) for i in order if gains[i] > 0)

    def _in_reach(self, fact: Fact) -> bool:
        """Whether a direct question would be answered with it now; nobody asks what a pain is like before there is one."""
        parent = self._finding[fact.finding].parent
        if parent in self._obtainable and parent not in self._known:
            return False
        return fact.finding in self._free or self._admitted(fact, self._trust)

    def _admitted(self, fact: Fact, trust: float) -> bool:
        query = Query(findings=(fact.finding,))
        return bool(
            admits(
                fact, query, trust=trust, facts=self._facts,
                topic_of=lambda f: f, parent_of=lambda f: self._finding[f].parent, covered_by=lambda _: (),
            )
        )  # fmt: skip

    def _towards(self, log_p: Array) -> Array:
        """log2 P(gold) of unnormalised log beliefs in the last axis."""
        return np.asarray((_log_sum(log_p[..., self._gold]) - _log_sum(log_p)) / log(2))


def _log_sum(a: Array) -> Array:
    top = a.max(axis=-1)
    return np.asarray(top + np.log(np.exp(a - top[..., None]).sum(axis=-1)))


def _carries_bits(f: Finding | None) -> bool:
    return f is not None and f.kind is not FindingKind.TEXT
