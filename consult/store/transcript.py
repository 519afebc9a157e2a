"""The transcript on disk and in memory: JSONL, a header line and then one event a line. See docs/transcript.md.

Owns the bytes: compact JSON, every field written in the order of its model, so that the same events always give the
same text and a later default never changes what an old file says. Imports the event models and reading of JSON only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from consult.clean import one_line
from consult.errors import DataError, StoreError
from consult.events import EVENT, SCHEMA_VERSION, Event, Header
from consult.files import Record, field_name, parse
from consult.stats.waits import Waits

UPGRADES: Final[dict[int, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]]] = {}
"""How to lift the lines of an old file: from the version that is the key to the next one. None are needed yet."""

_FLOATS: Final = ("e-", "0.0000", "null")
"""Very small floats are written otherwise; what is no number (`json` refuses it) is written as null."""
_AGAIN: Final = "take the file from where it was written, or remove it"


@dataclass(frozen=True, slots=True)
class Transcript:
    """One consultation: what it came from, and everything that happened."""

    header: Header
    events: tuple[Event, ...]
    waits: Mapping[str, Waits] = field(default_factory=dict, compare=False, repr=False)
    """How long models' answers took, by role, where it was played just now: a measurement, and no part of what is written."""

    @property
    def id(self) -> str:
        """The consultation's id."""
        return self.header.consultation_id

    def renamed(self, consultation_id: str) -> Transcript:
        """The same consultation under another id."""
        return replace(self, header=self.header.model_copy(update={"consultation_id": consultation_id}))


def dumps(header: Header, events: Sequence[Event]) -> str:
    """The transcript as JSONL text, ending in a newline."""
    return jsonl((header, *events))


def jsonl(records: Iterable[Record]) -> str:
    """Records as JSONL text."""
    return "".join(_line(record) + "\n" for record in records)


def _line(record: Record) -> str:
    """What `json` writes; pydantic writes the same in a third of the time but for the floats that `_FLOATS` marks."""
    with suppress(PydanticSerializationError):  # half a surrogate pair
        text = record.model_dump_json()
        if not any(mark in text for mark in _FLOATS):
            return text
    return json.dumps(record.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def loads(text: str, *, file: str = "(transcript)") -> Transcript:
    """A transcript from JSONL text. Raises DataError with the line and field of the first thing wrong.

    A last line that was torn off while it was written (no newline, not JSON) is passed over; nothing else is.
    """
    lines = text.split("\n")  # never splitlines(): it would split at U+2028 inside a string
    last = lines.pop()
    records = [_record(line, n, file) for n, line in enumerate(lines, 1)]
    if last:
        try:
            records.append(_record(last, len(lines) + 1, file))
        except DataError:
            if _is_json(last):  # the beginning of an object is never JSON, so this line was not torn
                raise
    if not records:
        raise DataError("holds no header line", file=file, line=1, mend=_AGAIN)
    records = _upgraded(records, file)
    header = _model(records[0], 1, file, Header.model_validate)
    events = tuple(_event(record, n, file) for n, record in enumerate(records[1:]))
    return Transcript(header, events)


def _record(line: str, number: int, file: str) -> dict[str, Any]:
    if not line.strip():
        raise DataError("an empty line", file=file, line=number, mend="remove it")
    try:
        data = parse(line, file=file, is_json=True)
    except DataError as e:
        raise DataError(e.problem, file=file, line=number, mend=_AGAIN) from None
    if not isinstance(data, dict):
        raise DataError("is no JSON object", file=file, line=number, mend=_AGAIN)
    return data


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _upgraded(records: list[dict[str, Any]], file: str) -> list[dict[str, Any]]:
    head = records[0]
    if head.get("type") != "header":
        raise DataError("the first line is no header", file=file, line=1, field="type", mend=_AGAIN)
    version = head.get("schema_version")
    if type(version) is not int or version < 1:
        raise DataError("is no version of the format", file=file, line=1, field="schema_version", mend=_AGAIN)
    if version > SCHEMA_VERSION:
        problem = f"version {version} is newer than this consult reads (up to {SCHEMA_VERSION})"
        raise DataError(problem, file=file, line=1, field="schema_version", mend="update consult")
    for old in range(version, SCHEMA_VERSION):
        records = UPGRADES[old](records)
    return records


def _model(record: dict[str, Any], line: int, file: str, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(record)
    except ValidationError as e:
        raise _explained(e, line, file) from None


def _explained(error: ValidationError, line: int, file: str) -> DataError:
    first = error.errors(include_url=False, include_input=False)[0]
    extra = first["type"] == "extra_forbidden"
    problem = "unknown field" if extra else one_line(first["msg"], limit=300)
    mend = "update consult, or remove the field" if extra else "`consult schema transcript` prints what is allowed"
    return DataError(problem, file=file, line=line, field=field_name(first["loc"]) or "type", mend=mend)


def _event(record: dict[str, Any], index: int, file: str) -> Event:
    event: Event = _model(record, index + 2, file, EVENT.validate_python)
    if event.seq != index:
        problem = f"is {event.seq} where {index} follows: a line is missing, doubled or moved"
        raise DataError(problem, file=file, line=index + 2, field="seq", mend=_AGAIN)
    return event


def read(path: Path) -> Transcript:
    """A transcript file. Raises DataError."""
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as e:
        raise DataError(
            f"cannot be read: {getattr(e, 'strerror', None) or e}", file=str(path), mend="check the path"
        ) from None
    whole, newline, tail = raw.rpartition(b"\n")
    try:
        text = whole.decode("utf-8") + newline.decode()
    except UnicodeDecodeError as e:
        line = whole[: e.start].count(b"\n") + 1
        raise DataError("is not UTF-8 text", file=str(path), line=line, mend=_AGAIN) from None
    return loads(text + tail.decode("utf-8", "replace"), file=str(path))  # the tail may be torn inside a character


def write(path: Path, header: Header, events: Sequence[Event]) -> None:
    """Writes the file whole or not at all. Raises StoreError."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8", newline="\n") as out:
            out.write(dumps(header, events))
            out.flush()
            os.fsync(out.fileno())  # else a crash of the machine may leave an empty file under the new name
        os.replace(scratch, path)
    except OSError as e:
        with suppress(OSError):
            scratch.unlink()
        raise StoreError(f"{path}: cannot be written: {e.strerror or e} (mend: check the folder)") from None
