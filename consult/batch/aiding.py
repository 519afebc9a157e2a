"""What a plan's inquirers are given beside what is said: the files read once, and where the pictures of each case are.

Owns whose pictures take the place of a case's own in the control `wrong-image`. Must not import sim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from consult.agents.llm.aids import Aids, Album, Contents
from consult.agents.llm.briefing import read_briefing
from consult.agents.llm.classifiers import classifier_of
from consult.agents.llm.pictures import Picture, pictures_of
from consult.agents.llm.spec import IMAGE, PREFIX, WRONG, parse
from consult.batch.plan import Plan
from consult.errors import ConsultError, UsageError
from consult.files import Stamp, stamp
from consult.scenario import Scenario, load_scenario, scenario_files
from consult.seeds import seed_of


class Place(NamedTuple):
    """Where the pictures of a scenario are; names and hashes, no pictures."""

    own: Path
    """Its file."""
    others: Path | None = None
    """The file of the scenario whose pictures take their place."""
    contents: Contents = Contents()

    def album(self) -> Album:
        """The pictures, read. Raises DataError or DataErrors if a file has changed for the worse since."""
        return Album(_pictures(self.own), _pictures(self.others) if self.others is not None else ())


@lru_cache(maxsize=32)
def _pictures(path: Path) -> tuple[Picture, ...]:
    return pictures_of(load_scenario(path), path)


def aids_of(plan: Plan) -> Aids:
    """The aids that a plan names. Raises UsageError, DataError or DataErrors where one cannot be used."""
    seed = plan.seed
    classifier = classifier_of(plan.classifier, k=plan.top_k, seed=seed) if plan.classifier else None
    return Aids(read_briefing(plan.persona_prompt, plan.few_shot), classifier, plan.top_k, plan.vision)


def places(plan: Plan, aids: Aids, files: Iterable[tuple[str, Path]], extra: tuple[Path, ...] = ()) -> dict[str, Place]:
    """Where the pictures are of each scenario that has some and whose pictures are looked at, by its hash.

    `files`: hash and file of each scenario of the plan; `extra`: folders that are searched beside the usual ones for the
    pictures of others. Raises DataErrors where a picture cannot be used, UsageError where there is no other.
    """
    specs = (one.inquirer for one in plan.team)
    modes = {parse("inquirer", spec).pictures for spec in specs if spec.startswith(PREFIX)}
    if not (modes & {IMAGE, WRONG} or aids.looks):
        return {}
    _pictures.cache_clear()  # files may have changed since the last plan of this process
    known = dict(files)
    pool = {path.stem: path for path in known.values()} | scenario_files(extra) if WRONG in modes else {}
    out = {}
    for key, path in known.items():
        scenario = load_scenario(path)
        if scenario.images:
            others = _other(key, path, scenario, pool, plan.seed) if WRONG in modes else None
            place = Place(path, others)
            out[key] = place._replace(contents=place.album().contents)
    return out


def _other(key: str, path: Path, scenario: Scenario, pool: Mapping[str, Path], seed: int) -> Path:
    """The file whose pictures are shown instead: another condition's, drawn by seed, content and name, so that a case more
    changes few choices. Where a picture of the case's own can be seen, one of the other's can, too. Raises UsageError."""
    right = {scenario.gold.condition, *scenario.gold.alternatives}
    seen = any(p.image is not None for p in _pictures(path))
    for name in sorted(pool, key=lambda name: seed_of("wrong image", seed, key, name)):
        other = _candidate(pool[name], stamp(pool[name]))
        if other is None or right & {other.gold.condition, *other.gold.alternatives}:
            continue
        with suppress(ConsultError):  # another case's fault is not this plan's
            if not seen or any(p.image is not None for p in _pictures(pool[name])):
                return pool[name]
    what = f"{scenario.id} has no other case of another condition whose picture can be shown"
    raise UsageError(f"--pictures: {what} (mend: add cases with pictures, or choose another control)")


@lru_cache(maxsize=1024)
def _candidate(path: Path, seen: tuple[Stamp, ...]) -> Scenario | None:
    """The scenario in a file that looks so, if it has pictures; None also where it cannot be read."""
    with suppress(ConsultError):
        scenario = load_scenario(path)
        return scenario if scenario.images else None
    return None
