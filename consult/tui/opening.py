"""Which screen a choice opens: a consultation that is kept, or one that happens; and the form in which it is chosen.

Imports the screens when one is opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consult.tui.app import ConsultApp
    from consult.tui.consultation import Consultation
    from consult.tui.feed import Choice


def kept(db: Path, identifier: str) -> Consultation:
    """A consultation again."""
    from consult.tui.consultation import Consultation
    from consult.tui.feed import Kept

    return Consultation(Kept.of(db, identifier))


def started(app: ConsultApp, choice: Choice) -> Consultation:
    """A new one, or one that goes on; of one that is being played already, what happens there."""
    from consult.tui.playing import Playing
    from consult.tui.table import Table

    key = json.dumps(choice, sort_keys=True)
    app.tables = {k: t for k, t in app.tables.items() if t.going}
    return Playing(app.tables.setdefault(key, Table(app.db, choice)))


def chosen(app: ConsultApp, given: Choice, problem: str = "") -> None:
    """Asks who meets whom, then begins; what cannot be begun leads back to the form, filled in as it was."""
    from consult.tui.start import Start

    def begin(choice: Choice | None) -> None:
        if choice is not None:
            screen = started(app, choice)
            app.push_screen(screen, lambda _: chosen(app, choice, screen.unbegun) if screen.unbegun else None)

    app.push_screen(Start(given, problem), begin)
