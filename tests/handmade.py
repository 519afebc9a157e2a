"""A small consultation made by hand, for tests of what reads transcripts: store, show, command line."""

from __future__ import annotations

from typing import Any

from consult.actions import Diagnosis
from consult.events import (
    EVENT,
    Audited,
    Belief,
    Concluded,
    FiredRule,
    Guarded,
    Header,
    MoodChange,
    Named,
    Ordered,
    Provenance,
    Query,
    Question,
    RecordUpdate,
    Result,
    Scored,
    Statement,
    Stopped,
    StopReason,
    Told,
    Triaged,
    Utterance,
    Verdict,
)
from consult.store.transcript import Transcript
from consult.terms import Department, Urgency

CARDIOLOGY = Department(primary="internal_medicine", secondary="cardiology")
EMERGENCY = Department(primary="emergency", secondary="resuscitation")
ROLES = ("inquirer", "patient", "recipient", "triage", "examiner", "assessor")


def header(**changes: Any) -> Header:
    fields: dict[str, Any] = {
        "consultation_id": "chest-0a1b2c3d",
        "scenario": "indigestion_at_the_wheel",
        "persona": "choleric",
        "hospital": "general",
        "knowledge": "general",
        "agents": dict.fromkeys(ROLES, "reference"),
        "limits": {"max_turns": 14, "max_orders": 5},
        "epoch": 0,
        "seed": 0,
        "names": {"speaker": "patient", "patient": "Martin Vogel, 58, male"},
        "provenance": Provenance(version="0.1.0", commit=None, scenario="a", persona="b", hospital="c", knowledge="d"),
    }
    return Header(**fields | changes)


def _dialogue() -> list[Any]:
    return [
        Utterance(
            text="I've had this awful pressure in my chest since this morning, right behind the wheel.",
            told=(Told(fact="chest_pain", finding="chest_pain", state="present", rule="opening", tone="dramatised"),),
            flags=("dramatised", "seek_outcome"),
        ),
        RecordUpdate(
            statements=(
                Statement(
                    section="chief_complaint",
                    heading="main symptom",
                    finding="chest_pain",
                    state="present",
                    source=0,
                ),
            ),
            chief_complaint="chest pain since this morning",
        ),
        Triaged(
            round=0,
            department=CARDIOLOGY,
            runner_up=EMERGENCY,
            urgency=Urgency.URGENT,
            rules=(FiredRule(id="chest_pain_first", kind="hard", favours="internal_medicine"),),
        ),
        Belief(top=(("angina", 0.41), ("myocardial_infarction", 0.33), ("reflux", 0.2)), entropy=1.9),
        Question(text="Does the pain go anywhere else?", rationale="red flag first", turn=1),
        MoodChange(cause="plain_words", trust=0.55, irritation=0.3, anxiety=0.4, turn=1),
        Guarded(breach="leak", attempt=1, action="retried", turn=1),
        Utterance(
            text="It does, into my left arm. What is it, doctor?",
            told=(
                Told(fact="radiation=left_arm", finding="radiation", state="present", values=("left_arm",)),
                Told(fact="fever", finding="fever", state="absent"),
            ),
            query=Query(findings=("radiation",)),
            cue="worry",
            turn=1,
        ),
        MoodChange(cause="cue_ignored", trust=0.5, irritation=0.42, anxiety=0.4, turn=1),
        Ordered(order="ecg", rationale="settles it", turn=1),
        Result(order="ecg", status="recorded", text="ST elevation in II, III and aVF.", cost=2, delay=10, turn=1),
        Concluded(
            differential=(
                Diagnosis(condition="myocardial_infarction", icd10="I21.9", probability=0.86),
                Diagnosis(condition="angina", icd10="I20.9", probability=0.1),
            ),
            plan=("Aspirin 300 mg.", "Straight to the catheter laboratory."),
            urgency=Urgency.EMERGENCY,
            department=EMERGENCY,
            explanation="An artery of your heart is blocked.",
            safety_net="Tell us at once if the pain comes back.",
            turn=1,
        ),
    ]


def _assessed(rank: int | None) -> list[Any]:
    return [
        Verdict(
            gold="myocardial_infarction",
            accepted=("myocardial_infarction",),
            differential=(
                Named(condition="myocardial_infarction", name="heart attack", icd10="I21.9", probability=0.86),
                Named(condition="angina", name="angina", icd10="I20.9", probability=0.1),
            ),
            rank=rank,
            department=EMERGENCY,
            urgency=Urgency.EMERGENCY,
            triaged=CARDIOLOGY,
            triaged_urgency=Urgency.URGENT,
            turn=1,
        ),
        Scored(name="diagnosis.top1", value=1.0, unit="0/1", evidence=(11,), turn=1),
        Scored(name="inquiry.relevance", value=0.75, unit="share", evidence=(4,), turn=1),
        Scored(name="inquiry.repeats", value=0, unit="questions", turn=1),
        Scored(name="communication.empathy", value=None, unit="share", reason="no cue was given", turn=1),
        Audited(leaks=0, unreleased=0, inventions=0, role_breaks=0, early_end=False, turn=1),
    ]


def numbered(events: list[Any]) -> tuple[Any, ...]:
    return tuple(EVENT.validate_python(e.model_dump() | {"seq": n}) for n, e in enumerate(events))


def made(stop: StopReason = StopReason.CONCLUDED, rank: int | None = 1, detail: str = "", **changes: Any) -> Transcript:
    events = [*_dialogue(), Stopped(reason=stop, detail=detail, turn=1), *_assessed(rank)]
    return Transcript(header(**changes), numbered(events))
