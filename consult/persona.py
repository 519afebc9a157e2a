"""Personas: temperaments as graded traits, moods that move, and the words for them. See docs/persona.md.

Source of the temperaments: 3MDBench (arXiv 2504.13861), four temperaments over five facets; the traits, the mood and
every figure are our own.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from consult.errors import UsageError
from consult.files import Record, Stamp, files_under, is_plain_id, load, stamp
from consult.settings import search_path
from consult.terms import Slug, Text

Unit = Annotated[float, Field(ge=0, le=1)]
NEUTRAL: Final = "neutral"


class Cause(StrEnum):
    """What moves a mood."""

    EMPATHY = "empathy"
    CUE_ANSWERED = "cue_answered"
    EXPLANATION = "explanation"
    PLAIN_WORDS = "plain_words"
    CUE_IGNORED = "cue_ignored"
    REPEAT = "repeat"
    STACKED = "stacked"
    JARGON = "jargon"
    MISUNDERSTOOD = "misunderstood"
    LONG_INTERVIEW = "long_interview"


class Facets(Record):
    """The five facets of 3MDBench, in a sentence each: what this temperament does."""

    symptom_description: Text
    asking_questions: Text
    communication_style: Text
    attitude_to_treatment: Text
    emotional_involvement: Text


class Traits(Record):
    """How much of each behaviour, 0 none to 1 always, unless said otherwise."""

    facts_per_open: float = Field(default=2, ge=1, le=8)
    """Facts told to an open question, at most."""
    facts_per_direct: float = Field(default=0, ge=0, le=4)
    """Further facts of the topic told to a direct question, at most."""
    play_down: Unit = 0
    dramatise: Unit = 0
    digress: Unit = 0
    ask_back: Unit = 0
    """Asks for detail about what is going on."""
    seek_outcome: Unit = 0
    """Presses for the diagnosis or a quick solution."""
    seek_reassurance: Unit = 0
    emotion: Unit = 0
    """Shows feeling; a shown worry is a cue."""
    brevity: Unit = 0.3
    """Short answers: drops the full sentence for a bare yes or no."""


class Mood(Record):
    """Trust, irritation and anxiety, each 0..1."""

    trust: Unit = 0.5
    irritation: Unit = 0.1
    anxiety: Unit = 0.3


class Temper(Record):
    """Where the mood starts and how it moves."""

    start: Mood = Mood()
    sensitivity: dict[Cause, Annotated[float, Field(ge=0, le=5)]] = {}
    """Factor on the ordinary effect of a cause; 1 where absent."""
    leaves_at: Unit = 1.0
    """Irritation from which the patient leaves; 1 practically never."""
    clams_up_at: Unit = 1.0
    """Irritation from which only what is asked is told."""


Bank = tuple[Text, ...]


class Wording(Record):
    """Phrases said around facts. None may contain a clinical statement: `consult check` tests it."""

    greeting: Bank = ()
    yes: Bank = ()
    no: Bank = ()
    dont_know: Bank = ()
    not_noticed: Bank = ()
    nothing_more: Bank = ()
    play_down: Bank = ()
    dramatise: Bank = ()
    digression: Bank = ()
    ask_back: Bank = ()
    seek_outcome: Bank = ()
    seek_reassurance: Bank = ()
    emotion: Bank = ()
    irritated: Bank = ()
    reluctant: Bank = ()
    """Said instead of a sensitive fact when trust is too low."""
    not_understood: Bank = ()
    leave: Bank = ()
    thanks: Bank = ()


class Persona(Record):
    """A temperament with its traits, mood and words."""

    id: Slug
    name: Text
    description: Text
    facets: Facets
    traits: Traits = Traits()
    temper: Temper = Temper()
    wording: Wording = Wording()
    """A bank left empty is taken from the neutral persona."""
    health_literacy: Annotated[str, Field(pattern=r"^(low|medium|high)$")] = "medium"
    recall: Unit = 1.0
    """Share of what the patient knows that comes to mind when asked; the rest is "I can't remember" at first."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"


def persona_files(extra: tuple[Path, ...] = ()) -> dict[str, Path]:
    """Persona files by name, of `extra` folders first, then the search path."""
    found: dict[str, Path] = {}
    for root in (*extra, *search_path("personas")):
        for path in files_under(root) if root.is_dir() else ():
            found.setdefault(path.stem, path)
    return found


def load_persona(spec: str) -> Persona:
    """A persona by `name`, `name@grade` (0 neutral to 1 full) or file; one read before is given again until it changes.

    Raises UsageError, DataError or DataErrors.
    """
    name, at, grade_text = spec.rpartition("@")
    if not at or Path(spec).is_file():
        name, grade_text = spec, ""
    try:
        grade = float(grade_text) if grade_text else 1.0
    except ValueError:
        grade = -1.0
    if not 0 <= grade <= 1:
        raise UsageError(f"--persona: {spec!r} has no grade from 0 to 1 behind @ (mend: e.g. {name}@0.5)")
    files = persona_files()
    path = Path(name) if Path(name).suffix and Path(name).is_file() else files.get(name if is_plain_id(name) else "")
    if path is None:
        raise UsageError(f"--persona: there is no {name!r} (mend: one of: {', '.join(sorted(files))})")
    neutral = files[NEUTRAL]
    return _kept(path, neutral, grade, (*stamp(path), *stamp(neutral)))


@lru_cache(maxsize=64)
def _kept(path: Path, neutral: Path, grade: float, _: tuple[Stamp, ...]) -> Persona:
    persona = load(path, Persona)
    return persona if persona.id == NEUTRAL else graded(persona, load(neutral, Persona), grade)


def graded(persona: Persona, neutral: Persona, grade: float) -> Persona:
    """`persona` drawn towards `neutral`: traits, mood and temper are interpolated; empty word banks are filled."""

    def mix(a: float, b: float) -> float:
        return round(a + (b - a) * grade, 6)

    banks = {k: getattr(persona.wording, k) or getattr(neutral.wording, k) for k in Wording.model_fields}
    causes = sorted({*persona.temper.sensitivity, *neutral.temper.sensitivity})
    a, b = neutral.temper, persona.temper
    return persona.model_copy(
        update={
            "recall": mix(neutral.recall, persona.recall),
            "id": persona.id if grade == 1 else f"{persona.id}@{grade:g}",
            "traits": Traits(
                **{k: mix(getattr(neutral.traits, k), getattr(persona.traits, k)) for k in Traits.model_fields}
            ),
            "temper": Temper(
                start=Mood(**{k: mix(getattr(a.start, k), getattr(b.start, k)) for k in Mood.model_fields}),
                sensitivity={c: mix(a.sensitivity.get(c, 1), b.sensitivity.get(c, 1)) for c in causes},
                leaves_at=mix(a.leaves_at, b.leaves_at),
                clams_up_at=mix(a.clams_up_at, b.clams_up_at),
            ),
            "wording": Wording(**banks),
        }
    )
