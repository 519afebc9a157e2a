"""The models that are asked once the dialogue is over, beside the scorers: judges, and who says what a diagnosis means.

Whatever goes wrong with them leaves scores missing, with the reason; it never ends or changes the consultation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from consult.agents.llm.talk import Talk
from consult.clean import one_line
from consult.events import Event
from consult.judge.asking import Trouble
from consult.judge.marks import Sitting, judged, unjudged
from consult.judge.matching import Matcher, asked
from consult.judge.panel import Panel
from consult.score import Case
from consult.score.match import Meant


@dataclass(frozen=True, slots=True)
class Bench:
    """Who judges, by what, and how they are asked."""

    panel: Panel | None
    matcher: Matcher | None
    agents: Mapping[str, str]
    """The spec of each role, by which a judge that judges itself is told."""
    talk: Talk

    def read(self, case: Case) -> Case:
        """The case, with what its diagnoses mean that the knowledge does not match, where somebody is asked."""
        if self.matcher is None:
            return case
        try:
            return replace(case, meant=asked(case, self.matcher, self.talk, Trouble()))
        except Exception as e:  # a ledger, a price: nothing of the doctor's
            return replace(case, meant=Meant(self.matcher.spec, {}, one_line(f"{type(e).__name__}: {e}")))

    def marks(self, case: Case) -> list[Event]:
        """Judgements and scores.

        Where a server failed there is no judgement at all, only missing scores: `consult score` with the same judges
        finishes it, and what they have answered is in the ledger.
        """
        if self.panel is None:
            return []
        models = {used.role: ", ".join(used.models) for used in self.talk.used()}
        try:
            found = judged(Sitting(case, self.agents, models), self.panel, self.talk)
        except Exception as e:  # a ledger, a price: nothing of the doctor's
            return list(unjudged(case, self.panel, one_line(f"{type(e).__name__}: {e}")))
        if failed := found.trouble.failed or (str(found.trouble.fatal) if found.trouble.fatal is not None else ""):
            return list(unjudged(case, self.panel, failed))
        return list(found.events)
