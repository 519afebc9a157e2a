"""What a user gives an inquirer that is a model in words of their own: a persona prompt, and examples (few-shot).

Owns the format of the examples, their rendering, and the check that none carries the case under test. Templates are Jinja's,
with the fields of `fields_of`; a field that is not there is an error. Must not import sim or batch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from consult.agents.llm.spec import ModelSpec
from consult.agents.llm.words import age_in_words
from consult.clean import one_line
from consult.errors import DataError
from consult.files import WHOLE, Faults, Record, load, read_text
from consult.llm.prompts import render_text
from consult.scenario import Scenario
from consult.seeds import digest
from consult.terms import Text, Words

AIDED: Final = ("inquirer/persona-prompt", "inquirer/few-shot")
"""What a briefing is called in provenance."""
OWN_WORDS: Final = 5
"""Words from which a sentence of a case counts as its own (ours)."""
ENOUGH: Final = 8
"""Words in such sentences from which an example carries the case: none of our cases carries another by that (ours)."""
_WORD: Final = re.compile(r"\w+")
_SENTENCE: Final = re.compile(r"(?<=[.!?…])\s+|\n+")


class Example(Record):
    """One example of how an inquirer works."""

    case: Words = ""
    """The id of the scenario that it is taken from, if it is from one; it is never shown with that one."""
    text: Text
    """What the model is shown of it: a template."""


class FewShot(Record):
    """Examples that stand in the system prompt."""

    examples: tuple[Example, ...] = Field(min_length=1, max_length=50)
    """In the order in which they are shown."""


@dataclass(frozen=True)
class Briefing:
    """The files, read. Can be sent to another process."""

    persona_file: str = ""
    persona: str = ""
    few_shot_file: str = ""
    few_shot: FewShot | None = None

    def hashes(self) -> dict[str, str]:
        """sha256 of what is there, by the name that it has in provenance."""
        parts = (
            digest(self.persona) if self.persona else "",
            self.few_shot.content_hash() if self.few_shot is not None else "",
        )
        return {name: text for name, text in zip(AIDED, parts, strict=True) if text}

    def check(self, scenario: Scenario) -> None:
        """Raises DataError where an example carries this case."""
        for n, example in enumerate(self.few_shot.examples if self.few_shot is not None else ()):
            if what := carried(example, scenario):
                mend = "remove the example, or leave out that scenario"
                raise Faults(Path(self.few_shot_file)).fault(("examples", n), f"carries the case {what}", mend)

    def rendered(self, scenario: Scenario, said: ModelSpec) -> tuple[str, tuple[str, ...]]:
        """The persona prompt ("" if there is none) and the examples, filled in for this case. Raises DataError."""
        fields = fields_of(scenario, said)
        persona = render_text(self.persona, self.persona_file, fields) if self.persona else ""
        told = enumerate(self.few_shot.examples if self.few_shot is not None else ())
        file = self.few_shot_file
        return persona, tuple(render_text(e.text, file, fields, field=f"examples[{n}].text") for n, e in told)


NO_WORDS: Final = Briefing()


def fields_of(scenario: Scenario, said: ModelSpec) -> dict[str, Any]:
    """What a template may name: only what the inquirer sees anyhow."""
    patient = scenario.patient
    known = {"age": age_in_words(patient.age), "sex": patient.sex.value, "speaker": patient.speaker.value}
    return known | {"strategy": said.strategy, "pictures": said.pictures}


def read_briefing(persona_prompt: str, few_shot: str) -> Briefing:
    """The files of these names ("": none). Raises DataError or DataErrors."""
    persona = read_text(Path(persona_prompt)).strip() if persona_prompt else ""
    if persona_prompt and not persona:
        raise DataError("is empty", file=persona_prompt, field=WHOLE, mend="write what the doctor is like")
    return Briefing(persona_prompt, persona, few_shot, load(Path(few_shot), FewShot) if few_shot else None)


def carried(example: Example, scenario: Scenario) -> str:
    """Which case an example carries, and how it is seen; "" if it carries not this one.

    By its `case`, by the case's id in it, or by eight words or more in whole sentences of the case: of the title, the
    opening, a caption, or a fact's own words (ours). What a patient says in the knowledge's words is common to many.
    """
    named = "_" in scenario.id and re.search(rf"\b{re.escape(scenario.id)}\b", example.text)
    if example.case == scenario.id or named:
        return f"{scenario.id}, which is to be played"
    text = _folded(example.text)
    found = [s for s in dict.fromkeys(_own(scenario)) if s in text]
    if sum(len(s.split()) for s in found) < ENOUGH:
        return ""
    return f"{scenario.id}, which is to be played: {one_line(found[0], limit=80)!r}"


def _own(scenario: Scenario) -> Iterator[str]:
    """The sentences that belong to this case alone."""
    shown, told = (i.caption for i in scenario.images), (f.text for f in scenario.facts)
    for words in (scenario.title, scenario.opening, *shown, *told):
        for sentence in _SENTENCE.split(words):
            if len(_WORD.findall(sentence)) >= OWN_WORDS:
                yield _folded(sentence)


def _folded(text: str) -> str:
    """Words alone, each between spaces, so that only whole ones are found."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "
