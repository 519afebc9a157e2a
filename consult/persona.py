"""Personas: temperaments as graded traits, moods that move, the words for them, and the axes beside. See docs/persona.md.

Source of the temperaments: 3MDBench (arXiv 2504.13861), four temperaments over five facets; the traits, the mood, the
axes (health literacy, recall, register of speech, speaker) and every figure are our own. Must not import scenarios or language.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from consult.errors import UsageError
from consult.files import Record, Stamp, files_under, is_plain_id, load, stamp
from consult.seeds import rng
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
    SIGNPOST = "signpost"
    COLD = "cold"
    PLAN_EXPLAINED = "plan_explained"
    ABRUPT_END = "abrupt_end"


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
    clipped: Unit = 0
    """Share of facts said in a bare word or two instead of a sentence, where that can be understood."""
    lead_in: Unit = 0
    """Share of facts with a phrase of the bank `lead_in` before them."""
    speak_up: Unit = 0
    """Says something of their own to what the doctor proposes in the end."""


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
    """Irritation from which only what is asked is told; on the way there it gets less and less."""
    cooling: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Factor on every fall of irritation: it goes more slowly than it came."""


Bank = tuple[Text, ...]


class Wording(Record):
    """Phrases said around facts. None may contain a clinical statement: `consult check` tests it.

    Words in braces are about the patient, as the patient says them: a parent's "Will {I} be all right?" is "Will she …".
    """

    greeting: Bank = ()
    lead_in: Bank = ()
    """Said before a fact: words that end in a comma, or a sentence of their own."""
    yes: Bank = ()
    no: Bank = ()
    dont_know: Bank = ()
    forgot: Bank = ()
    """Said instead of a fact that does not come to mind when first asked for."""
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
    unclear_word: Bank = ()
    """Asks what a clinical word means; said where health literacy is low."""
    leave: Bank = ()
    thanks: Bank = ()
    treatment: Bank = ()
    """Said to a plan that was explained: the attitude to treatment."""
    sobered: Bank = ()
    """Thanks where what was explained is an emergency."""
    unsettled: Bank = ()
    """The last words to a doctor who ended without explaining, or who is not trusted."""


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
    grave: Wording = Wording()
    """Said instead, where it is no time for jokes or for haste; a bank left empty is as in `wording`."""
    health_literacy: Annotated[str, Field(pattern=r"^(low|medium|high)$")] = "medium"
    """Low: clinical words are not understood, and put off more; high: they are, and do not put off."""
    recall: Unit = 1.0
    """Share of what the patient knows that comes to mind when asked; the rest is "I can't remember" at first."""
    speech: Annotated[str, Field(pattern=r"^(plain|formal|colloquial)$")] = "plain"
    """The register: formal without contractions, colloquial with fillers."""
    speaker: Annotated[str, Field(pattern=r"^(self|parent|carer|)$")] = ""
    """Who speaks; empty: as the scenario says."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"

    def bank(self, name: str, *, grave: bool = False) -> Bank:
        """The phrases of a bank."""
        phrases: Bank = getattr(self.grave, name) if grave else ()
        return phrases or getattr(self.wording, name)


def persona_files(extra: tuple[Path, ...] = ()) -> dict[str, Path]:
    """Persona files by name, of `extra` folders first, then the search path."""
    found: dict[str, Path] = {}
    for root in (*extra, *search_path("personas")):
        for path in files_under(root) if root.is_dir() else ():
            found.setdefault(path.stem, path)
    return found


# --- specs: name, grade, axes --------------------------------------------------------------------------------------

AXES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "literacy": ("health_literacy", ("low", "medium", "high")),
    "recall": ("recall", ()),
    "register": ("speech", ("plain", "formal", "colloquial")),
    "speaker": ("speaker", ("self", "parent", "carer")),
}
"""What may stand behind + in a spec: the persona's field, and its values (none: a number from 0 to 1)."""
_BEFORE_AXIS: Final = re.compile(r"\+(?=[^+/\\]*(?:\+|$))")


def load_persona(spec: str) -> Persona:
    """A persona by spec: `NAME|FILE[@GRADE][+AXIS=VALUE]...`, as in `choleric@0.5+literacy=low+recall=0.7`.

    The grade goes from 0 (neutral) to 1 (full); axes are in `AXES`, each at most once. The id of what is returned is
    the spec in its shortest form. One read before is given again until its file changes. Raises UsageError, DataError
    or DataErrors.
    """
    rest, given = (spec, {}) if Path(spec).is_file() else _axes(spec)
    name, at, grade_text = rest.rpartition("@")
    if not at or Path(rest).is_file():
        name, at, grade_text = rest, "", "1"
    grade = _unit(grade_text)
    if grade is None:
        raise UsageError(f"--persona: {spec!r} has no grade from 0 to 1 behind @ (mend: e.g. {name}@0.5)")
    files = persona_files()
    path = Path(name) if Path(name).suffix and Path(name).is_file() else files.get(name if is_plain_id(name) else "")
    if path is None:
        raise UsageError(f"--persona: there is no {name!r} (mend: one of: {', '.join(sorted(files))})")
    neutral = files[NEUTRAL]
    return _kept(path, neutral, grade, tuple(sorted(given.items())), (*stamp(path), *stamp(neutral)))


def _axes(spec: str) -> tuple[str, dict[str, str | float]]:
    """A spec without its axes, and the axes as fields of a persona. Raises UsageError."""
    rest, *parts = _BEFORE_AXIS.split(spec)
    given: dict[str, str | float] = {}
    for part in parts:
        axis, _, text = part.partition("=")
        if axis not in AXES:
            known = ", ".join(f"+{a}=" for a in AXES)
            raise UsageError(f"--persona: {part!r} in {spec!r} is no axis (mend: one of {known})")
        field, values = AXES[axis]
        value = text if values else _unit(text)
        if value is None or (values and text not in values):
            allowed = "one of: " + ", ".join(values) if values else "a number from 0 to 1"
            raise UsageError(f"--persona: +{axis}={text} in {spec!r} is no such value (mend: {allowed})")
        if field in given:
            raise UsageError(f"--persona: +{axis}= stands twice in {spec!r} (mend: keep one)")
        given[field] = value
    return rest, given


def _unit(text: str) -> float | None:
    """A number from 0 to 1; None if the text is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number + 0.0 if 0 <= number <= 1 else None


@lru_cache(maxsize=64)
def _kept(
    path: Path, neutral: Path, grade: float, given: tuple[tuple[str, str | float], ...], _: tuple[Stamp, ...]
) -> Persona:
    persona = load(path, Persona)
    made = persona if persona.id == NEUTRAL else graded(persona, load(neutral, Persona), grade)
    changed = {field: value for field, value in given if getattr(made, field) != value}
    out = made.model_copy(update=changed)
    return out.model_copy(update={"id": made.id + _suffix(out, changed)})


def _suffix(persona: Persona, changed: dict[str, Any]) -> str:
    """The axes of a persona as its id carries them: those that a file or a spec set to something of their own."""
    out = ""
    for axis, (field, _) in AXES.items():
        value = getattr(persona, field)
        if field in changed or value != Persona.model_fields[field].default:
            out += f"+{axis}={value:g}" if isinstance(value, float) else f"+{axis}={value}"
    return out


# --- grades --------------------------------------------------------------------------------------------------------


def graded(persona: Persona, neutral: Persona, grade: float) -> Persona:
    """`persona` drawn towards `neutral`: numbers are interpolated, and that share of each word bank is its own."""

    def mix(a: float, b: float) -> float:
        return round(a + (b - a) * grade, 6)

    def mixed(kind: type[Record], a: Record, b: Record) -> dict[str, float]:
        return {k: mix(getattr(a, k), getattr(b, k)) for k in kind.model_fields}

    causes = sorted({*persona.temper.sensitivity, *neutral.temper.sensitivity})
    a, b = neutral.temper, persona.temper
    return persona.model_copy(
        update={
            "recall": mix(neutral.recall, persona.recall),
            "id": persona.id if grade == 1 else f"{persona.id}@{grade:g}",
            "traits": Traits(**mixed(Traits, neutral.traits, persona.traits)),
            "temper": Temper(
                start=Mood(**mixed(Mood, a.start, b.start)),
                sensitivity={c: mix(a.sensitivity.get(c, 1), b.sensitivity.get(c, 1)) for c in causes},
                leaves_at=mix(a.leaves_at, b.leaves_at),
                clams_up_at=mix(a.clams_up_at, b.clams_up_at),
                cooling=mix(a.cooling, b.cooling),
            ),
            **_words(persona, neutral, grade),
        }
    )


def _words(persona: Persona, neutral: Persona, grade: float) -> dict[str, Wording]:
    """Both sets of word banks at a grade; no neutral phrase is in both, so that none is said twice."""
    plain: dict[str, Bank] = {}
    grave: dict[str, Bank] = {}
    for name in Wording.model_fields:
        plain[name] = _blend(getattr(neutral.wording, name), getattr(persona.wording, name), grade, name)
        if getattr(persona.grave, name) or getattr(neutral.grave, name):
            free = tuple(p for p in neutral.bank(name, grave=True) if p not in plain[name])
            own = persona.bank(name, grave=True)
            grave[name] = (
                _blend(free, own, grade, name) if free else own if grade == 1 else own[: round(grade * len(own))]
            )
    return {"wording": Wording(**plain), "grave": Wording(**grave)}


def _blend(neutral: Bank, own: Bank, grade: float, name: str) -> Bank:
    """A bank of which the share `grade` is the persona's own words and the rest neutral ones, chosen by the name."""
    if not own or not neutral or grade == 1:
        return own or neutral
    kept = rng("own", name).sample(own, round(grade * len(own)))
    rest = [p for p in neutral if p not in kept]
    kept += rng("neutral", name).sample(rest, min(len(rest), len(own) - len(kept)) if kept else len(rest))
    return tuple(p for p in dict.fromkeys((*own, *neutral)) if p in kept)
