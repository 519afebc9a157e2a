"""Bare replies: yes, no, don't know, not that I noticed, I'd rather not say. Knows nothing of findings."""

from __future__ import annotations

import re
from typing import Final, Literal

from consult.language.tokens import Tokens, tokens

Reply = Literal["present", "absent", "unknown", "not_noticed"]


def any_of(phrases: tuple[str, ...], *, end: tuple[str, ...] = ()) -> re.Pattern[str]:
    """A pattern that finds any of the phrases in normal tokens joined by spaces; those of `end` only as the last words."""
    normal = sorted({" ".join(tokens(p)) for p in phrases}, key=len, reverse=True)
    last = [re.escape(" ".join(tokens(p))) + r"(?: now| yet)?$" for p in end]
    return re.compile(r"(?<!\S)(?:" + "|".join([*map(re.escape, normal), *last]) + r")(?!\S)")


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
        "don't want to discuss", "not talk about", "not discuss", "keep to myself", "keep it to myself", "keep that to myself",
        "keep this to myself", "keep such things to myself", "skip that", "leave that", "next question", "that's private",
        "none of your business", "not go into", "pass on that", "not comfortable with that", "not comfortable talking",
        "not comfortable discussing",
        "rather private", "talk about something else", "keep a few secrets", "save that for", "wait its turn",
        "ask me something", "in the vault", "discussing that", "stick to the matter", "why I should tell", "don't ask me", "hard to speak of",
        "another time maybe", "another time perhaps", "for another time", "ready to talk", "ashamed to talk", "would need to know you",
    ),
    end=("not go there", "not going there"),
)  # fmt: skip
NOT_NOTICED: Final = any_of(
    (
        "not that I",
        "haven't noticed",
        "not noticed",
        "didn't notice",
        "hasn't noticed",
        "nothing I noticed",
        "not as far as",
        "not to my knowledge",
        "haven't looked",
        "nothing to speak of",
        "nothing much to speak of",
        "nothing worth mentioning",
        "nothing else worth mentioning",
    )
)


def contains(toks: Tokens, phrases: re.Pattern[str]) -> bool:
    """Whether one of the phrases stands in a sentence."""
    return bool(phrases.search(" ".join(toks)))


_LEAD: Final = frozenset(
    "well oh hmm mm um uh er ah so honestly look god gosh goodness doctor mean maybe and but".split()
)
"""Words before an answer."""
_YES: Final = re.compile(
    r"(?:@|it|that|this|he|she) (?:do|have|be|can|did)(?: (?:yes|indeed|actually|sometimes|now|too|@ be afraid|be afraid))*$"
    r"|(?:@ )?(?:would say |be afraid |think |suppose |guess |believe |imagine |reckon )so\b|(?:bit|little bit|little|slightly|both"
    r"|sometimes?|occasionally|probably|likely|mostly|often|constantly|frequently|now and again|now and then|from time to time|on and off"
    r"|all time|every (?:day|night|time|morning)|once or twice|of course|for sure|mm|hmm|mhm|uh huh|only (?:when|if|at|in|after|on|with)"
    r"|(?:once|twice|three time|four time|several time|few time)\b)(?!\S)"
)
"""How a sentence that affirms begins, in normal tokens, fillers left aside."""
_NO: Final = re.compile(
    r"(?:@ |it )?(?:do|have|be|did|would|could|can) not(?: (?:be|do|have|think so|believe so|no|at all|yet|so))*$"
    r"|(?:@ )?(?:do|did|would) not (?:think|believe|say|imagine|suppose) so\b|(?:thankfully|luckily|fortunately|hopefully|probably"
    r"|certainly|definitely|absolutely|god|thank god) (?:not|no)\b|(?:@ )?doubt it"
)
_MM: Final = re.compile(r"\s*(?:mm+|m+h*m+|uh)[\s-]*(?:hm+|huh)\b", re.IGNORECASE)


def hums_yes(sentence: str) -> bool:
    """Whether a sentence is "mm-hmm", which the words of it do not show."""
    return bool(_MM.match(sentence))


_BOTH: Final = re.compile(r"\b(?:both|all of (?:them|those|that|it)|the lot)\b", re.IGNORECASE)
_TURN: Final = re.compile(
    r"\b(yes|yeah|no|not)\b[\w\s']{0,12}\b(?:first|second|third|last|latter|former)\b", re.IGNORECASE
)


_DENIES: Final = re.compile(
    r"(?:@ )?(?:do|have|be) not (?:take|have|use|got|get|on)\b(?!.*\b(?:but|except|apart|only|other|other than)\b)"
)


def denies(text: str) -> bool:
    """Whether a reply says that there is none of what was asked: "I don't take any tablets"."""
    return bool(_DENIES.match(" ".join(tokens(text))))


_POLITE: Final = frozenset(
    "thank thanks you bye goodbye ok okay right sorry hello hi um uh er mm hmm oh well so see later pardon doctor @ be do".split()
)


_FAREWELL: Final = re.compile(
    r"\b(?:(?:good)?bye\b|i(?:'m| am) (?:leaving|gone|off|going(?: elsewhere)?)[.!]"
    r"|i(?:'ll|'d better|'d rather|'d sooner) (?:go|leave|be off|be on my way)\b)",
    re.IGNORECASE,
)


def says_something(text: str) -> bool:
    """Whether a reply holds more than courtesies, fillers and a farewell."""
    return not _POLITE.issuperset(tokens(text)) and not _FAREWELL.search(text)


def says_both(text: str) -> bool:
    """Whether a yes is to everything that was asked."""
    return bool(_BOTH.search(text))


def in_turn(text: str) -> tuple[Reply, ...]:
    """The answers of "yes to the first, no to the second", in order; empty for any other text."""
    found = [m.lower() for m in _TURN.findall(text)]
    return tuple("present" if word in YES else "absent" for word in found) if len(found) > 1 else ()


def short_reply(toks: Tokens) -> Reply | None:
    """What a sentence that only answers says; a refusal leaves things unknown. None if it is no such sentence."""
    if not toks:
        return None
    text = " ".join(toks)
    if NOT_NOTICED.search(text):
        return "not_noticed"
    if UNKNOWN.search(text) or REFUSED.search(text):
        return "unknown"
    i = 0
    while i < len(toks) - 1 and toks[i] in _LEAD:
        i += 1
    if toks[i] in NO:
        return "absent"
    if toks[i] in YES:
        return "present"
    rest = " ".join(toks[i:])
    if _NO.match(rest):
        return "absent"
    return "present" if _YES.match(rest) else None
