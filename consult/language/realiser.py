"""Templates that put chosen facts into a persona's words. Decides nothing about what is told.

Every sentence about a finding is the finding's own `present` or `absent`, so that it can be read back; what a
temperament or a register does to it is done only where it is still read as the same.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from consult.clean import clean
from consult.events import Told
from consult.knowledge.model import Finding, FindingKind, Knowledge
from consult.language.extractor import extract
from consult.language.phrases import Draw
from consult.language.register import LEAD_SHARE, LEADS, TAG_SHARE, TAGS, expanded, led, loosened, stiffened, tagged
from consult.language.tokens import tokens
from consult.language.voice import capital, third_person
from consult.persona import Persona
from consult.scenario import Fact, Scenario, Speaker
from consult.terms import Sex

NOTHING_OF_ONES_OWN = "I can't say, nothing in particular."
"""To a question for one's own ideas, worries or wishes, of who has none on record; nobody does not *know* them."""
NOTHING_OF_IT = ("Nothing worth mentioning.", "Nothing to speak of, doctor.")
"""Of illnesses, operations or medicines asked for together, where none is on record; said once."""
NOTHING_OTHERWISE = "Otherwise nothing worth mentioning."
NOTHING_ELSE = "Nothing else worth mentioning."
CLIPPED_TO = 5
"""Words of a fact that is said in no sentence, at most."""
_NEVER_CLIPPED = re.compile(r"(?:being|unable|everyone)\b")
_NO_NO = re.compile(r"(?:\w+ing \w|(?:fewer|less|more|poorer?|possible|great|much|very|seldom|easy)\b)")
"""What cannot stand behind a lone "no"."""
_ARTICLE = re.compile(r"^(?:an?|the) ")
_SLOT = re.compile(r"(^|[.!?] )?\{([^}]*)\}")
HABITS = frozenset({"risk", "social"})
KNOWN_TOPICS = frozenset({"past", "family", "medicines"})
"""Topics of what one does, and of what one has been told: not of what one notices."""
_FOR = {"told": re.compile(r"know|aware"), "seen": re.compile(r"^(?!.*(?:know|aware))")}
"""Which phrases are for what one would have been told, and which for what one would have noticed."""
NO_HABIT = (
    "Nothing to speak of.", "There is nothing worth mentioning.", "Nothing much to speak of there.",
    "Nothing worth mentioning there.", "There's nothing to speak of.", "Nothing worth mentioning about that.",
    "There's nothing much to speak of.", "Not really, nothing to speak of.",
)  # fmt: skip
OWN_TOPICS = frozenset({"ice"})
"""Topics in which a parent or carer speaks for themselves."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is to be said: facts, and what temperament adds, in this order."""

    told: tuple[Told, ...] = ()
    asked: tuple[str, ...] = ()
    """Findings that were asked for; a single one may be answered with a bare yes or no."""
    lead: str = ""
    """Said first: a word bank's name, or empty."""
    extras: tuple[str, ...] = ()
    """Word banks of which one phrase each follows."""
    grave: bool = False
    """In the words for what is grave, where the persona has any."""


def realise(
    saying: Saying,
    scenario: Scenario,
    knowledge: Knowledge,
    persona: Persona,
    rng: random.Random,
    draw: Draw | None = None,
) -> str:
    """The utterance. Without `draw`, phrases come from decks of its own."""
    say = _Speaker(scenario, knowledge, persona, rng, draw or Draw(int(rng.random() * 2**32)), saying.grave)
    parts = [say.phrase(saying.lead)] if saying.lead else []
    spoken = [t for t in saying.told if t.rule != "implied"]
    alone = len(saying.asked) == 1 == len(spoken) and spoken[0].finding == saying.asked[0]
    for i, t in enumerate(spoken):
        answers = t.finding in saying.asked or t.state != "present"  # a "yes" is to what was asked, not to its parent
        first = i == 0 and bool(saying.asked) and answers
        words = say.fact(t, saying.asked, alone=alone, first=first, leads=i == 0)
        if words in (NOTHING_ELSE, NOTHING_OTHERWISE) and not {*NOTHING_OF_IT, NOTHING_ELSE}.isdisjoint(parts):
            continue
        parts.append(words)
        if t.tone != "plain":
            parts.append(say.phrase("play_down" if t.tone == "played_down" else "dramatise"))
    parts += [say.phrase(bank) for bank in saying.extras]
    text = " ".join(p for p in parts if p)
    return clean(expanded(text) if persona.speech == "formal" else text)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Whoever speaks, with their manner and their chance."""

    scenario: Scenario
    knowledge: Knowledge
    persona: Persona
    rng: random.Random
    draw: Draw
    grave: bool

    def phrase(self, bank: str, *, what: str = "") -> str:
        """The next phrase of a bank, in the voice of who speaks; those for `what` are a deck of their own, if there are any."""
        own = self.grave and bool(getattr(self.persona.grave, bank))
        name, phrases = f"grave {bank}" if own else bank, self.persona.bank(bank, grave=own)
        if what and (fit := tuple(p for p in phrases if _FOR[what].search(p))):
            name, phrases = f"{name} {what}", fit
        phrase = self.draw(name, phrases)
        patient = self.scenario.patient
        return spoken(phrase, None if patient.speaker is Speaker.SELF else patient.sex)

    def fact(self, t: Told, asked: tuple[str, ...], *, alone: bool, first: bool, leads: bool) -> str:
        """One fact as a sentence, with a yes or no before it where it answers a question; else, if it `leads`, words
        that lead in."""
        finding = self.knowledge.finding[t.finding]
        only = first and asked == (
            t.finding,
        )  # of what a detail belongs to, a bare answer would be heard of the detail
        named = finding.kind is FindingKind.BINARY and not only  # "any" goes before a thing, not before a manner of it
        if t.state == "withheld":
            return f"I'd rather not talk about {finding.plain}." if named else self.phrase("reluctant")
        if t.state == "unknown":
            if (named and not first) or (
                finding.kind is FindingKind.TEXT and not only and finding.topic not in OWN_TOPICS
            ):
                return f"I don't know about {_any(finding.plain)}{' off the top of my head' * (t.rule == 'recall')}."
            if finding.topic in OWN_TOPICS and t.rule != "recall":
                return NOTHING_OF_ONES_OWN
            return self.phrase("forgot" if t.rule == "recall" else "dont_know")
        if t.state == "not_noticed":
            if t.rule == "nothing_else":
                return NOTHING_ELSE
            if finding.kind is FindingKind.TEXT and not only:
                return self.draw("nothing of it", NOTHING_OF_IT) if leads else NOTHING_OTHERWISE
            return f"I haven't noticed {_any(finding.plain)}." if named else self._not_noticed(finding)
        text = _sentence(voiced(statement(t, finding, self.scenario), finding, self.scenario))
        if not first or finding.kind is not FindingKind.BINARY:
            return self._put(text, t, finding, asked, leads=leads and t.state == "present")
        answer = self.phrase("yes" if t.state == "present" else "no")
        if self.persona.speech == "colloquial":
            answer = loosened(answer, self.rng.random())
        elif self.persona.speech == "formal":
            answer = stiffened(answer)
        if alone and self.rng.random() < self.persona.traits.brevity:
            return answer or text
        return f"{answer} {self._put(text, t, finding, asked, leads=False)}".strip()

    def _not_noticed(self, finding: Finding) -> str:
        """What is not there as far as one knows: of a habit or an illness nobody says that they have not noticed it."""
        if finding.topic in HABITS or finding.id.startswith("risk.") or finding.kind is FindingKind.TEXT:
            return self.draw("habits", NO_HABIT)
        return self.phrase("not_noticed", what="told" if finding.topic in KNOWN_TOPICS else "seen")

    def _put(self, text: str, t: Told, finding: Finding, asked: tuple[str, ...], *, leads: bool) -> str:
        """A sentence as this person puts it; as it stands, where another way would not be understood the same."""
        p, chance = self.persona, self.rng.random()
        if chance < p.traits.clipped:
            return self._if_same(_clipped(t, finding, alone=asked == (t.finding,)), text, asked)
        if chance > 1 - p.traits.lead_in and leads:
            return self._if_same(led(self.phrase("lead_in"), text), text, asked)
        if p.speech == "plain":
            return text
        chance = self.rng.random()
        if chance < LEAD_SHARE and leads:
            return self._if_same(led(self.draw("register", LEADS[p.speech]), text), text, asked)
        if chance > 1 - TAG_SHARE and finding.kind is FindingKind.BINARY and t.state == "present" and not self.grave:
            return self._if_same(tagged(text, self.draw("tag", TAGS[p.speech])), text, asked)
        return text

    def _if_same(self, other: str, text: str, asked: tuple[str, ...]) -> str:
        return other if other and same(other, text, self.knowledge, asked) else text


def same(a: str, b: str, knowledge: Knowledge, asked: tuple[str, ...] = ()) -> bool:
    """Whether two texts are read as saying the same, after being asked for `asked`."""
    return _read(a, knowledge, asked) == _read(b, knowledge, asked)


def _read(text: str, knowledge: Knowledge, asked: tuple[str, ...]) -> set[tuple[object, ...]]:
    readings = extract(text, knowledge, asked)
    return {(r.finding, r.state, tuple(sorted(r.values)), tokens(r.text), r.implied) for r in readings}


def _clipped(t: Told, finding: Finding, *, alone: bool) -> str:
    """A fact in a word or two; "" where that would say nothing, or sound like a form."""
    if finding.kind is FindingKind.BINARY:
        plain = finding.plain
        if finding.sensitive or len(plain.split()) > CLIPPED_TO or _NEVER_CLIPPED.match(plain):
            return ""
        if t.state == "present":
            return _sentence(plain)
        bare = _ARTICLE.sub("", plain)
        return "" if _NO_NO.match(bare) else _sentence(f"no {bare}")
    verbless = len(finding.present.partition("{value}")[0].split()) > 1  # else the value holds the verb
    if finding.values and alone and t.state == "present" and verbless:
        values = {v.id: v.plain for v in finding.values}
        return _sentence(listed([values.get(v, v) for v in t.values]))
    return ""


def _any(plain: str) -> str:
    """A thing behind "any"; a doing as it is."""
    return plain if plain.split()[0].endswith("ing") else f"any {_ARTICLE.sub('', plain)}"


def spoken(phrase: str, of: Sex | None) -> str:
    """A phrase of a word bank: what stands in braces is about the patient, of sex `of` if somebody else speaks."""
    if of is None:
        return phrase.replace("{", "").replace("}", "")

    def turned(m: re.Match[str]) -> str:
        words = third_person(m[2], of)
        return m[1] + words if m[1] is not None else words[:1].lower() + words[1:]

    return _SLOT.sub(turned, phrase)


def statement(t: Told, finding: Finding, scenario: Scenario) -> str:
    """The first-person sentence for a told fact, its slot filled; "" for a finding nobody can put into words.

    Where the scenario gives a fact words of its own, they are the sentence (of a `text` finding, what fills its slot).
    """
    fact = scenario.by_finding.get(finding.id)
    if _own_sentence(fact, finding) and fact is not None and fact.state.value == t.state:
        return fact.text
    if t.state == "absent":
        return finding.absent or f"I don't have {finding.plain}"
    if finding.kind is FindingKind.TEXT:
        return finding.present.replace("{text}", fact.text if fact else "")
    if finding.values:
        plain = {v.id: v.plain for v in finding.values}
        return finding.present.replace("{value}", listed([plain.get(v, v) for v in t.values]))
    return finding.present


def _own_sentence(fact: Fact | None, finding: Finding) -> bool:
    return fact is not None and bool(fact.text) and finding.kind is not FindingKind.TEXT


def voiced(text: str, finding: Finding, scenario: Scenario) -> str:
    """A first-person sentence in the voice of who speaks."""
    if scenario.patient.speaker is Speaker.SELF or finding.topic in OWN_TOPICS:
        return text
    fact = scenario.by_finding.get(finding.id)
    if _own_sentence(fact, finding) and fact is not None and text == fact.text:
        return text  # the scenario's words are the speaker's
    if finding.kind is FindingKind.TEXT:
        frame, _, tail = finding.present.partition("{text}")
        if fact is not None and text.startswith(frame):
            return third_person(frame, scenario.patient.sex) + fact.text + tail
    return third_person(text, scenario.patient.sex)


def listed(items: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""


def _sentence(text: str) -> str:
    text = capital(text.strip())
    return text if not text or text[-1] in ".!?" else text + "."
