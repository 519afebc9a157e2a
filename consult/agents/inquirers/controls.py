"""Controls: inquirers whose place in the order is known beforehand, so that a score can be tested against them."""

from __future__ import annotations

from consult.actions import Ask
from consult.agents.base import Act, InquirerView
from consult.agents.inquirers.choice import askable, posterior
from consult.agents.inquirers.reference import conclude, shown
from consult.agents.inquirers.wording import question
from consult.knowledge.belief import Belief, Known, belief
from consult.knowledge.model import FindingKind, Knowledge
from consult.knowledge.per_object import per_object
from consult.scenario import Scenario, State
from consult.seeds import rng


class RandomInquirer:
    """Asks whatever comes, then concludes from what it heard."""

    def act(self, view: InquirerView) -> Act:
        """A random question while there are any left."""
        b = belief(view.world.knowledge)
        p = posterior(view, b)
        open_ones = [f for f in askable(view) if f.kind is not FindingKind.TEXT] if view.questions_left else []
        if not open_ones:
            return shown(conclude(view, b, p, kind_words=False), b, p)
        chance = rng(view.seed, "random")
        f = open_ones[int(chance.random() * len(open_ones))]
        return shown(Ask(text=question(f, view, kind_words=False, chance=chance)), b, p)


class ChecklistInquirer:
    """Asks the same list of everyone: the questions that tell most before anything is known."""

    def act(self, view: InquirerView) -> Act:
        """The next question of the list that fits the patient."""
        b = belief(view.world.knowledge)
        p = posterior(view, b)
        left = {f.id: f for f in askable(view)} if view.questions_left else {}
        name = next((n for n in _checklist(view.world.knowledge) if n in left), None)
        if name is None:
            return shown(conclude(view, b, p, kind_words=False), b, p)
        text = question(left[name], view, kind_words=False, chance=rng(view.seed, "checklist"))
        return shown(Ask(text=text), b, p)


def _static_order(knowledge: Knowledge) -> tuple[str, ...]:
    b: Belief = belief(knowledge)
    gains = b.gains(b.overall(), {})
    return tuple(sorted(gains, key=lambda f: (-round(gains[f], 9), f)))


_checklist = per_object(_static_order)


class OpeningOnlyInquirer:
    """Concludes from the first words alone: what no dialogue is worth."""

    def act(self, view: InquirerView) -> Act:
        """A conclusion at once."""
        b = belief(view.world.knowledge)
        p = posterior(view, b)
        return shown(conclude(view, b, p, kind_words=False), b, p)


class OracleInquirer:
    """Reads all the facts (never the answer) and concludes: the ceiling of what the facts support."""

    def act(self, view: InquirerView) -> Act:
        """A conclusion from every fact of the scenario."""
        if view.facts is None:
            raise ValueError("the oracle was not shown the facts")
        b = belief(view.world.knowledge)
        p = b.posterior(view.facts, view.patient.age, view.patient.sex, view.record.complaint)
        return shown(conclude(view, b, p, kind_words=True), b, p)


def facts_known(scenario: Scenario, knowledge: Knowledge) -> dict[str, Known]:
    """Every fact as the belief takes it; in a closed world, all else as absent."""
    known = {f.finding: Known(f.state.value, f.values) for f in scenario.facts if f.state is not State.UNKNOWN}
    if scenario.closed_world:
        for f in knowledge.findings:
            if f.id not in scenario.by_finding and f.kind is FindingKind.BINARY and f.source.value == "history":
                known[f.id] = Known("absent")
    return {f.id: known[f.id] for f in knowledge.findings if f.id in known}
