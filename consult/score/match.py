"""Which condition a diagnosis in words means: exact names, synonyms and codes of the knowledge, never a likeness.

Owns the name index of a knowledge and the joining of duplicates in a differential. Knows nothing of cases or golds, so
that nobody's answer key can bend a match. Must not import agents, sim, store or llm.

Definition (*ours*; 3MDBench scores "herpes zoster" as herpes and drops "Eczema."): two names are the same if they are
equal after folding case, accents, punctuation, spacing, plural s, possessive s and British or American spelling. A
qualifier ("acute", "viral", "left") is never stripped: it may name another condition. What does not match is kept as
it was written, with no condition, so that a synonym can be added and the run scored again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from consult.actions import Diagnosis
from consult.events import Named
from consult.knowledge.model import Condition, Knowledge
from consult.knowledge.per_object import per_object

MAX_NAME: Final = 200
"""Characters; whatever is longer is no name of a condition."""
_MARKS = re.compile("[\u0300-\u036f]")  # Latin, Greek and Cyrillic accents only: other scripts' marks carry meaning
_POSSESSIVE = re.compile(r"['‘’ʼ`´](?:s\b)?")
_WORD = re.compile(r"[^\W_]+")
_DIGRAPH = re.compile(r"a+e|o+e")  # o+ because gastro-oesophageal and gastroesophageal must meet
_NUMBERING = re.compile(r"\s*\d{1,2}[.)]\s+")
_ASIDE = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_ABBREVIATION = re.compile(r"[A-Z][A-Za-z]{0,2}[A-Z0-9-]{1,7}\Z")
_CODE = re.compile(r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4}|\d{1,4})?\Z")


def fold(text: str) -> str:
    """The key by which two spellings of a name are equal; empty if there is no letter or digit in it."""
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    words = _WORD.findall(_POSSESSIVE.sub("", text.replace("&", " and ")))
    if len(words) > 1 and words[0] in ("a", "an", "the"):  # only in front: "hepatitis a" is another matter
        words = words[1:]
    return _DIGRAPH.sub("e", "".join(_singular(w) for w in words)).replace("our", "or")


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("sses"):
        return word[:-2]
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]


def _inverted(text: str) -> str:
    """`dermatitis, allergic contact` as `allergic contact dermatitis`."""
    return " ".join(reversed(text.split(",")))


def _code(text: str) -> str:
    """An ICD-10 code without its dot, or nothing."""
    code = text.strip().rstrip(".").upper()
    return code.replace(".", "") if _CODE.match(code) else ""


class Index:
    """The names and codes of one knowledge's conditions. What two conditions share equally matches neither."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._ids = frozenset(c.id for c in knowledge.conditions)
        self._names: dict[str, str | None] = {}
        self._codes: dict[str, str | None] = {}
        # The nearer to the condition itself, the sooner a name is taken: an id before a synonym of something else.
        for level in (_ids, _titles, _synonyms, _plain):
            taken: dict[str, str | None] = {}
            for condition in knowledge.conditions:
                for text in level(condition):
                    for key in _keys(text):
                        taken[key] = condition.id if taken.get(key, condition.id) == condition.id else None
            self._names = taken | self._names
        for condition in knowledge.conditions:
            code = _code(condition.icd10)
            self._codes[code] = None if code in self._codes else condition.id

    def find(self, text: str, icd10: str = "") -> str | None:
        """The condition that `text` names; else the one that `icd10` codes; else None."""
        return self._text(text) or (self._by_code(icd10) if icd10 else None)

    def _text(self, text: str) -> str | None:
        if text in self._ids:
            return text
        if len(text) > MAX_NAME:
            return None
        text = _NUMBERING.sub("", text, count=1) if _NUMBERING.match(text) else text
        found = self._name(text) or self._by_code(text)
        if found is None and ("(" in text or "[" in text):
            found = self._with_asides(text)
        if found is None and "/" in text:
            found = _agreed(self._name(part) for part in text.split("/"))
        return found

    def _name(self, text: str) -> str | None:
        found = self._names.get(fold(text))
        return self._names.get(fold(_inverted(text))) if found is None and "," in text else found

    def _by_code(self, text: str) -> str | None:
        """By ICD-10 code; a code below a listed one is a kind of it (B02.9 of B02), never the other way round."""
        code = _code(text)
        for length in range(len(code), 2, -1):
            if code[:length] in self._codes:
                return self._codes[code[:length]]
        return None

    def _with_asides(self, text: str) -> str | None:
        """`Name (…)`: the aside may repeat the name in other words, abbreviate or code it, but not narrow it."""
        outside = _ASIDE.sub(" ", text)
        named = self._name(outside)
        for aside in _ASIDE.findall(text):
            own = self._name(aside) or self._by_code(aside)
            # In a text all in capitals any word looks like an abbreviation: PNEUMONIA (VIRAL).
            short = _ABBREVIATION.match(aside.strip()) and not outside.isupper()
            if named is None and (_code(aside) or (short and _stands_for(aside, outside))):
                named = own
            elif (own is None and not short and not _code(aside)) or (own is not None and own != named):
                return self._names.get(fold(" ".join((*_ASIDE.findall(text), outside))))
        return named


def _ids(c: Condition) -> Sequence[str]:
    return (c.id,)


def _titles(c: Condition) -> Sequence[str]:
    return (c.name,)


def _synonyms(c: Condition) -> Sequence[str]:
    return (*c.synonyms, *c.answers, *((c.label,) if c.label else ()))


def _plain(c: Condition) -> Sequence[str]:
    return (c.plain,) if c.plain else ()


def _keys(text: str) -> Iterable[str]:
    """Keys of a name in the knowledge, its inversion, and both halves of `name (ABBREVIATION)`."""
    texts = [text]
    if "," in text:
        texts.append(_inverted(text))
    asides = _ASIDE.findall(text)
    if len(asides) == 1:
        outside = _ASIDE.sub(" ", text)
        texts += [outside, asides[0]] if _ABBREVIATION.match(asides[0].strip()) else [f"{asides[0]} {outside}"]
    return (key for key in map(fold, texts) if key)


def _stands_for(short: str, words: str) -> bool:
    """Whether the letters of an abbreviation occur in that order in what it abbreviates."""
    rest = iter(words.casefold())
    return all(letter in rest for letter in short.casefold() if letter.isalpha())


def _agreed(found: Iterable[str | None]) -> str | None:
    ids = set(found)
    return ids.pop() if len(ids) == 1 else None


index_of = per_object(Index)
"""The index of a knowledge, made once."""


def match(knowledge: Knowledge, text: str, icd10: str = "") -> str | None:
    """The id of the condition that an id, a name, a synonym or an ICD-10 code means; None if there is none or two."""
    return index_of(knowledge).find(text, icd10)


def matched(knowledge: Knowledge, differential: Sequence[Diagnosis]) -> tuple[Named, ...]:
    """A differential as conditions, in its own order; duplicates keep the best rank and add their probabilities."""
    index = index_of(knowledge)
    out: dict[tuple[str, str], Named] = {}
    for entry in differential:
        condition = index.find(entry.condition, entry.icd10)
        key = ("condition", condition) if condition else ("name", fold(entry.condition[:MAX_NAME]) or entry.condition)
        old = out.get(key)
        p = entry.probability
        if old is None:
            icd10 = knowledge.condition[condition].icd10 if condition else entry.icd10
            out[key] = Named(condition=condition, name=entry.condition, icd10=icd10, probability=p)
        elif p is not None:
            out[key] = old.model_copy(update={"probability": min(1.0, (old.probability or 0.0) + p)})
    return tuple(out.values())
