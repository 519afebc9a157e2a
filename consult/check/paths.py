"""Files and folders to check: which kind each is, loading them once, and handing them to their linter.

Owns the choice of kind and the search for what a file refers to (its knowledge, a hospital, the neutral persona).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from consult.agents.llm.briefing import FewShot
from consult.agents.llm.classifiers import Predictions
from consult.batch import Plan
from consult.check.hospitals import check_hospital
from consult.check.knowledges import lint_knowledge
from consult.check.personas import check_persona
from consult.check.plans import check_plan
from consult.check.rubrics import check_rubric
from consult.check.scenarios import check_scenario
from consult.errors import ConsultError, DataError, DataErrors, UsageError
from consult.files import SUFFIXES, WHOLE, Faults, Loc, Record, files_under, is_plain_id, load, read_data, validate
from consult.hospital import DEFAULT, Hospital, hospital_files
from consult.judge.rubric import Rubric
from consult.knowledge.links import near
from consult.knowledge.load import DEFAULT as GENERAL
from consult.knowledge.load import Origin, find_knowledge, knowledge_names, load_knowledge, read_knowledge
from consult.knowledge.model import Knowledge
from consult.persona import NEUTRAL, Persona, persona_files
from consult.scenario import Scenario
from consult.settings import PACKAGE, search_path
from consult.terms import Department

_M = TypeVar("_M", bound=Record)


class Kind(StrEnum):
    """What a file may be."""

    SCENARIO = "scenario"
    PERSONA = "persona"
    HOSPITAL = "hospital"
    KNOWLEDGE = "knowledge"
    PLAN = "plan"
    RUBRIC = "rubric"
    PREDICTIONS = "predictions"
    FEW_SHOT = "few-shot"


_MODELS: Final[dict[Kind, type[Record]]] = {
    Kind.KNOWLEDGE: Knowledge,
    Kind.SCENARIO: Scenario,
    Kind.PERSONA: Persona,
    Kind.HOSPITAL: Hospital,
    Kind.PLAN: Plan,
    Kind.RUBRIC: Rubric,
    Kind.PREDICTIONS: Predictions,
    Kind.FEW_SHOT: FewShot,
}
MAX_PARTS: Final = 200
"""Files of a knowledge that is a folder; a larger folder holds many things rather than one."""
WHOLE_FIELDS: Final = frozenset({"id", "findings", "conditions"})
"""What a knowledge cannot be without."""
_PLACES: Final = {
    "hospitals": Kind.HOSPITAL, "personas": Kind.PERSONA, "knowledge": Kind.KNOWLEDGE, "scenarios": Kind.SCENARIO,
    "plans": Kind.PLAN, "rubrics": Kind.RUBRIC,
}  # fmt: skip


def check_paths(
    paths: Sequence[Path], *, knowledge: str | None = None, note: Callable[[str], None] | None = None
) -> list[DataError]:
    """Everything wrong with files and folders; without any, with all that is installed and on CONSULT_PATH.

    `knowledge` (a name or path) stands in for the one that each scenario and hospital names. `note` is told what could
    not be checked though nothing is wrong with it. Raises UsageError if `knowledge` is not there.
    """
    checks = _Checks(knowledge, note)
    for root in paths or _installed():
        for path in files_under(root) if root.is_dir() else [root]:
            checks.read(path)
    return checks.report()


def _installed() -> list[Path]:
    ours = (PACKAGE / "knowledge" / "data", PACKAGE / "judge" / "data")
    roots = [*search_path("scenarios"), *search_path("personas"), *ours]
    return [root for root in roots if root.is_dir()]


def kind_of(data: Any, path: Path) -> Kind | None:
    """By the fields that a file has, and by its folder where they do not decide."""
    place = next((_PLACES[p] for p in reversed(path.absolute().parts[:-1]) if p in _PLACES), None)
    if not isinstance(data, dict):
        return place
    fit = {kind: len(data.keys() & _own_fields(kind)) for kind in _MODELS}
    best = max(fit.values())
    if best == 0:
        fit = {kind: len(data.keys() & model.model_fields.keys() - {"id"}) for kind, model in _MODELS.items()}
        best = max(fit.values())
    if best == 0:
        return place
    return place if place is not None and fit[place] == best else next(k for k in fit if fit[k] == best)


def _own_fields(kind: Kind) -> set[str]:
    """The fields that no other kind has."""
    others = {name for k, model in _MODELS.items() if k is not kind for name in model.model_fields}
    return set(_MODELS[kind].model_fields) - others


class _Folder:
    """Faults of a knowledge that is a folder, each in the file that it comes from."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.faults: dict[Path, Faults] = {}

    def add(self, loc: Loc, problem: str, mend: str) -> None:
        """Note a problem at a place of the whole."""
        path, local = self._origin(loc)
        self.faults.setdefault(path, Faults(path)).add(local, problem, mend)


class _Checks:
    """One call of `check_paths`: what was read, what was found."""

    def __init__(self, knowledge: str | None, note: Callable[[str], None] | None) -> None:
        self._note = note or (lambda _: None)
        self._seen: set[Path] = set()
        self._models: dict[Path, Record] = {}
        self._others: dict[Path, Record] = {}
        """What is only referred to."""
        self._folders: dict[Path, Path] = {}
        self._errors: dict[Path, list[DataError]] = {}
        self._knowledges: dict[Path, tuple[Knowledge, Origin] | ConsultError] = {}
        self._at_hand: dict[str, Path] = {}
        """Knowledge that is checked too, by its id."""
        self._fields: dict[Path, frozenset[str]] = {}
        """The fields of files that may be parts of a knowledge; none if a file is something else."""
        self._absent: Counter[str] = Counter()
        self._given: Knowledge | None = None
        if knowledge is not None:
            self._given = load_knowledge(knowledge)

    def read(self, path: Path) -> None:
        """Load one file, once."""
        if path.resolve() in self._seen:
            return
        self._seen.add(path.resolve())
        errors = self._errors.setdefault(path, [])
        try:
            data = read_data(path)
            kind = kind_of(data, path)
            if kind is None:
                raise DataError(
                    "is no scenario, persona, hospital, knowledge, plan, rubric, predictions or examples",
                    file=str(path), line=1, field=WHOLE, mend="give it the fields that `consult schema KIND` shows",
                )  # fmt: skip
            whole = self._whole(data, path) if kind is Kind.KNOWLEDGE else None
            if whole is not None:
                self._folders.setdefault(whole, path)
                return
            model = validate(data, _MODELS[kind], path)
        except (DataError, DataErrors) as e:
            errors += e.errors if isinstance(e, DataErrors) else [e]
            return
        self._models[path] = model
        if isinstance(model, Knowledge):
            self._knowledges[path.resolve()] = (model, lambda loc: (path, loc))
            self._at_hand.setdefault(model.id, path)

    def report(self) -> list[DataError]:
        """Lint all that was read; every problem, in the order of the files."""
        for folder, first in self._folders.items():
            self._folder(folder, first)
        for path, model in self._models.items():
            self._errors[path] += self._lint(model, path)
        for name, count in sorted(self._absent.items()):
            files = f"{count} file{'' if count == 1 else 's'}"
            self._note(f"knowledge {name}: not at hand; {files} checked without it (--knowledge PATH gives it)")
        return [e for errors in self._errors.values() for e in errors]

    def _lint(self, model: Record, path: Path) -> Iterable[DataError]:
        if isinstance(model, Scenario):
            faults = Faults(path)
            knowledge = self._referred(model.knowledge, faults)
            return faults.errors + check_scenario(model, knowledge, self._hospital(model), path)
        if isinstance(model, Persona):
            return check_persona(model, self._neutral(), self._general(), path)
        if isinstance(model, Hospital):
            faults = Faults(path)
            return faults.errors + check_hospital(model, self._referred(model.knowledge, faults), path)
        if isinstance(model, Knowledge):
            faults = Faults(path)
            lint_knowledge(model, faults)
            return faults.errors
        if isinstance(model, Rubric):
            return check_rubric(model, path)
        return check_plan(model, path) if isinstance(model, Plan) else ()  # the rest is whole when it loads

    def _folder(self, folder: Path, first: Path) -> None:
        """A knowledge in several files."""
        found = self._read_knowledge(folder)
        if isinstance(found, ConsultError):
            errors = found.errors if isinstance(found, DataErrors) else (found,)
            self._errors[first] += [e for e in errors if isinstance(e, DataError)]
            return
        self._at_hand.setdefault(found[0].id, folder)
        place = _Folder(found[1])
        lint_knowledge(found[0], place)
        for path, faults in place.faults.items():
            self._errors.setdefault(path, []).extend(faults.errors)

    def _read_knowledge(self, path: Path) -> tuple[Knowledge, Origin] | ConsultError:
        key = path.resolve()
        if key not in self._knowledges:
            try:
                self._knowledges[key] = read_knowledge(path)
            except ConsultError as e:
                self._knowledges[key] = e
        return self._knowledges[key]

    def _whole(self, data: Any, path: Path) -> Path | None:
        """The folder of knowledge, its own or the one above, that makes this file whole; None if it stands alone."""
        if not isinstance(data, dict) or data.keys() >= WHOLE_FIELDS:
            return None
        joined = []
        for folder in (path.parent, path.parent.parent):
            parts = _near(folder)
            if not 1 < len(parts) <= MAX_PARTS or not all(map(self._fields_of, parts)):
                break
            joined.append(folder)
            if frozenset[str]().union(*map(self._fields_of, parts)) >= WHOLE_FIELDS:
                return folder
        return joined[0] if joined else None

    def _fields_of(self, path: Path) -> frozenset[str]:
        if path not in self._fields:
            try:
                data = read_data(path)
                known = isinstance(data, dict) and kind_of(data, path) is Kind.KNOWLEDGE
                self._fields[path] = frozenset(map(str, data)) if known else frozenset()
            except (DataError, DataErrors):
                self._fields[path] = frozenset()
        return self._fields[path]

    def _general(self) -> Knowledge:
        return self._given or load_knowledge(GENERAL)

    def _referred(self, name: str, faults: Faults) -> Knowledge | None:
        """The knowledge that a file names; None, noted or said, where it cannot be had."""
        if self._given is not None:
            return self._given
        path = self._at_hand.get(name)
        try:
            if path is None and name in knowledge_names():
                return load_knowledge(name)
            found = self._read_knowledge(path or find_knowledge(name))
        except UsageError:
            mend = near(name, knowledge_names())
            if mend.startswith("did you mean") or not is_plain_id(name) or Path(name).suffix in SUFFIXES:
                faults.add(("knowledge",), f"there is no knowledge {name}", mend)
            else:
                self._absent[name] += 1
            return None
        except ConsultError as e:
            found = e
        if isinstance(found, ConsultError):
            faults.add(("knowledge",), f"the knowledge {name} cannot be loaded", "`consult check` on it says why")
            return None
        return found[0]

    def _hospital(self, scenario: Scenario) -> Hospital | None:
        """The general hospital, whose names a scenario uses; of another knowledge also one that was written for it."""
        general = self._loaded(hospital_files().get(DEFAULT), Hospital)
        if general is None or scenario.knowledge == GENERAL or _has(general, scenario.gold.department):
            return general
        for path in [*self._models, *hospital_files().values()]:
            other = self._loaded(path, Hospital)
            if other is not None and other.knowledge == scenario.knowledge and _has(other, scenario.gold.department):
                return other
        return general

    def _neutral(self) -> Persona | None:
        return self._loaded(persona_files().get(NEUTRAL), Persona)

    def _loaded(self, path: Path | None, model: type[_M]) -> _M | None:
        """A file that others refer to; None if it is not there or not of that kind."""
        if path is None:
            return None
        if path not in self._models and path not in self._errors:
            try:
                self._others[path] = self._others.get(path) or load(path, model)
            except ConsultError:
                return None
        found = self._models.get(path) or self._others.get(path)
        return found if isinstance(found, model) else None


def _has(hospital: Hospital, department: Department) -> bool:
    return hospital.parent_of.get(department.secondary) == department.primary


def _near(folder: Path) -> list[Path]:
    """The data files of a folder and of those just below it, as far as a knowledge may have them."""
    found: list[Path] = []
    with suppress(OSError):
        for place in (folder, *sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())):
            found += [p for p in sorted(place.iterdir()) if p.suffix in SUFFIXES and not p.name.startswith(".")]
            if len(found) > MAX_PARTS:
                break
    return found
