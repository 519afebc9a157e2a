"""What every event has: its place, who did it; and why a dialogue ends."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from consult.files import Record


class Actor(StrEnum):
    """Who did it."""

    PATIENT = "patient"
    RECIPIENT = "recipient"
    TRIAGE = "triage"
    INQUIRER = "inquirer"
    EXAMINER = "examiner"
    ASSESSOR = "assessor"
    SYSTEM = "system"


class StopReason(StrEnum):
    """Why a dialogue ended."""

    CONCLUDED = "concluded"
    REFERRED = "referred"
    PATIENT_LEFT = "patient_left"
    TURN_LIMIT = "turn_limit"
    ORDER_LIMIT = "order_limit"
    BUDGET = "budget"
    TIME_LIMIT = "time_limit"
    REFUSED = "refused"
    MODEL_ERROR = "model_error"
    INFRASTRUCTURE_ERROR = "infrastructure_error"
    CANCELLED = "cancelled"

    @property
    def clinical(self) -> bool:
        """Whether the end says something about the doctor; the others are failures around it, never scored as wrong."""
        return self not in (StopReason.INFRASTRUCTURE_ERROR, StopReason.CANCELLED)


class EventBase(Record):
    """What every event has."""

    seq: int = Field(default=0, ge=0)
    turn: int = Field(default=0, ge=0)
    actor: Actor
