"""What a clause is about where no phrase of the lexicon stands in it: all concepts of a phrasing, in any order.

"Is your belly sore?" holds the concepts of "belly pain". A phrasing counts only if every concept of it is there, close
together, and if little else is said (`COVER`, ours, set on the development half; see docs/language.md). Ambiguity gives
nothing. Compiled once per knowledge; knows nothing of scenarios.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Final

from consult.disclosure import ancestors
from consult.knowledge.model import Finding, Knowledge, Source
from consult.knowledge.per_object import per_object
from consult.language.concepts import concepts, says_more
from consult.language.tokens import NEGATORS, Tokens, tokens

COVER: Final = 0.5
"""Share of what a clause says, by weight, that phrasings must account for."""
COVER_ALONE: Final = 0.6
"""The same, where the phrasing is one concept."""
SPREAD: Final = 3
"""Concepts that may stand between those of a phrasing."""
POLAR: Final = frozenset(
    "poor bad low lose gain less more hard change differ different chang fewer reduc trouble weak worse good".split()
)
"""Concepts that say how a thing is, not what it is."""
OTHERS: Final = frozenset({"family", "social", "ice"})
"""Topics that are about other people too."""
ASIDE: Final = frozenset("recent when describe place before person".split())
"""Concepts that may stay unaccounted for."""
ASKING: Final = frozenset("how why who which what".split())
"""Words that turn a question: "how is your breathing?" is not "are you breathing?"."""
_LEAD: Final = re.compile(
    r"^(?:(?:@|and|be|do|ever|experience|feel|from|get|got|have|notice|now|okay?|so|suffer|well)(?: |$))+"
)
_IDLE: Final = re.compile(r"\b(?:another|at all|currently|else|exactly|in past|moment|other|particular|today)\b")
FAMILIES: Final = 4
"""A single concept that more findings than these share (their attributes aside) must be all that a clause says."""
Gist = frozenset[str]


@dataclass(frozen=True, slots=True)
class Hit:
    """A finding whose phrasing a clause holds, and the concepts of it."""

    finding: str
    gist: Gist


@dataclass(slots=True, eq=False)
class Gists:
    """Phrasings as sets of concepts, by their rarest one."""

    knowledge: Knowledge
    _by_rarest: dict[str, list[tuple[Gist, tuple[str, ...]]]] = field(default_factory=dict)
    _weight: dict[str, float] = field(default_factory=dict)
    _heaviest: float = 1.0
    _phrasings: dict[str, frozenset[Gist]] = field(default_factory=dict)
    _below: dict[str, list[str]] = field(default_factory=dict)
    _neutral: dict[Gist, tuple[str, ...]] = field(default_factory=dict)
    _common: set[str] = field(default_factory=set)
    _denied: set[tuple[str, Gist]] = field(default_factory=set)
    _others: set[str] = field(default_factory=set)
    _heard: dict[Tokens | Gist, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owners: dict[Gist, list[str]] = {}
        for f in self.knowledge.findings:
            if f.source is Source.HISTORY:
                self._phrasings[f.id] = phrasings(f)
                self._denied |= {(f.id, g) for g in denied(f)}
                if f.topic in OTHERS or {"family", "contact"}.intersection(concepts(tokens(f.plain))):
                    self._others.add(f.id)
                for above in self.ancestors(f.id):
                    self._below.setdefault(above, []).append(f.id)
                for gist in self._phrasings[f.id]:
                    owners.setdefault(gist, []).append(f.id)
                if f.parent is None:
                    for words in (w for v in f.values for w in (v.plain, *v.synonyms)):
                        named = frozenset(concepts(tokens(words))) - POLAR
                        if named and f.id not in self._neutral.get(named, ()):
                            self._neutral[named] = (*self._neutral.get(named, ()), f.id)
                for gist in {g - POLAR for g in self._phrasings[f.id] if g & POLAR} - {frozenset()}:
                    self._neutral[gist] = (*self._neutral.get(gist, ()), f.id)
        holding: dict[str, set[str]] = {}
        for gist, ids in owners.items():
            for c in gist:
                holding.setdefault(c, set()).update(ids)
        self._common = {c for c, ids in holding.items() if len({self.root(i) for i in ids}) > FAMILIES}
        self._hear(owners)
        n = len(self.knowledge.findings) + 1
        self._weight = {c: log(n / len(ids)) for c, ids in holding.items()}
        self._heaviest = log(n)
        for gist, ids in owners.items():
            owner = self._owner(ids)
            if owner:
                rarest = max(gist, key=lambda c: (self._weight[c], c))
                self._by_rarest.setdefault(rarest, []).append((gist, (owner,)))

    def _hear(self, owners: Mapping[Gist, Sequence[str]]) -> None:
        """Note further ways to ask: as they stand, and by all they hold, where that is not how another is asked for."""
        for f in self.knowledge.findings:
            for key in map(_asking, map(tokens, f.heard)):
                said = frozenset(concepts(key))
                alone = said and not says_more(key) and {f.id}.issuperset(owners.get(said, ()))
                for form in (key, _whole(key)) if alone else (key,):
                    self._heard[form] = tuple(dict.fromkeys((*self._heard.get(form, ()), f.id)))

    def _owner(self, ids: Sequence[str]) -> str | None:
        """Whose a phrasing is that several findings have: the ancestor of them all, if it is one of them."""
        return next((a for a in ids if all(a == b or a in self.ancestors(b) for b in ids)), None)

    def whole(self, key: Tokens) -> tuple[str, ...]:
        """The findings that a whole sentence asks for in one of the further ways in which they may be asked (`heard`)."""
        key = _asking(key)
        return self._heard.get(key) or (() if says_more(key) else self._heard.get(_whole(key), ()))

    def root(self, finding: str) -> str:
        """What a finding is a detail of in the end, or itself."""
        return (finding, *self.ancestors(finding))[-1]

    def meant_by(self, findings: Sequence[str]) -> set[str]:
        """All concepts of the phrasings of findings."""
        return set().union(*(g for f in findings for g in self._phrasings[f]))

    def ancestors(self, finding: str) -> tuple[str, ...]:
        """The findings above one, nearest first."""
        return tuple(ancestors(finding, self.knowledge.parent_of))

    def weight(self, concept: str) -> float:
        """How telling a concept is; one that no phrasing holds counts half of the heaviest."""
        return self._weight.get(concept, self._heaviest / 2)

    def is_denial(self, hit: Hit) -> bool:
        """Whether the phrasing is itself a negative: "I can't sleep"."""
        return (hit.finding, hit.gist) in self._denied

    def is_its_name(self, hit: Hit) -> bool:
        """Whether the phrasing is what the finding is plainly called, not a word that may mean other things too."""
        return hit.gist == frozenset(concepts(tokens(self.knowledge.finding[hit.finding].plain)))

    def of_others(self, finding: str) -> bool:
        """Whether a finding is about other people by nature: the family's health, a contact, who is at home."""
        return finding in self._others

    def all_in(self, said: Sequence[str]) -> list[Hit]:
        """Every phrasing all of whose concepts are there, close together."""
        here = set(said)
        out = []
        for c in dict.fromkeys(said):
            for gist, ids in self._by_rarest.get(c, ()):
                if gist <= here and _close(gist, said):
                    out += [Hit(i, gist) for i in ids]
        return out

    def about(self, said: Sequence[str], cover: float = COVER) -> list[Hit]:
        """The findings that a clause of these concepts is about; none if too much of it stays unaccounted for."""
        hits = self.all_in(said)
        best = [h for h in hits if not any(h.gist < o.gist for o in hits)]
        best = [h for h in best if not any(h.finding in self.ancestors(o.finding) for o in best)]
        kept: dict[str, Hit] = {}
        for h in best:
            if not any(o.finding == h.finding for o in kept.values()):
                kept[h.finding] = h
        accounted = set().union(*(h.gist for h in kept.values())) if kept else set()
        total = sum(self.weight(c) for c in set(said) - ASIDE | accounted)
        beside = set(said) - ASIDE - accounted
        if len(accounted) == 1 and beside:
            cover = max(cover, COVER_ALONE)
            if accounted <= ASIDE or accounted <= self._common:
                return []
        if not kept or sum(self.weight(c) for c in accounted) < cover * total:
            return []
        return list(kept.values())

    def wider(self, mention: Gist, said: Sequence[str]) -> list[str]:
        """Findings whose phrasing holds all of `mention` and more, all of it said: what a mention is only a part of."""
        hits = [h for h in self.all_in(said) if mention < h.gist]
        best = [h for h in hits if not any(h.gist < o.gist for o in hits)]
        return list(dict.fromkeys(h.finding for h in best))

    def beside(self, mentioned: Gist, said: Sequence[str]) -> list[str]:
        """Findings that share a word with what is mentioned: "runny nose" in "a runny or blocked nose"."""
        hits = [h for h in self.all_in(said) if h.gist & mentioned and h.gist - mentioned and not h.gist > mentioned]
        best = [h for h in hits if not any(h.gist < o.gist for o in hits)]
        return list(dict.fromkeys(h.finding for h in best))

    def neutral(self, said: Sequence[str]) -> tuple[str, ...]:
        """The findings asked for by naming what they are changes of: "How is your appetite?", "your weight?"."""
        gist = frozenset(said) - POLAR - ASIDE
        found = self._neutral.get(gist, ())
        return found if len(found) <= 2 and len({self.knowledge.finding[f].topic for f in found}) == 1 else ()

    def below(self, parent: str, said: Sequence[str], *, several: bool) -> list[str]:
        """The attributes of `parent` that a clause naming it asks for: all their own concepts are there."""
        here = set(said)
        base = set(concepts(tokens(self.knowledge.finding[parent].plain)))
        found: list[tuple[float, str, Gist]] = []
        for f_id in self._below.get(parent, ()):
            fits = [r for g in self._phrasings[f_id] if (r := g - base) and r <= here]
            if fits:
                rest = max(fits, key=lambda r: (sum(map(self.weight, r)), sorted(r)))
                found.append((sum(map(self.weight, rest)), f_id, rest))
        found = [x for x in found if not any(x[2] < y[2] for y in found)]
        found.sort(key=lambda x: -x[0])
        return [f_id for _, f_id, _ in (found if several else found[:1])]


def phrasings(f: Finding) -> frozenset[Gist]:
    """The sets of concepts that mean a finding."""
    slot = f.present.replace("{value}", "").replace("{text}", "")
    texts = (f.plain, f.clinical, *f.synonyms, *f.questions, slot)
    keys = [tokens(t) for t in texts]
    return frozenset(g for k in keys if (g := frozenset(concepts(k))) and not (len(g - POLAR) <= 1 and says_more(k)))


def _asking(key: Tokens) -> Tokens:
    """A question without how it begins ("do you have", "is there") and words that ask for no other thing ("at all")."""
    return tuple(_LEAD.sub("", " ".join(_IDLE.sub("", " ".join(key)).split())).split())


def _whole(key: Tokens) -> Gist:
    """All that a sentence says, with which word it asks, and whether that is denied."""
    return frozenset((*concepts(key), *ASKING.intersection(key), *NEGATORS.intersection(key)))


def denied(f: Finding) -> frozenset[Gist]:
    """Those phrasings that hold a negation in words."""
    keys = [tokens(t) for t in (*f.synonyms, *f.questions, f.present)]
    return frozenset(frozenset(concepts(k)) for k in keys if NEGATORS.intersection(k))


def _close(gist: Gist, said: Sequence[str]) -> bool:
    if len(gist) == 1:
        return True
    at = [i for i, c in enumerate(said) if c in gist]
    window = len(gist) + SPREAD
    return any(gist <= set(said[i : i + window]) for i in at)


gists = per_object(Gists)
"""The gists of a knowledge, compiled once."""
