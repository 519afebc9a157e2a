"""Who judges, by what: the judges that a spec names, the rubrics, and the prompts; and what identifies all of it.

`llm:a,llm:b` are two judges with one vote each; the same judge named k times votes k times; `+max-tokens=N` at the end of
one says how long its answers may be. Must not import a transport.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from consult.errors import UsageError
from consult.judge.rubric import BUILT_IN, Rubric, load_rubrics
from consult.llm.base import Sampling
from consult.llm.endpoint import CONCURRENCY, Endpoint, bounded
from consult.llm.prompts import Prompts
from consult.settings import users_own

PROMPTS: Final = Path(__file__).resolve().parent / "prompts"
DEFAULT: Final = BUILT_IN[:2]
"""The rubrics where none is named: the process reward costs a call for each thing the doctor said."""
LOCAL_TOKENS: Final = 1500
"""Tokens of one answer of a server of one's own, thinking included (ours)."""
TIMEOUT: Final = 300.0
"""Seconds for one answer (ours): judges write more than others, and nobody waits for them."""
JUDGES: Final = "judge"
"""The folder of the judges' prompts among all prompts of the user's."""
COACH: Final = "coach"
MATCHER: Final = "matcher"
"""The role of whoever is asked what a diagnosis means; also what the answers are kept under, and the folder of the prompts."""
_PREFIX: Final = "llm:"


@dataclass(frozen=True, slots=True)
class Judge:
    """One vote."""

    spec: str
    endpoint: Endpoint
    vote: int
    """From 1."""
    max_tokens: int | None = None
    """Of one answer; None: see `sampling`."""

    @property
    def sampling(self) -> Sampling:
        """See `sampling_at`."""
        return sampling_at(self.endpoint, self.max_tokens)

    def same_as(
        self, agents: Mapping[str, str], returned: str = "", models: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """The roles that this judge's own model played: by the name it was asked for, or by the id as returned."""
        own = {self.endpoint.model, self.endpoint.server_model, *([returned] if returned else [])}
        found = []
        for role, spec in agents.items():
            if spec.startswith(_PREFIX) and role not in ("assessor", MATCHER):
                named = spec.removeprefix(_PREFIX)
                parts = named.split("+")  # how it works stands behind its name
                names = {"+".join(parts[:n]) for n in range(1, len(parts) + 1)}
                played = (names | set((models or {}).get(role, "").split(", "))) - {""}
                played |= {Endpoint(name).server_model for name in played}
                found += [role] if played & own else []
        return tuple(sorted(found))


@dataclass(frozen=True)
class Panel:
    """All that decides what is judged and how."""

    judges: tuple[Judge, ...]
    rubrics: tuple[Rubric, ...]
    prompts: Prompts

    @property
    def spec(self) -> str:
        """As it was given."""
        return ",".join(j.spec for j in self.judges)

    @cached_property
    def hashes(self) -> dict[str, str]:
        """sha256 of each prompt (`judge/NAME`) and rubric (`rubric/ID`); with the spec, all that decides a judgement."""
        asked = {f"{JUDGES}/{name}": known["sha256"] for name, known in self.prompts.identity.items()}
        return asked | {f"rubric/{r.id}": r.content_hash() for r in self.rubrics}


def panel_of(
    spec: str,
    rubrics: Iterable[str | Path] = (),
    *,
    api_base: str = "",
    transport: str = "",
    concurrency: int = CONCURRENCY,
    per_minute: int | None = None,
) -> Panel:
    """The panel that `--assessor` names; prompts of one's own stand in `prompts/judge` of CONSULT_PATH.

    Raises UsageError or DataError.
    """

    def endpoint(model: str) -> Endpoint:
        return Endpoint(
            model, api_base, transport=transport, concurrency=concurrency, per_minute=per_minute, timeout=TIMEOUT
        )

    judges = tuple(
        Judge(one, endpoint(model), vote, bound)
        for vote, (one, (model, bound)) in enumerate(((one, bounded(one)) for one in judges_in(spec)), 1)
    )
    return Panel(judges, tuple(load_rubrics(tuple(rubrics) or DEFAULT)), prompts_in(JUDGES, PROMPTS))


def prompts_in(name: str, built_in: Path) -> Prompts:
    """The prompts in force of a folder of that name. Raises DataError where one of the user's stands for none of ours."""
    own = [folder / name for folder in users_own("prompts")]
    return Prompts([*(folder for folder in own if folder.is_dir()), built_in])


def sampling_at(endpoint: Endpoint, max_tokens: int | None) -> Sampling:
    """As the server has it: many models refuse a temperature. A small one does not find an end by itself."""
    return Sampling(max_tokens=max_tokens or (LOCAL_TOKENS if endpoint.api_base else None))


def judges_in(spec: str) -> list[str]:
    """The judges that a spec names, one a vote. Raises UsageError where one is no `llm:MODEL`."""
    specs = [part.strip() for part in spec.split(",")]
    for one in specs:
        if not one.startswith(_PREFIX) or not one.removeprefix(_PREFIX).strip():
            raise UsageError(f"--assessor: {one!r} is no judge (mend: llm:MODEL, or several with commas between)")
    return specs
