"""A patient whose words come from a human: what they say, and what facts can be read in it. Decides nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from consult.agents.base import PatientReply, PatientView
from consult.clean import clean
from consult.events import Told, Utterance
from consult.language.extractor import Reading, extract
from consult.scenario import Fact, Speaker
from consult.settings import MAX_TEXT


@dataclass(frozen=True, slots=True)
class SpokenPatient:
    """Says what a human says. The mood stays as it was: nobody knows it."""

    words: str
    leaves: bool = False
    """Whether they get up and go."""

    def open(self, view: PatientView) -> PatientReply:
        """The first words."""
        return self._said(view)

    def reply(self, view: PatientView) -> PatientReply:
        """The answer."""
        return self._said(view)

    def _said(self, view: PatientView) -> PatientReply:
        knowledge = view.world.knowledge
        query = view.world.read(view.question, view.told) if view.question else None
        asked = query.findings if query is not None else ()
        text = clean(self.words, limit=MAX_TEXT)
        other = view.scenario.patient.speaker is not Speaker.SELF
        read = extract(text, knowledge, asked, for_other=other)
        told = tuple(_told(r, view.scenario.by_finding.get(r.finding)) for r in read)
        flags = ("leaves",) if self.leaves else ()
        spoken = Utterance(turn=view.turn, text=text, told=told, query=query, flags=flags)
        return PatientReply((spoken,), view.mood, view.memory, leaves=self.leaves)


def _told(r: Reading, fact: Fact | None) -> Told:
    agrees = fact is not None and fact.state.value == r.state
    name = fact.id if agrees and fact is not None else r.finding
    return Told(fact=name, finding=r.finding, state=r.state, values=r.values, rule="spoken")
