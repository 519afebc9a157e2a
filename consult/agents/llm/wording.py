"""What a model's wording of a turn must hold and must not: stricter than the guard, because here the template is at hand.

What the template says, what was told before and what the doctor has just said may be said again. Of the case's own file, of
the prompt, of illnesses and of doctors' terms nothing else may. Bounds are ours. Must not import sim; calls no model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import Final, NamedTuple

from consult.agents.base import PatientView
from consult.events import Told
from consult.knowledge.model import FindingKind, Knowledge
from consult.knowledge.per_object import per_object
from consult.language.extractor import Reading, extract
from consult.language.guard import breaches
from consult.language.lexicon import Entry, Phrases
from consult.language.manner import clinical
from consult.language.role import given_back, in_circles, of_the_listener
from consult.language.tokens import Tokens, sentences, tokens
from consult.scenario import Fact, Scenario, Speaker, State

LONGEST: Final = 1200
"""Characters of an utterance beyond which nobody speaks in a consultation."""
RUN: Final = 4
"""Words in a row of something secret from which it is quoted."""
_WORD: Final = 4
"""Letters from which one word of a fact's own is telling."""
_SURE: Final = ("present", "absent")


class Fault(NamedTuple):
    """What is wrong with a wording, as of `Guarded`."""

    breach: str
    about: str


@dataclass(frozen=True)
class Wording:
    """What a turn's words are held against."""

    view: PatientView
    asked: tuple[str, ...]
    told: tuple[Told, ...]
    before: tuple[Told, ...]
    template: str
    given: str = ""
    """What else may be said again: the doctor's words, and what was told before."""
    prompt: str = ""
    """What the model was told of its part, which nobody is to hear."""

    def faults(self, text: str) -> list[Fault]:
        """Everything wrong with the words."""
        if not text:
            return [Fault("role_break", "empty")]
        if len(text) > LONGEST:
            return [Fault("role_break", "too long")]
        scenario, knowledge = self.view.scenario, self.view.world.knowledge
        guarded = breaches(text, self.asked, self.told, self.before, scenario, knowledge)
        ways = (
            self._left_out(text),
            self._denied(text),
            self._under_cover(text),
            self._named(text),
            self._quoted(text),
            self._out_of_role(text),
        )
        return list(dict.fromkeys([*(Fault(f.breach, f.about) for f in guarded), *chain(*ways)]))

    def _read(self, text: str) -> dict[str, Reading]:
        for_other = self.view.scenario.patient.speaker is not Speaker.SELF
        return {r.finding: r for r in extract(text, self.view.world.knowledge, self.asked, for_other=for_other)}

    def _left_out(self, text: str) -> Iterator[Fault]:
        read = self._read(text)
        for t in self.told:
            r = read.get(t.finding)
            if t.state in _SURE and (r is None or r.state != t.state or not set(t.values) <= set(r.values)):
                yield Fault("omission", t.finding)

    def _denied(self, text: str) -> Iterator[Fault]:
        """To deny what one has is no wording of a silence about it."""
        listed = {t.finding for t in self.told}
        for r in self._read(text).values():
            fact = self.view.scenario.by_finding.get(r.finding)
            if r.state == "not_noticed" and r.finding not in listed and fact and fact.state is State.PRESENT:
                yield Fault("invention", r.finding)

    @cached_property
    def _kept(self) -> list[Fact]:
        """Facts that were not told."""
        told = {t.finding for t in (*self.told, *self.before) if t.state in _SURE}
        return [f for f in self.view.scenario.facts if f.finding not in told]

    @cached_property
    def _free(self) -> Tokens:
        return tokens(f"{self.template} {self.given}")

    def _under_cover(self, text: str) -> Iterator[Fault]:
        """Facts in words that state nothing: a question, "if you had asked", a heading of the file."""
        said, own = tokens(text), tokens(self.template)
        for fact in self._kept:
            for words in _words_of(fact, self.view.world.knowledge):
                if _holds(said, words) and not _holds(own, words):
                    yield Fault("unreleased", fact.finding)
                    break

    def _named(self, text: str) -> Iterator[Fault]:
        """Illnesses and doctors' terms."""
        knowledge = self.view.world.knowledge
        known = _illnesses(knowledge)
        for i, j, entry in known.find(tokens(text)):
            if not _holds(self._free, tokens(text)[i:j]):
                yield Fault("invention", entry.finding)
        free = clinical(f"{self.template} {self.given}", knowledge)
        yield from (Fault("role_break", term) for term in clinical(text, knowledge) if term not in free)

    def _out_of_role(self, text: str) -> Iterator[Fault]:
        """What a model says that has lost the thread."""
        question, own = self.view.question, self.template
        about = {
            "said of the doctor": of_the_listener(text, own, self.view.world.knowledge),
            "the doctor's words": given_back(text, question, own),
            "in circles": in_circles(text, own),
        }
        yield from (Fault("role_break", name) for name, words in about.items() if words)

    def _quoted(self, text: str) -> Iterator[Fault]:
        """Runs of words of the file or the prompt."""
        said = _runs(text) - _runs(self.template) - _runs(self.given)
        if said & _telling(self.prompt):
            yield Fault("role_break", "its instructions")
        if said & _file(self.view.scenario):
            yield Fault("leak", "the file")


def _holds(said: Tokens, words: Tokens) -> bool:
    n = len(words)
    return any(said[i : i + n] == words for i in range(len(said) - n + 1))


@lru_cache(maxsize=4096)
def _runs(text: str) -> frozenset[Tokens]:
    """Words in a row, two to `RUN` of them."""
    toks = tokens(text)
    return frozenset(toks[i : i + n] for n in range(2, RUN + 1) for i in range(len(toks) - n + 1))


@lru_cache(maxsize=4096)
def _telling(text: str) -> frozenset[Tokens]:
    """The longest runs of each sentence: by fewer words it is not known."""
    runs = [_runs(part) for part in sentences(text)]
    return frozenset(run for of in runs for run in of if len(run) == max(map(len, of)))


def _words_of(fact: Fact, knowledge: Knowledge) -> Iterator[Tokens]:
    """A fact's own words, its sentence, and its heading in a file."""
    finding = knowledge.finding[fact.finding]
    own = tokens(fact.text)
    if len(own) > 1 or (own and finding.kind is FindingKind.TEXT and len(own[0]) >= _WORD):
        yield own
    for text in (finding.present if fact.state is State.PRESENT else finding.absent, finding.clinical):
        words = tokens(text)
        if len(words) > 1 and "{" not in text and "…" not in text:
            yield words


def _file_of(scenario: Scenario) -> frozenset[Tokens]:
    """Runs of what no patient has read: results, the plan, the title."""
    texts = (scenario.title, *scenario.gold.plan, *(o.result for o in scenario.orders))
    return frozenset().union(*map(_telling, texts))


def _names(knowledge: Knowledge) -> Phrases:
    out = Phrases()
    for c in knowledge.conditions:
        for name in (c.name, *c.synonyms):
            if len(name) >= RUN:
                out.add(tokens(name), Entry(c.id))
    return out


_file = per_object(_file_of, size=128)
_illnesses = per_object(_names)
