"""Registers of speech: formal without contractions, colloquial with fillers. Words only; knows nothing of findings.

Lead-ins and tags are offered here; `consult.language.realiser` uses one only where the sentence is still read as the
same. The lists are ours.
"""

from __future__ import annotations

import re
from typing import Final

from consult.language.voice import capital

LEADS: Final[dict[str, tuple[str, ...]]] = {
    "plain": (),
    "formal": (
        "As far as I can tell,", "If I may say so,", "To be precise,", "I should mention that", "I would say that",
        "It should be said that", "To answer your question,", "As I understand it,", "To put it correctly,",
        "For the sake of completeness,", "I can tell you that", "In short,", "So far as I am aware,", "I must say that",
        "To be quite clear,", "Allow me to say that",
    ),
    "colloquial": (
        "Well,", "So,", "Look,", "Oh,", "Honestly,", "I mean,", "Yeah, well,", "See,", "Right, so,", "Thing is,",
        "You know,", "Like,", "Um,", "Okay, so,", "Truth be told,", "Basically,",
    ),
}  # fmt: skip
"""What comes before a fact."""
TAGS: Final[dict[str, tuple[str, ...]]] = {
    "plain": (),
    "formal": (", doctor", ", if that is of use to you"),
    "colloquial": (", you know", ", I tell you", ", mind you", ", to be fair", ", if I'm honest", ", as it goes"),
}
"""What comes behind a plain statement."""
LEAD_SHARE: Final = 0.4
TAG_SHARE: Final = 0.3
_FULL: Final = {"'m": " am", "'re": " are", "'ve": " have", "'ll": " will"}
_SPECIAL: Final = {"can't": "cannot", "won't": "will not", "shan't": "shall not"}
_IS: Final = re.compile(
    r"\b(it|that|there|what|here|how|who|where|one|mind|word)'s(?= (?!(?:been|got|had|gone|become|kept|come|made|taken)\b))",
    re.I,
)
"""Words behind which 's stands for "is", unless a participle follows."""
_WOULD: Final = re.compile(r"\b(I|you|we|he|she|it|that)'d (?=(better|no|said|written|\w+[^e]ed)\b)?", re.I)
"""Behind it a participle or "better" if 'd stands for "had"."""
_TAG: Final = re.compile(r"\b(?:(ca|wo|sha)|(\w+))n't (I|you|we|they|he|she|it|there)\b", re.I)
"""A question, or the tag of one."""
_STEM: Final = {"ca": "can", "wo": "will", "sha": "shall"}
_SHORT: Final = re.compile(
    r"\b(?:(can't|won't|shan't)|(\w+)n't|(I|you|we|they|he|she|it|that|there|what|who)('m|'re|'ve|'ll))(?!\w)", re.I
)
_ANSWER: Final = re.compile(r"^(Yes|No)(?=[.,])")
_SAID: Final = {"Yes": ("Yeah", "Yep", "Yes"), "No": ("Nope", "Nah", "No")}

_LOOSE: Final = re.compile(r"^(Yeah|Yep|Nope|Nah)(?=[.,])")


def expanded(text: str) -> str:
    """`text` without contractions, but those that could stand for two things ("she's")."""

    def full(m: re.Match[str]) -> str:
        if m[1]:
            word = _SPECIAL[m[1].lower()]
            return capital(word) if m[1][0].isupper() else word
        return f"{m[2]} not" if m[2] else m[3] + _FULL[m[4].lower()]

    def asked(m: re.Match[str]) -> str:
        return f"{_STEM[m[1].lower()] if m[1] else m[2]} {m[3]} not"

    text = _IS.sub(r"\1 is", re.sub(r"\b([Ll]et)'s\b", r"\1 us", text))
    text = _WOULD.sub(lambda m: f"{m[1]} {'had' if m[2] else 'would'} ", _TAG.sub(asked, text))
    return _SHORT.sub(full, text)


def loosened(answer: str, chance: float) -> str:
    """A yes or no as it is said among friends; `chance` from 0 to 1 picks the word."""
    return _ANSWER.sub(lambda m: _SAID[m[1]][int(chance * len(_SAID[m[1]]))], answer)


def stiffened(answer: str) -> str:
    """A yes or no as it is said to strangers."""
    return _LOOSE.sub(lambda m: "Yes" if m[1] in _SAID["Yes"] else "No", answer)


def led(lead: str, sentence: str) -> str:
    """A sentence with words before it: a clause, or a sentence of its own."""
    if not lead:
        return sentence
    if lead[-1] in ".!?":
        return f"{lead} {sentence}"
    own = sentence.startswith(("I ", "I'"))
    return f"{lead} {sentence if own else sentence[:1].lower() + sentence[1:]}"


def tagged(sentence: str, tag: str) -> str:
    """A sentence with words behind it."""
    return f"{sentence[:-1]}{tag}{sentence[-1]}" if sentence[-1:] in (".", "!") else sentence
