"""The examiner: answers orders from the scenario, and from nothing else. Never a model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from consult.clean import clean, one_line
from consult.errors import UsageError
from consult.events import Result, Told
from consult.knowledge.model import Finding, FindingKind, Knowledge, OrderType
from consult.knowledge.per_object import per_object
from consult.language.lexicon import suits
from consult.language.tokens import Tokens, tokens
from consult.scenario import Fact, OrderResult, Scenario, State
from consult.seeds import rng
from consult.settings import MAX_TEXT


def examine(
    order: str,
    scenario: Scenario,
    knowledge: Knowledge,
    done: Sequence[str],
    seed: int,
    instead: Mapping[str, Result] | None = None,
) -> Result:
    """The result of an order given by id or in words; `done` are the orders placed before.

    `instead`: results that stand in for the case's own, see `overridden`.
    """
    kind = find_order(order, knowledge)
    if kind is None:
        return Result(order=clean(order, limit=200), status="unknown_order", text="This is not available here.")
    if kind.id in done:
        return Result(order=kind.id, status="repeated", text="This has been done already; see the result above.")
    if instead and kind.id in instead:
        return instead[kind.id]
    recorded = next((r for r in scenario.orders if r.order == kind.id), None)
    if recorded is not None:
        facts = [f for f in scenario.facts if f.order == kind.id]
        return Result(
            order=kind.id,
            status="recorded",
            text=clean(recorded.result),
            told=tuple(_told(f) for f in facts),
            **_burden(kind, recorded),
        )
    if scenario.unrecorded_orders == "not_done":
        return Result(order=kind.id, status="not_done", text=f"{kind.name}: not done in this case; no result.")
    return _synthesised(kind, scenario, knowledge, seed)


def _burden(kind: OrderType, recorded: OrderResult | None) -> dict[str, Any]:
    """Cost, delay and invasiveness: the case's, else those of the kind."""
    names = ("cost", "delay", "invasiveness")
    own = {name: getattr(recorded, name, None) for name in names}
    return {name: own[name] if own[name] is not None else getattr(kind, name) for name in names}


_LIKE: Final = 3
"""Orders that are named to somebody whose words name none; below, how alike their spelling is, 0..1 (both ours)."""
_ALIKE: Final = 0.6
_FINDING: Final = re.compile(r"/(-?)([a-z][a-z0-9_.]*)(?:=([a-z0-9_,]+))?$")


def overridden(given: str, scenario: Scenario, knowledge: Knowledge) -> Result:
    """The result that `ORDER=TEXT/FINDING…` stands for: an order by id or in words, the report, what it tells.

    A finding is `/finding`, `/finding=value,value`, or `/-finding` where it is absent; a slash in the text has a space
    behind it or no finding's name. Raises UsageError.
    """
    name, equals, text = given.partition("=")
    kind = find_order(name.strip(), knowledge)
    if not equals or kind is None:
        raise UsageError(
            f"--result: {one_line(name, limit=80)!r} is no order (mend: ORDER=TEXT, for example ecg=normal)"
        )
    told: list[Told] = []
    while (m := _FINDING.search(text)) is not None:
        told.insert(0, _claimed(m[2], tuple(m[3].split(",")) if m[3] else (), knowledge, absent=bool(m[1])))
        text = text[: m.start()]
    if not text.strip():
        raise UsageError(f"--result: {kind.id} has no text (mend: {kind.id}=TEXT)")
    recorded = next((r for r in scenario.orders if r.order == kind.id), None)
    return Result(
        order=kind.id, status="overridden", text=clean(text.strip(), limit=MAX_TEXT), told=tuple(told),
        **_burden(kind, recorded),
    )  # fmt: skip


def _claimed(name: str, values: tuple[str, ...], knowledge: Knowledge, *, absent: bool) -> Told:
    finding = knowledge.finding.get(name)
    if finding is None:
        raise UsageError(
            f"--result: there is no finding {name!r} (mend: a space behind a slash that is part of the text)"
        )
    known = [v.id for v in finding.values]
    if strange := next((v for v in values if v not in known), None):
        raise UsageError(f"--result: {name} has no value {strange!r} (mend: one of {', '.join(known) or 'none'})")
    return Told(fact=name, finding=name, state="absent" if absent else "present", values=values, rule="overridden")


def find_order(text: str, knowledge: Knowledge) -> OrderType | None:
    """The order of that id, name or synonym; or the one whose name stands in the text, the longest first."""
    if text in knowledge.order:
        return knowledge.order[text]
    names, toks = _names(knowledge), tokens(text)
    hit = names.get(toks)
    if hit is None:
        inside = [n for n in names if any(toks[i : i + len(n)] == n for i in range(len(toks) - len(n) + 1))]
        hit = names[max(inside, key=len)] if inside else None
    return knowledge.order[hit] if hit is not None else None


def orders_like(text: str, knowledge: Knowledge) -> list[str]:
    """The names of a few orders near to words that name none: those that share the most words with them, then by spelling."""
    toks = tokens(text)

    def near(words: Tokens) -> tuple[int, float]:
        return len({*toks} & {*words}), SequenceMatcher(None, " ".join(toks), " ".join(words)).ratio()

    found = {words: how for words in _names(knowledge) if (how := near(words))[0] or how[1] >= _ALIKE}
    ranked = sorted(found, key=lambda words: (*(-x for x in found[words]), words))
    return [knowledge.order[i].name for i in dict.fromkeys(_names(knowledge)[words] for words in ranked)][:_LIKE]


def _index(knowledge: Knowledge) -> dict[Tokens, str]:
    out: dict[Tokens, str] = {}
    for o in knowledge.orders:
        for words in (o.id.replace("_", " "), o.name, *o.synonyms):
            if tokens(words):
                out.setdefault(tokens(words), o.id)
    return out


_names = per_object(_index)


def _told(fact: Fact) -> Told:
    state = "present" if fact.state is State.PRESENT else "absent"
    return Told(fact=fact.id, finding=fact.finding, state=state, values=fact.values, rule="order_only")


def _synthesised(kind: OrderType, scenario: Scenario, knowledge: Knowledge, seed: int) -> Result:
    """A result drawn from the background rates of its findings: what a person without them shows. Flagged as such."""
    chance = rng(seed, "synthesised", kind.id)
    told: list[Told] = []
    lines: list[str] = []
    for f_id in kind.reveals:
        f = knowledge.finding[f_id]
        if f_id in scenario.by_finding or not suits(f, scenario.patient.age, scenario.patient.sex):
            continue
        if f.kind is FindingKind.BINARY and isinstance(f.background, float):
            present = chance.random() < f.background
            told.append(Told(fact=f_id, finding=f_id, state="present" if present else "absent", rule="synthesised"))
            lines.append(report(f, present=present))
    text = "; ".join(lines) or "no abnormality"
    return Result(
        order=kind.id, status="synthesised", text=f"{text}.", told=tuple(told), cost=kind.cost, delay=kind.delay,
        invasiveness=kind.invasiveness,
    )  # fmt: skip


def report(f: Finding, *, present: bool) -> str:
    """A report line for an examination or test finding."""
    if present:
        return f.present or f.clinical or f.plain
    return f.absent or f"no {f.clinical or f.plain}"
