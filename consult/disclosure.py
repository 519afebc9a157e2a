"""The disclosure law: which fact may be told in answer to which question. Pure; decided here and nowhere else.

Persona and mood may hold a fact back or choose among those admitted; nothing may tell one that is not admitted.
The patient's policy and the audit both ask this module. Must not import knowledge: who calls says what belongs to what.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from consult.events import Query
from consult.scenario import Fact, Release, State

Parents = Callable[[str], str | None]
Covers = Callable[[str], Collection[str]]
AT_HAND: Final = (Release.OPENING, Release.VOLUNTEERED, Release.ON_TOPIC)
"""Rules of what comes to the tongue without being asked for by name, the readiest first."""


def admits(
    fact: Fact,
    query: Query,
    *,
    trust: float,
    facts: Mapping[str, Fact],
    topic_of: Callable[[str], str],
    parent_of: Parents,
    covered_by: Covers,
) -> str:
    """The rule that lets `fact` be told in answer to `query` ("" if none does).

    `facts` are the case's by finding; `topic_of` and `parent_of` give a finding's topic and parent finding, `covered_by`
    those for which it asks in general. A question about a detail asks for the thing it belongs to as well; a detail of
    something sensitive is as sensitive as that, for who tells it tells the thing. `trust` is 0..1.
    """
    if fact.release in (Release.ORDER_ONLY, Release.UNKNOWN):
        return ""
    above = (facts.get(f) for f in ancestors(fact.finding, parent_of))
    kept = [f for f in (fact, *above) if f is not None and f.release is Release.SENSITIVE]
    direct = is_direct(fact.finding, query, parent_of)
    if kept:
        return "sensitive" if direct and all(trust >= f.trust for f in kept) else ""
    if direct:
        return "direct"
    if fact.state is not State.PRESENT:
        return ""
    general = [g for f in query.findings if fact.finding in (g := covered_by(f))]
    if fact.release is Release.DIRECT:
        return "in_general" if any(_only_so(g, facts) for g in general) else ""
    topic = topic_of(fact.finding)
    if general or topic in query.topics or any(topic_of(f) == topic for f in query.findings):
        return "on_topic"
    if query.open and not query.topics and fact.release in (Release.VOLUNTEERED, Release.OPENING):
        return "volunteered"
    return "opening" if fact.release is Release.OPENING else ""


def _only_so(covered: Collection[str], facts: Mapping[str, Fact]) -> bool:
    """Whether nothing of a group is at hand, so that who keeps back what must be asked for would deny it all."""
    there = (facts[f] for f in covered if f in facts)
    return not any(f.state is State.PRESENT and f.release in AT_HAND for f in there)


def at_opening(facts: Iterable[Fact], parent_of: Parents) -> dict[str, str]:
    """The findings that the first words tell, each with its rule: the opening facts, and what they belong to.

    "It itches" tells that there is a rash, whatever the rash's own rule: `implied`.
    """
    known = {f.finding: f for f in facts}
    out = {
        f.finding: "opening" for f in known.values() if f.release is Release.OPENING and f.state is not State.UNKNOWN
    }
    for finding in list(out):
        if known[finding].state is State.PRESENT:
            for above in ancestors(finding, parent_of):
                if above in known and known[above].state is State.PRESENT:
                    out.setdefault(above, "implied")
    return out


def ancestors(finding: str, parent_of: Parents) -> Iterator[str]:
    """The findings that one belongs to, nearest first."""
    node = parent_of(finding)
    while node is not None:
        yield node
        node = parent_of(node)


def is_direct(finding: str, query: Query, parent_of: Parents) -> bool:
    """Whether the query asks for the finding itself, or for a detail of it."""
    return any(asked == finding or finding in ancestors(asked, parent_of) for asked in query.findings)
