"""DDXPlus questions turned into what a patient says: statements in the first person, plain names, plain values.

The question is kept word for word; everything else is derived from it, by rule for yes/no questions and by a table of
frames for the few that have values. Every statement of one knowledge differs from every other after normalisation,
so that the extractor reads back what was said. Knows nothing of probabilities or patients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from typing import Final

from consult.importers.ddxplus_files import Evidence
from consult.importers.ddxplus_grammar import Said, quoted_words, said_of
from consult.knowledge.model import Finding, FindingKind, Value
from consult.language.tokens import tokens

TOPICS: Final = {
    "pain": "the pain",
    "rash": "your skin",
    "swelling": "the swelling",
    "antecedents": "your past illnesses, family and habits",
    "symptoms": "your symptoms",
}
_FAMILIES: Final = {"skin": "rash", "rash": "rash", "swelling": "swelling", "pain": "pain"}
"""Topics by a word of the question whose details are asked."""


def _scale(present: str, absent: str, plain: str) -> Said:
    return Said(present + " {value} out of 10", absent, plain)


_FRAMES: Final[Mapping[str, Said]] = {
    "Do you feel pain somewhere?": Said(
        "I feel the pain {value}", "I don't have a pain that I could place", "place of the pain", lead="in the "
    ),
    "Does the pain radiate to another location?": Said(
        "The pain spreads {value}", "I don't have a pain that spreads", "spread of the pain",
        {"nowhere": "nowhere else"}, lead="to the ",
    ),
    "Characterize your pain:": Said(
        "The pain feels {value}", "I don't have a pain that I could describe", "character of the pain",
        {
            "NA": "hard to describe", "a cramp": "like a cramp", "a knife stroke": "like a knife stroke",
            "a pulse": "like a throbbing",
        },
    ),
    "How fast did the pain appear?": _scale(
        "The speed at which the pain came on is", "I don't have a pain that came on", "speed of the pain"
    ),
    "How intense is the pain?": _scale(
        "The strength of my pain is", "I don't have a pain that I could rate", "strength of the pain"
    ),
    "How precisely is the pain located?": _scale(
        "I can point to the pain with a precision of", "I don't have a pain that I could point to",
        "precision of the pain",
    ),
    "Where is the affected region located?": Said(
        "The affected skin is {value}", "I don't have affected skin anywhere", "place of the affected skin",
        lead="on the ",
    ),
    "What color is the rash?": Said(
        "The color of the rash is {value}", "I don't have a rash of any color", "color of the rash",
        {"NA": "hard to name"},
    ),
    "How intense is the pain caused by the rash?": _scale(
        "The rash hurts at a strength of", "I don't have a rash that hurts", "pain of the rash"
    ),
    "Is the rash swollen?": _scale(
        "The rash is swollen to a degree of", "I don't have a rash that is swollen", "swelling of the rash"
    ),
    "How severe is the itching?": _scale(
        "The rash itches at a strength of", "I don't have a rash that itches", "itching of the rash"
    ),
    "Is the lesion (or are the lesions) larger than 1cm?": Said(
        "The lesion is {value}", "I don't have a lesion of any size", "size of the lesion",
        {"Y": "larger than 1 cm", "N": "not larger than 1 cm"},
    ),
    "Do your lesions peel off?": Said(
        "My lesions {value}", "I don't have lesions that could peel", "peeling of the lesions",
        {"Y": "peel off", "N": "do not peel off"},
    ),
    "Where is the swelling located?": Said(
        "The swelling is {value}", "I don't have a swelling that I could place", "place of the swelling",
        lead="in the ",
    ),
    "Have you traveled out of the country in the last 4 weeks?": Said(
        "In the last 4 weeks I traveled {value}", "I haven't traveled in the last 4 weeks", "travel abroad",
        {"N": "nowhere abroad"}, lead="to ",
    ),
}  # fmt: skip
_VALUES: Final = {
    "nowhere": "nowhere in particular", "NA": "nothing in particular", "N": "no", "Y": "yes", "Caraibes": "the Caribbean",
    "palace": "palate", "ischio jambier": "hamstring", "posterior chest wall": "back of the chest", "epigastric":
    "upper middle belly", "axilla": "armpit", "occiput": "back of the skull", "scapula": "shoulder blade",
    "back of head": "back of the head", "pharynx": "throat", "trachea": "windpipe", "tibia": "shin",
    "coccyx": "tailbone", "hypochondrium": "upper belly", "iliac fossa": "lower belly", "renal fossa": "kidney area",
    "commissure": "corner of the mouth", "popliteal fossa": "hollow of the {} knee",
    "internal cheek": "inside of the {} cheek", "palmar face of the wrist": "inside of the {} wrist",
    "palmar side of the forearm": "inside of the {} forearm", "dorsal aspect of the foot": "top of the {} foot",
    "dorsal aspect of the hand": "back of the {} hand", "dorsal aspect of the wrist": "back of the {} wrist",
    "posterior aspect of the ankle": "back of the {} ankle", "lateral side of the foot": "outer edge of the {} foot",
    "cervical spine": "spine of the neck", "thoracic spine": "middle of the spine", "lumbar spine": "lower spine",
    "thyroid cartilage": "Adam's apple",
    "toe (1)": "second toe", "toe (2)": "third toe", "toe (3)": "fourth toe", "little toe (4)": "little toe",
    "sensitive": "tender",
}  # fmt: skip
"""Words of the data set (translated from French) that nobody would say or understand; its own stay as synonyms. {}: the side."""
_PREPOSITIONS: Final = ("under ", "above ")
"""Places that stand in a sentence without another preposition."""


def value_words(meaning: str, own: Mapping[str, str]) -> str:
    """The plain words of a value: "iliac wing(R)" is "right iliac wing"."""
    if meaning in own:
        return own[meaning]
    side = re.fullmatch(r"(.+?)\s*\(([RL])\)", meaning)
    core = side[1] if side else meaning
    words = _VALUES.get(core) or re.sub(r".+ \((\D[^()]*)\)", lambda m: _finger(m[1]), core)
    where = {"R": "right", "L": "left"}[side[2]] if side else ""
    if "{}" in words:
        return " ".join(words.format(where).split())
    return f"{where} {words}".lstrip()


def _finger(name: str) -> str:
    return name if "finger" in name else f"{name} finger"


def _quoted_values(question: str) -> Said:
    words = quoted_words(question)
    return Said(f"My answer to the question {words} is {{value}}", f"I have no answer to the question {words}", words)


def findings(evidences: Mapping[str, Evidence]) -> Iterator[Finding]:
    """The findings of a release without probabilities, in its order, no two worded alike."""
    taken: set[tuple[str, ...]] = set()
    parents = {e.parent for e in evidences.values() if e.parent is not None}
    for e in evidences.values():
        said = _FRAMES.get(e.question_en) if e.values else said_of(e.question_en)
        said, question = _distinct(e, said or _quoted_values(e.question_en), taken)
        yield _finding(e, _topic(e, evidences, parents), said, question)


def _distinct(e: Evidence, said: Said, taken: set[tuple[str, ...]]) -> tuple[Said, str]:
    """Wording and question with the evidence's name added where an earlier evidence has the same."""
    phrases = (e.question_en, said.present, said.absent, said.plain)
    question = e.question_en
    if any(tokens(p) in taken or not tokens(p) for p in phrases):
        mark = f"(question {e.name.replace('_', ' ')})"
        question = f"{question.rstrip('?: ')} {mark}?"
        head, slot, tail = said.present.partition("{value}")
        present = f"{head.rstrip(': ')} {mark} {slot}{tail}".strip()
        said = replace(said, present=present, absent=f"{said.absent} {mark}", plain=f"{said.plain} {mark}")
    taken.update(tokens(p) for p in (question, said.present, said.absent, said.plain))
    return said, question


def _topic(e: Evidence, evidences: Mapping[str, Evidence], parents: Set[str]) -> str:
    """Pain, rash or swelling for an evidence with details and for its details; else by part of the history."""
    if e.is_antecedent:
        return "antecedents"
    head = e.parent or (e.name if e.name in parents else None)
    asked = evidences[head].question_en.lower() if head else ""
    return next((topic for word, topic in _FAMILIES.items() if word in asked), "symptoms")


def _finding(e: Evidence, topic: str, said: Said, question: str) -> Finding:
    return Finding(
        id=e.name,
        kind=e.kind,
        topic=topic,
        plain=said.plain,
        questions=(question,),
        present=said.present,
        absent=said.absent,
        values=tuple(_value(e, v, said) for v in e.values),
        none=str(e.default_value) if e.kind is FindingKind.MULTI else None,
        parent=e.parent,
    )


def _value(e: Evidence, value: str, said: Said) -> Value:
    meaning = e.meaning(value)
    words = value_words(meaning, said.values)
    bare = meaning in said.values or value == str(e.default_value) or words.startswith(_PREPOSITIONS)
    plain = words if bare else said.lead + words
    other = {tokens(w): w for w in (words, meaning) if len(w) > 2 and tokens(w) != tokens(plain)}
    return Value(id=value, plain=plain, synonyms=tuple(other.values()))


_NAMED: Final = ("Guillain-Barré", "Boerhaave", "Chagas", "Ebola")


def condition_words(name: str) -> str:
    """A condition's name inside a sentence: in lower case unless it opens with a proper noun or an abbreviation."""
    head = name.split(maxsplit=1)[0] if name.split() else ""
    return name if head.startswith(_NAMED) or head[1:] != head[1:].lower() else name[:1].lower() + name[1:]
