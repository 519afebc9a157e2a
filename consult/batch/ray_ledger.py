"""The ledger of models' answers on a Ray cluster: one process on the driver's machine keeps it, the nodes ask and tell it.

So what a lost node had paid for is not paid again, nothing is merged, and one process alone writes the file. Handed ray by
`ray_engine`, which alone imports it.
"""

from __future__ import annotations

from typing import Any, cast

from consult.clean import one_line
from consult.errors import StoreError
from consult.llm.base import Answer
from consult.llm.ledger import Key, SqliteLedger


class Keeper:
    """The ledger's own process, on the driver's machine."""

    def __init__(self, path: str) -> None:
        self._ledger = SqliteLedger(path)

    def get(self, key: Key) -> Answer | None:
        """See `Ledger`."""
        return self._ledger.get(key)

    def put(self, key: Key, answer: Answer) -> None:
        """See `Ledger`."""
        self._ledger.put(key, answer)


def keeper_of(ray: Any, path: str) -> Any:
    """A keeper on the machine where this runs. Raises StoreError where the ledger cannot be used."""
    SqliteLedger(path).close()
    node = ray.get_runtime_context().get_node_id()
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(Keeper).remote(path)


class Far:
    """The ledger as a node has it: an answer is used when it is kept, not before."""

    def __init__(self, ray: Any, keeper: Any) -> None:
        self._ray, self._keeper = ray, keeper

    def get(self, key: Key) -> Answer | None:
        """See `Ledger`."""
        return cast("Answer | None", self._asked(self._keeper.get.remote(key)))

    def put(self, key: Key, answer: Answer) -> None:
        """See `Ledger`."""
        self._asked(self._keeper.put.remote(key, answer))

    def close(self) -> None:
        """See `Ledger`."""

    def _asked(self, call: Any) -> Any:
        try:
            return self._ray.get(call)
        except self._ray.exceptions.RayError as e:
            cause = getattr(e, "cause", None) or e
            what = f"{type(cause).__name__}: {one_line(str(cause), limit=200)}"
            raise StoreError(f"the ledger on the driver's machine cannot be used: {what} (mend: start again)") from None
