"""A small world for the tests of scores: a knowledge, a hospital, cases, and a writer of transcripts by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consult.actions import Diagnosis
from consult.events import (
    Concluded,
    Event,
    MoodChange,
    Ordered,
    Query,
    Question,
    Referred,
    Result,
    Scored,
    Stopped,
    StopReason,
    Told,
    Triaged,
    Utterance,
)
from consult.hospital import Hospital
from consult.knowledge.model import Knowledge
from consult.scenario import Scenario
from consult.score import Case, assess
from consult.terms import Department, Urgency

SKIN = {"primary": "dermatology", "secondary": "general_dermatology"}
HEART = {"primary": "internal_medicine", "secondary": "cardiology"}


def _finding(name: str, topic: str, **more: Any) -> dict[str, Any]:
    words = {"questions": [f"Do you have {name}?"], "present": f"I have {name}."}
    return {"id": name, "topic": topic, "plain": name, **words, **more}


def _condition(name: str, code: str, *synonyms: str, **more: Any) -> dict[str, Any]:
    base = {"urgency": "routine", "department": SKIN, "findings": {"rash": 0.9}}
    return {"id": name, "name": name.replace("_", " ").capitalize(), "icd10": code, "synonyms": synonyms} | base | more


KNOWLEDGE = Knowledge.model_validate(
    {
        "id": "small",
        "findings": [
            _finding("rash", "skin"),
            _finding("itch", "skin"),
            _finding("rash_pain", "skin"),
            _finding("fever", "general"),
            _finding("contacts", "social", sensitive=True),
            _finding("chest_pain", "chest", red_flag=True),
            _finding("chest_pain_effort", "chest", parent="chest_pain"),
            _finding("sweating", "chest"),
            {"id": "st_elevation", "topic": "chest", "plain": "a changed ECG", "source": "test"},
        ],
        "conditions": [
            _condition("herpes", "B00.9", "herpes simplex", "cold sore", plain="a cold sore"),
            _condition("shingles", "B02", "herpes zoster", "zoster"),
            _condition("eczema", "L30.9", "dermatitis"),
            _condition("contact_dermatitis", "L25.9", parent="eczema"),
            _condition("allergic_contact_dermatitis", "L23.9", "contact allergy", parent="contact_dermatitis"),
            _condition("psoriasis", "L40.9", "plaque psoriasis", "psoriasis vulgaris"),
            _condition("wart", "B07", "verruca", plain="a skin growth"),
            _condition("seborrheic_keratosis", "L82", plain="a skin growth"),
            _condition("hepatitis_a", "B15.9"),
            _condition("hepatitis_b", "B16.9", "hepatitis"),
            _condition("crohn", "K50.9", "Crohn's disease"),
            _condition("reflux", "K21.9", "Gastro-oesophageal reflux disease (GORD)", "GERD"),
            _condition("heart_attack", "I21.9", "myocardial infarction", "MI", urgency="emergency", department=HEART),
        ],
        "orders": [
            {"id": "ecg", "name": "ECG", "reveals": ["st_elevation"], "cost": 2},
            {"id": "swab", "name": "Swab", "reveals": ["contacts"], "cost": 3},
        ],
    }
)

HOSPITAL = Hospital.model_validate(
    {
        "id": "town",
        "name": "Town hospital",
        "departments": [
            {
                "id": "skin_clinic",
                "name": "Skin clinic",
                "covers": ["dermatology"],
                "inquiry": {"scope": "skin"},
                "secondary": [
                    {"id": "rashes", "name": "Rashes", "covers": ["general_dermatology"]},
                    {"id": "lumps", "name": "Lumps"},
                ],
            },
            {
                "id": "medicine",
                "name": "Medicine",
                "covers": ["internal_medicine"],
                "inquiry": {"scope": "everything else"},
                "secondary": [{"id": "heart", "name": "Heart", "covers": ["cardiology"]}],
            },
        ],
        "fallback": {"primary": "medicine", "secondary": "heart"},
    }
)

SHINGLES = Scenario.model_validate(
    {
        "id": "belt",
        "title": "A rash round the waist",
        "patient": {"age": 61, "sex": "female"},
        "facts": [
            {"finding": "rash", "release": "opening"},
            {"finding": "rash_pain", "release": "volunteered"},
            {"finding": "itch", "state": "absent"},
            {"finding": "contacts", "release": "sensitive"},
            {"finding": "sweating", "state": "unknown", "release": "unknown"},
            {"finding": "st_elevation", "state": "absent", "release": "order_only", "order": "ecg"},
        ],
        "orders": [{"order": "ecg", "result": "normal"}],
        "gold": {
            "condition": "shingles",
            "department": SKIN,
            "urgency": "urgent",
            "must_ask": ["rash_pain", "fever"],
            "dangers": ["chest_pain", "st_elevation"],
        },
    }
)

ATTACK = Scenario.model_validate(
    {
        "id": "weight",
        "title": "A weight on the chest",
        "patient": {"age": 58, "sex": "male"},
        "facts": [{"finding": "chest_pain", "release": "opening"}, {"finding": "sweating"}],
        "gold": {"condition": "heart_attack", "department": HEART, "urgency": "emergency"},
    }
)


def gold(scenario: Scenario, **changes: Any) -> Scenario:
    """The scenario with another answer key."""
    return scenario.model_copy(update={"gold": scenario.gold.model_copy(update=changes)})


class Script:
    """Writes a transcript: every method adds an event and numbers it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.turn = 0

    def add(self, event: Any) -> Script:
        self.events.append(event.model_copy(update={"seq": len(self.events), "turn": self.turn}))
        return self

    def say(self, *told: str, query: Query | None = None, state: str = "present", cue: str = "") -> Script:
        """The patient tells findings; `!name` is absent."""
        parts = [
            Told.model_validate(
                {"fact": n.lstrip("!"), "finding": n.lstrip("!"), "state": "absent" if n[0] == "!" else state}
            )
            for n in told
        ]
        return self.add(Utterance(text="…", told=tuple(parts), query=query, cue=cue))

    def ask(
        self,
        *findings: str,
        tells: Sequence[str] = (),
        state: str = "present",
        text: str = "?",
        cue: str = "",
        **query: Any,
    ) -> Script:
        """A question about findings, and the answer."""
        self.turn += 1
        self.add(Question(text=text))
        return self.say(*tells, query=Query(findings=findings, **query), state=state, cue=cue)

    def feel(self, trust: float) -> Script:
        return self.add(MoodChange(cause="start", trust=trust, irritation=0.1, anxiety=0.3))

    def order(self, name: str, *told: str, cost: float = 2) -> Script:
        parts = tuple(Told(fact=n, finding=n, state="absent") for n in told)
        self.add(Ordered(order=name))
        return self.add(Result(order=name, status="recorded", text="…", told=parts, cost=cost))

    def triage(self, primary: str, secondary: str, urgency: str) -> Script:
        there = Department(primary=primary, secondary=secondary)
        number = 1 + sum(isinstance(e, Triaged) for e in self.events)
        return self.add(
            Triaged(actor="triage", round=number, department=there, runner_up=there, urgency=Urgency(urgency))
        )

    def conclude(self, *names: str | tuple[str, float], **more: Any) -> Script:
        self.add(Concluded(differential=differential(*names), **more))
        return self.stop(StopReason.CONCLUDED)

    def refer(self, *names: str | tuple[str, float], urgency: str = "urgent", **more: Any) -> Script:
        there = Department(primary="medicine", secondary="heart")
        self.add(Referred(department=there, urgency=Urgency(urgency), differential=differential(*names), **more))
        return self.stop(StopReason.REFERRED)

    def stop(self, reason: StopReason) -> Script:
        return self.add(Stopped(reason=reason))


def differential(*names: str | tuple[str, float]) -> tuple[Diagnosis, ...]:
    pairs = [(n, None) if isinstance(n, str) else n for n in names]
    return tuple(Diagnosis(condition=name, probability=p) for name, p in pairs)


def case(script: Script | Sequence[Event], scenario: Scenario = SHINGLES) -> Case:
    return Case(scenario, KNOWLEDGE, HOSPITAL, script.events if isinstance(script, Script) else script)


def scored(script: Script | Sequence[Event], scenario: Scenario = SHINGLES) -> dict[str, Scored]:
    """All scores by name."""
    return {e.name: e for e in assess(case(script, scenario)) if isinstance(e, Scored)}


def values(script: Script | Sequence[Event], scenario: Scenario = SHINGLES) -> dict[str, float | None]:
    return {name: s.value for name, s in scored(script, scenario).items()}
