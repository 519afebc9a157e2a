"""The persona linter: its phrases say nothing clinical, and answers are read as the answers they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from consult.check.speech import named_conditions, quoted, said, told
from consult.errors import DataError
from consult.files import Faults
from consult.knowledge.model import FindingKind, Knowledge, Source
from consult.language.realiser import spoken
from consult.language.role import role_breaks
from consult.persona import NEUTRAL, Persona, Wording
from consult.terms import Sex

ANSWERS: Final = {
    "yes": "present", "no": "absent", "dont_know": "unknown", "forgot": "unknown", "not_noticed": "not_noticed",
    "reluctant": "unknown",
}  # fmt: skip
"""What each bank of answers means, said to a question about a plain finding."""
NEEDED: Final = (
    *ANSWERS, "nothing_more", "not_understood", "unclear_word", "leave", "thanks", "sobered", "unsettled",
)  # fmt: skip
"""Banks without which the patient would have to stay silent."""
TRAITS: Final = {
    "play_down": "play_down", "dramatise": "dramatise", "digress": "digression", "ask_back": "ask_back",
    "seek_outcome": "seek_outcome", "seek_reassurance": "seek_reassurance", "emotion": "emotion",
    "lead_in": "lead_in", "speak_up": "treatment",
}  # fmt: skip
"""The bank that a trait draws from."""


def check_persona(
    persona: Persona, neutral: Persona | None, knowledge: Knowledge, path: Path | None = None
) -> list[DataError]:
    """Everything wrong with a persona that loads; empty banks are looked for in `neutral`."""
    faults = Faults(path, f"persona {persona.id}")
    probe = _probe(knowledge)
    for part in ("wording", "grave"):
        for bank in Wording.model_fields:
            for n, phrase in enumerate(getattr(getattr(persona, part), bank)):
                for said_so in dict.fromkeys(spoken(phrase, of) for of in (None, *Sex)):
                    _phrase((part, bank, n), said_so, probe, knowledge, faults)
    _banks(persona, neutral, faults)
    return faults.errors


def _probe(knowledge: Knowledge) -> str | None:
    """A finding that a yes or no answers."""
    for f in knowledge.findings:
        if f.kind is FindingKind.BINARY and f.source is Source.HISTORY and f.parent is None:
            return f.id
    return None


def _phrase(where: tuple[str, str, int], phrase: str, probe: str | None, knowledge: Knowledge, faults: Faults) -> None:
    bank = where[1]
    readings = said(phrase, knowledge)
    if readings:
        faults.add(where, f"{quoted(phrase)} is read as {told(readings)}", "use words that no finding uses")
    named = named_conditions(phrase, knowledge)
    if named:
        faults.add(where, f"{quoted(phrase)} names a condition ({named[0]})", "use other words")
    for words in role_breaks(phrase):
        faults.add(where, f"{quoted(words)} is not what a patient would say", "use other words")
    if bank == "lead_in" and phrase[-1] not in ",:.!?":
        faults.add(where, f"{quoted(phrase)} runs into what comes behind it", "end it with a comma or a full stop")
    if probe is None or readings:
        return
    meant = ANSWERS.get(bank)
    answers = {r.finding: r.state for r in said(phrase, knowledge, (probe,))}
    if meant is None:
        if answers.get(probe) in ("present", "absent"):
            what = f"{quoted(phrase)} would be taken for the answer {'yes' if answers[probe] == 'present' else 'no'}"
            faults.add(where, what, "begin in another way")
    elif answers.get(probe) != meant:
        found = answers.get(probe) or "no answer"
        faults.add(where, f"{quoted(phrase)} is read as {found}, not as {meant}", _answer_mend(bank))


def _answer_mend(bank: str) -> str:
    example = {
        "yes": "Yes, …", "no": "No, …", "dont_know": "I don't know, …", "forgot": "I can't remember, …",
        "not_noticed": "Not that I've noticed", "reluctant": "I'd rather not talk about that",
    }[bank]  # fmt: skip
    return f'begin like "{example}"'


def _banks(persona: Persona, neutral: Persona | None, faults: Faults) -> None:
    """Banks that are empty here and in the neutral persona."""

    def filled(bank: str) -> bool:
        fallback = neutral is not None and persona.id != NEUTRAL and getattr(neutral.wording, bank)
        return bool(getattr(persona.wording, bank) or fallback)

    for bank in NEEDED:
        if not filled(bank):
            faults.add(("wording", bank), "has no phrase, here or in the neutral persona", "add one or more")
    for trait, bank in TRAITS.items():
        if getattr(persona.traits, trait) > 0 and not filled(bank):
            what = f"has no phrase, but the trait {trait} is above 0"
            faults.add(("wording", bank), what, "add phrases, or set the trait to 0")
