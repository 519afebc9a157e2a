"""The words for an id: what people read wherever a transcript, a score or a debrief holds the id of something.

Ids stay where they are kept and where a program reads them (transcripts, `--json`, CSV); words are put in their place when
they are shown. Opens no file that a transcript from elsewhere names. Must not import rich: a page of another kind needs
names too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from consult.clean import one_line
from consult.errors import ConsultError
from consult.events import Changed, FiredRule, Header, Scored, Told
from consult.show.words import STATES

if TYPE_CHECKING:
    from consult.hospital import Hospital
    from consult.knowledge.model import Knowledge

_ID: Final = re.compile(r"[A-Za-z]\w*(?:\.\w+)*")
_OF_FINDINGS: Final = (
    "communication.ice", "inquiry.must_ask", "patient.understood_alike", "safety.red_flags_asked",
)  # fmt: skip
"""Scores whose reason is a list of findings; others may hold a word that is an id elsewhere, and mean the word."""
_OF_PLACES: Final = ("triage.primary", "triage.secondary")
_RULES: Final = {"belief": "Likeliest:", "danger": "Danger sign for"}
"""Rules that no file has: `kind:what it is about`."""

_CHANGED: Final = {
    "inquirer": "the doctor is {now} from here on, not {before} any more",
    "patient": "the patient is {now} from here on, not {before} any more",
    "triage": "triage is {now} from here on, not {before} any more",
    "persona": "the temperament is {now} from here on, not {before} any more",
    "result": "an order is answered otherwise than in the case from here on: {now}",
}
_CLAIM: Final = re.compile(r"/(-?)([A-Za-z][\w.]*)(?:=([\w,]+))?")
"""A finding in the result of an order as `consult fork --result` takes it."""


@dataclass(frozen=True, slots=True)
class Names:
    """Plain names by id, as far as they are known; an id without one is made readable."""

    things: Mapping[str, str] = field(default_factory=dict)
    """Of conditions, orders and departments; of a hospital's rules, the reason it gives for each."""
    findings: Mapping[str, str] = field(default_factory=dict)
    """Of findings, and of their values by `id=value`; apart, for a finding and an order may share an id."""

    @classmethod
    def among(cls, knowledge: Knowledge | None, hospital: Hospital | None) -> Names:
        """Those of a knowledge and a hospital."""
        things: dict[str, str] = {}
        findings: dict[str, str] = {}
        if knowledge is not None:
            things |= {o.id: o.name for o in knowledge.orders} | {c.id: c.name for c in knowledge.conditions}
            for f in knowledge.findings:
                findings |= {f.id: f.plain} | {f"{f.id}={v.id}": v.plain for v in f.values}
        if hospital is not None:
            things |= {rule.id: rule.why for rule in hospital.hard_rules}
            things |= {rule.id: rule.why for pair in hospital.comparisons for rule in pair.rules}
            for primary in hospital.departments:
                things |= {primary.id: primary.name} | {s.id: s.name for s in primary.secondary}
        return cls(things, findings)

    def of(self, identifier: str) -> str:
        """Of a condition, an order or a department."""
        return one_line(self.things.get(identifier) or _readable(identifier), limit=80)

    def finding(self, spec: str, values: Iterable[str] = ()) -> str:
        """Of a finding with its values: `id`, `id=value`, or `no id`."""
        no, _, rest = spec.rpartition(" ")
        identifier, _, value = rest.partition("=")
        name = self.findings.get(identifier) or identifier.replace(".", ", ").replace("_", " ")
        all_ = (value, *values) if value else values
        said = ", ".join(self.findings.get(f"{identifier}={v}") or v.replace("_", " ") for v in all_)
        return one_line(f"{no} {name}".strip() + (f": {said}" if said else ""), limit=200)

    def told(self, fact: Told) -> str:
        """Of a fact told, with a sign for its state: `+chest pain (dramatised)`."""
        tone = f" ({fact.tone.replace('_', ' ')})" if fact.tone != "plain" else ""
        return f"{STATES[fact.state]}{self.finding(fact.finding, fact.values)}{tone}"

    def rule(self, rule: FiredRule) -> str:
        """Of a rule of triage: the reason that its hospital gives for it, and how strong it is."""
        kind, colon, about = rule.id.partition(":")
        if colon:
            return f"{_RULES.get(kind) or _readable(kind)} {self.of(about)}"
        why = one_line(self.things.get(rule.id) or _readable(rule.id), limit=300).rstrip(".")
        return f"{why} ({one_line(rule.strength or rule.kind).replace('_', ' ')})"

    def change(self, event: Changed) -> str:
        """Of what is otherwise from an event on."""
        now = one_line(event.now, limit=400)
        if event.what == "result":
            order, _, text = now.partition("=")
            now = f"{self.of(order)}: {_CLAIM.sub(self._claimed, text)}"
        return _CHANGED[event.what].format(now=now, before=one_line(event.before, limit=80))

    def _claimed(self, claim: re.Match[str]) -> str:
        no, finding, values = claim.groups(default="")
        if finding not in self.findings:
            return claim[0]
        return f"; {'no ' if no else ''}{self.finding(finding, filter(None, values.split(',')))}"

    def reason(self, score: Scored) -> str:
        """The reason of a score."""
        words = score.reason
        if score.name in _OF_FINDINGS:
            words = _ID.sub(lambda m: self.finding(m[0]) if m[0] in self.findings else m[0], words)
        elif score.name in _OF_PLACES:
            words = _ID.sub(lambda m: self.of(m[0]) if m[0] in self.things else m[0], words)
        return words.replace("_", " ")


def _readable(identifier: str) -> str:
    words = one_line(identifier, limit=80).replace("_", " ")
    return words[:1].upper() + words[1:]


def names_of(header: Header) -> Names:
    """Those of a consultation's knowledge and hospital, as far as its files are still there: names are an ornament."""
    from consult.hospital import hospital_files, load_hospital
    from consult.knowledge.load import knowledge_names, load_knowledge

    knowledge = hospital = None
    with suppress(ConsultError):  # a transcript from elsewhere opens no file that it names
        knowledge = load_knowledge(header.knowledge) if header.knowledge in knowledge_names() else None
    with suppress(ConsultError):
        hospital = load_hospital(header.hospital) if header.hospital in hospital_files() else None
    return Names.among(knowledge, hospital)
