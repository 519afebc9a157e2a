"""The guard: does an utterance keep to what may be said? Leaks, unreleased facts, inventions, role breaks.

Works on text alone, whoever wrote it; the patient asks before speaking, the audit asks again from the transcript.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from consult.events import Told
from consult.knowledge.model import FindingKind, Knowledge
from consult.language.disguise import unspoken
from consult.language.extractor import Reading, extract
from consult.language.giveaway import leaks
from consult.language.manner import clinical
from consult.language.role import role_breaks
from consult.language.tokens import tokens
from consult.scenario import Fact, Scenario, Speaker

Breach = Literal["leak", "unreleased", "invention", "contradiction", "role_break"]

REGISTER: Final = 2
"""Clinical terms in one utterance from which it is a doctor who speaks. Ours."""
_JOINING: Final = frozenset("yes well it be @ that and of for to because since about so just have do".split())


@dataclass(frozen=True, slots=True)
class Found:
    """A breach and what it concerns (a finding's id, or the kind of words)."""

    breach: Breach
    about: str


def breaches(
    text: str,
    asked: Sequence[str],
    told: Iterable[Told],
    before: Iterable[Told],
    scenario: Scenario,
    knowledge: Knowledge,
) -> tuple[Found, ...]:
    """Everything wrong with `text`, said after being asked `asked`, with `told` released now and `before` earlier."""
    now = list(told)
    allowed: dict[str, Told] = {t.finding: t for t in (*before, *now)}
    out = [Found("role_break", words) for words in role_breaks(text)]
    if strange := unspoken(text):
        out.append(Found("role_break", strange))
    terms = clinical(text, knowledge)
    if len(set(terms)) >= REGISTER:
        out.append(Found("role_break", terms[0]))
    if leaks(text, now, scenario, knowledge):
        out.append(Found("leak", "diagnosis"))
    for r in extract(text, knowledge, asked, for_other=scenario.patient.speaker is not Speaker.SELF):
        kind = _judge(r, allowed.get(r.finding), scenario, knowledge)
        if kind is not None:
            out.append(Found(kind, r.finding))
    return tuple(out)


def _judge(r: Reading, told: Told | None, scenario: Scenario, knowledge: Knowledge) -> Breach | None:
    """Whether a reading is covered by what was told; if not, whether it is a real fact, against one, or made up."""
    fact = scenario.by_finding.get(r.finding)
    if r.turned or (fact is not None and against(r.state, r.values, fact, knowledge)):
        return "contradiction"
    if r.implied or r.state in ("unknown", "not_noticed"):
        return None
    if told is not None and told.state == r.state and set(r.values) <= set(told.values):
        return None if _own_words(r, scenario, knowledge) else "invention"
    if fact is not None and fact.state.value == r.state and set(r.values) <= set(fact.values):
        return "unreleased"
    if r.state == "absent" and fact is None and scenario.closed_world:
        return "unreleased"
    return "invention"


def against(state: str, values: Sequence[str], fact: Fact, knowledge: Knowledge) -> bool:
    """Whether what is said of a finding and the fact cannot both be so.

    Another value of a kind of which there is one is against it; a further value of several is an addition.
    """
    if {state, fact.state.value} == {"present", "absent"}:
        return True
    one = knowledge.finding[fact.finding].kind is FindingKind.CATEGORICAL
    return one and state == fact.state.value and bool(values and fact.values) and not set(values) <= set(fact.values)


def _own_words(r: Reading, scenario: Scenario, knowledge: Knowledge) -> bool:
    """Whether free words (a medicine, a worry) are the fact's own, but for what joins them."""
    fact, finding = scenario.by_finding.get(r.finding), knowledge.finding[r.finding]
    if not r.text or fact is None or not fact.text:
        return True
    own = {*tokens(fact.text), *tokens(finding.present), *tokens(finding.plain), *_JOINING}
    return set(tokens(r.text)) <= own
