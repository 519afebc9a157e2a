"""A batch that goes on in a thread of this process while something else is done. Owns the thread; prints nothing.

It is the engine of `consult.batch.engine`, so everything is kept cell by cell: whatever ends the process loses nothing.
"""

from __future__ import annotations

import atexit
from pathlib import Path
from threading import Event, Thread
from typing import Final

from consult.batch.board import Place, place
from consult.batch.cells import Cells
from consult.batch.engine import execute
from consult.batch.plan import Plan
from consult.clean import one_line
from consult.errors import ConsultError
from consult.store.db import Store

WAIT: Final = 3.0
"""Seconds that the end of the process waits for what was begun; what is not done then is played another time."""


class Going:
    """A plan that is played; `start` it once."""

    def __init__(self, plan: Plan, cells: Cells, db: Path, *, jobs: int | None = None) -> None:
        self.plan, self.cells = plan, cells
        self.taken: set[Place] = set()
        """Begun and not kept yet."""
        self.raised: dict[Place, str] = {}
        """Why nothing is kept of a cell."""
        self.problem = ""
        """What ended it before its time."""
        self._db = db
        self._jobs = jobs
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"consult-batch-{plan.run}", daemon=True)

    def start(self) -> None:
        """Begins."""
        atexit.register(self._end)
        self._thread.start()

    def stop(self) -> None:
        """Nothing new is begun; what was begun is finished and kept."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return not self._thread.is_alive()

    def _end(self) -> None:
        self.stop()
        self._thread.join(WAIT)

    def _run(self) -> None:
        try:
            with Store(self._db) as store:
                self._play(store)
        except ConsultError as e:
            self.problem = one_line(str(e), limit=400)
        except Exception as e:  # a fault of a plug-in or of ours: it is said, and nothing else ends
            self.problem = one_line(f"internal error: {type(e).__name__}: {e}", limit=400)
        finally:
            atexit.unregister(self._end)
            self.taken.clear()

    def _play(self, store: Store) -> None:
        for done in execute(
            self.plan, self.cells, store, jobs=self._jobs, stop=self._stop.is_set, begun=self._begun
        ):  # fmt: skip
            here = place(self.cells, done.index)
            self.taken.discard(here)
            if done.status == "failed":
                self.raised[here] = one_line(done.problem, limit=300)

    def _begun(self, index: int) -> None:
        self.taken.add(place(self.cells, index))
