"""The event union: every event survives JSON, is frozen, refuses what it does not know, and names the right actor."""

from __future__ import annotations

from typing import get_args

import handmade
import pytest
from pydantic import ValidationError

from consult.events import EVENT, Actor, Event, StopReason, Utterance

CLASSES = get_args(get_args(Event)[0])
EVENTS = handmade.made().events


def test_the_handmade_transcript_holds_nearly_every_type() -> None:
    apart = ("Changed", "Hinted", "Judgement", "Referred", "Shown", "Suggested", "Used")
    assert {type(e) for e in EVENTS} >= {c for c in CLASSES if c.__name__ not in apart}


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: f"{e.seq}-{e.type}")
def test_json_there_and_back(event: Event) -> None:
    assert EVENT.validate_json(event.model_dump_json()) == event
    assert EVENT.validate_python(event.model_dump(mode="json")) == event


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_each_type_has_its_own_tag_and_a_fixed_actor(cls: type) -> None:
    tags = [c.model_fields["type"].default for c in CLASSES]
    assert tags.count(cls.model_fields["type"].default) == 1
    assert cls.model_fields["actor"].default in set(Actor)


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        EVENTS[0].seq = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "data",
    [
        {"type": "utterance", "text": "x", "mood": 1},
        {"type": "utterance", "text": "x", "seq": -1},
        {"type": "utterance", "text": "x", "actor": "inquirer"},
        {"type": "stop", "reason": "bored"},
        {"type": "belief", "top": [["a", 0.5]], "entropy": float("nan")},
        {"type": "belief", "top": [["a", float("inf")]], "entropy": 0.0},
        {"type": "whisper", "text": "x"},
        {"text": "x"},
        None,
    ],
)
def test_what_does_not_fit_is_refused(data: object) -> None:
    with pytest.raises(ValidationError):
        EVENT.validate_python(data)


def test_only_failures_around_the_dialogue_are_not_clinical() -> None:
    assert {r for r in StopReason if not r.clinical} == {StopReason.INFRASTRUCTURE_ERROR, StopReason.CANCELLED}


def test_defaults_are_the_actor_of_the_type() -> None:
    assert Utterance(text="x").actor is Actor.PATIENT
