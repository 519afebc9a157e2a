"""DDXPlus questions turned into what a patient says: statements in the first person, plain names, plain values.

The question is kept word for word; everything else is derived from it, by rule for yes/no questions and by a table of
frames for the few that have values. Every statement of one knowledge differs from every other after normalisation,
so that the extractor reads back what was said. Knows nothing of probabilities or patients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Final

from consult.importers.ddxplus_files import Evidence
from consult.knowledge.model import Finding, FindingKind, Value
from consult.language.tokens import tokens
from consult.language.voice import capital, third_person
from consult.terms import Sex

TOPICS: Final = {
    "pain": "the pain",
    "rash": "your skin",
    "swelling": "the swelling",
    "antecedents": "your past illnesses, family and habits",
    "symptoms": "your symptoms",
}
_FAMILIES: Final = {"skin": "rash", "rash": "rash", "swelling": "swelling", "pain": "pain"}
"""Topics by a word of the question whose details are asked."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one evidence."""

    present: str
    absent: str
    plain: str
    values: Mapping[str, str] = field(default_factory=dict)
    """Words for a value's meaning where the data set's own do not fit the frame."""


def _scale(present: str, absent: str, plain: str) -> Said:
    return Said(present + " {value} out of 10", absent, plain)


_FRAMES: Final[Mapping[str, Said]] = {
    "Do you feel pain somewhere?": Said(
        "I feel the pain here: {value}", "I don't have a pain that I could place", "place of the pain"
    ),
    "Does the pain radiate to another location?": Said(
        "The pain spreads to: {value}", "I don't have a pain that spreads", "spread of the pain",
        {"nowhere": "nowhere else"},
    ),
    "Characterize your pain:": Said(
        "My pain feels like this: {value}", "I don't have a pain that I could describe", "character of the pain"
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
        "The affected skin is here: {value}", "I don't have affected skin anywhere", "place of the affected skin"
    ),
    "What color is the rash?": Said(
        "The color of the rash is {value}", "I don't have a rash of any color", "color of the rash"
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
        "The swelling is here: {value}", "I don't have a swelling that I could place", "place of the swelling"
    ),
    "Have you traveled out of the country in the last 4 weeks?": Said(
        "In the last 4 weeks I traveled to {value}", "I haven't traveled in the last 4 weeks", "travel abroad",
        {"N": "no other country"},
    ),
}  # fmt: skip
_VALUES: Final = {
    "nowhere": "nowhere in particular", "NA": "nothing in particular", "N": "no", "Y": "yes", "Caraibes": "the Caribbean",
    "palace": "palate", "ischio jambier": "hamstring", "posterior chest wall": "back of the chest", "epigastric":
    "upper middle belly", "axilla": "armpit", "occiput": "back of the skull", "scapula": "shoulder blade",
    "toe (1)": "second toe", "toe (2)": "third toe", "toe (3)": "fourth toe", "little toe (4)": "little toe",
    "sensitive": "tender",
}  # fmt: skip
"""Words of the data set (translated from French) that nobody would say or understand; its own stay as synonyms."""


def value_words(meaning: str, own: Mapping[str, str]) -> str:
    """The plain words of a value: "iliac wing(R)" is "right iliac wing"."""
    if meaning in own:
        return own[meaning]
    side = re.fullmatch(r"(.+?)\s*\(([RL])\)", meaning)
    core = side[1] if side else meaning
    words = _VALUES.get(core) or re.sub(r".+ \((\D[^()]*)\)", lambda m: _finger(m[1]), core)
    return f"{'right' if side[2] == 'R' else 'left'} {words}" if side else words


def _finger(name: str) -> str:
    return name if "finger" in name else f"{name} finger"


# ---- statements of yes/no questions

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
    r"(a member of your family|any of your family members|any members of your \w+ family|(?:the|your) \w+(?: of \w+ \w+)?(?: or (?:the )?\w+(?: of your \w+)?)?)"
    r" (.+)$",
    re.I,
)
_ADVERB: Final = re.compile(r"^(?:ever )?(\w+ly) (.+)$")
_PAST: Final = {"lose": "lost", "vomit": "vomited", "eat": "ate", "have": "had", "turn": "turned"}
_PARENTHESIS: Final = re.compile(r"\s*\(+[^()]*\)+")


def said_of(question: str) -> Said:
    """What is said of a yes/no question; an answer that quotes the question where no rule fits."""
    text = _PARENTHESIS.sub("", question.replace("’", "'")).strip().rstrip("?:. ")
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


def _quoted(question: str) -> Said:
    words = _flat(_PARENTHESIS.sub("", question).replace(":", " ")) or "that"
    return Said(f"My answer to the question {words} is yes", f"My answer to the question {words} is no", words)


def _quoted_values(question: str) -> Said:
    words = _flat(_PARENTHESIS.sub("", question).replace(":", " ")) or "that"
    return Said(f"My answer to the question {words} is {{value}}", f"I have no answer to the question {words}", words)


# ---- findings


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
    plain = value_words(meaning, said.values)
    other = () if tokens(meaning) == tokens(plain) or len(meaning) < 3 else (meaning,)
    return Value(id=value, plain=plain, synonyms=other)
