"""Prints a consultation event by event, live or again, from the events alone; the score card comes last.

Owns what each kind of event looks like. Must not import sim, agents or score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from consult.events import (
    Belief,
    Changed,
    Concluded,
    Event,
    Guarded,
    Header,
    Hinted,
    MoodChange,
    Ordered,
    Question,
    RecordUpdate,
    Referred,
    Result,
    Shown,
    Stopped,
    Suggested,
    Triaged,
    Utterance,
)
from consult.show.card import Card
from consult.show.names import Names
from consult.show.paint import BAD, DOCTOR, PATIENT, QUIET, URGENCY, Canvas, Level
from consult.show.words import ENDS, safe, shown, speaker, suggested, worth_a_bar
from consult.terms import Department

_BEHIND: Final = (Belief, MoodChange, Guarded, RecordUpdate, Shown, Suggested, Triaged)
"""What goes on behind the talk."""
_MOODS_ROOM: Final = 58
"""Columns that the three moods take with bars of five."""


class EventPrinter:
    """Prints events as they come; `names` gives the words for ids."""

    def __init__(
        self,
        console: Console | Canvas,
        header: Header,
        names: Names | None = None,
        *,
        level: Level = Level.FULL,
    ) -> None:
        self._canvas = console if isinstance(console, Canvas) else Canvas(console)
        self._header = header
        self._names = names or Names()
        self._level = level
        self._mood: MoodChange | None = None
        self._triage: tuple[Any, ...] = ()
        self._card = Card(header, self._names)
        self.speaker = speaker(header.names)
        self._draw: dict[type, Callable[[Any], None]] = {
            Utterance: self._utterance,
            MoodChange: self._mood_change,
            Guarded: self._guarded,
            Question: self._question,
            Hinted: self._hinted,
            Changed: self._changed,
            Belief: self._belief,
            Shown: self._shown,
            Suggested: self._suggested,
            Ordered: self._ordered,
            Result: self._result,
            RecordUpdate: self._record,
            Triaged: self._triaged,
            Concluded: self._concluded,
            Referred: self._referred,
            Stopped: self._stopped,
        }
        if level is Level.TALK:
            self._draw = {kind: draw for kind, draw in self._draw.items() if kind not in _BEHIND}

    def start(self) -> None:
        """Who meets whom."""
        if self._level is Level.PLAIN:
            return
        h, dot = self._header, f" {self._canvas.signs.dot} "
        self._canvas.rule(f"{h.scenario}{dot}{h.persona}", style="bold", heavy=self._canvas.signs.heavy)
        lead, patient_by = h.agents.get("inquirer", "?"), h.agents.get("patient", "")
        rest = {agent for role, agent in h.agents.items() if role not in ("inquirer", "patient")}
        own = [f"patient {patient_by}"] if patient_by not in ("", *rest) else []
        others = sorted(rest - {lead})
        parts = [f"inquirer {lead}", *own, *([f"others {', '.join(others)}"] if others else [])]
        parts += [f"hospital {h.hospital}", f"knowledge {h.knowledge}", f"seed {h.seed}", f"epoch {h.epoch}"]
        patient = h.names.get("patient", "")
        if patient:
            self._canvas.block("patient", safe(patient))
        self._canvas.block("set-up", Text(dot.join(parts), style=QUIET))
        self._canvas.blank()

    def print_all(self, events: Iterable[Event]) -> None:
        """A whole consultation, from who meets whom to the score card."""
        self.start()
        for event in events:
            self.event(event)
        self.finish()

    def event(self, event: Event) -> None:
        """Prints one event (scores and the verdict wait for `finish`)."""
        self._card.add(event)
        draw = self._draw.get(type(event))
        if self._level is Level.PLAIN:
            self._plain(event)
        elif draw is not None:
            draw(event)
        self._remember(event)

    def skip(self, event: Event) -> None:
        """Takes note of an event without printing it."""
        self._card.add(event)
        self._remember(event)

    def _remember(self, event: Event) -> None:
        if isinstance(event, MoodChange):
            self._mood = event  # the next change is shown as up or down from here

    def finish(self) -> None:
        """The score card, and a word if there is no end."""
        if self._level is not Level.PLAIN and self._card.has_any:
            self._card.draw(self._canvas)
        if not self._card.ended and self._level is not Level.PLAIN:
            self._canvas.block("cut off", Text("the transcript ends here; no end and no verdict are kept", style=BAD))
        elif not self._card.ended:
            self._canvas.line("(cut off: the transcript ends here; no end and no verdict are kept)")

    def _plain(self, event: Event) -> None:
        if isinstance(event, Utterance):
            self._canvas.said(self.speaker, event.text)
        elif isinstance(event, Hinted):
            self._canvas.said("Hint", event.text)
        elif isinstance(event, Changed):
            self._canvas.line(f"({self._names.change(event)})")
        elif isinstance(event, Question):
            self._canvas.said("Doctor", event.text)
        elif isinstance(event, (Concluded, Referred)):
            name = event.differential[0].condition if event.differential else ""
            bare = event.explanation.strip() in ("", name, self._name(name))  # a name alone is no speech
            words = " ".join(safe(t) for t in ("" if bare else event.explanation, event.safety_net) if t)
            if words:
                self._canvas.said("Doctor", words)
            if bare:
                what = self._name(name) if name else "no diagnosis"
                self._canvas.line(f"({'concludes' if isinstance(event, Concluded) else 'refers'}: {what})")

    def _utterance(self, e: Utterance) -> None:
        text = Text(safe(e.text) or "(says nothing)")
        for caption in e.images:
            text.append(f"\n(picture: {safe(caption)})", style="italic")
        self._canvas.block(self.speaker, text, PATIENT)
        if self._level is Level.TALK:
            return
        notes = [self._names.told(t) for t in e.told]
        dot = f" {self._canvas.signs.dot} "
        if notes:
            self._canvas.block("tells", Text(dot.join(notes), style=QUIET))
        manner = [f.replace("_", " ") for f in e.flags] + ([f"cue: {e.cue}"] if e.cue else [])
        if manner:
            self._canvas.block("manner", Text(dot.join(safe(m) for m in manner), style=QUIET))

    def _mood_change(self, e: MoodChange) -> None:
        signs, room = self._canvas.signs, self._canvas.room
        width = 3 if room < _MOODS_ROOM else 5 if self._canvas.width < 104 else 10
        line = Text()
        for name, colour in (("trust", "green"), ("irritation", "red"), ("anxiety", "yellow")):
            value = getattr(e, name)
            before = getattr(self._mood, name) if self._mood else value
            arrow = signs.up if value > before + 1e-9 else signs.down if value < before - 1e-9 else " "
            line.append(f"{name} ", style=QUIET).append(signs.bar(value, width), style=colour)
            line.append(f" {value * 100:3.0f}{arrow} ", style=QUIET)
        cause = safe(e.cause).replace("_", " ")
        apart = "" if line.cell_len + len(cause) <= self._canvas.room else "\n"
        line.append(apart + cause, style="italic dim")
        self._canvas.block("mood", line)

    def _guarded(self, e: Guarded) -> None:
        what = e.breach.replace("_", " ")
        done = "asked again" if e.action == "retried" else "replaced by the template"
        self._canvas.block("guard", Text(f"stopped: {what} (attempt {e.attempt}), {done}", style=BAD), BAD)

    def _hinted(self, e: Hinted) -> None:
        self._canvas.block(
            "hint", Text(f"{safe(e.text).rstrip('.')} (the next question earns no information)", style=QUIET)
        )

    def _changed(self, e: Changed) -> None:
        self._canvas.block("change", Text(self._names.change(e), style="bold"))

    def _question(self, e: Question) -> None:
        self._canvas.blank()
        self._canvas.rule(f"question {self._card.turns}")
        self._canvas.block("Doctor", Text(safe(e.text)), DOCTOR)
        self._why(e.rationale)

    def _why(self, rationale: str) -> None:
        if rationale and self._level is not Level.TALK:
            self._canvas.block("why", Text(safe(rationale), style=QUIET))

    def _belief(self, e: Belief) -> None:
        self._canvas.block("belief", self._bars(worth_a_bar([(self._name(c), p) for c, p in e.top[:5]])))

    def _shown(self, e: Shown) -> None:
        self._canvas.block("sees", Text(shown(e), style=QUIET))

    def _suggested(self, e: Suggested) -> None:
        self._canvas.block("classifier", Text(suggested(e), style=QUIET))

    def _bars(self, rows: list[tuple[str, float]]) -> Text:
        room = self._canvas.room
        wide = min(34, room // 2)
        bars = min(30, room - wide - 8)
        out = Text()
        for n, (name, p) in enumerate(rows):
            label = Text(name)
            label.truncate(wide, overflow="ellipsis", pad=True)
            out.append("\n" if n else "").append_text(label)
            out.append(" ").append(self._canvas.signs.bar(p, bars), style="blue").append(f" {p * 100:3.0f} %")
        return out

    def _ordered(self, e: Ordered) -> None:
        self._canvas.blank()
        self._canvas.rule("order")
        self._canvas.block("Doctor", Text(f"orders: {self._name(e.order)}"), DOCTOR)
        self._why(e.rationale)

    def _result(self, e: Result) -> None:
        self._canvas.block("result", Text(safe(e.text)), "bold")
        parts = [e.status.replace("_", " "), f"cost {e.cost:g}"]
        parts += [f"{e.delay:g} min"] if e.delay else []
        parts += [f"invasiveness {e.invasiveness}"] if e.invasiveness else []
        parts += [self._names.told(t) for t in e.told]
        self._canvas.block("", Text(f" {self._canvas.signs.dot} ".join(parts), style=QUIET))

    def _record(self, e: RecordUpdate) -> None:
        if e.statements:
            noted = f"{len(e.statements)} noted; chief complaint: {safe(e.chief_complaint)}"
            self._canvas.block("record", Text(noted, style=QUIET))

    def _triaged(self, e: Triaged) -> None:
        now = (e.department, e.runner_up, e.urgency, e.rules)
        if now == self._triage:
            return  # it stands as printed above
        self._triage = now
        line = self._place(e.department, "bold").append("  ")
        line.append(f" {e.urgency.replace('_', ' ').upper()} ", style=URGENCY[e.urgency])
        line.append("  else ", style=QUIET).append_text(self._place(e.runner_up, QUIET))
        self._canvas.block("triage", line)
        if e.rules:
            rules = "\n".join(f"{self._canvas.signs.dot} {self._names.rule(r)}" for r in e.rules)
            self._canvas.block("rules", Text(rules, style=QUIET))
        self._why(e.rationale)

    def _place(self, department: Department, style: str) -> Text:
        into = f" {self._canvas.signs.into} "
        return Text(self._name(department.primary) + into + self._name(department.secondary), style=style)

    def _concluded(self, e: Concluded) -> None:
        self._canvas.blank()
        self._canvas.rule("conclusion")
        self._answer(e)
        for n, step in enumerate(e.plan):
            self._canvas.block("plan" if n == 0 else "", Text(f"{n + 1}. {safe(step)}"))

    def _referred(self, e: Referred) -> None:
        self._canvas.blank()
        self._canvas.rule("referral")
        self._answer(e)
        if e.reason:
            self._canvas.block("reason", safe(e.reason))

    def _answer(self, e: Concluded | Referred) -> None:
        words = "\n".join(safe(t) for t in (e.explanation, e.safety_net) if t)
        if words:
            self._canvas.block("Doctor", words, DOCTOR)
        named = [(self._name(d.condition), d.probability) for d in e.differential[:5]]
        if all(p is not None for _, p in named) and named:
            self._canvas.block("diagnosis", self._bars(worth_a_bar([(name, p or 0.0) for name, p in named])), "bold")
        else:
            listed = "\n".join(f"{n}. {name}" for n, (name, _) in enumerate(named, 1))
            self._canvas.block("diagnosis", listed or "none given", "bold")
        where = self._place(e.department, "") if e.department else Text()
        if e.urgency:
            where.append("  " if where else "").append(f" {e.urgency.replace('_', ' ').upper()} ", URGENCY[e.urgency])
        if where:
            self._canvas.block("sends to" if e.department else "urgency", where)

    def _stopped(self, e: Stopped) -> None:
        self._canvas.blank()
        self._canvas.rule(ENDS[e.reason], style="bold", heavy=self._canvas.signs.heavy)
        if e.detail:
            self._canvas.block("why", Text(safe(e.detail), style="" if e.reason.clinical else BAD))

    def _name(self, identifier: str) -> str:
        return self._names.of(identifier)
