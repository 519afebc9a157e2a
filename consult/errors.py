"""Every error that consult raises on purpose. Imports nothing of consult.

ConsultError
├── DataError            a file a person wrote: file, line, field, problem, mend
├── UsageError           a command line or call that cannot be carried out
├── StoreError           the results database cannot be opened, read or written
├── AgentError           an agent answered something that is not an action
└── InfrastructureError  a server, a network or a machine failed; never a clinical failure
"""

from __future__ import annotations

from collections.abc import Sequence


class ConsultError(Exception):
    """Base of all. Its text is one line, ready to be shown to a person; `exit_code` is for the command line."""

    exit_code = 2


class DataError(ConsultError):
    """Something is wrong in a file: where (file, line, field), what, and how to mend it."""

    def __init__(
        self, problem: str, *, file: str = "", line: int | None = None, field: str = "", mend: str = ""
    ) -> None:
        self.problem = problem
        self.file = file
        self.line = line
        self.field = field
        self.mend = mend
        super().__init__(problem)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        parts = [p for p in (where, self.field, self.problem) if p]
        text = ": ".join(parts)
        return f"{text} (mend: {self.mend})" if self.mend else text


class DataErrors(ConsultError):
    """Several `DataError`s at once, one line each."""

    def __init__(self, errors: Sequence[DataError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(e) for e in errors))


class UsageError(ConsultError):
    """A command or a call that asks for something that is not there or cannot be."""


class StoreError(ConsultError):
    """The results database cannot be used."""


class AgentError(ConsultError):
    """An agent failed or answered something that is not an action; the consultation stops with `model_error`."""

    exit_code = 3


class InfrastructureError(ConsultError):
    """The world around an agent failed; the consultation stops with `infrastructure_error`."""

    exit_code = 3
