"""Whether whoever speaks has left the patient's role: words of a play, an assistant, a doctor or a narrator.

The words are in `out_of_role.txt`; beside them what models do that lose the thread: they say of the listener what patients
say of themselves, give the doctor's words back, or go round in circles. Knows nothing of scenarios. The bounds are ours.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from importlib.resources import files
from typing import Final

from consult.knowledge.model import Knowledge
from consult.language.extractor import extract
from consult.language.tokens import Tokens, sentences, tokens

CIRCLES: Final = 3
"""Times that the same words are said in one breath from which somebody goes round in circles."""
ECHO: Final = 5
"""Tokens from which a sentence that is given back is no slip."""
_PARTS: Final = re.compile(r"[.,;:!?\n…]+")
_LISTENER: Final = re.compile(r"\b(?:your|you(?:'ve| have| had|'re| are| feel))\b")
_SELF: Final = re.compile(r"\b(?:i|my|me|we|our|he|she|his|her|him|they|their)\b")


@lru_cache(maxsize=1)
def _patterns() -> re.Pattern[str]:
    """All of them as one; in small letters, which `re` finds three times as fast."""
    text = files("consult.language").joinpath("out_of_role.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return re.compile(rf"(?<!\w)(?:{'|'.join(lines)})(?!\w)")


@lru_cache(maxsize=4096)
def role_breaks(text: str) -> tuple[str, ...]:
    """Words by which whoever speaks falls out of the patient's role."""
    return tuple(m[0] for m in _patterns().finditer(text.lower().replace("’", "'")))


def of_the_listener(text: str, own: str, knowledge: Knowledge) -> str:
    """A sentence that says of "you" what is said of a patient, and nothing of who speaks; "" if none does.

    `own`: what may be said. Only for words of a model: "you feel it when you bend" is a person's way to speak.
    """
    said = own.lower().replace("’", "'")
    for part in sentences(text):
        low = part.lower().replace("’", "'")
        if part.endswith("?") or _SELF.search(low) or not _LISTENER.search(low) or low in said:
            continue
        if any(r.state in ("present", "absent") for r in extract(part, knowledge)):
            return part
    return ""


def given_back(text: str, question: str, own: str) -> str:
    """A whole sentence of the question that is said as one's own; "" if none is. `own`: what may be said."""
    asked = {tokens(part) for part in sentences(question)}
    for part in sentences(text):
        toks = tokens(part)
        if len(toks) >= ECHO and toks in asked and not _within(toks, own):
            return part
    return ""


def in_circles(text: str, own: str) -> str:
    """Words of two tokens or more that are said again and again, more than in `own`; "" if none are."""
    said, wanted = (Counter(filter(None, map(tokens, _PARTS.split(words)))) for words in (text, own))
    return next((" ".join(t) for t, n in said.items() if len(t) > 1 and n >= CIRCLES and n > wanted[t]), "")


def _within(toks: Tokens, text: str) -> bool:
    whole, n = tokens(text), len(toks)
    return any(whole[i : i + n] == toks for i in range(len(whole) - n + 1))
