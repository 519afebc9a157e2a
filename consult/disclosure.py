"""The disclosure law: which fact may be told in answer to which question. Pure; decided here and nowhere else.

Persona and mood may hold a fact back or choose among those admitted; nothing may tell one that is not admitted.
The patient's policy and the audit both ask this module.
"""

from __future__ import annotations

from collections.abc import Callable

from consult.events import Query
from consult.scenario import Fact, Release, State


def admits(
    fact: Fact, query: Query, *, trust: float, topic_of: Callable[[str], str], parent_of: Callable[[str], str | None]
) -> str:
    """The rule that lets `fact` be told in answer to `query` ("" if none does).

    `topic_of` and `parent_of` give a finding's topic and parent finding. A question about an attribute asks for the
    finding it belongs to as well; `trust` is 0..1.
    """
    if fact.release in (Release.ORDER_ONLY, Release.UNKNOWN):
        return ""
    direct = is_direct(fact.finding, query, parent_of)
    if fact.release is Release.SENSITIVE:
        return "sensitive" if direct and trust >= fact.trust else ""
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


def is_direct(finding: str, query: Query, parent_of: Callable[[str], str | None]) -> bool:
    """Whether the query asks for the finding itself, or for an attribute of it."""
    for asked in query.findings:
        node: str | None = asked
        while node is not None:
            if node == finding:
                return True
            node = parent_of(node)
    return False
