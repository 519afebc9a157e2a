"""Agent specs: names to agents, built in or from the entry-point group `consult.agents`. Light to import."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final

from consult.clean import one_line
from consult.errors import UsageError

if TYPE_CHECKING:
    from consult.agents.llm.aids import Given
    from consult.agents.llm.talk import Talk

GROUP: Final = "consult.agents"
INQUIRERS: Final = {
    "reference": "asks what tells most per cost, red flags first, with empathy, explanation and a safety net",
    "curt": "the reference's questions without any communication skill",
    "checklist": "the same list of questions for everyone",
    "random": "random questions",
    "opening-only": "concludes from the first words",
    "oracle": "reads every fact (not the answer) and concludes",
}
ABLATIONS: Final = {
    "reference:no-inquiry": "as --triage: without inquiry guidance",
    "reference:no-comparison": "as --triage: without comparison rules",
    "reference:no-dynamic": "as --triage: the guidance and rules of round 1 stay to the end",
}
_REFERENCE_ONLY: Final = ("patient", "recipient", "examiner", "assessor", "matcher")
_PLUGGABLE: Final = ("inquirer", "patient", "triage")
_MODEL: Final = "llm:"
_LATER: Final = (_MODEL, "replay:", "human")


def agent_names() -> dict[str, str]:
    """Specs that can be given, with a line each; plug-ins behind the built-in ones."""
    plugged = {name: f"plug-in from {point.value}" for name, point in sorted(_plugins().items())}
    return {**INQUIRERS, **ABLATIONS, **plugged}


def built_in(role: str, spec: str) -> bool:
    """Whether an agent of this package plays it, by rule and without a model."""
    if role == "inquirer":
        return spec in INQUIRERS
    return spec == "reference" or (role == "triage" and _ablates(spec))


def check_spec(role: str, spec: str) -> None:
    """Raise UsageError if `spec` cannot play `role`."""
    if role in (*_REFERENCE_ONLY, "inquirer", "triage") and built_in(role, spec):
        return
    if role in _PLUGGABLE and spec in _plugins():
        return
    if spec.startswith(_MODEL):
        from consult.agents.llm.spec import ROLES, parse

        if role in ROLES:
            parse(role, spec)
            return
    if role == "matcher" and spec.startswith(_MODEL):
        from consult.judge.matching import matcher_of

        matcher_of(spec)
        return
    if role == "assessor" and spec.startswith(_MODEL):
        from consult.judge.panel import judges_in

        judges_in(spec)
        return
    if spec.startswith(_LATER):
        raise UsageError(f"--{role}: {spec!r} is not in this version (mend: use reference or a plug-in)")
    own = {"inquirer": INQUIRERS, "triage": ("reference", *ABLATIONS)}.get(role, ("reference",))
    known = ", ".join([*own, *(sorted(_plugins()) if role in _PLUGGABLE else ())])
    raise UsageError(f"--{role}: there is no agent {spec!r} (mend: one of: {known})")


def _ablates(spec: str) -> bool:
    """Whether it is `reference:` with one switch, or several that differ, joined by "+"."""
    base, _, switches = spec.partition(":")
    off = switches.split("+")
    return base == "reference" and len(set(off)) == len(off) and all(f"reference:{s}" in ABLATIONS for s in off)


@lru_cache(maxsize=1)
def _plugins() -> dict[str, EntryPoint]:
    return {p.name: p for p in entry_points(group=GROUP)}


def make(role: str, spec: str, talk: Talk | None = None, given: Given | None = None) -> Any:
    """The agent for a role. A plug-in's entry point is a callable that takes the role and gives the agent.

    `talk`: by which an agent that is a model asks; without it there is none of that kind. `given`: what an inquirer that
    is one is given beside what is said.
    Raises UsageError if there is none, or if a plug-in cannot be loaded.
    """
    check_spec(role, spec)
    if spec in _plugins() and not (role == "inquirer" and spec in INQUIRERS) and spec != "reference":
        try:
            return _plugins()[spec].load()(role)
        except Exception as e:
            what = f"plug-in {spec!r} cannot be loaded: {type(e).__name__}: {one_line(str(e))}"
            raise UsageError(f"--{role}: {what} (mend: correct or reinstall its package)") from e
    return _model(role, spec, talk, given) if spec.startswith(_MODEL) else _BUILT_IN[role](spec)


def _model(role: str, spec: str, talk: Talk | None, given: Given | None) -> Any:
    from consult.agents.llm.spec import parse

    if talk is None:
        raise UsageError(f"--{role}: {spec!r} is a model, and nothing is there to call it by")
    said = parse(role, spec)
    if role == "inquirer":
        from consult.agents.llm.inquirer import ModelInquirer

        return ModelInquirer(said, talk, given)
    if role == "patient":
        from consult.agents.llm.patient import ModelPatient

        return ModelPatient(said, talk)
    if role == "recipient":
        from consult.agents.llm.recipient import ModelRecipient

        return ModelRecipient(said, talk)
    from consult.agents.llm.triage import ModelTriage

    return ModelTriage(said, talk)


def _inquirer(spec: str) -> Any:
    from consult.agents.inquirers.controls import (
        ChecklistInquirer,
        OpeningOnlyInquirer,
        OracleInquirer,
        RandomInquirer,
    )
    from consult.agents.inquirers.reference import ReferenceInquirer

    makers: dict[str, Callable[[], Any]] = {
        "reference": ReferenceInquirer,
        "curt": lambda: ReferenceInquirer(kind_words=False),
        "checklist": ChecklistInquirer,
        "random": RandomInquirer,
        "opening-only": OpeningOnlyInquirer,
        "oracle": OracleInquirer,
    }
    return makers[spec]()


def _patient(_: str) -> Any:
    from consult.agents.patient.reference import ReferencePatient

    return ReferencePatient()


def _recipient(_: str) -> Any:
    from consult.agents.recipient import ReferenceRecipient

    return ReferenceRecipient()


def _triage(spec: str) -> Any:
    from consult.agents.triage import ReferenceTriage

    _, _, switches = spec.partition(":")
    off = switches.split("+")
    return ReferenceTriage(
        inquiry="no-inquiry" not in off, comparison="no-comparison" not in off, dynamic="no-dynamic" not in off
    )


_BUILT_IN: Final[dict[str, Callable[[str], Any]]] = {
    "inquirer": _inquirer, "patient": _patient, "recipient": _recipient, "triage": _triage,
}  # fmt: skip
