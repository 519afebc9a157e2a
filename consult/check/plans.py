"""The plan linter: every scenario, persona, agent, hospital and knowledge that a plan names is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from consult.agents.llm.briefing import read_briefing
from consult.agents.llm.classifiers import classifier_of
from consult.agents.registry import check_spec
from consult.batch import ALL, Plan, scenario_paths
from consult.batch.plan import ROLES
from consult.errors import ConsultError, DataError
from consult.files import Faults, Loc
from consult.hospital import load_hospital
from consult.knowledge.load import find_knowledge
from consult.persona import load_persona


def check_plan(plan: Plan, path: Path | None = None) -> list[DataError]:
    """Everything wrong with a plan that loads."""
    faults = Faults(path, f"plan {plan.name}")
    _each(("scenarios",), plan.scenarios, lambda spec: scenario_paths([spec]), faults)
    _each(("personas",), (p for p in plan.personas if p != ALL), load_persona, faults)
    _each(("inquirer",), plan.inquirer, lambda spec: check_spec("inquirer", spec), faults)
    for role in ROLES:
        _one((role,), partial(check_spec, role, getattr(plan, role)), faults)
    for n, line_up in enumerate(plan.line_ups):
        for role in ("inquirer", *ROLES):
            if spec := getattr(line_up, role):
                _one(("line_ups", n, role), partial(check_spec, role, spec), faults)
    if plan.classifier:
        _one(("classifier",), lambda: classifier_of(plan.classifier, k=plan.top_k), faults)
    _one(("persona_prompt",), lambda: read_briefing(plan.persona_prompt, ""), faults)
    _one(("few_shot",), lambda: read_briefing("", plan.few_shot), faults)
    _one(("hospital",), lambda: load_hospital(plan.hospital), faults)
    if plan.knowledge:
        _one(("knowledge",), lambda: find_knowledge(plan.knowledge), faults)
    return faults.errors


def _each(where: Loc, names: Iterable[str], find: Callable[[str], object], faults: Faults) -> None:
    for n, name in enumerate(names):
        _one((*where, n), partial(find, name), faults)


def _one(where: Loc, find: Callable[[], object], faults: Faults) -> None:
    try:
        find()
    except ConsultError as e:
        text, _, mend = str(e).splitlines()[0].partition(" (mend: ")
        faults.add(where, text.partition(": ")[2] if text.startswith("--") else text, mend.rstrip(")") or "correct it")
