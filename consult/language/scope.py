"""Whose, when and whether: is a thing that a sentence mentions the patient's own, of now, and said to be so?

"My mother has a fever", "I had that last year" and "if I get a fever" mention a fever and state none. Works on normal
tokens; the rules are ours, for plain English. Knows nothing of findings.
"""

from __future__ import annotations

import re
from typing import Final

from consult.language.tokens import Tokens

_KIN: Final = frozenset(
    "mother father dad mom mummy daddy husband wife brother sister friend neighbour neighbor colleague partner boyfriend girlfriend uncle "
    "aunt auntie cousin nephew niece grandmother grandfather gran granny grandma grandpa grandad parent boss flatmate housemate roommate "
    "classmate everyone everybody nobody".split()
)
_CHILD: Final = frozenset(
    "son daughter child children kid baby boy girl toddler newborn twin grandson granddaughter grandchild".split()
)
_BESIDE: Final = frozenset("with from to for by like of than at about beside tell told ask asked".split())
"""Words behind which someone is not who the sentence is about."""
_REPORTS: Final = frozenset(
    "say said think thought told tell noticed notice made make want wanted asked ask heard hear saw see brought bring worry worried suggested "
    "sent send thought reckon insisted insist convinced".split()
)
_TURNS: Final = frozenset("but however though although except".split())
_JOINS: Final = frozenset("and so because that since as cause".split())
"""Words behind which a new subject begins a new clause."""
_TIMES: Final = frozenset("when while before after until".split())
_OVER: Final = re.compile(
    r"\bused to (?!be (?:no|not))|\blast year\b|\b(?:year|decade)(?: or (?:so|two))? (?:ago|back)\b"
    r"|\b(?:as|when @ be) (?:child|kid|baby|boy|girl|teenager|student|young|little|small|younger|pregnant)"
    r"|\bin past\b|\bwent away\b|\bgone away\b|\bover it now\b|\bcleared up\b|\bgone now\b"
    r"|\bnot any ?more\b|\bnot have it since\b|\bgot better\b|\bbetter now\b|\b(?<!at )once$"
)
_NOT_SO: Final = re.compile(
    r"\b(?:if|unless|in case|whether|worried(?: that)? (?:@|it) (?:be|might|may|could|will|have)|(?:afraid|scared) (?:of|that|@)"
    r"|fear(?:ed)? (?:of|that)|(?:be|might be) going to (?:get|have)|might (?:get|have to)|looked up|look up|googled|read (?:about|that)"
    r"|heard (?:of|about)|would not want|to avoid|to prevent|prevents?|(?:something|tablet|pill|medicine|medication|cream|spray) for"
    r"|know about|wondering about|could (?:it|this) be|thought it be)\b"
)
_CURES: Final = frozenset(
    "medicine syrup drop sweet tablet mixture pill cream lotion spray remedy pastille linctus lozenge medication".split()
)


def reach(toks: Tokens, i: int) -> tuple[int, int]:
    """The clause around token `i`: from and to "but" and the like, or "and" before a new subject."""
    low = i
    while low > 0 and not _turn(toks, low - 1):
        low -= 1
    high = i
    while high < len(toks) and not (high > i and _turn(toks, high)):
        high += 1
    return low, high


def _turn(toks: Tokens, k: int) -> bool:
    return toks[k] in _TURNS or (toks[k] in _JOINS and toks[k + 1 : k + 2] == ("@",))


def applies(toks: Tokens, start: int, end: int, *, for_other: bool, past: bool, others: bool) -> bool:
    """Whether what is mentioned at `start` to `end` is said of the patient, of now and as a fact.

    `for_other`: a parent or carer speaks, so that "my son" is the patient. `past`, `others`: the thing mentioned is by
    nature one of the past (an earlier illness) or of others (the family's health), and left to stand.
    """
    if toks[end : end + 1] and toks[end] in _CURES:
        return False
    low, high = reach(toks, start)
    if not others and _someone_else(toks, low, start, for_other=for_other):
        return False
    if start > low and toks[start - 1] in _TIMES and toks[start : start + 1] == ("@",):
        return False  # "when I was pregnant"
    if past:
        return True
    outside = " ".join((*toks[low:start], "_", *toks[end:high]))
    return not _OVER.search(outside) and not _NOT_SO.search(" ".join(toks[low:start]))


def _someone_else(toks: Tokens, low: int, start: int, *, for_other: bool) -> bool:
    for k in range(low, start):
        word = toks[k]
        if word not in _KIN and word not in _CHILD:
            continue
        lead = k - 2 if toks[k - 1 : k] == ("@",) else k - 1
        if (lead >= low and toks[lead] in _BESIDE) or (toks[k + 1 : k + 2] and toks[k + 1] in _REPORTS):
            continue
        if for_other and toks[k - 1 : k] == ("@",) and word not in ("brother", "sister", "friend"):
            continue
        return True
    return False
