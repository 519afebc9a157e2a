"""Which condition a diagnosis in words means: exact names, synonyms and codes of the knowledge, never a likeness.

Owns the name index of a knowledge and the joining of duplicates in a differential. Knows nothing of cases or golds, so
that nobody's answer key can bend a match. Must not import agents, sim, store or llm.

Definition (*ours*; 3MDBench scores "herpes zoster" as herpes and drops "Eczema."): two names are the same if they are
equal when folded (`phrasing.fold`). Around a name may stand doubt, a cause, what is to be ruled out, a side or a grade;
"acute" and "chronic" only where the knowledge does not say the opposite of that condition. Anything else that is left
over makes it another name. What does not match is kept as it was written, with no condition, so that a synonym can be
added and the run scored again; a model may be asked about that alone (`consult.judge.matching`), which is handed in here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consult.actions import Diagnosis
from consult.events import Named
from consult.knowledge.model import Condition, Knowledge
from consult.knowledge.per_object import per_object
from consult.score.phrasing import (
    asides,
    caused,
    code_of,
    coded,
    denied,
    fold,
    graded,
    instead,
    inverted,
    maybe,
    parts,
    stated,
)
from consult.terms import Urgency

MAX_NAME: Final = 200
"""Characters; whatever is longer is no name of a condition."""
_ABBREVIATION = re.compile(r"(?!(?:NOT?|NONE|NEG)\Z)[A-Z][A-Za-z]{0,2}[A-Z0-9-]{1,7}\Z")
_UNSPECIFIED: Final = "9"
"""The last figure of the code that says of a category no more than its name."""


class Index:
    """The names and codes of one knowledge's conditions. What two conditions share equally matches neither."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._ids = frozenset(c.id for c in knowledge.conditions)
        self._above = {c.id: frozenset(knowledge.ancestors(c.id)) for c in knowledge.conditions}
        self._names: dict[str, str | None] = {}
        self._loose: set[str] = set()
        """Names that are looser than the condition: "anaemia" of an iron deficiency. Not acute, nor chronic, of it."""
        # The nearer to the condition itself, the sooner a name is taken: an id before a synonym of something else.
        for level in (_ids, _titles, _synonyms, _loosely):
            taken: dict[str, str | None] = {}
            for condition in knowledge.conditions:
                for text in level(condition):
                    for key in _keys(text):
                        taken[key] = condition.id if taken.get(key, condition.id) == condition.id else None
            if level is _loosely:
                self._loose = taken.keys() - self._names.keys()
            self._names = taken | self._names
        self._codes = _codes(knowledge.conditions)
        self._courses = {c.id: _course(c) for c in knowledge.conditions}

    def find(self, text: str, icd10: str = "") -> str | None:
        """The condition that `text` names; else the one that `icd10` codes; else None."""
        return self._text(text) or (self._by_code(icd10) if icd10 else None)

    def _text(self, text: str) -> str | None:
        if text in self._ids:
            return text
        if len(text) > MAX_NAME:
            return None
        found = self._one(text)
        if found is not None or denied(text):
            return found
        return self._either(stated(coded(text))) or _agreed(
            self._one(stated(coded(part))) for part in parts(stated(text))
        )

    def _either(self, text: str) -> str | None:
        """`X due to Y`, `X, not Y`, `X, probably Y`, or plain X."""
        head, cause = caused(text)
        if cause:  # but anaemia due to something is not the anaemia of iron deficiency
            head = stated(head)
            bare = (head, *(g.text for g in graded(head)))
            return None if any(fold(t) in self._loose for t in bare) else self._one(head)
        head, other = instead(text)
        if other and self._one(other) not in (None, self._one(head)):
            return self._one(head)
        head, other = maybe(text)
        broad, narrow = self._one(head), self._one(other)
        # What is added may be a kind ("likely viral"); another condition makes it two.
        return broad if broad is None or narrow is None else self._narrower(broad, narrow)

    def _one(self, text: str) -> str | None:
        """A single name, with or without asides."""
        outside, inside = asides(text)
        return self._graded(text) or (self._with_asides(outside, inside) if inside else None)

    def _graded(self, text: str) -> str | None:
        """As it stands, or without the side, the grade and the course, unless it is the course of another condition."""
        found = self._name(text) or self._by_code(text)
        if found is not None:
            return found
        for bare in graded(text):
            found = self._name(bare.text)
            if found is not None:
                acute, chronic = (False, False) if fold(bare.text) in self._loose else self._courses[found]
                return found if (acute or not bare.acute) and (chronic or not bare.chronic) else None
        return None

    def _name(self, text: str) -> str | None:
        found = self._names.get(fold(text))
        return self._names.get(fold(inverted(text))) if found is None and "," in text else found

    def _narrower(self, one: str, other: str) -> str | None:
        """Of two names given for one thing the narrower; None if neither is a kind of the other."""
        if one == other or one in self._above[other]:
            return other
        return one if other in self._above[one] else None

    def _by_code(self, text: str) -> str | None:
        """By ICD-10 code; a code below a listed one is a kind of it (B02.21 of B02.2), never the other way round.

        A category alone (B02) says as much as its unspecified code (B02.9).
        """
        code = code_of(text)
        for length in range(len(code), 2, -1):
            if code[:length] in self._codes:
                return self._codes[code[:length]]
        return self._codes.get(code + _UNSPECIFIED) if len(code) == 3 else None

    def _with_asides(self, outside: str, inside: Sequence[str]) -> str | None:
        """`Name (…)`: the aside may repeat the name in other words, abbreviate, code, grade or narrow it."""
        named = self._graded(outside)
        for aside in inside:
            own = self._name(aside) or self._by_code(aside)
            # In a text all in capitals any word looks like an abbreviation: PNEUMONIA (VIRAL).
            short = _ABBREVIATION.match(aside.strip()) and not outside.isupper()
            same = code_of(aside) or (short and _stands_for(aside, outside))
            both = self._narrower(named, own) if named and own else None
            if both is not None or (named is None and same):
                named = both or own
            elif own is not None or not (short or code_of(aside)):
                return self._graded(" ".join((*inside, outside)))
        return named


def _codes(conditions: Iterable[Condition]) -> dict[str, str | None]:
    """Conditions by code, None where two share one."""
    out: dict[str, str | None] = {}
    for c in conditions:
        for code in filter(None, map(code_of, (c.icd10, *c.answers))):
            out[code] = c.id if out.get(code, c.id) == c.id else None
    return out


def _course(c: Condition) -> tuple[bool, bool]:
    """Whether it may be called acute, and chronic: by what its own names say; what is urgent is not chronic."""
    words = " ".join((c.name, *c.synonyms, c.label or "")).casefold()
    acute, chronic = "acute" in words, "chronic" in words
    lasting = c.urgency in (Urgency.ROUTINE, Urgency.SELF_CARE)
    return acute or not chronic, chronic or (lasting and not acute)


def _ids(c: Condition) -> Sequence[str]:
    return (c.id,)


def _titles(c: Condition) -> Sequence[str]:
    return (c.name,)


def _synonyms(c: Condition) -> Sequence[str]:
    return (*c.synonyms, *((c.label,) if c.label else ()))


def _loosely(c: Condition) -> Sequence[str]:
    return (*c.answers, *((c.plain,) if c.plain else ()))


def _keys(text: str) -> Iterable[str]:
    """Keys of a name in the knowledge, its inversion, and both halves of `name (ABBREVIATION)`."""
    texts = [text]
    if "," in text:
        texts.append(inverted(text))
    outside, inside = asides(text)
    if len(inside) == 1:
        texts += [outside, inside[0]] if _ABBREVIATION.match(inside[0].strip()) else [f"{inside[0]} {outside}"]
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


Diagnosed = tuple[str, str]
"""The name and the code of an entry of a differential."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a model said of names that nothing in a knowledge matches."""

    matcher: str
    """Its spec."""
    conditions: Mapping[Diagnosed, str | None]
    """The condition that each name means, or None; a name that is missing was not answered for."""
    reason: str = ""
    """Why some are missing."""


def unmatched(knowledge: Knowledge, differential: Sequence[Diagnosis]) -> list[Diagnosed]:
    """What the knowledge does not match and a model may be asked about, none twice: not what is ruled out, or no name at all."""
    index = index_of(knowledge)
    names = dict.fromkeys((d.condition, d.icd10) for d in differential if index.find(d.condition, d.icd10) is None)
    return [(name, code) for name, code in names if len(name) <= MAX_NAME and fold(name) and not denied(name)]


def matched(knowledge: Knowledge, differential: Sequence[Diagnosis], meant: Meant | None = None) -> tuple[Named, ...]:
    """A differential as conditions, in its own order; duplicates keep the best rank and add their probabilities.

    `meant`: what a model said of the names that the knowledge does not match.
    """
    index = index_of(knowledge)
    out: dict[tuple[str, str], Named] = {}
    for entry in differential:
        condition, by = index.find(entry.condition, entry.icd10), ""
        if condition is None and meant is not None:
            condition = meant.conditions.get((entry.condition, entry.icd10))
            by = meant.matcher if condition is not None else ""
        key = ("condition", condition) if condition else ("name", fold(entry.condition[:MAX_NAME]) or entry.condition)
        old = out.get(key)
        p = entry.probability
        if old is None:
            icd10 = knowledge.condition[condition].icd10 if condition else entry.icd10
            out[key] = Named(condition=condition, name=entry.condition, icd10=icd10, probability=p, by=by)
        elif p is not None:
            out[key] = old.model_copy(update={"probability": min(1.0, (old.probability or 0.0) + p)})
    return tuple(out.values())
