"""Scoring a run again, without running it: the scorers of now over the transcripts as they are kept.

A consultation is scored with the scenario, persona, hospital and knowledge it was played with, found by the hashes in
its header; never with others. Where one of them has changed or is gone, the scores are missing, and say why. Owns
finding that content. Must not import sim.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any, Final

from consult.agents.patient.speaker import spoken_by
from consult.batch.plan import Plan, scenario_paths
from consult.clean import one_line
from consult.errors import ConsultError, InfrastructureError
from consult.events import Changed, Event, Header
from consult.files import Record
from consult.hospital import Hospital, load_hospital
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge
from consult.knowledge.per_object import per_object
from consult.persona import Persona, load_persona
from consult.scenario import Scenario, load_scenario, scenario_files
from consult.score import Case, assess
from consult.score.audit import Teller
from consult.score.understanding import audited
from consult.settings import source_commit
from consult.store.db import Store
from consult.store.packed import unpacked
from consult.store.rows import Judged, Missing, dialogue, rejudged
from consult.store.transcript import loads
from consult.store.versions import ScoredBy, scorers

PAGE: Final = 200
"""Consultations read, scored and kept at a time: what a kill loses, and what is in memory."""
_hash = per_object(Record.content_hash, size=4096)


Found = tuple[Scenario, Persona, Hospital, Knowledge]


class Gone(Exception):
    """Content that a consultation was played with is not there any more."""


class Content:
    """The content that a run was played with: looked for under the names in its plan and in the transcripts."""

    def __init__(self, plan: Plan, folders: tuple[Path, ...] = ()) -> None:
        """`folders`: where scenarios are looked for first."""
        self._plan = plan
        self._files = scenario_files(folders)
        self._load = {  # read once: asking the disk each time whether anything changed costs a third of the scoring
            "scenario": lru_cache(maxsize=256)(load_scenario),
            "persona": lru_cache(maxsize=256)(load_persona),
            "hospital": lru_cache(maxsize=16)(load_hospital),
            "knowledge": lru_cache(maxsize=8)(load_knowledge),
        }
        self._named: list[Path] | None = None

    def of(self, header: Header) -> Found:
        """Scenario, persona, hospital and knowledge. Raises Gone."""
        plan = self._plan
        hashes = header.provenance
        scenario = self._found("scenario", header.scenario, hashes.scenario, self._scenarios(header.scenario))
        knowledges = dict.fromkeys((plan.knowledge or scenario.knowledge, header.knowledge))
        return (
            scenario,
            self._persona(header.persona, hashes.persona),
            self._found("hospital", header.hospital, hashes.hospital, (plan.hospital, header.hospital)),
            self._found("knowledge", header.knowledge, hashes.knowledge, knowledges),
        )

    def file_of(self, header: Header) -> Path:
        """The file of the scenario. Raises Gone."""
        for path in self._scenarios(header.scenario):
            with suppress(ConsultError):
                if _hash(self._load["scenario"](path)) == header.provenance.scenario:
                    return path
        raise Gone(f"the scenario {header.scenario} is not there")

    def tellers(self, found: Found, events: Iterable[Event]) -> tuple[Teller, ...]:
        """Who told what: before each change of the temperament, and at the end. Raises Gone, UsageError."""
        scenario, persona, _, knowledge = found
        changes = [e for e in events if type(e) is Changed and e.what == "persona"]
        people = [*(self._persona(e.before, e.content) for e in changes), persona]
        return tuple((p, spoken_by(scenario, p.speaker, knowledge)) for p in people)

    def _persona(self, name: str, wanted: str) -> Persona:
        found: Persona = self._found("persona", name, wanted, (name, *self._plan.personas))
        return found

    def _found(self, kind: str, name: str, wanted: str, places: Iterable[Any]) -> Any:
        """What has the hash that was kept of it. Raises Gone."""
        there = False
        for place in places:
            try:
                found: Any = self._load[kind](place)
            except ConsultError:
                continue
            if _hash(found) == wanted:
                return found
            there = there or found.id == name
        raise Gone(f"the {kind} {name} {'has changed since' if there else 'is not there'}")

    def _scenarios(self, name: str) -> Iterator[Path]:
        """Files that may hold a scenario: the one of its name, then all that the plan names."""
        if name in self._files:
            yield self._files[name]
        if self._named is None:
            try:
                self._named = scenario_paths(self._plan.scenarios)
            except ConsultError:
                self._named = []
        yield from self._named


def scored_again(blob: bytes, content: Content, by: ScoredBy) -> Judged | Missing:
    """What the scorers of now make of a transcript as it is kept."""
    try:
        transcript = loads(unpacked(blob, "transcript"), file="transcript")
        found, events = content.of(transcript.header), dialogue(transcript)
        *earlier, (persona, case) = content.tellers(found, events)
        _, _, hospital, knowledge = found
        marks = assess(Case(case, knowledge, hospital, events))
        marks += audited(events, case, knowledge, persona, transcript.header.provenance.resolver, earlier)
        return rejudged(transcript, marks, by)
    except (Gone, ConsultError) as e:
        return Missing(by, one_line(str(e)))


def rescore(store: Store, run: str, *, folders: tuple[Path, ...] = (), jobs: int = 1) -> Iterator[Counter[str]]:
    """Score what these scorers have not scored yet, page by page; gives, for each, why how many are missing ("": scored).

    What is kept is kept: the same call again goes on where a killed one ended. Raises InfrastructureError if a process
    dies, UsageError if there is no such run, StoreError if results cannot be kept.
    """
    plan = next((Plan.model_validate(r["plan"]) for r in store.runs() if r["name"] == run), Plan())
    last = 0
    with _scoring(plan, folders, jobs) as score:
        while page := store.unjudged(run, scorers(), after=last, limit=PAGE):
            results = score([blob for _, blob in page])
            store.judge(zip((number for number, _ in page), results, strict=True))
            yield Counter(r.reason if isinstance(r, Missing) else "" for r in results)
            last = page[-1][0]


Scored = Sequence[Judged | Missing]


@contextmanager
def _scoring(plan: Plan, folders: tuple[Path, ...], jobs: int) -> Iterator[Callable[[Sequence[bytes]], Scored]]:
    """A function that scores a page, in this process or in several."""
    if jobs == 1:
        content, by = Content(plan, folders), _by()
        yield lambda page: [scored_again(blob, content, by) for blob in page]
        return
    context = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(plan, folders)) as pool:
        try:
            yield lambda page: list(pool.map(_scored, page, chunksize=max(1, len(page) // (4 * jobs))))
        except BrokenProcessPool:
            raise InfrastructureError("a process of the scoring died; the same command goes on") from None


_content: list[tuple[Content, ScoredBy]] = []
"""Of a process of the pool: set once, when it starts."""


def _begin(plan: Plan, folders: tuple[Path, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    _content[:] = [(Content(plan, folders), _by())]


def _scored(blob: bytes) -> Judged | Missing:
    return scored_again(blob, *_content[0])


def _by() -> ScoredBy:
    return ScoredBy(scorers(), consult_version(), source_commit())


def consult_version() -> str:
    """The version of consult that is installed."""
    try:
        return version("consult")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
