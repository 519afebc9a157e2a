"""Bare replies: yes, no, don't know, not that I noticed, I'd rather not say. Knows nothing of findings."""

from __future__ import annotations

import re
from typing import Final, Literal

from consult.language.tokens import Tokens, tokens

Reply = Literal["present", "absent", "unknown", "not_noticed"]


def any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern that finds any of the phrases in normal tokens joined by spaces."""
    normal = sorted({" ".join(tokens(p)) for p in phrases}, key=len, reverse=True)
    return re.compile(r"(?<!\S)(?:" + "|".join(map(re.escape, normal)) + r")(?!\S)")


YES: Final = frozenset(
    "yes yeah yep yup sure correct right exactly indeed definitely absolutely certainly true aye".split()
)
NO: Final = frozenset("no nope nah never not none nothing negative neither".split())
UNKNOWN: Final = any_of(
    (
        "don't know", "do not rightly know", "couldn't tell", "couldn't say", "can't say", "can't tell", "not sure", "no idea", "can't remember",
        "don't remember", "don't recall", "can't recall", "not certain", "hard to say", "wouldn't know", "unsure",
    )
)  # fmt: skip
REFUSED: Final = any_of(
    (
        "rather not", "prefer not", "not want to talk",
        "don't want to discuss", "not talk about", "not discuss", "to myself", "skip that", "leave that", "next question", "that's private",
        "none of your business", "not go into", "pass on that", "not comfortable",
        "rather private", "talk about something else", "go there", "going there", "keep a few secrets", "save that for", "wait its turn",
        "ask me something", "in the vault", "discussing that", "stick to the matter", "why I should tell", "don't ask me", "hard to speak of",
        "another time", "ready to talk", "ashamed to talk", "need to know you",
    )
)  # fmt: skip
NOT_NOTICED: Final = any_of(
    ("not that I", "haven't noticed", "not noticed", "didn't notice", "hasn't noticed", "nothing I noticed")
)


def contains(toks: Tokens, phrases: re.Pattern[str]) -> bool:
    """Whether one of the phrases stands in a sentence."""
    return bool(phrases.search(" ".join(toks)))


def short_reply(toks: Tokens) -> Reply | None:
    """What a sentence that only answers says; a refusal leaves things unknown. None if it is no such sentence."""
    if not toks:
        return None
    text = " ".join(toks)
    if NOT_NOTICED.search(text):
        return "not_noticed"
    if UNKNOWN.search(text) or REFUSED.search(text):
        return "unknown"
    if toks[0] in NO:
        return "absent"
    affirms = toks[0] in YES or toks in (("@", "do"), ("@", "have"), ("@", "be"))
    return "present" if affirms else None
