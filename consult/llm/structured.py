"""Objects out of models: how a schema is asked for, how an answer is read, mended and validated, and asked for again.

Owns the outcome of an answer. Validation is pydantic's, always: a server that enforces a schema does not enforce all of
it (numeric bounds, for one). Pure functions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel, Field, ValidationError

from consult.clean import one_line
from consult.llm.base import Answer, Enforced, Json, Message, Outcome, Request

_CUT: Final = ("length", "max_tokens", "model_length")
_FILTERED: Final = ("content_filter", "content_filtered", "safety")
_FENCE: Final = re.compile(r"```(?:json|JSON)?\s*\n?(.*?)```", re.DOTALL)
_DECLINES: Final = re.compile(
    r"\s*(?:i(?:'|’)?m (?:very )?sorry|sorry|i (?:can(?:no|'|’)t|am unable|won(?:'|’)t)|as an ai)\b", re.I
)
"""How a model begins that declines. Counts only where an object was asked for and none is there (ours)."""
_TRIES: Final = 20
"""Braces at which the first object is looked for."""
_NOT_ENFORCED: Final = re.compile(
    r"(?i)response_?format|json_?schema|json_?object|json mode|structured|guided|grammar|schema"
)


@dataclass(frozen=True, slots=True)
class Read:
    """An answer as it was understood."""

    outcome: Outcome
    value: Any = None
    repairs: tuple[str, ...] = ()
    problem: str = ""


def read(answer: Answer, schema: type[BaseModel] | None) -> Read:
    """The outcome of an answer, and the object in it where one was asked for."""
    if answer.finish in _FILTERED:
        return Read(Outcome.FILTERED, problem="the provider's filter stopped it")
    if answer.refusal:
        return Read(Outcome.REFUSED, problem=one_line(answer.refusal, limit=200))
    cut = answer.finish in _CUT
    if not answer.text:
        said = "nothing was said" + (" but thinking" if answer.thinking else "")
        return Read(Outcome.TRUNCATED if cut else Outcome.EMPTY, problem=said)
    if schema is None:
        return Read(Outcome.TRUNCATED, problem="cut at the limit of tokens") if cut else Read(Outcome.OK)
    found = _object(answer.text, schema)
    if found.outcome is Outcome.OK:
        return found
    if cut:
        return Read(Outcome.TRUNCATED, problem="cut at the limit of tokens")
    if "{" not in answer.text and _DECLINES.match(answer.text):
        return Read(Outcome.REFUSED, problem=one_line(answer.text, limit=200))
    return found


def checked(found: Read, request: Request) -> Read:
    """The same, or that it does not fit, where the request's own check finds something wrong with the object."""
    problem = request.check(found.value) if found.outcome is Outcome.OK and request.check is not None else ""
    return Read(Outcome.INVALID, problem=one_line(problem, limit=300)) if problem else found


def _object(text: str, schema: type[BaseModel]) -> Read:
    """The text as an object; else what stands in a fence; else the first object in it."""
    problem = ""
    for repair, take in _REPAIRS:
        candidate = take(text)
        if not candidate:
            continue
        try:
            value = schema.model_validate_json(candidate)
        except ValidationError as e:
            first = e.errors(include_url=False, include_context=False, include_input=False)
            if first[0]["type"] != "json_invalid" or not problem:
                problem = _problem(first)
            continue
        return Read(Outcome.OK, value, (repair,) if repair else ())
    return Read(Outcome.INVALID, problem=problem)


def _fenced(text: str) -> str:
    m = _FENCE.search(text)
    return m[1].strip() if m else ""


def _first_object(text: str) -> str:
    decoder, at = json.JSONDecoder(), -1
    for _ in range(_TRIES):
        at = text.find("{", at + 1)
        if at < 0:
            break
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        return text[at:end]
    return ""


_REPAIRS: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("", str), ("fence", _fenced), ("first_object", _first_object),
)  # fmt: skip
"""Where an object is looked for, in this order; the first is the text as it stands."""


def _problem(errors: Any) -> str:
    """The first errors of pydantic in one line: field and what is wrong, never the value."""
    lines = (f"{'.'.join(map(str, e['loc'])) or 'the answer'}: {e['msg']}" for e in errors[:3])
    return one_line("; ".join(lines), limit=300)


def asks_again(outcome: Outcome, request: Request) -> bool:
    """Whether asking once more may help."""
    return outcome in (Outcome.EMPTY, Outcome.INVALID) or (outcome is Outcome.TRUNCATED and request.schema is not None)


def again(request: Request, answer: Answer, found: Read) -> Request:
    """The request with the answer that did not do and what was wrong with it. After an empty one, the request as it was.

    Of several such answers the last alone is shown: small models have no room for more, and repeat what they are shown.
    """
    if found.outcome is Outcome.EMPTY or request.schema is None:
        return request
    wrong = f"That was not usable: {found.problem}."
    wanted = instruction(request.schema)
    if found.outcome is Outcome.TRUNCATED:
        wrong = "That was cut off because it was too long. Be much shorter."
        wanted = _ONE_OBJECT  # the shape was not the trouble, and a small context would not hold it
    if answer.enforced not in (Enforced.SCHEMA, Enforced.SHAPE):
        wanted = ""  # `with_schema` says it
    return _told(request, answer.text[:_SHOWN], f"{wrong} {wanted}".strip())


def briefly(request: Request, asked: Request) -> Request | None:
    """What `again` made of a request, with hardly more than that the answer was wrong; None where it is brief, or none of these.

    For a server that cannot read as much.
    """
    if len(asked.messages) == len(request.messages):
        return None
    answer, wrong = (m.text for m in asked.messages[-2:])
    brief = _told(request, answer[:_GLIMPSE], wrong[:_GLIMPSE])
    return None if brief.messages == asked.messages else brief


def _told(request: Request, answer: str, wrong: str) -> Request:
    return replace(request, messages=(*request.messages, Message("assistant", answer), Message("user", wrong)))


_SHOWN: Final = 2000
"""Characters of an answer that it is shown again when it did not do; `_GLIMPSE` where these are too many (ours)."""
_GLIMPSE: Final = 200
_ONE_OBJECT: Final = "Answer with one JSON object and nothing else: no explanation, no code fence."


def at_most(**bounds: int) -> Any:
    """For a field: bounds that a server which enforces lengths and counts holds a model to. Where none does, nothing is refused."""
    return Field(json_schema_extra={**bounds})


def instruction(schema: type[BaseModel]) -> str:
    """What a model is told that nothing but words can hold to the schema."""
    return f"{_ONE_OBJECT} It must fit this JSON Schema: {json.dumps(_forms(schema)[1], ensure_ascii=False)}"


def with_schema(body: Json, schema: type[BaseModel] | None, mode: Enforced) -> Json:
    """The body of a request that asks for the schema in the way of `mode`."""
    if schema is None or mode is Enforced.NONE:
        return body
    if mode in (Enforced.SCHEMA, Enforced.SHAPE):
        strict, shown = _forms(schema, mode)
        named = {"name": schema.__name__, "schema": shown, "strict": strict}
        return body | {"response_format": {"type": "json_schema", "json_schema": named}}
    *before, last = body["messages"]
    told = f"\n\n{instruction(schema)}"
    content = last["content"]
    content = content + told if isinstance(content, str) else [*content, {"type": "text", "text": told}]
    body = body | {"messages": [*before, last | {"content": content}]}
    return body | {"response_format": {"type": "json_object"}} if mode is Enforced.OBJECT else body


def weaker(mode: Enforced, said: str) -> Enforced | None:
    """What to try where a server rejects a request with these words; None if they are about something else."""
    if not _NOT_ENFORCED.search(said):
        return None
    if mode is Enforced.SCHEMA and any(name in said for name in _BOUNDS):
        return Enforced.SHAPE  # OpenAI: "'maxLength' is not permitted"
    return _WEAKER.get(mode)


_BOUNDS: Final = ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum")
"""What of a schema not every server takes that enforces one."""


_WEAKER: Final = {
    Enforced.SCHEMA: Enforced.OBJECT, Enforced.SHAPE: Enforced.OBJECT, Enforced.OBJECT: Enforced.PROMPT,
}  # fmt: skip
_FORMS: Final[dict[tuple[type[BaseModel], Enforced], tuple[bool, Json]]] = {}


def _forms(schema: type[BaseModel], mode: Enforced = Enforced.SCHEMA) -> tuple[bool, Json]:
    """The JSON Schema as servers that enforce it want it, and whether it is closed, so that they can."""
    if (schema, mode) not in _FORMS:
        shown = _closed(schema.model_json_schema(), without=_BOUNDS if mode is Enforced.SHAPE else ())
        _FORMS[schema, mode] = ('"additionalProperties": {' not in json.dumps(shown), shown)
    return _FORMS[schema, mode]


def _closed(node: Any, *, without: Sequence[str]) -> Any:
    """Objects without further fields and with all of theirs required: what OpenAI calls strict. Titles and defaults go."""
    if isinstance(node, list):
        return [_closed(x, without=without) for x in node]
    if not isinstance(node, dict):
        return node
    gone = ("default", *without, *(["title"] if isinstance(node.get("title"), str) else []))
    out = {k: _closed(v, without=without) for k, v in node.items() if k not in gone}
    if "properties" in node:
        out["properties"] = {name: _closed(field, without=without) for name, field in node["properties"].items()}
        out |= {"additionalProperties": False, "required": list(node["properties"])}
    return out
