"""Who speaks of whom: sentences turned from first to third person for a parent or carer. Knows nothing of findings."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from consult.terms import Sex

_SUBJECT: Final = {Sex.FEMALE: "she", Sex.MALE: "he"}
_OBJECT: Final = {Sex.FEMALE: "her", Sex.MALE: "him"}
_POSSESSIVE: Final = {Sex.FEMALE: "her", Sex.MALE: "his"}
_FIXED: Final = {
    "am": "is", "have": "has", "do": "does", "don't": "doesn't", "haven't": "hasn't", "was": "was", "wasn't": "wasn't",
    "were": "was",
}  # fmt: skip
_UNCHANGED: Final = frozenset(
    "can can't cannot could couldn't will won't would wouldn't may might must should shouldn't did didn't had hadn't "
    "felt got had lost noticed went took started began woke saw fell came threw broke hurt ate drank slept put knew "
    "thought said told made found kept became ran cut hit never always usually often sometimes only just still also "
    "probably really recently already nearly almost even".split()
)
_ADVERBS: Final = frozenset(
    "never always usually often sometimes only just still also probably really recently already nearly almost even".split()
)
_I_VERB: Final = re.compile(r"\b(I'm|I've|I'd|I'll|I)\b((?:\s+[\w']+){0,3})")
_WORDS: Final = re.compile(r"\b(my|My|me|mine|myself|Myself|our|Our)\b")


def _third(verb: str) -> str:
    if verb in _FIXED:
        return _FIXED[verb]
    if verb in _UNCHANGED or (verb.endswith("ed") and not verb.endswith(("eed", "shed", "wed"))):
        return verb
    if verb.endswith(("ch", "sh", "ss", "x", "z", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


@lru_cache(maxsize=20_000)
def third_person(sentence: str, sex: Sex) -> str:
    """A first-person statement as a parent says it: "I have pain in my leg" becomes "She has pain in her leg"."""

    def verb(m: re.Match[str]) -> str:
        lead = _SUBJECT[sex]
        head = {"I'm": " is", "I've": " has", "I'd": " would", "I'll": " will"}.get(m[1])
        if head is not None:
            return lead + head + m[2]
        words = m[2].split()
        for i, w in enumerate(words):
            if w in _ADVERBS:
                continue
            words[i] = _third(w)
            break
        rest = " ".join(words)
        return f"{lead} {rest}" if rest else lead

    def other(m: re.Match[str]) -> str:
        word = m[1].lower()
        if word in ("my", "our"):
            return _cased(_POSSESSIVE[sex], m[1])
        if word == "me":
            return _OBJECT[sex]
        if word == "mine":
            return "hers" if sex is Sex.FEMALE else "his"
        return _cased("herself" if sex is Sex.FEMALE else "himself", m[1])

    return capital(_WORDS.sub(other, _I_VERB.sub(verb, sentence)))


_TO_YOU: Final = {
    "i": "you", "i'm": "you're", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "i am": "you are", "i was": "you were",
    "i wasn't": "you weren't", "my": "your", "me": "you", "mine": "yours", "myself": "yourself",
}  # fmt: skip
_MINE: Final = re.compile(r"\bI (?:am|was|wasn't)\b|\bI(?:'m|'ve|'d|'ll)?\b|\b(?:my|me|mine|myself)\b", re.IGNORECASE)


@lru_cache(maxsize=20_000)
def second_person(sentence: str) -> str:
    """A first-person statement as it is said back to who made it: "I have pain in my leg" as "you have pain in your leg"."""
    text = _MINE.sub(lambda m: _TO_YOU[m[0].lower()], sentence)
    return text[:1].lower() + text[1:]


_INVERTED: Final = {"do": "does", "are": "is", "have": "has", "were": "was"}
_YOU: Final = re.compile(
    r"\b(?:(?P<aux>do|are|have|were)\s+you|(?P<own>yourself|you're|you've|yours|your)|you(?:(?P<gap>\s+(?:(?:also|even|ever|just|never|often|only|still|then)\s+)?)(?P<verb>[\w']+))?)(?![\w'])",
    re.IGNORECASE,
)
_CLAUSE: Final = frozenset(
    "when if that because while after before since as how what where which whether until once unless than so why or and whenever "
    "something nothing fluid".split()
)
"""Words behind which "you" is the subject."""
_MODAL: Final = frozenset("did does do can could will would should may might must has is was".split())
"""Words behind which "you" is the subject of a plain verb."""
_FOR: Final = frozenset("to for with of about".split())
_COMMON: Final = frozenset("have are were do feel take notice get".split())
"""Verbs that make a "you" before them the subject, whatever comes before."""


@lru_cache(maxsize=20_000)
def about_patient(question: str, sex: Sex) -> str:
    """A question to "you" as it is put to a parent: "Do you have a cough?" becomes "Does she have a cough?"."""
    she = _SUBJECT[sex]
    own = {
        "your": _POSSESSIVE[sex], "yours": "hers" if sex is Sex.FEMALE else "his", "you're": f"{she} is", "you've": f"{she} has",
        "yourself": "herself" if sex is Sex.FEMALE else "himself",
    }  # fmt: skip

    def swap(m: re.Match[str]) -> str:
        if m["aux"]:
            return f"{_cased(_INVERTED[m['aux'].lower()], m['aux'])} {she}"
        if m["own"]:
            return _cased(own[m["own"].lower()], m["own"])
        before = question[: m.start()].rstrip().rpartition(" ")[2].lower()
        return (
            _cased(_pronoun(before, m["verb"] or "", sex), m[0])
            + (m["gap"] or "")
            + _verb_after(before, m["verb"] or "")
        )

    return capital(_YOU.sub(swap, question))


_TO_A_PARENT: Final = re.compile(r"\byour (?:child|baby|son|daughter)\b", re.IGNORECASE)
_DONE_TO_ONESELF: Final = re.compile(r"(?:(?<=^)|(?<=[.!?] ))(\w+) yourself\b")
_JOINED: Final = re.compile(
    r"(?P<link>, (?:or |and )?|(?<= )(?:or |and ))(?P<verb>(?:still )?(?:are|become|bleed|breathe|bruise|cough|feel|get|have|keep"
    r"|lose|pass|see|shake|swell up|vomit|wake|were))\b"
)
_ONE_SUBJECT: Final = re.compile(r"\byou (?!can\b|cannot\b|may\b|could\b)[^.!?]*", re.IGNORECASE)
"""From a "you" on, where verbs joined to its own are said of it as well; behind "cannot" they stay as they are."""
_OTHER_SUBJECT: Final = re.compile(r"\b(?:they|which|that|who)\b")


def told_of(text: str, sex: Sex) -> str:
    """What is explained to "you", as it is told to who speaks for the patient; "your child" is said to a parent already."""
    if _TO_A_PARENT.search(text):
        return text
    text = _DONE_TO_ONESELF.sub(rf"\1 {_OBJECT[sex]}", text)
    return about_patient(_ONE_SUBJECT.sub(_each_with_you, text), sex)


def _each_with_you(m: re.Match[str]) -> str:
    """ "you turn pale, get a fever or vomit" with a "you" before each verb, which then turns with its verb."""
    if _OTHER_SUBJECT.search(m[0]):
        return m[0]
    return _JOINED.sub(lambda v: f"{v['link']}you {v['verb']}", m[0])


def _is_subject(before: str, verb: str) -> bool:
    if before in _CLAUSE or before in _MODAL or not before or before[-1] in ".,;:":
        return True
    return verb.lower() in _COMMON and before not in _FOR


def _pronoun(before: str, verb: str, sex: Sex) -> str:
    return (_SUBJECT if _is_subject(before, verb) else _OBJECT)[sex]


def _verb_after(before: str, verb: str) -> str:
    """The word behind "you": a verb in the third person where "you" was its subject; else as it was."""
    word = verb.lower()
    if not word or before in _MODAL or word in _ADVERBS or not _is_subject(before, verb):
        return verb
    return {"are": "is"}.get(word) or _third(word)


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[:1].isupper() else word


def capital(text: str) -> str:
    """`text` with a capital first letter."""
    return text[:1].upper() + text[1:]
