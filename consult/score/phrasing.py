"""What may be said around the name of a condition without naming another: spelling, hedges, sides, grades, codes.

Owns the folding of names and the patterns that take a phrase apart; texts in, texts out. Knows no condition, so it
decides nothing: `consult.score.match` asks the knowledge what is left. All *ours*. Imports nothing of consult.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import combinations
from typing import Final, NamedTuple

_MARKS = re.compile("[\u0300-\u036f]")  # Latin, Greek and Cyrillic accents only: other scripts' marks carry meaning
_POSSESSIVE = re.compile(r"['‘’ʼ`´](?:s\b)?")
_WORD = re.compile(r"[^\W_]+")
_DIGRAPH = re.compile(r"a+e|o+e")  # o+ because gastro-oesophageal and gastroesophageal must meet
_ASIDE = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_CODE = re.compile(r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4}|\d{1,4})?\Z")
_CODED = re.compile(
    r"\s*(?:[a-z]\d[0-9a-z](?:\.[0-9a-z]{1,4})?[\s:,–—-]+(?P<after>\D.*)"
    r"|(?P<before>.*[^\s\d:,–—-])[\s:,–—-]+[a-z]\d[0-9a-z](?:\.[0-9a-z]{1,4})?)\s*\Z",
    re.IGNORECASE | re.DOTALL,
)

_SURE = r"(?:(?:most|very|highly|quite|more) )?(?:likely|probabl[ey]|possibl[ey]|presumabl[ey]|suspected|presumed|presumptive)"
_LEAD: Final = re.compile(
    rf"\s*(?:\d{{1,2}}[.)]\s|[-*•]\s|{_SURE}\b"
    r"|(?:provisional|tentative|suspicion of|suspicious (?:for|of)|concern(?:ing)? for|query|consistent with"
    r"|compatible with|suggestive of|suggests|in keeping with|(?:a |the )?(?:clinical )?(?:picture|features|signs|case) of"
    r"|(?:the |my )?(?:(?:working|provisional|tentative|final|primary|main|leading|clinical|differential"
    rf"|{_SURE}) )*(?:diagnos[ie]s|impression)(?: is| of|(?=\s*[:=–—-]))"
    r"|(?:this|it) (?:is|may be|could be|looks like|sounds like|seems to be)|(?:the )?patient has|icd-?10(?: code)?)\b)"
    r"[\s:=–—-]*",
    re.IGNORECASE,
)
"""What may stand before a name."""
_TAIL: Final = re.compile(
    r"[\s,;:([–—-]+(?:(?:to |must )?(?:rul(?:e|ing) out|r/o|exclud(?:e|ing)|differentiate from)\s+\w"
    r"|(?:(?:but )?less likely|rather than|as opposed to|instead of|more likely than)\s+\w"
    r"|consider(?:ing)?\s+\w|pending\s+\w|awaiting\s+\w|until proven otherwise|not (?:otherwise|elsewhere) (?:specified|classified)|nos\Z"
    rf"|(?:is )?{_SURE}[)\]?.!]*\Z).*",
    re.IGNORECASE | re.DOTALL,
)
"""What may stand behind it: what is to be ruled out, doubt."""
_DENIED: Final = re.compile(r"\b(?:ruled out|excluded|unlikely|negative|no|never)\b", re.IGNORECASE)
_CAUSE: Final = re.compile(
    r"[\s,;(–—-]+(?:(?:due|secondary) to|(?:caused|triggered|induced|provoked) by|because of|resulting from)\s+",
    re.IGNORECASE,
)
_NOT: Final = re.compile(r"[,;(]?\s*\b(?:and |but )?not\b\s+", re.IGNORECASE)
_MAYBE: Final = re.compile(rf"\s*[,;(]\s*{_SURE}\s+", re.IGNORECASE)
_GRADE: Final = re.compile(
    r"\b(?:(?P<acute>acute)|(?P<chronic>chronic)|(?:on the )?(?:left|right)(?:[- ]sided?| side)?|bilateral|unilateral|both"
    r"|(?:mild|moderate)[- ]to[- ](?:moderate|severe)|mild|moderate|severe|recurrent|recurring|new[- ]onset|newly diagnosed|uncomplicated"
    r"|(?:flare(?:[- ]?up)?|exacerbation|attack|episode)s?(?: of)?)\b",
    re.IGNORECASE,
)
_JOIN: Final = re.compile(
    r"\s*(?:[/;,+|=]|\s[–—-]\s|:\s|\b(?:or|and|vs|versus|aka|also known as|also called|i\.e|that is|namely)\b\.?)\s*"
    r"|\s*\ba\.k\.a\.",
    re.IGNORECASE,
)


_WORDS: Final = 4
"""Words for the side, the grade and the course that are tried; a phrase with more of them is no name."""


class Graded(NamedTuple):
    """A phrase without some of its sides and grades, and whether these were acute or chronic."""

    text: str
    acute: bool
    chronic: bool


def fold(text: str) -> str:
    """The key by which two spellings of a name are equal; empty if there is no letter or digit in it."""
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold())).replace("z", "s")  # necrotizing
    words = _WORD.findall(_POSSESSIVE.sub("", text.replace("&", " and ")))
    if len(words) > 1 and words[0] in ("a", "an"):  # only in front: "hepatitis a" is another matter
        words = words[1:]
    if len(words) > 1:
        words = [w for w in words if w != "the"]
    return _DIGRAPH.sub("e", "".join(_singular(w) for w in words)).replace("our", "or")


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith("oses"):  # keratoses
        return word[:-2] + "is"
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]


def inverted(text: str) -> str:
    """`dermatitis, allergic contact` as `allergic contact dermatitis`."""
    return " ".join(reversed(text.split(",")))


def code_of(text: str) -> str:
    """An ICD-10 code without its dot, or nothing."""
    code = text.strip().rstrip(".").upper()
    return code.replace(".", "") if _CODE.match(code) else ""


def coded(text: str) -> str:
    """A phrase without the code that stands before or behind it."""
    m = _CODED.match(text)
    return (m["after"] or m["before"]) if m is not None else text


def asides(text: str) -> tuple[str, list[str]]:
    """A phrase without its brackets, and what stood in them."""
    return _ASIDE.sub(" ", text), _ASIDE.findall(text)


def stated(text: str) -> str:
    """A phrase without what stands around a name: `probable X`, `diagnosis: X`, `X, rule out Y`."""
    before = ""
    while text != before:
        before = text
        text = _LEAD.sub("", text, count=1) if _LEAD.match(text) else text
        text = _TAIL.sub("", text, count=1)
    return text


def denied(text: str) -> bool:
    """Whether something in it is said not to be."""
    return _DENIED.search(text) is not None


def caused(text: str) -> tuple[str, str]:
    """`X due to Y` as X and Y; Y is empty if it is not of that form."""
    return _two(_CAUSE, text)


def instead(text: str) -> tuple[str, str]:
    """`X, not Y` as X and Y; Y is empty if it is not of that form."""
    return _two(_NOT, text)


def maybe(text: str) -> tuple[str, str]:
    """`X, probably Y` as X and Y; Y is empty if it is not of that form."""
    return _two(_MAYBE, text)


def _two(between: re.Pattern[str], text: str) -> tuple[str, str]:
    parts = between.split(text, maxsplit=1)
    return (parts[0], parts[1].rstrip(")] ")) if len(parts) == 2 else (text, "")


def graded(text: str) -> Iterator[Graded]:
    """A phrase without words for the side, the grade and the course: without one of them, then two, up to all."""
    found = list(_GRADE.finditer(text))
    for n in range(1, len(found) + 1 if len(found) <= _WORDS else 0):
        for left_out in combinations(found, n):
            rest = text
            for m in reversed(left_out):
                rest = rest[: m.start()] + " " + rest[m.end() :]
            said = {m.lastgroup for m in left_out}
            yield Graded(rest, "acute" in said, "chronic" in said)


def parts(text: str) -> list[str]:
    """The names that a phrase lists."""
    return [part for part in _JOIN.split(text) if fold(part)]
