"""What stands beside the dialogue, as rich texts: record, triage, belief, mood, orders, audit, facts.

Draws what `timeline` says of the first so many events, at any width. Knows rich; must not import textual, sim or score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from rich.text import Text

from consult.clean import one_line
from consult.events import Audited, Belief, Guarded, MoodChange, Result, Stopped, Triaged
from consult.scenario import Fact, Release, State
from consult.show.names import Names
from consult.show.paint import BAD, GOOD, QUIET, URGENCY, Signs
from consult.show.timeline import Heard, Timeline
from consult.show.words import STATES, safe, worth_a_bar
from consult.terms import Department

_SPARKS: Final = "▁▂▃▄▅▆▇█"
_SECTIONS: Final = {
    "chief_complaint": "Chief complaint", "present_illness": "Present illness", "past_history": "Past history",
}  # fmt: skip
_MOODS: Final = (("trust", GOOD), ("irritation", BAD), ("anxiety", "yellow"))


@dataclass(frozen=True)
class Scene:
    """What the panels are drawn from beside the events: plain names, and the case's facts where they may be seen."""

    names: Names = field(default_factory=Names)
    facts: Sequence[Fact] | None = None
    why_no_facts: str = ""
    signs: Signs = field(default_factory=Signs)

    def name(self, identifier: str) -> str:
        """Of a condition, an order or a department."""
        return self.names.of(identifier)

    def finding(self, identifier: str, values: Sequence[str] = ()) -> str:
        """Of a finding, with its values."""
        return self.names.finding(identifier, values)

    def place(self, department: Department) -> str:
        """Of a department."""
        return f"{self.name(department.primary)} {self.signs.into} {self.name(department.secondary)}"


def spark(values: Sequence[float], width: int) -> str:
    """Values of 0..1 as one row of blocks, the last `width` of them."""
    shown = values[-width:] if width > 0 else ()
    return "".join(_SPARKS[min(len(_SPARKS) - 1, int(min(max(v, 0.0), 1.0) * len(_SPARKS)))] for v in shown)


def record(timeline: Timeline, upto: int, scene: Scene, width: int) -> Text:
    """The record as it stands; what is new since the last question is marked."""
    complaint, lines = timeline.record(upto)
    out = Text()
    if not lines:
        return _quiet("nothing is on record yet")
    turn = timeline.turn(upto)
    out.append(safe(complaint), style="bold")
    for section, title in _SECTIONS.items():
        here = [
            s
            for s in lines
            if s.section == section and not (section == "chief_complaint" and not s.values and not s.text)
        ]
        if not here:
            continue
        out.append(f"\n{title}", style="bold underline")
        for s in here:
            fresh = s.source < len(timeline.events) and timeline.events[s.source].turn == turn
            mark = "▸" if fresh else " "
            words = scene.finding(s.finding, s.values) + (f" “{one_line(s.text, limit=120)}”" if s.text else "")
            style = QUIET if s.state != "present" else "bold" if fresh else ""
            out.append(f"\n{mark}{STATES[s.state]} {words}", style=style)
    return out


def triage(timeline: Timeline, upto: int, scene: Scene, width: int) -> Text:
    """Department, urgency, runner-up, and the rules behind them; below, how the urgency went."""
    e = timeline.last(Triaged, upto)
    if e is None:
        return _quiet("triage has not spoken yet")
    place, urgency = scene.place(e.department), f" {e.urgency.replace('_', ' ').upper()} "
    apart = "  " if len(place) + 2 + len(urgency) <= width else "\n"
    out = Text().append(place, style="bold").append(apart).append(urgency, style=URGENCY[e.urgency])
    out.append(f"\nelse {scene.place(e.runner_up)}", style=QUIET)
    for rule in e.rules:
        favours = f" {scene.signs.into} {scene.name(rule.favours)}" if rule.favours else ""
        out.append(f"\n{scene.signs.dot} {scene.names.rule(rule)}{favours}")
        if rule.evidence:
            out.append(f" from {', '.join(dict.fromkeys(map(scene.finding, rule.evidence)))}", style=QUIET)
    rounds = timeline.all(Triaged, upto)
    changes = [next(same) for _, same in groupby(rounds, key=lambda r: (r.department.primary, r.department.secondary))]
    if len(changes) > 1:
        went = f" {scene.signs.into} ".join(f"{scene.name(r.department.secondary)} (round {r.round})" for r in changes)
        out.append(f"\nwas {went}", style=QUIET)
    return out


def belief(timeline: Timeline, upto: int, scene: Scene, width: int) -> Text:
    """What the doctor holds for likely now, and how each of these went from turn to turn."""
    e = timeline.last(Belief, upto)
    if e is None:
        return _quiet("what this doctor believes is not known")
    past = timeline.all(Belief, upto)
    rows = worth_a_bar([(c, p) for c, p in e.top[:5]])
    wide = max(10, min(28, width // 2))
    history = max(4, width - wide - 7)
    out = Text()
    for n, (condition, p) in enumerate(rows):
        label = Text(scene.name(condition))
        label.truncate(wide, overflow="ellipsis", pad=True)
        went = spark([dict(b.top).get(condition, 0.0) for b in past], history)
        out.append("\n" if n else "").append_text(label).append(f" {p * 100:3.0f} % ").append(went, style="blue")
    return out.append(f"\n{e.entropy:.1f} bits of uncertainty are left", style=QUIET)


def mood(timeline: Timeline, upto: int, scene: Scene, width: int) -> Text:
    """Trust, irritation and anxiety: the value now, and by turn; what moved them last."""
    now = timeline.last(MoodChange, upto)
    if now is None:
        return _quiet("no mood is known")
    turns = timeline.mood(upto)
    bar = 10 if width >= 34 else 5
    out = Text()
    for n, (name, colour) in enumerate(_MOODS):
        value = getattr(now, name)
        went = spark([getattr(m, name) for m in turns], max(4, width - 20 - bar))
        out.append("\n" if n else "").append(f"{name:<11}").append(scene.signs.bar(value, bar), style=colour)
        out.append(f" {value * 100:3.0f} %  ").append(went, style=colour)
    causes = [safe(m.cause).replace("_", " ") for m in timeline.all(MoodChange, upto) if m.turn == now.turn]
    return out.append(f"\n{', '.join(dict.fromkeys(causes))}", style="italic dim")


def facts(timeline: Timeline, upto: int, scene: Scene, width: int) -> Text:
    """The case's facts: told, asked for and not told, not yet asked for; at the end, never."""
    if scene.facts is None:
        return _quiet(scene.why_no_facts or "the case's facts are not at hand")
    heard = timeline.heard(upto)
    over = timeline.end is not None and upto > timeline.end
    groups: dict[str, list[str]] = {"told": [], "asked for, not told": [], "never asked" if over else "not yet": []}
    by_order = []
    for fact in scene.facts:
        h = heard.get(fact.finding, Heard(None, None))
        words = scene.finding(fact.finding, fact.values) + (f" “{one_line(fact.text, limit=120)}”" if fact.text else "")
        words += "" if fact.state is State.PRESENT else f" ({fact.state})"
        if h.told is not None:
            tone = f", {h.by.tone.replace('_', ' ')}" if h.by and h.by.tone != "plain" else ""
            groups["told"].append(f"{scene.signs.yes} {words} ({_when(h.told)}{tone})")
        elif fact.release is Release.ORDER_ONLY:
            by_order.append(f"{scene.signs.none} {words} ({scene.name(fact.order or '')})")
        elif h.asked is not None:
            groups["asked for, not told"].append(
                f"{scene.signs.no} {words} ({_when(h.asked)}, {fact.release.replace('_', ' ')})"
            )
        else:
            groups["never asked" if over else "not yet"].append(
                f"{scene.signs.none} {words} ({fact.release.replace('_', ' ')})"
            )
    groups["not ordered"] = by_order
    out = Text()
    for title, lines in groups.items():
        if lines:
            out.append("\n" if out else "").append(f"{title} ({len(lines)})", style="bold underline")
            style = "" if title == "told" else QUIET
            for line in lines:
                out.append(f"\n{line}", style=style)
    return out


def _when(turn: int) -> str:
    return f"turn {turn}" if turn else "opening"


def orders(timeline: Timeline, upto: int, scene: Scene, width: int) -> Text:
    """What was ordered, what came of it, and what it cost together."""
    found = timeline.all(Result, upto)
    if not found:
        return _quiet("nothing has been ordered")
    out = Text()
    for r in found:
        extra = "" if r.status == "recorded" else f" ({r.status.replace('_', ' ')})"
        out.append(scene.name(r.order) + extra, style="bold").append(f"  turn {r.turn}, cost {r.cost:g}\n", style=QUIET)
        out.append(one_line(r.text, limit=400) + "\n")
    cost, minutes = timeline.cost(upto)
    return out.append(f"together: cost {cost:g} (a question is 1), {minutes:g} min", style="bold")


def audit(timeline: Timeline, upto: int, scene: Scene, width: int) -> Text:
    """What the guard stopped so far, and at the end what the audit found."""
    out = Text()
    for g in timeline.all(Guarded, upto):
        done = "asked again" if g.action == "retried" else "replaced"
        out.append(f"{scene.signs.no} turn {g.turn}: guard stopped a {g.breach.replace('_', ' ')}, {done}\n", style=BAD)
    a = timeline.last(Audited, upto)
    stop = timeline.last(Stopped, upto)
    if stop is not None and stop.detail:
        out.append(f"{scene.signs.no} {safe(stop.detail)}\n", style=BAD)
    if a is None:
        return out.append("the audit comes at the end", style=QUIET)
    if a.clean:
        return out.append(f"{scene.signs.yes} the patient kept to the law", style=GOOD)
    counts = {"leaks": a.leaks, "told too soon": a.unreleased, "inventions": a.inventions,
              "contradictions": a.contradictions, "breaks of role": a.role_breaks, "early end": int(a.early_end)}  # fmt: skip
    words = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
    turns = sorted({timeline.events[s].turn for s in a.evidence if s < len(timeline.events)})
    where = f" (turns {', '.join(map(str, turns))})" if turns else ""
    return out.append(f"{scene.signs.no} {words}{where}", style=BAD)


def _quiet(words: str) -> Text:
    return Text(words, style=QUIET)


Panel = Callable[[Timeline, int, Scene, int], Text]
PANELS: Final[Mapping[str, Panel]] = {
    "record": record, "triage": triage, "belief": belief, "mood": mood, "orders": orders, "audit": audit, "facts": facts,
}  # fmt: skip
