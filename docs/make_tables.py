"""Fills the tables of docs/*.md from the models and commands themselves: `python docs/make_tables.py`.

A page holds `<!-- table: KIND WHAT -->` … `<!-- /table -->`; what stands between the two is made here. KIND is `fields`
(a model), `values` (a closed set), `events`, `moods`, `composite`, `commands`, `members` or `content` (what `consult list
content` counts). tests/test_docs.py fails when a page is stale.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import json
import re
import sys
import textwrap
import types
import typing
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

DOCS = Path(__file__).resolve().parent
BLOCK = re.compile(r"(<!-- table: (\w+) ?([\w.:]*) -->\n).*?(<!-- /table -->)", re.DOTALL)
PLAIN = {str: "text", float: "number", int: "whole number", bool: "true or false", type(None): "null", Any: "anything"}
VALUES = {"text": "TEXT", "path": "PATH", "integer": "N", "integer range": "N", "float range": "X"}
COMMON = {"seq", "turn", "actor", "type"}

WORDS = {
    # what the models leave to their names, said here once
    "id": "Its name in other files.",
    "sex": "As recorded.",
    "rationale": "Why; kept, never shown to the patient.",
    "Patient.name": "Shown in the transcript; nothing depends on it.",
    "Patient.speaker": "Who speaks. A parent or carer speaks of the patient in the third person.",
    "Fact.finding": "A finding of the knowledge.",
    "Fact.state": "Whether it is so.",
    "Fact.release": "When it may be told.",
    "OrderResult.order": "An order of the knowledge.",
    "OrderResult.cost": "Only to override the knowledge; likewise below.",
    "OrderResult.delay": "Minutes.",
    "OrderResult.invasiveness": "0 to 3.",
    "Gold.condition": "The right diagnosis, a condition of the knowledge.",
    "Gold.department": "By the names of the general hospital; another hospital maps them.",
    "Gold.urgency": "The right urgency.",
    "Gold.plan": "What a sound doctor does next, one step each.",
    "Scenario.id": "As the file's name without its ending.",
    "Scenario.tags": "For `--scenarios tag:NAME`.",
    "Scenario.patient": "Who it is about.",
    "Scenario.facts": "What is so, what is not, and what nobody can know.",
    "Scenario.orders": "Recorded results.",
    "Scenario.images": "Pictures that come with the first message.",
    "Scenario.gold": "The answer key.",
    "Persona.name": "For lists.",
    "Persona.description": "For lists.",
    "Persona.facets": "What this temperament does, in words.",
    "Persona.traits": "What it does, in numbers.",
    "Persona.temper": "Its mood, and what moves it.",
    "Persona.language": "Recorded; only English is spoken yet.",
    "Traits.play_down": "Makes less of a fact, in wording only; a mild one more readily.",
    "Traits.dramatise": "Makes more of a fact, in wording only; a severe one more readily.",
    "Traits.digress": "Tells something beside the point.",
    "Traits.seek_reassurance": "Asks whether all will be well; a cue.",
    "Mood.trust": "Opens sensitive facts.",
    "Mood.irritation": "Closes the patient, and in the end drives them out.",
    "Mood.anxiety": "Makes feelings and questions more frequent.",
    "Temper.start": "The mood before the first word.",
    "Wording.greeting": "The first words, before the complaint.",
    "Wording.yes": "Before or instead of a statement that is so. Put the key in quotes.",
    "Wording.no": "Before or instead of a statement that is not so. Put the key in quotes.",
    "Wording.dont_know": "What the patient cannot know.",
    "Wording.not_noticed": "What the case says nothing about.",
    "Wording.nothing_more": "After an open question that nothing is left for.",
    "Wording.play_down": "Beside a fact that is played down.",
    "Wording.dramatise": "Beside a fact that is dramatised.",
    "Wording.digression": "Beside the point.",
    "Wording.ask_back": "A question back.",
    "Wording.seek_outcome": "Presses for a result; a cue.",
    "Wording.seek_reassurance": "Asks for comfort; a cue.",
    "Wording.emotion": "A feeling shown; a cue.",
    "Wording.irritated": "Annoyance shown.",
    "Wording.not_understood": "After words that no finding was read from.",
    "Wording.leave": "The last words of a patient who goes.",
    "Wording.thanks": "After words that ask nothing, and at the end.",
    "Facets.symptom_description": "How complaints are told.",
    "Facets.asking_questions": "What is asked back.",
    "Facets.communication_style": "How the talk goes.",
    "Facets.attitude_to_treatment": "What is made of advice.",
    "Facets.emotional_involvement": "What is felt and shown.",
    "Hospital.name": "For lists.",
    "Hospital.description": "For lists.",
    "Hospital.departments": "The tree.",
    "Hospital.hard_rules": "Rules that decide first, in order.",
    "Hospital.comparisons": "Rules for pairs that are easily confused.",
    "Primary.name": "For people.",
    "Primary.inquiry": "What to ask its patients.",
    "Primary.secondary": "Its sub-departments; the first is the ordinary one.",
    "Inquiry.scope": "Whom it is for, in words.",
    "Discriminator.when": "When to ask.",
    "When.min_age": "Years, inclusive.",
    "When.max_age": "Years, inclusive; 14.99 stands for until the 15th birthday.",
    "When.sex": "Only patients of this sex.",
    "HardRule.when": "When it holds.",
    "HardRule.department": "With `ask_first`: only while this primary department is predicted.",
    "HardRule.why": "For people.",
    "Comparison.pair": "The two departments.",
    "Comparison.rules": "In order of priority.",
    "ComparisonRule.strength": "How much it says: 3, 1.5 or 0.5 nats.",
    "ComparisonRule.when": "When it fires.",
    "ComparisonRule.favours": "One of the pair.",
    "ComparisonRule.why": "For people.",
    "Secondary.name": "For people.",
    "Knowledge.name": "For lists.",
    "Knowledge.description": "For lists.",
    "Knowledge.findings": "The vocabulary.",
    "Knowledge.conditions": "The diagnoses.",
    "Knowledge.orders": "Examinations and tests.",
    "Finding.kind": "What kind of answer it has.",
    "Finding.values": "For categorical and multi.",
    "Finding.source": "How it comes to be known.",
    "Finding.sex": "Only patients of this sex have it.",
    "Finding.min_age": "Years.",
    "Finding.max_age": "Years.",
    "Value.clinical": "The clinical term.",
    "Value.synonyms": "Other words for it.",
    "Condition.name": "The clinical name.",
    "Condition.icd10": "ICD-10 code.",
    "Condition.synonyms": "Other names. They count as this diagnosis, and a patient may not say them.",
    "Condition.urgency": "How soon such a patient must be seen.",
    "Condition.department": "Whose patients they are, by the names of the general hospital.",
    "Condition.prevalence": "How common it is.",
    "Prevalence.weight": "Relative frequency.",
    "OrderType.name": "For people, and for orders placed in words.",
    "OrderType.synonyms": "Other names.",
    "Plan.patient": "Agent spec; likewise below.",
    "Plan.recipient": "",
    "LineUp.recipient": "",
    "LineUp.triage": "",
    "LineUp.assessor": "",
    "Plan.triage": "",
    "Plan.assessor": "",
    "Plan.hospital": "Name or file.",
    "Plan.max_turns": "Questions the inquirer may ask.",
    "Plan.max_orders": "Orders it may place.",
    "Plan.epochs": "Times each cell is run.",
    "Plan.seed": "Same seed, same transcripts.",
    "Ask.text": "What is said to the patient.",
    "Order.order": "An order's id, name or synonym.",
    "Conclude.plan": "What is to be done, one step each.",
    "Conclude.urgency": "How soon.",
    "Conclude.department": "Where to.",
    "Refer.department": "Where to.",
    "Refer.urgency": "How soon.",
    "Refer.reason": "Why, to the colleague.",
    "Refer.differential": "As of a conclusion.",
    "Refer.explanation": "What the patient is told.",
    "Refer.safety_net": "What must bring the patient back.",
    "Diagnosis.icd10": "ICD-10 code; used only where the name matches nothing.",
    "Diagnosis.probability": "All together at most 1.",
    "Told.finding": "The finding.",
    "Told.state": "What was said of it; `withheld` if it was asked for and held back.",
    "Told.values": "The values told.",
    "Told.tone": "How it was put.",
    "Query.asks_nothing": "A statement, thanks, a farewell.",
    "Utterance.text": "The words.",
    "Utterance.told": "The facts in them: what each turn cites.",
    "MoodChange.trust": "The new value, 0 to 1; likewise below.",
    "MoodChange.irritation": "",
    "Hinted.text": "The hint.",
    "Guarded.attempt": "From 1.",
    "Guarded.action": "What was done: another wording, or the plainest one.",
    "Pictured.caption": "Its caption, also where it was not shown.",
    "Pictured.url": "The address that was sent.",
    "Pictured.media_type": "Of what was sent: `image/png` and so on.",
    "Pictured.bytes": "Its size; None, like the pixels, of what was not looked at.",
    "Pictured.pixels": "Width and height.",
    "Pictured.sha256": "Of its bytes.",
    "Shown.pictures": "In the order of the scenario.",
    "Used.role": "Which role.",
    "Used.completion_tokens": "Written, thinking included.",
    "Question.text": "The words.",
    "Belief.top": "Condition and probability, most probable first.",
    "Ordered.order": "As the inquirer wrote it.",
    "Result.order": "The order's id, or the words where there is no such order.",
    "Result.text": "The report.",
    "Result.told": "The facts it tells.",
    "Result.cost": "In units of a plain question.",
    "Result.delay": "Minutes.",
    "Result.invasiveness": "0 to 3.",
    "Statement.section": "The part of the record.",
    "Statement.finding": "What it is about.",
    "Statement.state": "What was said of it.",
    "Statement.values": "With these values.",
    "RecordUpdate.statements": "What is new or changed.",
    "FiredRule.id": "The rule's id, or `belief:CONDITION`, `danger:DEPARTMENT`.",
    "FiredRule.kind": "What kind of rule.",
    "FiredRule.strength": "Of a hard or comparison rule.",
    "FiredRule.favours": "The department it speaks for.",
    "FiredRule.evidence": "Findings that made it fire.",
    "Triaged.round": "From 1.",
    "Triaged.department": "The prediction.",
    "Triaged.runner_up": "The next likeliest.",
    "Triaged.urgency": "How soon.",
    "Triaged.rules": "What it rests on.",
    "Concluded.differential": "Most likely first; empty is an abstention.",
    "Concluded.plan": "What is to be done.",
    "Concluded.urgency": "How soon.",
    "Concluded.department": "Where to.",
    "Concluded.explanation": "What the patient is told.",
    "Concluded.safety_net": "What must bring the patient back.",
    "Referred.department": "Where to.",
    "Referred.urgency": "How soon.",
    "Referred.differential": "As of a conclusion.",
    "Referred.reason": "Why, to the colleague.",
    "Referred.explanation": "What the patient is told.",
    "Referred.safety_net": "What must bring the patient back.",
    "Stopped.reason": "See the list below.",
    "Stopped.detail": "For failures: whose, and what.",
    "Named.icd10": "As given.",
    "Named.probability": "As given.",
    "Verdict.gold": "The right diagnosis.",
    "Verdict.differential": "What was answered, matched.",
    "Verdict.urgency": "The right urgency.",
    "Verdict.triaged": "The department triage ended with.",
    "Verdict.triaged_urgency": "The urgency triage ended with.",
    "LineUp.matcher": "Who is asked what a diagnosis means that no name matches.",
    "Scored.name": "See [scoring](scoring.md).",
    "Scored.value": "The number.",
    "Scored.unit": "Its unit.",
    "Scored.reason": "Why it is missing, or what was missed.",
    "Audited.leaks": "Utterances that name the diagnosis.",
    "Audited.unreleased": "Facts told that the law did not let out.",
    "Judgement.rulings": "Its answers, in the order of the items.",
    "Ruling.item": "The item's id.",
    "Ruling.reason": "In the judge's words, or why it is missing.",
    "Quoted.text": "Words of that event.",
    "Rubric.id": "Its name; `judge.ID` is its score, unless it has a `group`.",
    "Rubric.about": "In a line, for people.",
    "Rubric.source": "Where it comes from.",
    "Rubric.scoring": "`levels`, `points`, `tiers` or `process`: how items become a score.",
    "Rubric.items": "What is judged.",
    "Item.tags": "Anything else.",
    "Audited.inventions": "Statements that no fact covers.",
    "Audited.contradictions": "Statements against a fact, or against what was said before.",
    "Audited.role_breaks": "Words that no patient says.",
    "Audited.early_end": "The patient left without being irritated.",
    "Audited.evidence": "`seq` of the events concerned.",
    "Provenance.version": "Of consult.",
    "Provenance.commit": "Of the checkout, if it ran from one.",
    "Provenance.persona": "",
    "Provenance.hospital": "",
    "Provenance.knowledge": "",
    "Header.schema_version": "Of this format.",
    "Header.consultation_id": "From the content: equal content, equal id.",
    "Header.scenario": "Its id; likewise below.",
    "Header.persona": "",
    "Header.hospital": "",
    "Header.knowledge": "",
    "Header.limits": "Questions and orders allowed.",
    "Header.epoch": "Which repetition, from 0.",
    "Header.seed": "As given.",
    "Header.provenance": "What it was made from.",
}


def shape(annotation: Any) -> str:
    """A type in plain words."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _named_set(args[1:]) or shape(args[0])
    if origin is typing.Literal:
        return ", ".join(f"`{a}`" for a in args)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(shape(a) for a in args)
    if origin is tuple:
        return f"list of {shape(args[0])}" if args[-1] is ... else f"pair: {', '.join(shape(a) for a in args)}"
    if origin is dict:
        return f"{shape(args[0])} → {shape(args[1])}"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return ", ".join(f"`{m.value}`" for m in annotation) if len(annotation) < 9 else annotation.__name__
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.__name__
    return PLAIN[annotation]


def _named_set(metadata: Any) -> str:
    for m in metadata:
        pattern = getattr(m, "pattern", None) or next((getattr(x, "pattern", None) for x in _inner(m)), None)
        found = re.fullmatch(r"\^\(([a-z_|]+)\)\$", str(pattern or ""))
        if found:
            return ", ".join(f"`{w}`" for w in found[1].split("|") if w)
    return ""


def _inner(m: Any) -> list[Any]:
    return list(getattr(m, "metadata", []) or [])


def bounds(field: FieldInfo) -> str:
    """The range of a number, as " (0..1)"."""
    found = {k: getattr(m, k) for m in field.metadata for k in ("ge", "gt", "le", "lt") if hasattr(m, k)}
    if not found:
        return ""
    low = f"{found['ge']:g}" if "ge" in found else f"above {found['gt']:g}" if "gt" in found else ""
    high = f"{found['le']:g}" if "le" in found else f"below {found['lt']:g}" if "lt" in found else ""
    return f" ({low}..{high})" if low and high else f" (from {low})"


def default(field: FieldInfo) -> str:
    """What counts if the field is left out."""
    if field.is_required():
        return "required"
    value = field.default
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return "their defaults"
    if value is None or value in ("", (), {}):
        return "–"
    return f"`{json.dumps(value, default=str)}`"


def meaning(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    """The field's own docstring, else the words above. Raises KeyError if there are none."""
    key = f"{model.__name__}.{name}"
    return field.description or (WORDS[key] if key in WORDS else WORDS[name])


def fields(model: type[BaseModel], *, leave_out: frozenset[str] = frozenset()) -> str:
    """A model's table."""
    rows = []
    for name, field in model.model_fields.items():
        if name in leave_out or (
            name in ("kind", "type") and not field.is_required() and len(typing.get_args(field.annotation)) == 1
        ):
            continue
        words = " ".join(meaning(model, name, field).split())
        kind = _named_set(field.metadata) or shape(field.annotation) + bounds(field)
        rows.append((f"`{name}`", kind, default(field), words))
    return table(("field", "what", "default", "meaning"), rows) if rows else "No fields of its own.\n"


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [columns, ("---",) * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines)


def values(enum: type[StrEnum]) -> str:
    """The members of a closed set with the docstring behind each."""
    body = ast.parse(textwrap.dedent(inspect.getsource(enum))).body[0].body  # type: ignore[attr-defined]
    said: dict[str, str] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            said[node.targets[0].id] = str(after.value.value)  # type: ignore[attr-defined]
    rows = [(f"`{m.value}`", " ".join(said.get(m.name, "").split())) for m in enum]
    return table(("value", "meaning"), rows)


def events() -> str:
    """Every event type with its fields, in the order of the union."""
    from consult.events import Event

    union = typing.get_args(Event)[0]
    parts = []
    for model in typing.get_args(union):
        kind, actor = model.model_fields["type"].default, model.model_fields["actor"].default
        intro = " ".join((model.__doc__ or "").split())
        parts.append(f"### `{kind}`\n\nBy the {actor.value}. {intro}\n\n{fields(model, leave_out=frozenset(COMMON))}")
    return "\n".join(parts)


def moods() -> str:
    """The ordinary effect of every cause."""
    from consult.mood import EFFECTS

    rows = [(f"`{cause.value}`", *(f"{x:+g}" if x else "0" for x in effect)) for cause, effect in EFFECTS.items()]
    return table(("cause", "trust", "irritation", "anxiety"), rows)


def composite() -> str:
    """The parts of `communication.composite` with their weights."""
    from consult.score.communication import COMPOSITE

    rows = [
        (
            f"`{name}`",
            str(p.weight),
            f"0, {p.full:g} or more is worth 0" if p.fault else f"{p.full:g}{' or more' if p.full > 1 else ''}",
        )
        for name, p in COMPOSITE.items()
    ]
    return table(("part", "weight", "is worth 1 at"), rows)


def commands() -> str:
    """Every command with its arguments and options."""
    from consult.cli.main import cli

    return "\n".join(_command(command, path) for path, command in walk(cli, "consult"))


def walk(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its path."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from walk(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def _command(command: click.Command, path: str) -> str:
    arguments = [_argument(p) for p in command.params if isinstance(p, click.Argument)]
    title = " ".join([path, *arguments])
    text = "\n\n".join(" ".join(p.split()) for p in (command.help or "").split("\n\n"))
    rows = [_option(p) for p in command.params if isinstance(p, click.Option)]
    options = "\n" + table(("option", "value", "default", "meaning"), rows) if rows else ""
    return f"## `{title}`\n\n{text}\n{options}"


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or str(argument.name).upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _option(option: click.Option) -> tuple[str, ...]:
    value = "" if option.is_flag else option.metavar or VALUES[option.type.name]
    words, _, said = (option.help or "").rstrip().partition("Default: ")
    fixed = f"`{_posix(option.default)}`" if option.show_default and not option.is_flag else _said(said.rstrip("."))
    required = "required" if option.required else fixed
    return f"`{', '.join(option.opts)}`", f"`{value}`" if value else "", required, words.rstrip()


def _said(default: str) -> str:
    """A default that stands in the help: a value, or words that say where it comes from."""
    return f"`{default}`" if re.fullmatch(r"[\w.-]+", default) else default or "–"


def _posix(value: Any) -> Any:
    return value.as_posix() if isinstance(value, Path) else value


def members() -> str:
    """The public names with the first line of their docstrings."""
    import consult

    rows = []
    for name in consult.__all__:
        thing = getattr(consult, name)
        line = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
        kind = "class" if isinstance(thing, type) else "function"
        kind = "exception" if kind == "class" and issubclass(thing, Exception) else kind
        rows.append((f"`{name}`", kind, line))
    return table(("name", "what", "meaning"), rows)


NUMBER = {"label": "with a picture", "facts": "mean of a scenario", "size": "how many", "condition": "findings listed"}
"""What `Row.number` counts, as a column's title."""


def content(about: str) -> str:
    """The rows of `consult list content` about one thing, without the columns that make no sense for it."""
    rows = [r for r in _coverage() if r.about == about]
    titles = {"conditions": "conditions", "scenarios": "scenarios", "number": NUMBER.get(about, "")}
    shown = [field for field in titles if any(getattr(r, field) is not None for r in rows)]
    details = _condition_details() if about == "condition" else {}
    extra = ("ICD-10", "urgency", "department") if details else ()
    cells = [
        (f"`{r.name}`" if details else r.name, *details.get(r.name, ()), *(_count(getattr(r, f)) for f in shown))
        for r in rows
    ]
    return table((about, *extra, *(titles[f] for f in shown)), cells)


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _condition_details() -> dict[str, tuple[str, ...]]:
    from consult.knowledge.load import load_knowledge

    return {c.id: (c.icd10, c.urgency.value, c.department.secondary) for c in load_knowledge().conditions}


@functools.cache
def _coverage() -> list[Any]:
    """Of the built-in content alone, whatever else lies on this machine's search path."""
    from consult.coverage import coverage
    from consult.files import files_under
    from consult.hospital import load_hospital
    from consult.knowledge.load import load_knowledge
    from consult.scenario import load_scenario

    folder = DOCS.parent / "scenarios"
    files = [p for p in sorted(files_under(folder)) if "hospitals" not in p.parts]
    return coverage(map(load_scenario, files), load_knowledge(), load_hospital("general"))


def _find(what: str) -> Any:
    module, _, name = what.partition(":")
    return getattr(importlib.import_module(module), name)


def block(kind: str, what: str) -> str:
    """The text of one block."""
    if kind == "fields":
        return fields(_find(what))
    if kind == "values":
        return values(_find(what))
    if kind == "content":
        return content(what)
    return {"events": events, "moods": moods, "composite": composite, "commands": commands, "members": members}[kind]()


def render(text: str) -> str:
    """A page with its blocks made anew."""
    return BLOCK.sub(lambda m: f"{m[1]}\n{block(m[2], m[3])}\n{m[4]}", text)


def main() -> None:
    """Rewrites the pages that are stale."""
    for path in sorted(DOCS.glob("*.md")):
        old = path.read_text("utf-8")
        new = render(old)
        if new != old:
            path.write_text(new, "utf-8", newline="\n")
            sys.stdout.write(f"{path.name} rewritten\n")


if __name__ == "__main__":
    main()
