"""What the patient says this turn: which facts, in what tone, with what else. Deterministic and seeded; no wording.

The disclosure law (`consult.disclosure`) decides what may be told; persona and mood decide how much of it is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from consult.disclosure import AT_HAND, admits, ancestors, at_opening
from consult.events import Query, Told
from consult.knowledge.model import BACKGROUND, Finding, FindingKind, Knowledge, Source
from consult.language.lexicon import suits
from consult.mood import readiness
from consult.persona import Mood, Persona
from consult.scenario import Fact, Release, Scenario, Speaker, State

MAX_EXTRAS: Final = 2
"""Things besides facts that one answer holds at the most."""
SETTLED: Final = 0.35
"""Trust from which what was explained in the end is accepted."""
MANY: Final = 2
"""Red flags told from which a case is grave to whoever tells them."""
LASTING: Final = frozenset({"medicines", "social"})
"""Topics of which one knows what there is, to be told in words of one's own."""
_GOOD: Final = re.compile(r"\b(?:well|better|easier|good)\b")
"""Words of a finding that it is no burden to have."""
HEAVY: Final = frozenset({"mind"})
"""Topics in which nobody jokes; nor of a worry that was asked for."""
CONCERN: Final = "ice.concern"
_LOSS: Final = re.compile(
    r"\b(?:die[ds]?|dying|dead|death|widow\w*|funeral|killed|buried|stillborn|miscarriage|los(?:t|ing) (?:him|her|my|our))\b"
)
"""Words of a fact after which nobody jokes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be said."""

    told: tuple[Told, ...] = ()
    lead: str = ""
    extras: tuple[str, ...] = ()
    cue: str = ""
    flags: tuple[str, ...] = ()
    grave: bool = False
    """Said in the words for what is grave."""


@dataclass(slots=True)
class Policy:
    """The choices of one turn. `told` holds the ids of findings already told; `asked` of those asked before."""

    scenario: Scenario
    knowledge: Knowledge
    persona: Persona
    mood: Mood
    told: frozenset[str]
    asked: frozenset[str]
    rng: random.Random

    def opening(self) -> Plan:
        """The chief complaint: the opening facts, what they belong to, and nothing else."""
        rules = at_opening(self.scenario.facts, self.knowledge.parent_of)
        told = [_told(f, rules[f.finding]) for f in self.scenario.facts if f.finding in rules]
        grave = self._heavy({t.finding for t in told})
        extras = self._extras(opening=True, leave_out=("digression",) * grave)
        return Plan(tuple(self._toned(t) for t in told), "greeting", extras, _cue(extras), extras, grave)

    def closing(self, *, explained: bool, grave: bool = False) -> Plan:
        """The last word: what is made of what the doctor decided."""
        heavy = self._heavy(self.told)
        if not explained or self.mood.trust < SETTLED or self.mood.irritation >= self.persona.temper.clams_up_at:
            return Plan(lead="unsettled", flags=("unsettled",), grave=heavy)
        if grave:
            return Plan(lead="sobered", flags=("sobered",))
        extras = ("treatment",) if self.rng.random() < self.persona.traits.speak_up and not heavy else ()
        return Plan(lead="thanks", extras=extras, flags=extras, grave=heavy)

    def leaving(self) -> Plan:
        """The end of patience."""
        return Plan(lead="leave", flags=("leaves",), grave=self._heavy(self.told))

    def answer(self, query: Query, *, lost: bool = False) -> Plan:
        """The answer to a question; `lost`: a word in it was not understood, and the query is what is left."""
        heavy = self._heavy(self.told)
        if query.asks_nothing:
            return Plan(lead="thanks", extras=self._extras(leave_out=("digression",) * heavy), grave=heavy)
        if not query.findings and not query.topics and not query.open:
            lead = "unclear_word" if lost else "not_understood"
            return Plan(lead=lead, flags=(lead,), grave=heavy)
        told: list[Told] = []
        for f_id in query.findings:
            for t in self._direct(f_id, query):
                if all(t.finding != other.finding for other in told):
                    told.append(t)
        told += self._volunteered(query, {t.finding for t in told})
        told = [self._toned(t) for t in told]
        lead = "nothing_more" if not told else ""
        grave = heavy or self._delicate(query) or any(self._weighs(t) for t in told)
        # To be invited to speak, or asked for a worry, is nothing to ask back about.
        invited = CONCERN in query.findings or (query.open and not query.findings)
        extras = self._extras(leave_out=("digression",) * grave + ("ask_back",) * invited)
        if lost:
            extras = ("unclear_word", *extras)[:MAX_EXTRAS]
        flags = [*extras, *(t.tone for t in told if t.tone != "plain")]
        if any(t.state == "withheld" for t in told):
            flags.append("reluctant")
        return Plan(tuple(told), lead, extras, _cue(extras), tuple(dict.fromkeys(flags)), grave)

    def _direct(self, f_id: str, query: Query) -> list[Told]:
        """The answer to one finding asked for; an attribute of something absent is answered by that."""
        if self.knowledge.covered_by(f_id) and f_id not in self.scenario.by_finding:
            return self._in_general(f_id, query)
        above: list[Told] = []
        for ancestor in reversed(list(ancestors(f_id, self.knowledge.parent_of))):
            t = self._one(ancestor, query, may_slip=False)  # who recalls what a pain is like recalls the pain
            if t.state in ("absent", "withheld") or (t.state == "not_noticed" and f_id not in self.scenario.by_finding):
                return [t]
            if t.state == "present":
                above.append(t)
        own = self._one(f_id, query)
        if own.state == "withheld":  # nor is it said what the thing withheld belongs to
            return [own]
        if own.state == "present":  # who describes a pain has said that there is one
            return [*(t.model_copy(update={"rule": "implied"}) for t in above), own]
        return [*(t for t in above if t.finding not in self.told), own]

    def _in_general(self, f_id: str, query: Query) -> list[Told]:
        """What the law lets out of that which a finding covers, what is new first of all; and that there is nothing else,
        where nothing is kept back. Where one thing does not come to mind, none does."""
        covered = self.knowledge.covered_by(f_id)
        present = [f for f in self.scenario.facts if f.finding in covered and f.state is State.PRESENT]
        there = [f for f in present if self._ancestors_told(f.finding, set())]
        out = [_told(f, rule) for f in there if (rule := self._admits(f, query))]
        new = [t for t in out if t.finding not in self.told]
        if f_id not in self.asked and any(self._slips(self.scenario.by_finding[t.finding]) for t in new):
            return [Told(fact=f_id, finding=f_id, state="unknown", rule="recall")]
        room = max(1, int(self._room(self.persona.traits.facts_per_open)))
        told = [t for i, t in enumerate(new) if t.rule != "in_general" or i < room]
        kept = {f.finding for f in present} - self.told - {t.finding for t in told}
        if not told and (kept or self.knowledge.topic_of(f_id) not in BACKGROUND):
            told = out  # a complaint bears saying again
        if not kept:
            rule = "nothing_else" if present else "unrecorded"
            told.append(Told(fact=f_id, finding=f_id, state="not_noticed", rule=rule))
        # Nothing is denied that is there: it is kept back, or belongs to what has not been spoken of.
        return told or [Told(fact=f_id, finding=f_id, state="withheld" if there else "unknown", rule="in_general")]

    def _one(self, f_id: str, query: Query, *, may_slip: bool = True) -> Told:
        fact = self.scenario.by_finding.get(f_id)
        finding = self.knowledge.finding[f_id]
        if fact is None:
            fits = suits(finding, self.scenario.patient.age, self.scenario.patient.sex)
            # Who takes medicines knows it: where none is on record, there is none to speak of.
            others = self._others(finding)
            lasting = finding.kind is FindingKind.TEXT and finding.topic in LASTING and others <= self.told
            if finding.source is not Source.HISTORY or not (finding.kind is FindingKind.BINARY or lasting):
                state: Literal["absent", "unknown", "not_noticed"] = "unknown"
            elif (self.scenario.closed_world or not fits) and not lasting:
                state = "absent"
            else:
                state = "not_noticed"
            rule = "nothing_else" if lasting and others else "unrecorded"
            return Told(fact=f_id, finding=f_id, state=state, rule=rule)
        if fact.release in (Release.UNKNOWN, Release.ORDER_ONLY):
            return Told(fact=f_id, finding=f_id, state="unknown", rule=fact.release.value)
        rule = self._admits(fact, query)
        if not rule:
            return Told(fact=f_id, finding=f_id, state="withheld", rule=fact.release.value)
        if may_slip and self._slips(fact):
            return Told(fact=f_id, finding=f_id, state="unknown", rule="recall")
        return _told(fact, rule)

    def _others(self, finding: Finding) -> set[str]:
        """What else there is of a finding's topic."""
        present = (f.finding for f in self.scenario.facts if f.state is State.PRESENT)
        return {name for name in present if self.knowledge.topic_of(name) == finding.topic}

    def _admits(self, fact: Fact, query: Query) -> str:
        return admits(
            fact, query, trust=self.mood.trust, facts=self.scenario.by_finding,
            topic_of=self.knowledge.topic_of, parent_of=self.knowledge.parent_of, covered_by=self.knowledge.covered_by,
        )  # fmt: skip

    def _slips(self, fact: Fact) -> bool:
        """Whether it does not come to mind as long as nobody has asked for it before."""
        if self.persona.recall >= 1 or fact.finding in self.told or fact.finding in self.asked:
            return False
        return self.rng.random() >= self.persona.recall

    def _volunteered(self, query: Query, already: set[str]) -> list[Told]:
        """Facts told without being asked for: to an open question, or on the topic of a direct one."""
        traits = self.persona.traits
        invited = query.open or bool(query.topics)
        room = self._room(traits.facts_per_open if invited else traits.facts_per_direct)
        if invited:  # whoever is asked to tell tells something
            room = max(1.0, room)
        count = int(room) + (self.rng.random() < room - int(room))
        if not count:
            return []
        found: list[tuple[int, int, Told]] = []
        for i, fact in enumerate(self.scenario.facts):
            if fact.release not in AT_HAND or fact.state is not State.PRESENT:
                continue
            if fact.finding in already or fact.finding in self.told or not self._ancestors_told(fact.finding, already):
                continue
            rule = self._admits(fact, query)
            if rule and not self._slips(fact):
                found.append((AT_HAND.index(fact.release), i, _told(fact, rule)))
        return [t for _, _, t in sorted(found, key=lambda x: x[:2])[:count]]

    def _room(self, facts: float) -> float:
        """How many facts there is room for in this mood, of so many at the best."""
        return facts * readiness(self.mood, self.persona)

    def _ancestors_told(self, finding: str, already: set[str]) -> bool:
        """Nobody describes a pain before saying that there is one."""
        parent = self.knowledge.parent_of(finding)
        return parent is None or parent in self.told or parent in already

    def _heavy(self, told: frozenset[str] | set[str]) -> bool:
        """Whether what has been told leaves no room for jokes until the end.

        That is something hard to say, a loss, a complaint that is itself a red flag, or several red flags; and to
        who speaks for another, one red flag or anything severe.
        """
        for_another = self.scenario.patient.speaker is not Speaker.SELF
        flags = 0
        for f_id in told:
            fact, f = self.scenario.by_finding.get(f_id), self.knowledge.finding.get(f_id)
            if fact is None or f is None or fact.state is not State.PRESENT:
                continue
            if f.sensitive or _of_loss(fact.text):
                return True
            if for_another and (f.red_flag or fact.severity == "severe"):
                return True
            if f.red_flag:
                flags += MANY if fact.release is Release.OPENING else 1
        return flags >= MANY

    def _delicate(self, query: Query) -> bool:
        """Whether it is asked for something hard to say, a worry, or the state of mind."""
        found = [f for f_id in query.findings if (f := self.knowledge.finding.get(f_id)) is not None]
        return any(f.sensitive or f.topic in HEAVY or f.id == CONCERN for f in found)

    def _weighs(self, told: Told) -> bool:
        """Whether what is told now is nothing to joke about beside it."""
        f = self.knowledge.finding.get(told.finding)
        if f is None or told.state != "present":
            return False
        return f.red_flag or f.topic in HEAVY or f.id == CONCERN or self._heavy({f.id})

    def _toned(self, told: Told) -> Told:
        """The same fact played down or dramatised: in words only, as a severe or mild one allows."""
        fact, finding = self.scenario.by_finding.get(told.finding), self.knowledge.finding.get(told.finding)
        if fact is None or finding is None or told.state != "present" or told.rule == "implied":
            return told
        if fact.finding in self.told or not _is_complaint(finding):
            return told
        traits = self.persona.traits
        down = traits.play_down * {"mild": 1.0, "severe": 0.4}.get(fact.severity, 0.6)
        up = traits.dramatise * {"mild": 0.4, "severe": 1.0}.get(fact.severity, 0.6)
        draw = self.rng.random()
        if draw < up * 0.6:
            return told.model_copy(update={"tone": "dramatised"})
        if draw > 1 - down * 0.6 and not self._weighs(told):
            return told.model_copy(update={"tone": "played_down"})
        return told

    def _extras(self, *, opening: bool = False, leave_out: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Digressions, questions back, feelings; more of them with anxiety or irritation; none of `leave_out`."""
        t, m = self.persona.traits, self.mood
        chances = (
            ("emotion", t.emotion * (0.3 + 0.7 * m.anxiety)),
            ("seek_reassurance", t.seek_reassurance * (0.3 + 0.7 * m.anxiety)),
            ("seek_outcome", t.seek_outcome * (0.45 + 0.55 * m.irritation)),
            ("ask_back", t.ask_back * 0.5),
            ("digression", t.digress * 0.5),
            ("irritated", max(0.0, m.irritation - 0.4)),
        )
        drawn = [name for name, chance in chances if self.rng.random() < chance and name not in leave_out]
        if opening:  # nothing has been asked yet that could be asked back
            drawn = [name for name in drawn if name in ("emotion", "seek_reassurance", "digression")]
        return tuple(drawn[: 1 if opening else MAX_EXTRAS])


def _cue(extras: Sequence[str]) -> str:
    """The kind of cue that something said gives: a worry shown, an outcome pressed for."""
    if "emotion" in extras or "seek_reassurance" in extras:
        return "worry"
    return "outcome" if "seek_outcome" in extras else ""


def _is_complaint(finding: Finding) -> bool:
    """Whether more or less can be made of it: something one has and suffers from, and can speak of."""
    if finding.kind is not FindingKind.BINARY or finding.sensitive or finding.topic in BACKGROUND:
        return False
    return finding.red_flag or (finding.parent is None and not _GOOD.search(finding.present))


@lru_cache(maxsize=4096)
def _of_loss(text: str) -> bool:
    return _LOSS.search(text) is not None


def _told(fact: Fact, rule: str) -> Told:
    state: Literal["present", "absent"] = "present" if fact.state is State.PRESENT else "absent"
    return Told(fact=fact.id, finding=fact.finding, state=state, values=fact.values, rule=rule)


def findings_of(told: Sequence[Told]) -> frozenset[str]:
    """The findings that were really told."""
    return frozenset(t.finding for t in told if t.state in ("present", "absent"))
