"""English questions to "you" turned into what the one asked says: yes, no, and a short name for it.

Rules of grammar only, made for DDXPlus' yes/no questions; where none fits the answer quotes the question. Statements
open with a subject and hold no mark that ends a sentence. Knows nothing of evidences.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from consult.language.tokens import tokens
from consult.language.voice import capital, third_person
from consult.terms import Sex


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one evidence."""

    present: str
    absent: str
    plain: str
    values: Mapping[str, str] = field(default_factory=dict)
    """Words for a value's meaning where the data set's own do not fit the frame."""
    lead: str = ""
    """What stands before every other value in a sentence: "in the "."""


_SPLIT: Final = re.compile(r",? or (?=(?:do|are|have|did|were|is|has) (?:your?|a member of your family)\b)")
_EVER_OR_NOW: Final = re.compile(
    r"^(?:do|did) you (?:currently|previously), or (?:do|did) you (?:currently|ever), have", re.I
)
_LEAD: Final = re.compile(r"^(In the [^,?]+), (\w.+)$")
_YOU: Final = re.compile(r"^(Do|Did|Are|Were|Have) you (?!or )(.+)$", re.I)
_FAMILY: Final = re.compile(r"^Have you or (?:any member of )?your family ever had (.+)$", re.I)
_MEMBERS: Final = re.compile(r"^Are there (?:any )?(.+)$", re.I)
_OTHER: Final = re.compile(
    r"^(Is|Are|Was|Were|Do|Does|Did|Have|Has) "
    r"(a member of your family|any of your family members|any members of your \w+ family|"
    r"(?:the|your) \w+(?: of \w+ \w+)?(?: or (?:the )?\w+(?: of your \w+)?)?)"
    r" (.+)$",
    re.I,
)
_ADVERB: Final = re.compile(r"^(?:ever )?(\w+ly) (.+)$")
_PAST: Final = {"lose": "lost", "vomit": "vomited", "eat": "ate", "have": "had", "turn": "turned"}
_PARENTHESIS: Final = re.compile(r"\s*\(+[^()]*\)+")
_VISIT: Final = re.compile(
    r",? (?:that you believe are )?related to (?:your reason for consulting|the condition you are consulting for|"
    r"your consultation today)(?=$|\?)",
    re.I,
)
"""Said of every answer in a consultation, and by nobody."""


def said_of(question: str) -> Said:
    """What is said of a yes/no question; an answer that quotes the question where no rule fits."""
    text = _PARENTHESIS.sub("", question.replace("’", "'")).strip().rstrip("?:. ")
    text = _VISIT.sub("", text)
    text = _EVER_OR_NOW.sub("Have you ever had", text)
    lead = _LEAD.match(text)
    if lead:
        text = f"{lead[2]} {lead[1][0].lower()}{lead[1][1:]}"
    clauses = [_clause(capital(c)) for c in _SPLIT.split(text)]
    done = [c for c in clauses if c is not None]
    if len(done) < len(clauses):
        return _quoted(question)
    present = " or ".join([done[0][0], *(_lower(p) for p, _ in done[1:])])
    absent = " and ".join([done[0][1], *(_lower(a) for _, a in done[1:])])
    first = _name(_flat(done[0][0]))
    if re.fullmatch(
        r"\w+(?:ed|ing)", first
    ):  # "treated" of "I'm being treated or I have been treated with ..." says too little
        first = _name(_flat(done[-1][0]))
    return Said(_flat(present), _flat(absent), first)


def _clause(text: str) -> tuple[str, str] | None:
    """(present, absent) of one clause that opens with a verb, None where no rule fits."""
    family, members, you, other = (p.match(text) for p in (_FAMILY, _MEMBERS, _YOU, _OTHER))
    if family:
        rest = _mine(family[1])
        return f"My family or I have had {rest}", f"Neither my family nor I have ever had {rest}"
    if members:
        rest = _mine(members[1])
        return f"There are {rest}", f"There are no {rest}"
    if you:
        return _of_me(you[1].lower(), _mine(you[2]))
    if other:
        subject = "I" if other[2].lower() == "the person" else capital(_mine(other[2]))
        return _of_other(other[1].lower(), subject, _mine(other[3]))
    return None


def _of_me(verb: str, rest: str) -> tuple[str, str]:
    if verb == "have":
        ever = rest.removeprefix("ever ")
        return f"I have {_some(ever)}", f"I have never {ever}" if ever != rest else f"I haven't {rest}"
    if verb in ("are", "were"):
        now, no = ("I'm", "I'm not") if verb == "are" else ("I was", "I wasn't")
        able = f"{now} {rest.removeprefix('un')}" if rest.startswith("unable ") else f"{no} {rest}"
        return f"{now} {_some(rest)}", able
    adverb = _ADVERB.match(rest)
    front, plain = (capital(adverb[1]) + " ", adverb[2]) if adverb else ("", rest.removeprefix("ever "))
    # in front, since before the verb an adverb would take the verb's ending when a parent speaks ("she currentlies")
    if verb == "did":
        return f"{front}I {_past(_some(plain))}", f"I didn't {rest}"
    said = f"{front}I {_some(plain)}"
    if tokens(third_person(said, Sex.FEMALE)) != tokens(said):  # "wheezes" does not lead back to "wheeze"
        said = f"{front}I do {_some(plain)}"
    return said, f"I don't {rest}"


def _of_other(verb: str, subject: str, rest: str) -> tuple[str, str]:
    some, no = _some(subject), subject
    if subject.startswith("Any "):
        no = f"No{'ne' if subject.startswith('Any of') else ''}{subject[3:]}"
    if verb in ("do", "does", "did"):
        if no != subject:
            return f"{some} {rest}", f"{no} {rest}"
        aux = "don't" if subject == "I" else f"{verb}n't"
        said = rest if verb == "do" or subject == "I" else _past(rest) if verb == "did" else _singular(rest)
        return f"{subject} {said}", f"{subject} {aux} {rest}"
    ever = rest.removeprefix("ever ")
    if no != subject:
        return f"{some} {verb} {ever}", f"{no} {verb} {rest}"
    head, _, tail = rest.partition(" ")
    if head in ("suddenly", "often"):
        return f"{subject} {head} {verb} {tail}", f"{subject} {verb}n't {rest}"
    return f"{subject} {verb} {_some(ever)}", f"{subject} {verb}n't {rest}"


def _past(rest: str) -> str:
    words = rest.split()
    i = 1 if words[0].endswith("ly") else 0
    if i < len(words):
        words[i] = _PAST.get(words[i], f"did {words[i]}")
    return " ".join(words)


def _singular(rest: str) -> str:
    verb, _, tail = rest.partition(" ")
    return f"{verb}s {tail}"


def _mine(text: str) -> str:
    """ "you" and "your" as the one addressed says them."""
    for old, new in (
        (r"\byourself\b", "myself"), (r"\byours\b", "mine"), (r"\byour\b", "my"), (r"\byou're\b", "I'm"),
        (r"\byou are\b", "I am"), (r"\byou were\b", "I was"), (r"\byou(?= (?:up|from|to|in|on|at|or|and)\b|$)", "me"),
        (r"\byou\b", "I"),
    ):  # fmt: skip
        text = re.sub(old, new, text)
    return text


def _some(text: str) -> str:
    return re.sub(r"\b([Aa])ny(?=(?:one|thing|where)?\b)", lambda m: "Some" if m[1] == "A" else "some", text)


def _lower(clause: str) -> str:
    return clause if re.match(r"I\b", clause) else clause[:1].lower() + clause[1:]


def _flat(text: str) -> str:
    """Without marks that end a sentence (figures such as 18.5 keep theirs) and words written twice ("in in")."""
    return re.sub(r"\b([a-z]+) \1\b", r"\1", " ".join(re.sub(r"[;?!…]|\.(?!\d)", " ", text).split()))


_HEADS: Final = re.compile(
    r"^(?:\w+ly )?I(?:'m| have| was| feel)?(?: recently| currently)?(?: being| had| been| noticed| felt)?(?: that)? (?=\w)"
)
_GERUND: Final = re.compile(
    r"^(?:\w+ly )?I (?:do )?(?!have\b|was\b|feel\b|had\b|did\b|ate\b|vomited\b|lost\b)(\w+) (.+)$"
)


def _name(present: str) -> str:
    """A plain name from a statement: "I have a cough" is "cough", "I smoke cigarettes" is "smoking cigarettes"."""
    verb = _GERUND.match(present)
    if verb:
        stem = verb[1][:-1] if re.search(r"[^aeo]e$", verb[1]) else verb[1]
        stem += stem[-1] if re.match(r"[^aeiou]+[aeiou][^aeiouwxy]$", stem) and stem == verb[1] else ""
        return f"{stem}ing {verb[2]}"
    name = re.sub(r"^(?:a|an|the|some) ", "", _HEADS.sub("", present))
    return name if name != present or name.startswith("I ") else _lower(name)


def quoted_words(question: str) -> str:
    """A question's words without marks, to be quoted inside a statement."""
    return _flat(_PARENTHESIS.sub("", question).replace(":", " ")) or "that"


def _quoted(question: str) -> Said:
    words = quoted_words(question)
    return Said(f"My answer to the question {words} is yes", f"My answer to the question {words} is no", words)
