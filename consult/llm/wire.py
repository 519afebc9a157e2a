"""Chat completions as OpenAI-compatible servers write them: a request's body, and what an answer's body says.

Pure functions that both transports share. Owns the field names; knows no sockets and no schemas' meaning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from consult.llm.base import Answer, Json, Message, OnText, Sampling, Usage
from consult.llm.errors import CallError, Kind

_THOUGHT: Final = re.compile(r"\s*<(think|thinking|thought)>(.*?)(?:</\1>|\Z)", re.DOTALL)
_CLOSED: Final = re.compile(r"</(?:think|thinking|thought)>")
_FILTERS: Final = ("content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation")
_LONG: Final = ("context_length_exceeded", "exceed_context_size_error")
_LONGER: Final = re.compile(
    r"context.*(?:length|size|window)|(?:length|size|window).*context|maximum model length"
    r"|(?:prompt|input) is too long|input token count|max_new_tokens` must be"
)
"""How servers say in words that the model cannot read as much."""
_OPENING: Final = ("<think>", "<thinking>", "<thought>")


def body_of(model: str, messages: Iterable[Message], sampling: Sampling, *, vision: bool) -> Json:
    """The body of a request; where the model has no eyes, pictures become their captions."""
    return {"model": model, "messages": [_message(m, vision) for m in messages], **sampling.plain()}


def _message(m: Message, vision: bool) -> Json:
    if not m.images:
        return {"role": m.role, "content": m.text}
    if not vision:
        captions = "".join(f"\n[picture: {i.caption or 'without a caption'}]" for i in m.images)
        return {"role": m.role, "content": m.text + captions}
    parts: list[Json] = [{"type": "image_url", "image_url": {"url": i.address}} for i in m.images]
    return {"role": m.role, "content": [{"type": "text", "text": m.text}, *parts]}


def answer_of(body: Any, seconds: float) -> Answer:
    """What a chat completion says; an answer without choices says nothing. Raises CallError where it is none."""
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        raise CallError(Kind.GARBLED, f"no list of choices in {json.dumps(body, default=str)[:120]}")
    choice = _mapping(body["choices"][0] if body["choices"] else None)
    message = _mapping(choice.get("message"))
    said, thought = parted(_text(message.get("content")))
    own = next((t for k in ("reasoning_content", "reasoning") if (t := _text(message.get(k)))), "")
    further = message.get("provider_specific_fields")
    refusal = message.get("refusal") or (further.get("refusal") if isinstance(further, dict) else None)
    return Answer(
        text=said,
        thinking="\n".join(t for t in (own.strip(), thought) if t),
        finish=str(choice.get("finish_reason") or ""),
        refusal=_text(refusal),
        model=_text(body.get("model")),
        usage=_usage(body.get("usage")),
        seconds=seconds,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    """The value, or nothing where a server put something else in its place."""
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str:
    """A text that can be kept, also if it comes as a list of parts; half surrogate pairs, which UTF-8 cannot hold, are "?"."""
    if isinstance(content, list):
        parts = (p.get("text") for p in content if isinstance(p, dict) and p.get("type") in (None, "text"))
        content = "".join(t for t in parts if isinstance(t, str))
    if not isinstance(content, str):
        return ""
    return content if content.isascii() else content.encode("utf-8", "replace").decode()


def parted(text: str) -> tuple[str, str]:
    """What is said, and the thinking before it: `<think>…</think>`, also if either tag is missing."""
    if "<" not in text:
        return text.strip(), ""
    if m := _THOUGHT.match(text):
        return text[m.end() :].strip(), m[2].strip()
    if m := _CLOSED.search(text):  # the opening tag stood in the server's own template
        return text[m.end() :].strip(), text[: m.start()].strip()
    return text.strip(), ""


def _usage(data: Any) -> Usage:
    if not isinstance(data, dict):
        return Usage()
    prompt, completion = _count(data, "prompt_tokens"), _count(data, "completion_tokens")
    if not prompt and not completion:
        return Usage()  # a server that does not count: litellm writes 0 there
    thinking = _count(data.get("completion_tokens_details"), "reasoning_tokens")
    return Usage(prompt, completion, thinking, _count(data.get("prompt_tokens_details"), "cached_tokens"))


def _count(data: Any, name: str) -> int | None:
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, int) and value >= 0 else None


class Pieces:
    """A stream put together into the body of one chat completion; what is said is told on while it comes."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._content: list[str] = []
        self._thinking: list[str] = []
        self._message: Json = {"role": "assistant"}
        self._finish: str | None = None
        self._rest: Json = {}
        self._held: list[str] = []
        """What was said while it is open whether it is thinking."""
        self._thinks = self._speaks = False
        self.done = False
        """Whether the end was seen: a finish_reason."""

    def add(self, chunk: Any) -> None:
        """One chunk, as plain data. Raises CallError where it is none."""
        if not isinstance(chunk, dict) or not isinstance(chunk.get("choices", []) or [], list):
            raise CallError(Kind.GARBLED, f"a stream of {json.dumps(chunk, default=str)[:120]}")
        if chunk.get("error"):
            raise CallError(Kind.OVERLOAD, json.dumps(chunk["error"], default=str))
        self._rest |= {k: chunk[k] for k in ("model", "usage") if chunk.get(k)}
        for choice in map(_mapping, (chunk.get("choices") or [])[:1]):
            delta = _mapping(choice.get("delta"))
            if piece := _text(delta.get("content")):
                self._content.append(piece)
                self._tell(piece)
            if thought := delta.get("reasoning_content") or delta.get("reasoning"):
                self._thinking.append(str(thought))
            if delta.get("refusal"):
                self._message["refusal"] = self._message.get("refusal", "") + str(delta["refusal"])
            self._finish = choice.get("finish_reason") or self._finish
            self.done = self.done or self._finish is not None

    def _tell(self, piece: str) -> None:
        """Tell a piece of what is said; nothing while it may still be thinking. What is told is not looked at again."""
        if self._speaks:
            self._on_text(piece)
            return
        self._held.append(piece)
        if self._thinks and ">" not in piece:
            return
        text = "".join(self._held)
        start = text.lstrip()
        self._thinks = start.startswith(_OPENING)
        closed = _CLOSED.search(text)
        if closed is None and (self._thinks or any(tag.startswith(start) for tag in _OPENING)):
            return
        said = text[closed.end() :].lstrip() if closed else start
        self._speaks = bool(said)
        self._held = [] if said else [text]
        if said:
            self._on_text(said)

    def body(self) -> Json:
        """The whole."""
        message = self._message | {"content": "".join(self._content), "reasoning_content": "".join(self._thinking)}
        return self._rest | {"choices": [{"index": 0, "finish_reason": self._finish, "message": message}]}


def failure(status: int, text: str, headers: Mapping[str, str]) -> CallError:
    """The error behind a status other than 200, from what the server says."""
    message, code = said(text)
    kind = _kind(status, code, message.lower())
    if kind is Kind.REDIRECT:
        message = next((f"to {v}" for k, v in headers.items() if k.lower() == "location"), message)
    return CallError(kind, message, status=status, retry_after=retry_after(headers, datetime.now(UTC)))


def said(text: str) -> tuple[str, str]:
    """The message and the code of an error's body, which is JSON, or anything."""
    try:
        data = json.loads(text)
    except ValueError:
        return text, ""
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return str(error), ""
    return str(error.get("message") or error.get("detail") or text), str(error.get("code") or error.get("type") or "")


def _kind(status: int, code: str, message: str) -> Kind:
    if 300 <= status < 400:
        return Kind.REDIRECT
    if code in _FILTERS:
        return Kind.FILTERED
    # OpenAI of a schema: "In context=('properties', 'name'), 'maxLength' is not permitted"
    longer = status in (400, 422) and _LONGER.search(message) and "schema" not in message
    if code in _LONG or status == 413 or longer:
        return Kind.TOO_LONG
    if code == "insufficient_quota" or status == 402:
        return Kind.QUOTA
    if status in (401, 403):
        return Kind.AUTH
    if status == 404:
        return Kind.NOT_FOUND
    if status >= 500 and ("not supported" in message or status == 501):
        return Kind.BAD_REQUEST  # llama.cpp says so of pictures that its model cannot see
    if status in (408, 504):
        return Kind.TIMEOUT
    if status in (409, 425, 429):
        return Kind.RATE_LIMIT
    if status >= 500:
        return Kind.OVERLOAD
    return Kind.BAD_REQUEST


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the server asks us to wait: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    found = {k.lower(): v for k, v in headers.items() if k.lower().startswith("retry-after")}
    try:
        if "retry-after-ms" in found:
            return max(0.0, float(found["retry-after-ms"]) / 1000)
        return max(0.0, float(found["retry-after"])) if "retry-after" in found else None
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(found.get("retry-after", ""))
        return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds())
    except (TypeError, ValueError):
        return None
