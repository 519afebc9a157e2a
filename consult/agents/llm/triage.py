"""A triage that is a model: department, runner-up and urgency each round, from the record and the hospital's rules.

Source: collaborative medical triage (arXiv 2507.22504): the inquiry guidance of the department in force, and dynamic
matching (no comparison rules in round 1; then those of the pair predicted in the round before). Every rule that it says to
have used is cited by its id, which must be one that it was shown. Must not import sim.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, Field, create_model

from consult.agents.base import TriageResult, TriageView
from consult.agents.llm.spec import ModelSpec, prompts
from consult.agents.llm.talk import Talk
from consult.agents.llm.words import age_in_words, can_hold, condition_in_words, findings_in_words, record_in_words
from consult.agents.rules import holds, pairs_of, wanted
from consult.events import FiredRule
from consult.hospital import ComparisonRule, HardRule, Hospital
from consult.llm.base import Message, Request
from consult.llm.structured import at_most
from consult.terms import Department, Said, Urgency

_ROLE: Final = "triage"
NOT_ON_RECORD: Final = "not on record"
"""Stands as the strength of a rule that the model cited and whose condition the record does not bear out."""


class _Compared(NamedTuple):
    """A pair of departments, and what tells them apart."""

    pair: tuple[str, str]
    rules: tuple[ComparisonRule, ...]


class _Rules(NamedTuple):
    """The rules at hand in a round."""

    hard: tuple[HardRule, ...]
    compared: tuple[_Compared, ...]
    """Of the pairs in question, those that the hospital has rules for."""

    @property
    def by_id(self) -> Mapping[str, HardRule | ComparisonRule]:
        """All of them."""
        every: list[HardRule | ComparisonRule] = [*self.hard, *(r for c in self.compared for r in c.rules)]
        return {r.id: r for r in every}


class ModelTriage:
    """Triage by a model."""

    def __init__(self, said: ModelSpec, talk: Talk) -> None:
        self._talk = talk
        self._endpoint = talk.endpoint(said)
        self._sampling = talk.sampling(said)

    def triage(self, view: TriageView) -> TriageResult:
        """The prediction of this round. Raises UnusableReply where nothing of use is given, CallError, BudgetSpent."""
        hospital = view.world.hospital
        rules, places = _at_hand(view), _places(hospital)
        known = rules.by_id

        def wrong(given: Any) -> str:
            if given.department == given.runner_up and len(places) > 1:
                return "runner_up is the same as department: name the next best other one"
            strange = [r for r in given.rules if r not in known]
            return f"{strange[0][:80]!r} is no id of a rule that was given" if strange else ""

        request = Request(self._messages(view, rules), _schema(places), self._sampling, check=wrong)
        given: Any = self._talk.ask(self._endpoint, request, role=_ROLE, turn=view.round).given()
        department, runner_up = _department(given.department), _department(given.runner_up)
        cited = dict.fromkeys(given.rules)
        return TriageResult(
            department,
            runner_up,
            given.urgency,
            tuple(_fired(known[r], view) for r in cited),
            guidance=department.primary,
            compared=tuple("/".join(c.pair) for c in rules.compared),
            rationale=given.reasoning,
        )

    @staticmethod
    def _messages(view: TriageView, rules: _Rules) -> tuple[Message, Message]:
        hospital, knowledge = view.world.hospital, view.world.knowledge
        system = prompts().render(
            "triage/system", departments=hospital.departments, urgencies=[u.value for u in Urgency],
            hard=[_shown(r, view) for r in rules.hard], fallback=_name(hospital.fallback),
        )  # fmt: skip
        turn = prompts().render(
            "triage/turn",
            age=age_in_words(view.patient.age),
            sex=view.patient.sex.value,
            record=record_in_words(view.record, knowledge),
            before=_name(Department.model_validate(view.last["department"])) if view.last is not None else "",
            guidance=_guidance(view),
            comparisons=[(c.pair, [_shown(r, view) for r in c.rules]) for c in rules.compared],
        )
        return Message("system", system), Message("user", turn)


@lru_cache(maxsize=16)
def _schema(places: tuple[str, ...]) -> type[BaseModel]:
    """The object that is asked for; reasons first, so that they come before what they are for."""
    one_of: Any = Literal[places]
    fields: dict[str, Any] = {
        "reasoning": (Annotated[Said, at_most(maxLength=1000)], ...),
        "department": (one_of, ...),
        "runner_up": (one_of, ...),
        "urgency": (Urgency, ...),
        "rules": (list[str], Field(max_length=100)),
    }
    return create_model("Triage", **fields)


def _places(hospital: Hospital) -> tuple[str, ...]:
    return tuple(f"{p.id}/{s.id}" for p in hospital.departments for s in p.secondary)


def _at_hand(view: TriageView) -> _Rules:
    """Rules that only make the inquirer ask first are left out, and those of findings that this knowledge does not have."""
    hospital, knowledge = view.world.hospital, view.world.knowledge
    hard = tuple(r for r in hospital.hard_rules if (r.to or r.urgency) and can_hold(r.when, knowledge))
    compared = []
    for pair in pairs_of(view.last):
        comparison = hospital.comparison.get(frozenset(pair))
        if comparison is not None:
            rules = tuple(r for r in comparison.rules if can_hold(r.when, knowledge))
            compared.append(_Compared(comparison.pair, rules))
    return _Rules(hard, tuple(compared))


def _shown(rule: HardRule | ComparisonRule, view: TriageView) -> dict[str, str]:
    """A rule in words."""
    shown = {"id": rule.id, "when": condition_in_words(rule.when, view.world.knowledge), "why": rule.why}
    if isinstance(rule, ComparisonRule):
        return shown | {"says": rule.favours, "strength": rule.strength.value.replace("_", " ")}
    soon = f"{rule.urgency.value} or sooner" if rule.urgency is not None else ""
    return shown | {"says": " and ".join(x for x in (rule.to, soon) if x), "strength": "decides"}


def _guidance(view: TriageView) -> dict[str, Any] | None:
    """What the department of the round before looks for in this patient; None in round 1."""
    if view.last is None or not view.last["guidance"]:
        return None
    primary = view.world.hospital.primary[view.last["guidance"]]
    must, danger = (
        findings_in_words(x, view.world.knowledge) for x in wanted(primary.inquiry, view.patient, view.record)
    )
    return {"department": primary.id, "scope": primary.inquiry.scope, "must": must, "danger": danger}


def _fired(rule: HardRule | ComparisonRule, view: TriageView) -> FiredRule:
    """A rule that was cited, with what on record makes it hold."""
    evidence = holds(rule.when, view.patient, view.record)
    hard = isinstance(rule, HardRule)
    strength = "decisive" if isinstance(rule, HardRule) else rule.strength.value
    favours = (rule.to or rule.urgency or "") if isinstance(rule, HardRule) else rule.favours
    return FiredRule(
        id=rule.id,
        kind="hard" if hard else "comparison",
        strength=strength if evidence is not None else NOT_ON_RECORD,
        favours=favours,
        evidence=evidence or (),
    )


def _department(place: str) -> Department:
    primary, _, secondary = place.partition("/")
    return Department(primary=primary, secondary=secondary)


def _name(d: Department) -> str:
    return f"{d.primary}/{d.secondary}"
