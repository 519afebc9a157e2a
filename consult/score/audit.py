"""The audit of the simulated patient: did it keep the law? Leaks, unreleased facts, inventions, role breaks, early end.

Works from the transcript and the scenario alone: release rules are applied again from the recorded questions and
moods, and every utterance is read again by the guard's eyes. Must not import agents or sim.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from consult.disclosure import admits
from consult.events import Audited, Event, MoodChange, Query, Stopped, StopReason, Told, Utterance
from consult.knowledge.model import Knowledge
from consult.language.guard import breaches
from consult.language.lexicon import suits
from consult.persona import Mood
from consult.scenario import Release, Scenario, State

CALM: Final = 0.5
"""A patient who leaves with less irritation than this has ended too early."""


def audit(events: Iterable[Event], scenario: Scenario, knowledge: Knowledge, mood: Mood) -> Audited:
    """Count the breaches in a transcript; `mood` is the persona's mood at the start."""
    counts = {"leak": 0, "unreleased": 0, "invention": 0, "role_break": 0}
    evidence: set[int] = set()
    before: list[Told] = []
    trust, irritation, early = mood.trust, mood.irritation, False
    for e in events:
        if isinstance(e, MoodChange):
            trust, irritation = e.trust, e.irritation
        elif isinstance(e, Utterance):
            found: list[str] = [f.breach for f in breaches(
                e.text, e.query.findings if e.query else (), e.told, before, scenario, knowledge
            )]  # fmt: skip
            found += [kind for t in e.told if (kind := _unlawful(t, e.query, trust, scenario, knowledge, before))]
            for kind in found:
                counts[kind] += 1
                evidence.add(e.seq)
            before += e.told
        elif isinstance(e, Stopped) and e.reason is StopReason.PATIENT_LEFT and irritation < CALM:
            early = True
            evidence.add(e.seq)
    return Audited(
        leaks=counts["leak"],
        unreleased=counts["unreleased"],
        inventions=counts["invention"],
        role_breaks=counts["role_break"],
        early_end=early,
        evidence=tuple(sorted(evidence)),
    )


def _unlawful(
    t: Told, query: Query | None, trust: float, scenario: Scenario, knowledge: Knowledge, before: Iterable[Told]
) -> str:
    """What is wrong with a fact having been told in answer to `query` (None: at the opening); "" if nothing."""
    if t.state not in ("present", "absent"):
        return ""
    fact = scenario.by_finding.get(t.finding)
    if t.finding not in knowledge.finding:
        return "invention"
    if fact is None:
        patient = scenario.patient
        fits = suits(knowledge.finding[t.finding], patient.age, patient.sex)
        return "" if t.state == "absent" and (scenario.closed_world or not fits) else "invention"
    if fact.state.value != t.state or not set(t.values) <= set(fact.values) or fact.state is State.UNKNOWN:
        return "invention"
    if query is None:
        return "" if fact.release is Release.OPENING else "unreleased"
    rule = admits(
        fact,
        query,
        trust=trust,
        topic_of=lambda f: knowledge.finding[f].topic if f in knowledge.finding else "",
        parent_of=lambda f: knowledge.finding[f].parent if f in knowledge.finding else None,
    )
    if rule or any(b.finding == t.finding and b.state == t.state for b in before):
        return ""
    return "unreleased"
