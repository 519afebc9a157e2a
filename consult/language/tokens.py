"""Text to tokens: one normal form in which "I don't have any pain" and "She does not have pain" are alike.

Pronouns become one token, verbs and plurals lose their endings, articles go; the same is done to the lexicon's
phrases and to what is said, so a phrase of the lexicon is always found again. Knows nothing of findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

Tokens = tuple[str, ...]

_PRONOUNS: Final = frozenset(
    "i you he she they we it's me him her them us my your his their our mine yours hers theirs myself yourself himself "
    "herself themselves".split()
) - {"it's"}
_DROPPED: Final = frozenset("a an the any some really very quite just also please then there".split())
_FORMS: Final = {
    "has": "have", "had": "have", "having": "have", "am": "be", "is": "be", "are": "be", "was": "be", "were": "be",
    "been": "be", "does": "do", "did": "do", "doing": "do", "done": "do", "gotten": "got", "cannot": "can not",
    "can't": "can not", "won't": "will not", "shan't": "shall not", "ain't": "be not", "n't": "not", "mum": "mother",
    "couldnt": "could not", "dont": "do not", "cant": "can not", "ive": "@ have", "im": "@ be",
}  # fmt: skip
_SUFFIXES: Final = {"'m": "be", "'re": "be", "'ve": "have", "'ll": "will", "'d": "would", "'s": ""}
NEGATORS: Final = frozenset("no not never without nor neither nothing none deny denied".split())
"""Tokens that negate what follows."""
_SPLIT: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[^\W\d_]+(?:'[^\W\d_]+)?")
_SENTENCE: Final = re.compile(r"(?<=[.!?;\n…])\s+|\n+|(?<=[.!?])(?=[A-Z])|\s[–—]\s")
_LONG: Final = 1000
"""Characters that no sentence of a person has."""


@lru_cache(maxsize=50_000)
def _normal(word: str) -> Tokens:
    if word in _PRONOUNS:
        return ("@",)
    if word in _DROPPED:
        return ()
    if word in _FORMS:
        return tuple(_FORMS[word].split())
    if "'" in word:
        if word.endswith("n't"):
            return (*_normal(word[:-3]), "not")
        stem, _, tail = word.partition("'")
        if stem in _PRONOUNS or stem in ("it", "that", "there", "what", "who"):
            return (*_normal(stem), *((_SUFFIXES.get("'" + tail, "") or "be").split()))
        return _normal(stem)
    return (_stem(word),)


def _stem(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes", "oes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=20_000)
def tokens(text: str) -> Tokens:
    """The normal form of a phrase or a sentence."""
    words = _SPLIT.findall(text.lower().replace("’", "'"))
    return tuple(t for w in words for t in _normal(w))


@lru_cache(maxsize=20_000)
def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, with their closing marks; an endless one is cut into pieces, so that work stays linear."""
    return tuple(s for part in _SENTENCE.split(text) for s in _pieces(part.strip()) if s)


def _pieces(part: str) -> Iterator[str]:
    at = 0
    while len(part) - at > _LONG:
        cut = part.rfind(" ", at + 1, at + _LONG)
        cut = cut if cut > 0 else at + _LONG
        yield part[at:cut].strip()
        at = cut
    yield part[at:].strip()
