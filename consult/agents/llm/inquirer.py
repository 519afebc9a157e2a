"""A doctor that is a model: it is shown what a doctor sees and gives a typed action.

Strategies are those of `spec.STRATEGIES`. It is never shown facts, gold, persona, mood or scores. Must not import sim.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from consult.actions import Ask, Conclude, Order, Refer
from consult.agents.base import Guidance, InquirerView
from consult.agents.llm.aids import Given
from consult.agents.llm.moves import KINDS, action_of, schema_of
from consult.agents.llm.pictures import Sight
from consult.agents.llm.spec import ModelSpec, prompts
from consult.agents.llm.talk import Talk
from consult.agents.llm.words import age_in_words, statement_in_words
from consult.clean import one_line
from consult.llm.base import Message, Request
from consult.terms import Urgency

_ROLE: Final = "inquirer"


class ModelInquirer:
    """An inquirer by a model."""

    def __init__(self, said: ModelSpec, talk: Talk, given: Given | None = None) -> None:
        """`given`: what it is given beside what is said; None: the captions of pictures, as the view has them."""
        self._strategy = said.strategy
        self._talk = talk
        self._endpoint = talk.endpoint(said)
        self._sampling = talk.sampling(said)
        self._given = given

    def act(self, view: InquirerView) -> Ask | Order | Conclude | Refer:
        """The next action. Raises UnusableReply where it gives none, CallError where it is not reached, BudgetSpent."""
        placed = len(view.ordered)  # several orders may be placed in one turn
        request = self._request(view, len(view.dialogue))
        reply = self._talk.ask(self._endpoint, request, role=_ROLE, turn=view.turn, attempt=placed)
        return action_of(reply.given())

    def _request(self, view: InquirerView, kept: int) -> Request:
        """What is asked, with the first line of the dialogue and the `kept` last ones."""
        kinds, rationale = self._kinds(view), self._strategy == "rationale"
        places = tuple(f"{p.id}/{s.id}" for p in view.world.hospital.departments for s in p.secondary)
        asks = self._kinds(view, ever=True)  # the same to the end, so that servers read the system prompt once
        patient, given = view.patient, self._given or Given(Sight(tuple(view.images)))
        system = prompts().render(
            "inquirer/system",
            age=age_in_words(patient.age),
            sex=patient.sex.value,
            speaker=patient.speaker.value,
            urgencies=[u.value for u in Urgency],
            departments=places,
            persona=given.persona,
            examples=given.examples,
            kinds=asks,
            rationale=rationale,
        )
        told: dict[str, Any] = {"kinds": kinds, "fewer": kinds != asks, "rationale": rationale}
        turn = prompts().render("inquirer/turn", **told, **self._seen(view, kept), **_beside(given))
        return Request(
            (Message("system", system), Message("user", turn, given.sight.images)),
            schema_of(kinds, places, rationale=rationale),
            self._sampling,
            less=partial(self._request, view, kept // 2) if kept > 1 else None,
        )

    def _kinds(self, view: InquirerView, *, ever: bool = False) -> tuple[str, ...]:
        """What may be done now: what is used up cannot be given, so that no consultation ends for want of counting.

        `ever`: what could be done at the beginning.
        """
        shut = {"ask"} if view.questions_left + (view.turn if ever else 0) <= 0 else set()
        shut |= {"order"} if view.orders_left + (len(view.ordered) if ever else 0) <= 0 else set()
        shut |= {"ask", "order"} if self._strategy == "no-dialogue" else set()
        return tuple(k for k in KINDS if k not in shut)

    def _seen(self, view: InquirerView, kept: int) -> dict[str, Any]:
        """What the doctor sees."""
        guided = self._strategy == "guided"
        first, last = view.dialogue[:1], view.dialogue[1:][-kept:]
        return {
            "dialogue": [line._replace(text=one_line(line.text, limit=4000)) for line in (*first, *last)],
            "left_out": len(view.dialogue) - len(first) - len(last),
            "results": list(view.results),
            "record": _record(view) if guided else [],
            "guidance": _guidance(view, view.guidance) if guided and view.guidance is not None else None,
            "questions_left": view.questions_left,
            "orders_left": view.orders_left,
        }


def _beside(given: Given) -> dict[str, Any]:
    """Pictures in words, how many are attached, and what a classifier thinks."""
    opinion = given.suggested.top if given.suggested is not None else ()
    return {"images": list(given.sight.captions), "attached": len(given.sight.images), "opinion": list(opinion)}


def _record(view: InquirerView) -> list[str]:
    """The structured record, a line a statement."""
    return [statement_in_words(s, view.world.knowledge) for s in view.record.statements.values()]


def _guidance(view: InquirerView, g: Guidance) -> dict[str, Any]:
    """What triage wants asked and was not asked yet, danger signs first."""
    wanted = dict.fromkeys((*g.ask_first, *g.danger_signs, *g.must_ask, *g.discriminators))
    return {"department": g.department, "ask": [_plain(view, f) for f in wanted if f not in view.asked]}


def _plain(view: InquirerView, finding: str) -> str:
    return view.world.knowledge.finding[finding].plain
