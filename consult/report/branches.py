"""The branches of a consultation: what was forked from it, what was changed there, and how each of them ended.

Reads the store only. What a branch shares with its parent is found by comparing the two: a header names the parent, not
the turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from consult.errors import UsageError
from consult.events import Actor, Changed, Question, Utterance
from consult.sim.past import GIVEN
from consult.store.db import Store
from consult.store.rows import dialogue
from consult.store.transcript import Transcript

SCORES: Final = ("inquiry.efficiency", "communication.composite")
"""What ends are compared by, beside the diagnosis."""
SAME: Final = "nothing"
_PLAYED: Final = ("persona", "hospital", "seed")


@dataclass(frozen=True)
class Branch:
    """A consultation in the tree."""

    row: Mapping[str, Any]
    """As the store lists it."""
    depth: int
    """Forks between it and the root."""
    after: int | None
    """The last question it shares with its parent; None for the root."""
    changed: str
    """What was played otherwise than in the parent; empty for the root."""

    @property
    def id(self) -> str:
        """The consultation's."""
        return str(self.row["consultation_id"])

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        kept = ("consultation_id", "parent", "scenario", "persona", "inquirer", "hospital", "seed", "stop_reason", "turns",
                "orders", "gold", "top", "rank", "correct", "scores")  # fmt: skip
        place = {"depth": self.depth, "after_turn": self.after, "changed": self.changed}
        return {name: self.row[name] for name in kept} | place


def family(store: Store, consultation: str) -> list[Branch]:
    """The tree that a consultation is part of, each parent before its branches. Raises UsageError if there is none."""
    root = store.get(consultation)
    seen = {root.id}
    while (parent := root.header.parent) is not None and parent not in seen:
        try:
            root = store.get(parent)
        except UsageError:
            break  # removed, or never in this store: the tree begins below it
        seen.add(root.id)
    row = next(iter(store.each(id=root.id, scores=SCORES)))
    return [Branch(row, 0, None, ""), *_below(store, root, 1, {root.id})]


def _below(store: Store, parent: Transcript, depth: int, seen: set[str]) -> Iterator[Branch]:
    for row in store.consultations(parent=parent.id, scores=SCORES):
        child = row["consultation_id"]
        if child in seen:  # a file from elsewhere may name itself
            continue
        seen.add(child)
        transcript = store.get(child)
        yield Branch(row, depth, shared(parent, transcript), changed(parent, transcript))
        yield from _below(store, transcript, depth + 1, seen)


def shared(one: Transcript, other: Transcript) -> int:
    """The last question that both have, with the same answer; 0 where that is none. What triage made of it may differ."""
    both = zip(*([e for e in dialogue(t) if e.actor is not Actor.TRIAGE] for t in (one, other)), strict=False)
    same = [a for a, b in takewhile(lambda pair: pair[0] == pair[1], both)]
    answers = (
        sum(isinstance(e, Utterance) for e in same) - 1
    )  # the first one is the opening, and there may be a last word
    return max(0, min(answers, sum(isinstance(e, Question) for e in same)))


def changed(parent: Transcript, child: Transcript) -> str:
    """What was played otherwise, in words."""
    old, new = parent.header, child.header
    parts = [f"{name} {getattr(new, name)}" for name in _PLAYED if getattr(new, name) != getattr(old, name)]
    parts += [f"{role} {spec}" for role, spec in new.agents.items() if old.agents.get(role) != spec]
    parts += [f"{name.replace('_', ' ')} {n}" for name, n in new.limits.items() if old.limits.get(name) != n]
    known, results = (
        [e.now for e in t.events if isinstance(e, Changed) and e.what == "result"] for t in (parent, child)
    )
    parts += [f"result {result}" for result in results if result not in known]
    at = shared(parent, child) + 1
    put = next((e for e in child.events if isinstance(e, Question) and e.turn == at and e.rationale == GIVEN), None)
    return ", ".join([*parts, *([f"“{put.text}”"] if put is not None else [])]) or SAME
