"""The knowledge linter: every question and every statement is read as its own finding, and conditions can be told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from consult.agents.examiner import find_order
from consult.check.speech import misread, quoted
from consult.errors import DataError
from consult.files import Faults, Loc
from consult.knowledge.model import Finding, FindingKind, Knowledge, Source
from consult.language.extractor import Reading
from consult.language.lexicon import lexicon
from consult.language.realiser import OWN_TOPICS
from consult.language.resolver import resolve
from consult.language.voice import about_patient, third_person
from consult.terms import Sex

FEWEST: Final = 3
"""Findings by which a condition can be recognised, at the least."""
WORDS: Final = "qwertz uiop"
"""Stands for the patient's own words; no words of any language."""


class Place(Protocol):
    """Where faults of a knowledge go: one file, or each to its file of a folder."""

    def add(self, loc: Loc, problem: str, mend: str) -> None:
        """Note a problem at a place."""


def check_knowledge(knowledge: Knowledge, path: Path | None = None) -> list[DataError]:
    """Everything wrong with a knowledge that loads."""
    faults = Faults(path, f"knowledge {knowledge.id}")
    lint_knowledge(knowledge, faults)
    return faults.errors


def lint_knowledge(knowledge: Knowledge, faults: Place) -> None:
    """Note everything wrong with a knowledge that loads."""
    at = {f.id: n for n, f in enumerate(knowledge.findings)}
    for phrase, holder, wanted in lexicon(knowledge).clashes:
        what = f"{wanted} and {holder} share the words {quoted(phrase)}"
        faults.add(("findings", at[wanted]), what, "word one of them otherwise")
    for n, f in enumerate(knowledge.findings):
        _questions(n, f, knowledge, faults)
        if f.source is Source.HISTORY:
            _statements(n, f, knowledge, faults)
    _conditions(knowledge, faults)
    _red_flags(knowledge, faults)
    _orders(knowledge, faults)


def _questions(n: int, f: Finding, knowledge: Knowledge, faults: Place) -> None:
    for m, question in enumerate(f.questions):
        forms = {question}
        if f.topic not in OWN_TOPICS:
            forms |= {about_patient(question, sex) for sex in _sexes(f)}
        for form in sorted(forms):
            found = resolve(form, knowledge).findings
            if found != (f.id,):
                what = f"{quoted(form)} is understood as asking {', '.join(found) or 'nothing'}, not {f.id}"
                faults.add(("findings", n, "questions", m), what, "word it otherwise")
    for m, question in enumerate(f.heard):
        found = resolve(question, knowledge).findings
        if f.id not in found:
            what = f"{quoted(question)} is understood as asking {', '.join(found) or 'nothing'}, not {f.id}"
            faults.add(("findings", n, "heard", m), what, "word it otherwise, or remove it")


def _sexes(f: Finding) -> tuple[Sex, ...]:
    return tuple(Sex) if f.sex is None else (f.sex,)


def _statements(n: int, f: Finding, knowledge: Knowledge, faults: Place) -> None:
    for part, sentence, third, meant in _sentences(f):
        for form in sorted({sentence, *third}):
            wrong = misread(form, meant, knowledge)
            if wrong:
                what = f"{quoted(form)} is read as {wrong}"
                faults.add(("findings", n, *part), what, "word it otherwise, or remove the synonym that it contains")


_Sentence = tuple[Loc, str, tuple[str, ...], Reading]
"""Where it is written, as the patient says it, as a parent says it, and what it means."""


def _sentences(f: Finding) -> Iterator[_Sentence]:
    if f.absent or f.kind is FindingKind.BINARY or (f.kind is FindingKind.MULTI and f.none is None):
        plain = f.absent or f"I don't have {f.plain}"  # what the realiser says in its place
        yield _voiced(f, ("absent",), plain, Reading(f.id, "absent"))
    if f.kind is FindingKind.TEXT:
        said = f.present.replace("{text}", WORDS)
        yield from [_voiced(f, ("present",), said, Reading(f.id, "present", text=WORDS))] if said else ()
    elif f.values:
        for m, v in enumerate(f.values):
            sentence = f.present.replace("{value}", v.plain)
            yield _voiced(f, ("values", m, "plain"), sentence, Reading(f.id, "present", (v.id,)))
    else:
        yield _voiced(f, ("present",), f.present, Reading(f.id, "present"))


def _voiced(f: Finding, where: Loc, sentence: str, meant: Reading) -> _Sentence:
    third = () if f.topic in OWN_TOPICS else tuple(third_person(sentence, sex) for sex in _sexes(f))
    return where, sentence, third, meant


def _conditions(knowledge: Knowledge, faults: Place) -> None:
    for n, c in enumerate(knowledge.conditions):
        if len(c.findings) < FEWEST:
            what = f"{c.id} has {len(c.findings)} finding{'' if len(c.findings) == 1 else 's'}"
            faults.add(("conditions", n, "findings"), what, f"list {FEWEST} or more")
        for f_id in c.complaint:
            if knowledge.finding[f_id].source is not Source.HISTORY:
                what = f"nobody comes with {f_id}: it takes an examination or a test"
                faults.add(("conditions", n, "complaint", f_id), what, "name a finding of the history")


def _red_flags(knowledge: Knowledge, faults: Place) -> None:
    """A red flag that no condition lists can point to no danger."""
    listed = {f_id for c in knowledge.conditions for f_id in (*c.findings, *(r.partition("=")[0] for r in c.red_flags))}
    for n, f in enumerate(knowledge.findings):
        if f.red_flag and f.id not in listed:
            what = f"{f.id} is a red flag, but no condition lists it"
            faults.add(("findings", n, "red_flag"), what, "list it under a condition's `findings:`, or remove the flag")


def _orders(knowledge: Knowledge, faults: Place) -> None:
    for n, o in enumerate(knowledge.orders):
        words: list[tuple[Loc, str]] = [(("orders", n, "name"), o.name)]
        words += [(("orders", n, "synonyms", m), s) for m, s in enumerate(o.synonyms)]
        for where, text in words:
            found = find_order(text, knowledge)
            if found is None or found.id != o.id:
                other = found.id if found is not None else "no order"
                faults.add(where, f"{quoted(text)} means {other}, not {o.id}", "word it otherwise")
