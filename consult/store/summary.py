"""What a consultation came to, as plain data: the object that `consult run --json` prints.

Pure: reads events, never graph state, and knows no database. What could not be had is null with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from consult.events import (
    Audited,
    Concluded,
    Ordered,
    Question,
    Referred,
    Scored,
    Stopped,
    StopReason,
    Used,
    Verdict,
)
from consult.files import Record
from consult.store.transcript import Transcript
from consult.terms import Department, Urgency

E = TypeVar("E", bound=Record)


def summary(transcript: Transcript) -> dict[str, Any]:
    """The consultation as one plain object, the fields of the design in their order."""
    header, events = transcript.header, transcript.events
    stop = last(events, Stopped)
    verdict = last(events, Verdict)
    return {
        "consultation_id": header.consultation_id,
        "scenario": header.scenario,
        "persona": header.persona,
        "agents": dict(header.agents),
        "seed": header.seed,
        "stop_reason": str(stop.reason) if stop else None,
        **({"stop_detail": stop.detail} if stop and stop.detail else {}),
        "turns": sum(isinstance(e, Question) for e in events),
        "orders": sum(isinstance(e, Ordered) for e in events),
        "diagnosis": _diagnosis(verdict, stop, transcript),
        "triage": _triage(verdict),
        "scores": {e.name: score(e) for e in events if isinstance(e, Scored)},
        "audit": _audit(last(events, Audited)),
        "usage": usage(transcript),
    }


def last(events: Iterable[Any], kind: type[E]) -> E | None:
    """The last event of a kind, or None."""
    found: E | None = None
    for event in events:
        if isinstance(event, kind):
            found = event
    return found


def score(event: Scored) -> dict[str, Any]:
    """One score as {value, unit, evidence}, with its reason where the value is null."""
    out: dict[str, Any] = {"value": event.value, "unit": event.unit, "evidence": list(event.evidence)}
    if event.value is None or event.reason:
        out["reason"] = event.reason or "not given"
    return out


def _diagnosis(verdict: Verdict | None, stop: Stopped | None, transcript: Transcript) -> dict[str, Any]:
    if verdict is None:
        return _unjudged(transcript)
    why = "" if stop is None or stop.reason.clinical else f"not judged: {_stop(stop)}"
    why = why or verdict.unsettled  # a failure around the doctor is no wrong diagnosis
    differential = [
        {"condition": d.condition or d.name, "icd10": d.icd10, "probability": d.probability}
        for d in verdict.differential
    ]
    out = {
        "gold": verdict.gold,
        "top": verdict.top,
        "differential": differential,
        "correct": None if why else verdict.rank == 1,
        "rank": None if why else verdict.rank,
    }
    return out | {"reason": why} if why else out


def _unjudged(transcript: Transcript) -> dict[str, Any]:
    end = last(transcript.events, Concluded) or last(transcript.events, Referred)
    named = [d.model_dump(mode="json") for d in end.differential] if end else []
    return {
        "gold": None,
        "top": named[0]["condition"] if named else None,
        "differential": named,
        "correct": None,
        "rank": None,
        "reason": f"not judged: {_stop(last(transcript.events, Stopped))}",
    }


def _stop(stop: Stopped | None) -> str:
    return str(stop.reason) if stop else "the transcript has no end"


def _triage(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        keys = ("gold", "primary", "secondary", "urgency", "correct_primary", "correct_secondary", "urgency_error")
        return dict.fromkeys(keys) | {"reason": "not judged"}
    said = verdict.triaged
    return {
        "gold": _place(verdict.department) | {"urgency": str(verdict.urgency)},
        "primary": said.primary if said else None,
        "secondary": said.secondary if said else None,
        "urgency": str(verdict.triaged_urgency) if verdict.triaged_urgency else None,
        "correct_primary": said.primary == verdict.department.primary if said else None,
        "correct_secondary": said == verdict.department if said else None,
        "urgency_error": urgency_error(verdict.triaged_urgency, verdict.urgency),
    }


def _place(department: Department) -> dict[str, str]:
    return {"primary": department.primary, "secondary": department.secondary}


def urgency_error(said: Urgency | None, right: Urgency) -> int | None:
    """Levels between what was said and what is right: above 0 too late, below 0 too soon."""
    return None if said is None else said.level - right.level


def _audit(event: Audited | None) -> dict[str, Any] | None:
    if event is None:
        return None
    fields = event.model_dump(mode="json", exclude={"seq", "turn", "actor", "type"})
    return {"clean": event.clean, **fields}


def usage(transcript: Transcript) -> dict[str, Any]:
    """What the models of a consultation took: calls, tokens and cost, in all and by role; null where that is not known."""
    used = [e for e in transcript.events if isinstance(e, Used)]
    after = ("assessor", "matcher")  # who may not be asked
    played = (spec for role, spec in transcript.header.agents.items() if role not in after)
    if not used and any(spec.startswith("llm:") for spec in played):
        return {"calls": None, "tokens": None, "cost": None, "roles": {}, "reason": "the transcript does not say"}
    costs = [e.cost for e in used]
    return {
        "calls": sum(e.calls for e in used),
        "tokens": _sum(e.tokens for e in used if e.calls),
        "cost": round(_sum(costs) or 0.0, 6) if None not in costs else None,
        "roles": {e.role: {"calls": e.calls, "tokens": e.tokens, "cost": e.cost} for e in used},
    }


def _sum(values: Iterable[Any]) -> Any:
    """The sum; None if any is not known."""
    known = list(values)
    return None if None in known else sum(known)


def failed(stop_reason: str | None) -> bool:
    """Whether a stop reason means that the consultation failed (exit code 3), rather than ended."""
    return stop_reason in (StopReason.MODEL_ERROR, StopReason.INFRASTRUCTURE_ERROR)
