"""What a sentence mentions of findings beside whole statements: phrases, values, paraphrases, each with its state.

Negation, doubt, and whose and when it is decide the state, or that nothing is stated. Knows nothing of scenarios.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from consult.knowledge.model import BACKGROUND, FindingKind
from consult.language.concepts import concepts
from consult.language.gist import Hit, gists
from consult.language.lexicon import Lexicon
from consult.language.replies import NO, NOT_NOTICED, REFUSED, UNKNOWN, YES, Reply, contains
from consult.language.scope import applies, reach
from consult.language.tokens import NEGATORS, Tokens, tokens

_BREAKERS: Final = frozenset("but however though although except apart only just yet because".split())
_COMPARES: Final = frozenset("this so as like".split())
_MIGHT: Final = frozenset("might may maybe perhaps possibly could".split())
_CLAUSE: Final = re.compile(r"(?<=[,;:])\s+|\s+(?=(?:and|but|because|though|although)\s)", re.IGNORECASE)
_IT: Final = re.compile(r"(?:it|they)\b", re.IGNORECASE)
COVER: Final = 0.6
"""Share of a clause, by weight, that a paraphrase must account for; more than in a question, for nobody asked."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing a text says."""

    finding: str
    state: Reply
    values: tuple[str, ...] = ()
    text: str = ""
    """The words, where they are the content."""
    implied: bool = False
    """Follows from another reading (a described pain is a pain)."""
    turned: bool = False
    """The same words say the contrary too."""


@dataclass
class Sentence:
    """A sentence while it is read: its tokens, those not yet accounted for, and what has been read."""

    part: str
    toks: Tokens
    lex: Lexicon
    for_other: bool
    asked: tuple[str, ...]
    free: list[bool]
    read: list[Reading]

    @cached_property
    def last_or(self) -> int:
        """Up to where things named side by side may be a list under one negation; "no pain, just tired" is none."""
        if "just" not in self.part.lower():
            return len(self.toks)
        return max((i for i, t in enumerate(self.toks) if t in ("or", "nor")), default=0)

    def take(self, start: int, end: int) -> None:
        """Account for tokens."""
        self.free[start:end] = [False] * (end - start)

    def own(self, finding: str, start: int, end: int) -> bool:
        """Whether what stands at `start` to `end` is the patient's, of now, and said as a fact."""
        f = self.lex.knowledge.finding[finding]
        others = gists(self.lex.knowledge).of_others(finding)
        return applies(self.toks, start, end, for_other=self.for_other, past=f.topic in BACKGROUND, others=others)


def mentions(s: Sentence) -> None:
    """Read the phrases that stand in what is left of a sentence."""
    have = {r.finding for r in s.read}
    for start, end, e in s.lex.mentions.find(s.toks, list(s.free)):
        if e.finding in have:
            continue
        s.take(start, end)
        finding = s.lex.knowledge.finding[e.finding]
        state = _state(s, start, end)
        if (
            finding.kind is FindingKind.TEXT
            and finding.topic == "social"
            and end - start == 1
            and e.finding not in s.asked
        ):
            continue  # "it didn't work" is no word of an occupation
        if finding.kind is not FindingKind.BINARY and (
            state == "present" or (state == "absent" and not finding.absent)
        ):
            continue  # naming an attribute says nothing of its value
        if state in ("present", "absent") and not s.own(e.finding, start, end):
            continue
        s.read.append(Reading(e.finding, state))
        have.add(e.finding)
        if state == "present":
            _values_beside(s, e.finding, start, end)


def _state(s: Sentence, start: int, end: int) -> Reply:
    toks = s.toks
    after = toks[end : end + 1]
    if after and after[0] in YES | NO and (end + 1 == len(toks) or toks[end + 1] not in ("@",)):
        return "present" if after[0] in YES else "absent"  # "fever yes, chills no"
    low, high = reach(toks, start)
    near = toks[low:high]
    if _unsure(near, start - low) or contains(near, REFUSED):
        return "unknown"
    if contains(near, NOT_NOTICED):
        return "not_noticed"
    return "absent" if negated(s, start) else "present"


def _unsure(near: Tokens, at: int) -> bool:
    """Whether "I don't know" and the like reaches what is mentioned at `at`: before it, or after a "might"."""
    found = UNKNOWN.search(" ".join(near))
    if found is None:
        return False
    before = " ".join(near).count(" ", 0, found.start())
    return before < at or bool(_MIGHT.intersection(near[:at]))


def negated(s: Sentence, i: int) -> bool:
    """Whether a negation reaches token `i`: one before it in the sentence, with no turn ("but") between.

    It reaches past things already read only along a list: "no fever, chest pain or cough".
    """
    toks, free = s.toks, s.free
    listed, of_list = False, i < s.last_or
    for k in range(i - 1, -1, -1):
        listed = listed or toks[k] in ("or", "nor") or (of_list and k == i - 1 and not free[k])
        if toks[k] in _BREAKERS or (not free[k] and not listed):
            return False
        if toks[k] == "and" and (toks[k + 1 : k + 2] == ("@",) or toks[k + 1 : k + 2] == ("be",)):
            return False
        if toks[k] in NEGATORS:
            if toks[k] == "never" and _COMPARES.intersection(toks[i + 1 : i + 4]):
                return False  # "I've never had a headache this bad"
            if k == 0 and toks[k] == "no" and toks[1:2] in (("@",), ("it",), ("but",)):
                return False  # "No, I have a cough"
            return not (toks[k] == "not" and toks[k + 1 : k + 2] == ("only",))
    return False


def _values_beside(s: Sentence, finding: str, start: int, end: int) -> None:
    """Values of its attributes in the same clause: "a dry cough", "a headache on one side"."""
    low, high = reach(s.toks, start)
    for i in range(low, high):
        for n in (3, 2, 1):
            if i + n > high or not all(s.free[i : i + n]):
                continue
            named = s.lex.value_mentions.get(s.toks[i : i + n], ())
            fits = [e for e in named if s.lex.knowledge.parent_of(e.finding) == finding]
            if len(fits) == 1 and fits[0].value and not negated(s, i):
                near = i + n == start or s.lex.knowledge.finding[fits[0].finding].kind is FindingKind.MULTI
                if near or i >= end:
                    s.read.append(Reading(fits[0].finding, "present", (fits[0].value,)))
                    s.take(i, i + n)
                    break


def paraphrases(s: Sentence) -> None:
    """Read the clauses in which nothing known stands, by their concepts."""
    g = gists(s.lex.knowledge)
    have = {r.finding for r in s.read}
    at = 0
    for clause in _CLAUSE.split(s.part):
        toks = tokens(clause)
        start, at = at, at + len(toks)
        if len(toks) < 2 or not all(s.free[start:at]):
            continue
        if _evades(toks) or _MIGHT.intersection(toks):
            continue
        denied = bool(NEGATORS.intersection(toks))
        said = concepts(toks)
        for hit in g.about(said, COVER) or _of_it(s, clause, said):
            f = s.lex.knowledge.finding[hit.finding]
            inner = g.is_denial(hit)
            if f.kind is not FindingKind.BINARY or f.id in have or (inner and not denied):
                continue
            if len(hit.gist) == 1 and not (inner or g.is_its_name(hit) or f.id in s.asked):
                continue
            if s.own(f.id, at, at):
                s.read.append(Reading(f.id, "absent" if denied and not inner else "present"))
                s.take(start, at)


def _of_it(s: Sentence, clause: str, said: tuple[str, ...]) -> list[Hit]:
    """The one finding asked for, where "it" or "they" stands for what was asked about: "it's terribly sore", of the throat."""
    if len(s.asked) != 1 or not _IT.match(clause) or s.asked[0] not in s.lex.knowledge.finding or _evades(s.toks):
        return []
    f = s.lex.knowledge.finding[s.asked[0]]
    named = s.lex.knowledge.finding[f.parent].plain if f.parent else f.plain
    g = gists(s.lex.knowledge)
    hits = g.about((*concepts(tokens(named)), *said), COVER)
    return [h for h in hits if h.finding == f.id and h.gist.intersection(said)]


def _evades(toks: Tokens) -> bool:
    return contains(toks, UNKNOWN) or contains(toks, REFUSED) or contains(toks, NOT_NOTICED)
