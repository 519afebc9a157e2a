"""The debrief of a finished consultation: reads the transcript, plays one fork, keeps nothing. Deterministic.

Takes about as long as the consultation took with reference agents; no model is asked, whoever played.
"""

from __future__ import annotations

from pathlib import Path

from consult.debrief.better import better
from consult.debrief.missed import missed
from consult.debrief.model import Answer, Debrief, Mark
from consult.debrief.otherwise import otherwise
from consult.debrief.subject import Subject
from consult.debrief.unsaid import unsaid
from consult.debrief.views import views
from consult.events import Ordered, Question, Scored, Stopped, Verdict
from consult.store.summary import last
from consult.store.transcript import Transcript


def debrief(transcript: Transcript, folders: tuple[Path, ...] = ()) -> Debrief:
    """The debrief. `folders`: where the scenario is looked for first.

    Raises UsageError if the consultation is not over, or if what it was played from has changed or is gone.
    """
    s = Subject.of(transcript, folders)
    h, events = transcript.header, transcript.events
    stop = last(events, Stopped)
    weakest = better(s)
    other, why_not = otherwise(s, weakest)
    scores = {e.name: e for e in events if isinstance(e, Scored)}
    return Debrief(
        consultation_id=h.consultation_id,
        scenario=h.scenario,
        persona=h.persona,
        doctor=h.agents.get("inquirer", ""),
        end=stop.reason.value if stop is not None else "",
        questions=sum(isinstance(e, Question) for e in events),
        orders=sum(isinstance(e, Ordered) for e in events),
        answer=_answer(s, last(events, Verdict)),
        marks=tuple(
            Mark(name=e.name, value=e.value, unit=e.unit, reason=s.names.reason(e), cites=s.cites(e.evidence))
            for e in scores.values()
        ),
        missed=missed(s),
        unsaid=unsaid(s),
        views=views(s),
        better=weakest,
        otherwise=other,
        why_not=why_not,
    )


def _answer(s: Subject, v: Verdict | None) -> Answer | None:
    if v is None or s.case.void:
        return None
    urgency = v.triaged_urgency
    return Answer(
        gold=s.name(v.gold),
        named=tuple(s.name(d.condition) if d.condition else d.name for d in v.differential),
        rank=v.rank,
        department=s.place(v.department),
        triaged=s.place(v.triaged) if v.triaged is not None else None,
        urgency=v.urgency.replace("_", " "),
        triaged_urgency=urgency.replace("_", " ") if urgency is not None else None,
    )
