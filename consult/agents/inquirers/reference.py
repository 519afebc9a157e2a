"""The reference inquirer: a belief, the most telling question, courtesy, and a conclusion with its reasons."""

from __future__ import annotations

from math import log
from typing import Final

import numpy as np

from consult.actions import Ask, Conclude, Diagnosis, Order
from consult.agents.base import Act, InquirerView
from consult.agents.inquirers import wording
from consult.agents.inquirers.choice import (
    DUTY,
    STOP_GAIN,
    Choice,
    best_choice,
    certain_emergency,
    confirming,
    posterior,
    settled,
)
from consult.knowledge.belief import Array, Belief, belief, entropy
from consult.knowledge.model import Finding, Knowledge
from consult.seeds import rng
from consult.terms import Department, Urgency

TOP = 5
CONFIRM = "would confirm or refute the likeliest condition"
ICE_FROM = 10
"""Question limit from which there is room to ask for the patient's own view."""
OWN_VIEW: Final = {4: "ice.concern", 6: "ice.idea"}
"""What of it is asked for after how many questions: once triage has had four rounds, and while trust can still be won.
What is hoped for comes last, before the conclusion."""
HOPE: Final = "ice.expectation"
SURE: Final = 0.9
"""Probability of the likeliest condition from which what is asked of everybody may take a question (ours)."""
LAST_ONES: Final = 3
"""Questions left at which it is asked for, before duties that tell nothing more; the last one is for the hope (ours)."""
GENERAL: Final = "asked of everybody: medicines, allergies, past illnesses and operations"


class ReferenceInquirer:
    """Asks what tells most per cost; `kind_words` off makes it the `curt` control: same questions, no skill."""

    def __init__(self, *, kind_words: bool = True) -> None:
        self.kind_words = kind_words

    def act(self, view: InquirerView) -> Act:
        """The next action."""
        b = belief(view.world.knowledge)
        p = posterior(view, b)
        courtesy = self._courtesy(view, hurry=certain_emergency(view, p))
        if courtesy is not None:
            return shown(Ask(text=courtesy), b, p)
        if certain_emergency(view, p) and (first := self._confirming(view, b, p)) is not None:
            return shown(first, b, p)
        best = best_choice(view, b, p)
        if best is not None and best.worth < DUTY and (best.gain < STOP_GAIN or settled(p)):
            best = None
        if (text := self._background(view, p, best)) is not None:
            return shown(Ask(text=text, rationale=GENERAL), b, p)
        if best is not None:
            return shown(self._carry_out(best, view), b, p)
        if (last := self._confirming(view, b, p)) is not None:
            return shown(last, b, p)
        if not certain_emergency(view, p) and (hope := self._own_view(view, HOPE)) is not None:
            return shown(Ask(text=hope), b, p)
        return shown(conclude(view, b, p, kind_words=self.kind_words), b, p)

    @staticmethod
    def _confirming(view: InquirerView, b: Belief, p: Array) -> Order | None:
        """One order that would confirm or refute the likeliest condition, if none has been placed."""
        order = confirming(view, b, p) if view.orders_left and not view.ordered else None
        return Order(order=order, rationale=CONFIRM) if order is not None else None

    def _courtesy(self, view: InquirerView, *, hurry: bool) -> str | None:
        """An open question first, then the patient's own view: they cost questions and buy trust."""
        if not self.kind_words or not view.world.knowledge.open_questions or view.questions_left < 1:
            return None
        if view.turn == 0:
            return wording.open_question(view, rng(view.seed, "open"))
        if view.turn in OWN_VIEW and not (hurry and view.turn > min(OWN_VIEW)):
            return self._own_view(view, OWN_VIEW[view.turn])
        return self._own_view(view, HOPE) if view.questions_left == 1 and not hurry else None

    def _background(self, view: InquirerView, p: Array, best: Choice | None) -> str | None:
        """What is asked of everybody, once it can no longer mislead: while questions are left and the belief is sure."""
        knowledge = view.world.knowledge
        open_ends = best is not None and (_presses(best, knowledge) or view.questions_left > LAST_ONES)
        if not knowledge.open_questions or view.turn + view.questions_left < ICE_FROM or view.questions_left < 2:
            return None
        if float(p.max()) < SURE or certain_emergency(view, p) or open_ends:
            return None
        for names in wording.BACKGROUND:
            if all(n in knowledge.finding for n in names) and not any(n in view.asked for n in names):
                return wording.background(
                    names, view, rng(view.seed, "background", names[0]), kind_words=self.kind_words
                )
        return None

    def _own_view(self, view: InquirerView, name: str) -> str | None:
        """A question for a part of the patient's own view, if there is room and it is not known."""
        findings = view.world.knowledge.finding
        if not self.kind_words or view.questions_left < 1 or view.turn + view.questions_left < ICE_FROM:
            return None
        if name not in findings or name in view.asked or name in view.record.statements:
            return None
        return wording.own_view(findings[name], view, rng(view.seed, "own view"), last=name == HOPE)

    def _carry_out(self, best: Choice, view: InquirerView) -> Ask | Order:
        why = f"expected information {best.gain / log(2):.2f} bits"
        if best.gain < STOP_GAIN:
            why = "asked for safety: a red flag, or what the department's guidance wants known"
        if best.kind == "order":
            return Order(order=best.target, rationale=why)
        finding = view.world.knowledge.finding[best.target]
        text = wording.question(
            finding, view, kind_words=self.kind_words, chance=rng(view.seed, "wording"), duty=best.gain < STOP_GAIN
        )
        return Ask(text=text, rationale=why)


def _presses(best: Choice, knowledge: Knowledge) -> bool:
    """Whether something cannot be put off for what is asked of everybody: an order, or a sign of danger."""
    return best.kind == "order" or knowledge.finding[best.target].red_flag


def shown(action: Ask | Order | Conclude, b: Belief, p: Array) -> Act:
    """An action with the belief behind it."""
    return Act(action, ranked(b, p), round(entropy(p) / log(2), 4))


def ranked(b: Belief, p: Array) -> tuple[tuple[str, float], ...]:
    """The most probable conditions with their probabilities, rounded so that machines agree."""
    order = np.lexsort((b.by_name, -p.round(9)))[:TOP].tolist()
    return tuple((b.conditions[i], round(float(p[i]), 4)) for i in order)


def conclude(view: InquirerView, b: Belief, p: Array, *, kind_words: bool) -> Conclude:
    """The conclusion that the belief supports."""
    knowledge = view.world.knowledge
    top = ranked(b, p)
    first = knowledge.condition[top[0][0]]
    department, urgency = _triaged(view)
    return Conclude(
        differential=tuple(
            Diagnosis(condition=c, icd10=knowledge.condition[c].icd10, probability=share) for c, share in top
        ),
        plan=first.plan,
        urgency=urgency,
        department=department,
        explanation=wording.explanation(
            first, view, reasons(view, b, first.id), urgency or first.urgency, rng(view.seed, "end")
        )
        if kind_words
        else first.name,
        safety_net=wording.safety_net(first, view, urgency or first.urgency) if kind_words else "",
    )


def _triaged(view: InquirerView) -> tuple[Department | None, Urgency | None]:
    if view.triage is None:
        return None, None
    return Department.model_validate(view.triage["department"]), Urgency(view.triage["urgency"])


def reasons(view: InquirerView, b: Belief, condition: str) -> list[Finding]:
    """The present findings that speak most for a condition; of a thing and its details, the most telling one."""
    i = b.index[condition]
    found: list[tuple[float, str]] = []
    for name, known in view.record.known.items():
        f = view.world.knowledge.finding[name]
        if known.state == "present" and not f.values and f.topic not in ("ice", "course"):
            share = b.present[name]
            found.append((-round(float(share[i] / share.mean()), 6), f.id))
    out: dict[str, Finding] = {}
    for worth, name in sorted(found):
        f = view.world.knowledge.finding[name]
        if worth < -1:
            out.setdefault(f.parent or f.id, f)
    return list(out.values())
