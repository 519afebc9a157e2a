"""Answers kept as they arrive, so that nothing is paid twice: a plain SQLite file, and cassettes of JSON Lines.

Owns the key under which an answer is kept. One small interface for all, so that the storage can move. No key of an API
is ever among what is kept: requests are kept as hashes, and answers arrive here redacted.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from consult.errors import DataError, StoreError
from consult.llm.base import Answer
from consult.llm.errors import CallError, Kind
from consult.wal import in_wal

_VERSION: Final = 1
_TABLE: Final = """create table if not exists replies (
    consultation text not null, epoch integer not null, role text not null, turn integer not null,
    attempt integer not null, ask integer not null, request text not null, answer text not null,
    primary key (consultation, epoch, role, turn, attempt, ask, request)) without rowid"""
_WHERE: Final = "consultation = ? and epoch = ? and role = ? and turn = ? and attempt = ? and ask = ? and request = ?"


class Key(NamedTuple):
    """What an answer answers."""

    consultation: str
    epoch: int
    role: str
    turn: int
    attempt: int
    """Counted by who asks: the same question put again because the answer was not liked."""
    ask: int
    """Counted by the seam: asked again because an answer was empty or did not fit."""
    request: str
    """The hash of the request."""


class Ledger(Protocol):
    """Keeps answers."""

    def get(self, key: Key) -> Answer | None:
        """The answer kept under the key."""

    def put(self, key: Key, answer: Answer) -> None:
        """Keeps an answer at once; what is there already stays."""

    def close(self) -> None:
        """Gives back what is held open."""


class SqliteLedger:
    """A table `replies` in an SQLite file; several processes may use it. Raises StoreError where it cannot be used.

    A commit an answer: killed at any moment (power failures aside), the answers that came are there.
    """

    def __init__(self, path: Path | str, *, timeout: float = 30.0) -> None:
        self._path = Path(path)
        with self._guarded():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # made by one thread and used by the one of the event loop, never at the same time
            self._db = sqlite3.connect(self._path, timeout=timeout, isolation_level=None, check_same_thread=False)
            try:
                in_wal(self._db, timeout)
                self._db.execute("pragma synchronous = normal")
                self._db.execute(_TABLE)
            except BaseException:
                self._db.close()
                raise

    def get(self, key: Key) -> Answer | None:
        """See `Ledger`."""
        with self._guarded():
            row = self._db.execute(f"select answer from replies where {_WHERE}", key).fetchone()  # noqa: S608 - our own text
            return Answer.of(json.loads(row[0])) if row is not None else None

    def put(self, key: Key, answer: Answer) -> None:
        """See `Ledger`."""
        text = json.dumps(answer.plain(), ensure_ascii=False)
        with self._guarded():
            self._db.execute("insert or ignore into replies values (?, ?, ?, ?, ?, ?, ?, ?)", (*key, text))

    def close(self) -> None:
        """See `Ledger`."""
        self._db.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError, TypeError) as e:
            raise StoreError(f"{self._path}: the ledger cannot be used: {e} (mend: give another --db)") from None


_Anywhere = tuple[Any, ...]
"""A key without its consultation, whose id changes with every version of consult."""


class Recorder:
    """Writes every answer to a cassette, whether it came from the server or from the ledger behind it."""

    def __init__(self, path: Path | str, behind: Ledger | None = None) -> None:
        """Raises StoreError where the file cannot be written; one that is there is written anew."""
        self._path = Path(path)
        self._behind = behind
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as e:
            raise StoreError(f"--record: {self._path} cannot be written: {e.strerror} (mend: another file)") from None
        self._write({"cassette": _VERSION})

    def get(self, key: Key) -> Answer | None:
        """See `Ledger`."""
        answer = self._behind.get(key) if self._behind is not None else None
        if answer is not None:
            self._keep(key, answer)
        return answer

    def put(self, key: Key, answer: Answer) -> None:
        """See `Ledger`."""
        if self._behind is not None:
            self._behind.put(key, answer)
        self._keep(key, answer)

    def _keep(self, key: Key, answer: Answer) -> None:
        self._write({"key": key._asdict(), "answer": answer.plain()})

    def _write(self, line: object) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """See `Ledger`."""
        self._file.close()
        if self._behind is not None:
            self._behind.close()


class Player:
    """Answers from a cassette and from nothing else: what is not in it is an error, and no server is ever called."""

    def __init__(self, path: Path | str) -> None:
        """Raises DataError where the file cannot be read. A torn last line is forgiven."""
        self._exact: dict[Key, Answer] = {}
        self._anywhere: dict[_Anywhere, Answer] = {}
        path = Path(path)
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as e:
            raise DataError(f"cannot be read: {e}", file=str(path), field="--replay", mend="give a cassette") from None
        for number, line in enumerate(lines, 1):
            try:
                self._load(json.loads(line), number)
            except (ValueError, TypeError, KeyError, AttributeError) as e:
                if number == len(lines) > 1:
                    break
                problem = f"is no line of a cassette: {e}"
                raise DataError(problem, file=str(path), line=number, mend="record it again with --record") from None

    def _load(self, line: dict[str, Any], number: int) -> None:
        if number == 1:
            if line.get("cassette") != _VERSION:
                raise ValueError(f"version {line.get('cassette')}")
            return
        key = Key(**line["key"])
        answer = Answer.of(line["answer"])
        self._exact.setdefault(key, answer)
        self._anywhere.setdefault(tuple(key[1:]), answer)

    def get(self, key: Key) -> Answer | None:
        """See `Ledger`. Raises CallError where it was not recorded."""
        answer = self._exact.get(key) or self._anywhere.get(tuple(key[1:]))
        if answer is None:
            raise CallError(Kind.NOT_RECORDED, f"{key.role}, turn {key.turn}, request {key.request[:12]}")
        return answer

    def put(self, key: Key, answer: Answer) -> None:
        """Never called: `get` answers or raises."""

    def close(self) -> None:
        """See `Ledger`."""
