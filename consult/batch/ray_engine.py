"""The engine of a Ray cluster: cells are played on its nodes; this process, the driver, keeps what comes back.

Owns the cluster's connection, what travels to a node, and what is done when a process or a node is lost; the only home of
ray, which is imported when an engine is made and not before. Knows no database.

What a consultation depends on travels with it, so that nodes need no disk of the driver's, only the same consult: a cell is
pickled without its scenario, persona, hospital and knowledge; these lie in the object store, fetched once by each node and
unpickled once by each process.

Where models play, their answers are kept by one process on the driver's machine (`ray_ledger`).
"""

from __future__ import annotations

import os
import socket
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from hashlib import sha256
from io import BytesIO
from itertools import chain
from pickle import Pickler, Unpickler
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from consult.agents.llm.spec import prompt_hashes
from consult.agents.llm.talk import hang_up, keep_in
from consult.batch.cells import Cells
from consult.batch.playing import Engine, Played, Stop, play_cell
from consult.batch.ray_ledger import Far, keeper_of
from consult.batch.workers import AHEAD, TRIES
from consult.clean import one_line
from consult.errors import InfrastructureError, UsageError
from consult.files import Record
from consult.hospital import Hospital
from consult.knowledge.model import Knowledge
from consult.knowledge.per_object import content_hash
from consult.persona import Persona
from consult.scenario import Scenario
from consult.settings import PACKAGE

if TYPE_CHECKING:
    from consult.sim.session import Setup

LOCAL: Final = "local"
"""The address of a cluster that is started on this machine and stopped again."""
BEAT: Final = 1.0
"""Seconds after which the cluster is looked at again while nothing comes back."""
PATIENCE: Final = 120.0
"""Seconds that a cluster may be without any core: one that grows on demand needs time."""
KEPT: Final = 256
"""Pieces of content that the driver keeps in the object store, and a process unpickled."""
_HELLO: Final = 5.0
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def on_ray(address: str | None = None, *, jobs: int | None = None) -> Engine:
    """An engine that plays on the cluster at `address`: `host:port`, `auto` (one that runs on this machine), `local`.

    None: RAY_ADDRESS, or local. `jobs`: cells in flight at the most; for local, its processes. None: all cores there are.
    Raises UsageError if ray is not installed or the address cannot be one.
    """
    address = address or os.environ.get("RAY_ADDRESS") or LOCAL
    if "://" in address:
        mend = "give host:port of the head node, and run this on a node of the cluster"
        raise UsageError(f"--ray-address: {one_line(address, limit=80)!r} is not for batches (mend: {mend})")
    if address.rpartition(":")[0].strip("[]") in _LOOPBACK or address == LOCAL:
        # read when ray is imported: stay on the loopback interface, where Ray else puts this machine's own address
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    try:
        import ray
    except ImportError:
        mend = "pip install 'consult[ray]', or use --engine local"
        raise UsageError(f"--engine: ray is not installed (mend: {mend})") from None
    return partial(_played_on, ray=ray, address=address, jobs=jobs)


def _played_on(
    cells: Cells, missing: Iterator[int], stop: Stop, *, ray: Any, address: str, jobs: int | None
) -> Iterator[Played]:
    """Raises UsageError if there is no cluster or its nodes have another consult, InfrastructureError if it is lost."""
    first = None if stop() else next(missing, None)
    if first is None:
        return  # a cluster is not started for nothing
    with _cluster(ray, address, jobs):
        keeper = keeper_of(ray, cells.models.ledger) if cells.models.ledger else None
        flight = _Flight(ray, cells, chain((first,), missing), jobs, keeper)
        while True:
            flight.fill(stop)
            if not flight.indices:
                return
            yield from flight.landed()


class _Flight:
    """The cells that are on the cluster: bounded in number, each played again if its process or node is lost."""

    def __init__(self, ray: Any, cells: Cells, todo: Iterator[int], jobs: int | None, keeper: Any = None) -> None:
        self.indices: dict[Any, int] = {}
        """The cell of each task that has not come back."""
        self._ray, self._cells, self._todo, self._jobs = ray, cells, todo, jobs
        self._play = ray.remote(num_cpus=1, max_retries=0)(_play)
        self._sender, self._keeper = _Sender(ray.put), keeper
        self._again, self._tries = deque[int](), Counter[int]()
        self._seen = monotonic()
        self._look()

    def _look(self) -> None:
        """Cores come and go with nodes."""
        cores = int(self._ray.cluster_resources().get("CPU", 0))
        if cores:
            self._seen = monotonic()
        elif monotonic() - self._seen > PATIENCE:
            raise InfrastructureError("the Ray cluster has no core left (mend: start a node; the same command goes on)")
        self._room = min(max(AHEAD * cores, 1), self._jobs or AHEAD * cores or 1)

    def fill(self, stop: Stop) -> None:
        """Send cells until there are as many as the cluster can have use for."""
        while len(self.indices) < self._room and not stop():
            index = self._again.popleft() if self._again else next(self._todo, None)
            if index is None:
                return
            sent = self._sender.sent(self._cells, index)
            self.indices[self._play.remote(index, _code(), self._keeper, *sent)] = index

    def landed(self) -> Iterator[Played]:
        """What has come back since, if anything."""
        done, _ = self._ray.wait(list(self.indices), num_returns=1, timeout=BEAT)
        if not done:
            self._look()
        for task in done:
            index = self.indices.pop(task)
            try:
                yield self._ray.get(task)
            except self._ray.exceptions.RayError as e:
                self._look()
                failed = self._lost(index, e)
                if failed is not None:
                    yield failed

    def _lost(self, index: int, error: Exception) -> Played | None:
        """Send a cell again whose process or node is lost; it has failed if that happens too often."""
        names = ("WorkerCrashedError", "NodeDiedError", "OutOfMemoryError", "ObjectLostError")
        cause = getattr(error, "cause", None)
        outlived = isinstance(cause, OSError) and cause.errno is None  # Ray's own: the node went before the process did
        if not outlived and not isinstance(error, tuple(getattr(self._ray.exceptions, name) for name in names)):
            raise _unusable(error) from None
        self._tries[index] += 1
        if self._tries[index] < TRIES:
            self._again.append(index)
            return None
        return Played(index, None, problem=f"its process or node died {TRIES} times ({type(error).__name__})")


def _unusable(error: Exception) -> UsageError | InfrastructureError:
    """A task that could not even begin: the node has no consult, or another; else the cluster itself is at fault."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, _OtherCode):
        return UsageError(f"--engine: {cause}")
    text = str(error).strip().splitlines()
    if "No module named" in str(error):
        mend = "pip install the same consult[ray] on every node"
        return UsageError(f"--engine: a node of the Ray cluster cannot play: {one_line(text[-1])} (mend: {mend})")
    return InfrastructureError(f"the Ray cluster failed: {one_line(text[-1] if text else type(error).__name__)}")


@contextmanager
def _cluster(ray: Any, address: str, jobs: int | None) -> Iterator[None]:
    """The connection, unless this process has one; a local cluster lives as long as it does."""
    if ray.is_initialized():
        yield
        return
    from ray._private import worker

    # Ray prints what it thinks of lost nodes on stdout, where the results go, and has no setting against it
    loud = getattr(worker, "_worker_logs_enabled", True)
    worker._worker_logs_enabled = False
    try:
        _connect(ray, address, jobs)
        yield
    finally:
        ray.shutdown()
        worker._worker_logs_enabled = loud


def _connect(ray: Any, address: str, jobs: int | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    own = {"num_cpus": jobs, "include_dashboard": False} if address == LOCAL else {}
    _reach(address)
    try:
        ray.init(address=address, **quiet, **own)
    except (ConnectionError, RuntimeError, ValueError, OSError, SystemExit) as e:  # Ray gives up by ending the process
        text = one_line(" ".join(str(e).split()), limit=300)
        if "ersion mismatch" in text:
            mend = "install the cluster's versions of ray and Python here"
            raise UsageError(f"--ray-address: {text} (mend: {mend})") from None
        mend = "check the address; `ray start --head` starts a cluster"
        raise UsageError(f"--ray-address: no Ray cluster at {address}: {text} (mend: {mend})") from None


def _reach(address: str) -> None:
    """Whether anybody listens at host:port: Ray itself takes two minutes to find that out, and ends the process."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_HELLO).close()
    except (OSError, ValueError, OverflowError) as e:
        why = getattr(e, "strerror", None) or "it does not answer"
        mend = "check the address; `ray start --head` starts a cluster"
        shown = one_line(address, limit=80)
        raise UsageError(f"--ray-address: no Ray cluster at {shown}: {one_line(why)} (mend: {mend})") from None


class _Sender:
    """Makes cells into what is sent: the cell without its content, and where the content lies."""

    def __init__(self, put: Any) -> None:
        self._put = put
        self._lies: OrderedDict[str, Any] = OrderedDict()

    def sent(self, cells: Cells, index: int) -> tuple[bytes, dict[str, Any]]:
        """Bytes of `index`'s setup and the object of each piece of content in it, or why there is no setup."""
        places: dict[str, Any] = {}
        found: Any
        try:
            found = cells[index]
            _ = found.cell  # with it travel the keys and the provenance: they are the driver's
        except Exception as e:  # a file that was changed or removed
            found = f"{type(e).__name__}: {e}"
        out = BytesIO()
        _Pickler(out, partial(self._aside, places)).dump(found)
        return out.getvalue(), places

    def _aside(self, places: dict[str, Any], part: Record) -> str:
        key = content_hash(part)
        if key not in self._lies:
            self._lies[key] = self._put(part)
            if len(self._lies) > KEPT:
                self._lies.popitem(last=False)  # those in flight hold it as long as they need it
        self._lies.move_to_end(key)
        places[key] = self._lies[key]
        return key


class _Pickler(Pickler):
    """Writes a key in the place of each piece of content."""

    def __init__(self, out: BytesIO, aside: Callable[[Record], str]) -> None:
        super().__init__(out, protocol=5)
        self._aside = aside

    def persistent_id(self, obj: Any) -> str | None:
        return self._aside(obj) if isinstance(obj, (Scenario, Persona, Hospital, Knowledge)) else None


class _Unpickler(Unpickler):
    """Reads what `_Pickler` wrote."""

    def __init__(self, sent: bytes, places: Mapping[str, Any]) -> None:
        super().__init__(BytesIO(sent))
        self._places = places

    def persistent_load(self, pid: str) -> Any:
        return _held(pid, self._places[pid])


class _OtherCode(Exception):
    """A node has another consult than the driver."""


def _play(index: int, code: str, keeper: Any, sent: bytes, places: Mapping[str, Any]) -> Played:
    """What a node does with a cell. Raises _OtherCode if it might play it otherwise than the driver would."""
    if _code() != code:
        mend = "install the same version on every node"
        raise _OtherCode(f"node {socket.gethostname()} has another consult than this machine (mend: {mend})")
    found: Setup | str = _Unpickler(sent, places).load()
    if isinstance(found, str):
        return Played(index, None, problem=found)
    if not prompt_hashes(found.line_up).items() <= found.provenance.prompts.items():
        mend = "let CONSULT_PATH name the same prompts on every node"
        raise _OtherCode(f"node {socket.gethostname()} has other prompts than this machine (mend: {mend})")
    if keeper is not None:
        import ray

        keep_in(found.models, Far(ray, keeper))
    try:
        return play_cell(cast(Cells, {index: found}), index)
    finally:
        hang_up()  # the next cell may come with another keeper


_HELD: Final[OrderedDict[str, Any]] = OrderedDict()
"""Content that this process has unpickled, by hash."""


def _held(key: str, place: Any) -> Any:
    if key not in _HELD:
        import ray

        _HELD[key] = ray.get(place)
        if len(_HELD) > KEPT:
            _HELD.popitem(last=False)
    _HELD.move_to_end(key)
    return _HELD[key]


@cache
def _code() -> str:
    """sha256 of this package's modules: the version alone does not tell a checkout from another."""
    files = sorted(PACKAGE.rglob("*.py"))
    parts = (f"{p.relative_to(PACKAGE).as_posix()} {sha256(p.read_bytes()).hexdigest()}\n" for p in files)
    return sha256("".join(parts).encode()).hexdigest()
