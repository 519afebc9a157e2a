"""What a page shows of one consultation: the dialogue in beats, what goes on behind it, the answer, scores and audit.

Owns the view that the templates fill in, made from the events alone. Must not import sim, agents, score or the store's
database; makes no HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from consult.clean import one_line
from consult.events import (
    Audited,
    Changed,
    Concluded,
    Event,
    Guarded,
    Header,
    MoodChange,
    Ordered,
    Question,
    RecordUpdate,
    Referred,
    Result,
    Scored,
    Shown,
    Stopped,
    Suggested,
    Told,
    Triaged,
    Utterance,
    Verdict,
)
from consult.show.names import Names
from consult.show.words import (
    BREACHES,
    ENDS,
    LEAST,
    SHARES,
    named_words,
    reading_time,
    safe,
    shown,
    speaker,
    suggested,
    value_words,
)
from consult.store.summary import last
from consult.store.transcript import Transcript
from consult.terms import Department

_STATES: Final = {
    "present": ("+", "has it"),
    "absent": ("−", "does not have it"),
    "unknown": ("?", "does not know"),
    "not_noticed": ("?", "has not noticed"),
    "withheld": ("×", "keeps it back"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact told: a sign, words, and what the sign means."""

    sign: str
    text: str
    state: str
    tone: str
    """Empty where it is plain."""
    rule: str
    """The release rule that let it out."""


@dataclass(slots=True)
class Beat:
    """One step of the dialogue: something said, ordered, reported or ended, with what followed from it."""

    seq: int
    turn: int
    kind: str
    """patient, doctor, order, result, conclusion, change or stop."""
    who: str
    text: str
    wait: float
    """Seconds to read it."""
    facts: tuple[Fact, ...] = ()
    notes: list[tuple[str, str]] = field(default_factory=list)
    """A label and words: why, manner, mood, guard, cost."""
    last: int = 0
    """seq of the last event that belongs to it."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A link to what a score rests on."""

    seq: int
    """Of the beat it leads to."""
    turn: int
    beats: tuple[int, ...]
    """All beats of that turn that are cited."""


@dataclass(frozen=True, slots=True)
class Score:
    """One score as it is shown."""

    name: str
    value: str
    unit: str
    share: float | None
    """For a bar; None where the value is no share."""
    reason: str
    cited: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a differential."""

    name: str
    probability: float | None
    right: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer beside the answer key."""

    judged: bool
    right: bool
    words: str
    choices: tuple[Choice, ...]
    triage: tuple[tuple[str, str, str, bool], ...]
    """What, said, right, and whether they agree."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit of the patient found."""

    clean: bool
    words: str
    cited: tuple[Cited, ...]


class Reader:
    """Names and beats of one transcript, which every part of a page about it needs."""

    def __init__(self, transcript: Transcript, names: Names) -> None:
        self.header: Header = transcript.header
        self.events: tuple[Event, ...] = transcript.events
        self.names = names
        self.speaker = speaker(self.header.names)
        self.beats = _beats(self)
        self._beat_of = {seq: b for b in self.beats for seq in range(b.seq, b.last + 1)}

    def name(self, identifier: str) -> str:
        """The plain name of a condition, order or department."""
        return self.names.of(identifier)

    def place(self, department: Department) -> str:
        """A department and its sub-department."""
        return f"{self.name(department.primary)} › {self.name(department.secondary)}"

    def fact(self, told: Told) -> Fact:
        """A fact as it is shown."""
        sign, state = _STATES[told.state]
        tone = "" if told.tone == "plain" else told.tone.replace("_", " ")
        rule = one_line(told.rule).replace("_", " ")
        return Fact(sign, self.finding(told.finding, told.values), state, tone, rule)

    def finding(self, finding: str, values: Iterable[str]) -> str:
        """A finding with its values."""
        return self.names.finding(finding, values)

    def cited(self, seqs: Iterable[int]) -> tuple[Cited, ...]:
        """Links to the turns that events belong to."""
        by_turn: dict[int, list[int]] = {}
        for seq in seqs:
            beat = self._beat_of.get(seq)
            if beat is not None and beat.seq not in by_turn.setdefault(beat.turn, []):
                by_turn[beat.turn].append(beat.seq)
        return tuple(Cited(min(beats), turn, tuple(sorted(beats))) for turn, beats in sorted(by_turn.items()))

    def answer(self) -> Answer | None:
        """The diagnosis and triage beside the key; None where nothing was judged or ended."""
        verdict, stop = last(self.events, Verdict), last(self.events, Stopped)
        if stop is not None and not stop.reason.clinical:
            return Answer(False, False, f"not judged: {ENDS[stop.reason]}", (), ())
        return _answer(self, verdict) if verdict else None

    def families(self) -> dict[str, list[Score]]:
        """The scores by family, in the order in which they were written."""
        out: dict[str, list[Score]] = {}
        for e in {e.name: e for e in self.events if isinstance(e, Scored)}.values():
            family, _, name = one_line(e.name, limit=80).partition(".")
            out.setdefault(family.replace("_", " "), []).append(self._score(e, (name or family).replace("_", " ")))
        return out

    def _score(self, e: Scored, name: str) -> Score:
        value = "—" if e.value is None else value_words(e.value, e.unit)
        share = e.value if e.unit in SHARES else None
        reason = safe(self.names.reason(e)) or ("not given" if e.value is None else "")
        return Score(name, value, "" if e.unit == "0/1" else one_line(e.unit), share, reason, self.cited(e.evidence))

    def audit(self) -> Audit | None:
        """What the audit found; None where there was none."""
        a = last(self.events, Audited)
        if a is None:
            return None
        counts = [(getattr(a, name), one, many) for name, one, many in BREACHES]
        found = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
        found += ["an early end"] if a.early_end else []
        words = "; ".join(found) or "the patient kept to the law: no leak, no invention, no break of role"
        return Audit(a.clean, words, self.cited(a.evidence))


def _beats(reader: Reader) -> list[Beat]:
    """The dialogue. What precedes a beat (belief, mood, guard) belongs to it; what follows (record, triage) too."""
    out: list[Beat] = []
    waiting: list[tuple[str, str]] = []
    mood: MoodChange | None = None
    first = 0
    for e in reader.events:
        if isinstance(e, MoodChange):
            if note := _mood_note(e, mood):
                waiting.append(("mood", note))
            mood = e
        elif isinstance(e, Guarded):
            done = "asked again" if e.action == "retried" else "replaced by the template"
            waiting.append(("guard", f"stopped: {e.breach.replace('_', ' ')} (attempt {e.attempt}), {done}"))
        elif isinstance(e, Shown):
            waiting.append(("sees", shown(e)))
        elif isinstance(e, Suggested):
            waiting.append(("classifier", suggested(e)))
        elif isinstance(e, (RecordUpdate, Triaged)) and out and not waiting:
            out[-1].last, first = e.seq, e.seq + 1
        beat = _beat(reader, e)
        if beat is not None:
            beat.notes += waiting
            waiting = []
            beat.seq, beat.last, first = min(first, e.seq), e.seq, e.seq + 1
            out.append(beat)
    return out


def _mood_note(e: MoodChange, before: MoodChange | None) -> str:
    if before is None:
        return ""
    moved = [
        f"{name} {'up' if new > old else 'down'} to {new * 100:.0f} %"
        for name in ("trust", "irritation", "anxiety")
        if abs((new := getattr(e, name)) - (old := getattr(before, name))) >= LEAST
    ]
    return f"{safe(e.cause).replace('_', ' ')}: {', '.join(moved)}" if moved else ""


def _beat(reader: Reader, e: Event) -> Beat | None:
    wait = round(reading_time(e), 1)
    if isinstance(e, Utterance):
        text = safe(e.text) or "(says nothing)"
        manner = [f.replace("_", " ") for f in e.flags] + ([f"gives a cue: {e.cue}"] if e.cue else [])
        notes = [("picture", safe(caption)) for caption in e.images]
        notes += [("manner", safe(", ".join(manner)))] if manner else []
        return Beat(e.seq, e.turn, "patient", reader.speaker, text, wait, tuple(map(reader.fact, e.told)), notes)
    if isinstance(e, Question):
        return Beat(e.seq, e.turn, "doctor", "Doctor", safe(e.text), wait, notes=_why(e.rationale))
    if isinstance(e, Ordered):
        return Beat(e.seq, e.turn, "order", "Doctor", f"orders: {reader.name(e.order)}", 1.0, notes=_why(e.rationale))
    if isinstance(e, Result):
        facts = tuple(map(reader.fact, e.told))
        return Beat(e.seq, e.turn, "result", "Result", safe(e.text), wait, facts, [("order", order_words(e))])
    if isinstance(e, (Concluded, Referred)):
        return _end(reader, e, wait)
    if isinstance(e, Changed):
        return Beat(e.seq, e.turn, "change", "Change", reader.names.change(e), 1.0)
    if isinstance(e, Stopped):
        notes = [("detail", safe(e.detail))] if e.detail else []
        return Beat(e.seq, e.turn, "stop", "End", ENDS[e.reason], 1.0, notes=notes)
    return None


def _why(rationale: str) -> list[tuple[str, str]]:
    return [("why", safe(rationale))] if rationale else []


def order_words(e: Result) -> str:
    """Where a result comes from and what it took."""
    parts = [e.status.replace("_", " "), f"cost {e.cost:g}"]
    parts += [f"{e.delay:g} min"] if e.delay else []
    parts += [f"invasiveness {e.invasiveness}"] if e.invasiveness else []
    return ", ".join(parts)


def _end(reader: Reader, e: Concluded | Referred, wait: float) -> Beat:
    words = "\n".join(safe(t) for t in (e.explanation, e.safety_net) if t)
    named = [
        reader.name(d.condition) + (f" {d.probability * 100:.0f} %" if d.probability is not None else "")
        for d in e.differential[:5]
        if d.probability is None or d.probability >= LEAST or d is e.differential[0]
    ]
    notes = [("diagnosis", "; ".join(named) or "none given")]
    notes += [("sends to", reader.place(e.department))] if e.department else []
    notes += [("urgency", e.urgency.replace("_", " "))] if e.urgency else []
    if isinstance(e, Concluded):
        notes += [(f"plan {n}", safe(step)) for n, step in enumerate(e.plan, 1)]
    elif e.reason:
        notes.append(("reason", safe(e.reason)))
    says = "concludes" if isinstance(e, Concluded) else "refers the patient"
    return Beat(e.seq, e.turn, "conclusion", "Doctor", words or f"({says})", wait, notes=notes + _why(e.rationale))


def _answer(reader: Reader, v: Verdict) -> Answer:
    gold = reader.name(v.gold)
    named = [named_words(d, reader.name) for d in v.differential]
    if v.unsettled:
        words = f"not judged: {one_line(v.unsettled, limit=200)}"
    elif not named:
        words = f"none given; it was {gold}"
    elif v.rank == 1:
        words = named[0] + (f", accepted for {gold}" if v.differential[0].condition != v.gold else "")
    else:
        words = f"{named[0]}; it was {gold} ({f'named at rank {v.rank}' if v.rank else 'not named'})"
    choices = [Choice(n, d.probability, d.condition in v.accepted) for n, d in zip(named, v.differential, strict=True)]
    shown = [c for n, c in enumerate(choices) if n == 0 or c.right or c.probability is None or c.probability >= LEAST]
    said: Any = v.triaged
    urgency = v.triaged_urgency
    triage = (
        ("Department", reader.place(said) if said else "never given", reader.place(v.department), said == v.department),
        ("Urgency", urgency.replace("_", " ") if urgency else "never given", v.urgency.replace("_", " "), urgency == v.urgency),
    )  # fmt: skip
    return Answer(not v.unsettled, v.rank == 1, words, tuple(shown[:6]), triage)
