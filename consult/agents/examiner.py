"""The examiner: answers orders from the scenario, and from nothing else. Never a model."""

from __future__ import annotations

from collections.abc import Sequence

from consult.clean import clean
from consult.events import Result, Told
from consult.knowledge.model import Finding, FindingKind, Knowledge, OrderType
from consult.knowledge.per_object import per_object
from consult.language.lexicon import suits
from consult.language.tokens import Tokens, tokens
from consult.scenario import Fact, Scenario, State
from consult.seeds import rng


def examine(order: str, scenario: Scenario, knowledge: Knowledge, done: Sequence[str], seed: int) -> Result:
    """The result of an order given by id or in words; `done` are the orders placed before."""
    kind = find_order(order, knowledge)
    if kind is None:
        return Result(order=clean(order, limit=200), status="unknown_order", text="This is not available here.")
    if kind.id in done:
        return Result(order=kind.id, status="repeated", text="This has been done already; see the result above.")
    recorded = next((r for r in scenario.orders if r.order == kind.id), None)
    if recorded is not None:
        facts = [f for f in scenario.facts if f.order == kind.id]
        return Result(
            order=kind.id,
            status="recorded",
            text=clean(recorded.result),
            told=tuple(_told(f) for f in facts),
            cost=recorded.cost if recorded.cost is not None else kind.cost,
            delay=recorded.delay if recorded.delay is not None else kind.delay,
            invasiveness=recorded.invasiveness if recorded.invasiveness is not None else kind.invasiveness,
        )
    if scenario.unrecorded_orders == "not_done":
        return Result(order=kind.id, status="not_done", text=f"{kind.name}: not done in this case; no result.")
    return _synthesised(kind, scenario, knowledge, seed)


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
