"""Which screen a choice opens: a consultation that is kept, or one that happens. Imports the screens when one is opened."""

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
