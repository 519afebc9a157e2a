"""A consultation in the terminal: printed from its events only, so that live, shown and replayed look the same.

With `consult.cli`, the only home of rich. Must not import sim, agents, score or textual.
"""

from consult.show.paint import Level, make_console
from consult.show.printer import EventPrinter

__all__ = ["EventPrinter", "Level", "make_console"]
