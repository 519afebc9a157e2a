"""Who played a role, and from which event on: an agent, a human, or both by turns. Reads events only.

A header names who played each role; where a human took over or handed back in the middle, it says so (`reference+human`),
and the `change` events say from where to where. Must not import sim or agents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from consult.events import Changed, Event

HUMAN: Final = "human"
DOCTOR: Final = "inquirer"
PATIENT: Final = "patient"
SEATS: Final = (DOCTOR, PATIENT)
"""The roles that a human can play."""
_BOTH: Final = f"+{HUMAN}"


def both(agent: str) -> str:
    """The spec of a role that this agent and a human played by turns."""
    return f"{agent}{_BOTH}"


def agent_of(spec: str) -> str:
    """The agent of such a spec; any other spec is its own."""
    return spec.removesuffix(_BOTH)


def player(agents: Mapping[str, str], events: Iterable[Event], role: str, seq: int) -> str:
    """Who plays a role at the event `seq`; `agents` are the header's.

    Before a change, who it names as the one before; behind the last, who it names from there on.
    """
    changes = [e for e in events if isinstance(e, Changed) and e.what == role]
    for e in reversed(changes):
        if e.seq < seq:
            return e.now
    return changes[0].before if changes else agents.get(role, "")
