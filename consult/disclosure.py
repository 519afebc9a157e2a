"""The disclosure law: which fact may be told in answer to which question. Pure; decided here and nowhere else.

Persona and mood may hold a fact back or choose among those admitted; nothing may tell one that is not admitted.
The patient's policy and the audit both ask this module. Must not import knowledge: who calls says what belongs to what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from consult.events import Query
from consult.scenario import Fact, Release, State

Parents = Callable[[str], str | None]


def admits(
    fact: Fact,
    query: Query,
    *,
    trust: float,
    facts: Mapping[str, Fact],
    topic_of: Callable[[str], str],
    parent_of: Parents,
) -> str:
    """The rule that lets `fact` be told in answer to `query` ("" if none does).

    `facts` are the case's by finding; `topic_of` and `parent_of` give a finding's topic and parent finding. A question
    about a detail asks for the thing it belongs to as well; a detail of something sensitive is as sensitive as that,
    for who tells it tells the thing. `trust` is 0..1.
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
    if fact.release is Release.DIRECT or fact.state is not State.PRESENT:
        return ""
    topic = topic_of(fact.finding)
    on_topic = topic in query.topics or any(topic_of(f) == topic for f in query.findings)
    if on_topic:
        return "on_topic"
    if query.open and not query.topics and fact.release in (Release.VOLUNTEERED, Release.OPENING):
        return "volunteered"
    return "opening" if fact.release is Release.OPENING else ""


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
