"""Another future for the consultation on the screen, and the tree of those there are.

Owns what the keys for both do, as a part of the screen of a consultation. The store is read in a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import work

from consult.clean import one_line
from consult.errors import ConsultError
from consult.players import SEATS, agent_of
from consult.tui.opening import chosen, kept
from consult.tui.pick import Pick
from consult.tui.playback import Playback
from consult.tui.sources import Column, Row

if TYPE_CHECKING:
    from consult.report.branches import Branch
    from consult.tui.app import ConsultApp

_COLUMNS: Final = (
    Column("consultation", 22), Column("same to", 7, right=True), Column("then otherwise", 22, grows=True),
    Column("said", 18, spare=1, grows=True), Column("diagnosis", 9), Column("turns", 5, spare=4, right=True),
    Column("efficiency", 10, spare=2, right=True), Column("courtesy", 8, spare=3, right=True),
)  # fmt: skip


class Branching(Playback):
    """What can be done with the branches of a consultation."""

    app: ConsultApp

    @property
    def kept_as(self) -> str:
        """The id it is kept under; empty while it is not."""
        return ""

    def action_what_if(self) -> None:
        """Another future from the turn on the screen: who is to be otherwise is asked first."""
        t, parent = self.timeline, self.kept_as
        if t is None or not parent:
            self.app.notify("it can be forked when it is over and kept", timeout=3)
            return
        h = t.header
        given = {"scenario": h.scenario, "persona": h.persona, **{role: agent_of(h.agents.get(role, "reference")) for role in SEATS},
                 "hospital": h.hospital, "seed": str(h.seed), "parent": parent, "turn": str(t.turn(self.upto))}  # fmt: skip
        chosen(self.app, given)

    def action_branches(self) -> None:
        """The tree that this consultation is part of, and how each branch ended."""
        if self.kept_as:
            self._read_branches(self.kept_as)
        else:
            self.app.notify("it has branches when it is over and kept", timeout=3)

    @work(thread=True, group="branches")
    def _read_branches(self, identifier: str) -> None:
        from consult.report.branches import family
        from consult.store.db import Store

        try:
            with Store(self.app.db, readonly=True) as store:
                rows = [_row(b, here=b.id == identifier) for b in family(store, identifier)]
        except ConsultError as e:
            self.app.call_from_thread(self.app.tell, e)
            return
        self.app.call_from_thread(self._show_branches, rows)

    def _show_branches(self, rows: list[Row]) -> None:
        pick = Pick("Branches, and how each of them ended", _COLUMNS, rows, empty="It is not in the store.")
        self.app.push_screen(pick, self._picked_branch)

    def _picked_branch(self, row: Row | None) -> None:
        if row is not None:
            self.app.push_screen(kept(self.app.db, row.key))


def _row(b: Branch, *, here: bool) -> Row:
    from consult.report.branches import SCORES

    said = one_line(str(b.row["top"] or "—").replace("_", " "), limit=60)
    right = "—" if b.row["correct"] is None else "✓ right" if b.row["correct"] else "✗ wrong"
    scores = (b.row["scores"].get(name) for name in SCORES)
    shown = ("—" if value is None else f"{value:.2f}" for value in scores)
    stem = f"└{'──' * (b.depth - 1)} " if b.depth else ""
    tree = f"{stem}{b.id[:8]}{' ◂ here' if here else ''}"
    cells = (tree, b.after, b.changed or "—", said, right, b.row["turns"], *shown)
    return Row(b.id, cells, f"{tree} {b.changed} {said} {right}".casefold())
