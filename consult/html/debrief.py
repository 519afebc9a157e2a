"""`consult debrief --html`: the debrief as a page, with the dialogue below it that every cited turn leads to.

What it says is `consult.debrief.words`'; owns where its links go. Must not import sim, agents or score.
"""

from __future__ import annotations

from typing import Final

from consult.debrief.model import Debrief
from consult.debrief.words import SIGNS, Row, sections, turn_words
from consult.html.consultation import Reader
from consult.html.page import render
from consult.show.names import Names
from consult.store.transcript import Transcript

_SAYS: Final = {"doctor": "Doctor", "patient": "Patient", "better": "Better"}


def page(transcript: Transcript, debrief: Debrief, names: Names) -> str:
    """The page. `names` gives the words for ids."""
    reader = Reader(transcript, names)

    def links(row: Row) -> list[tuple[int, str]]:
        """The beat that each cited place leads to, and the words of the link."""
        found = ((reader.cited((c.seq,)), turn_words(c)) for c in row.cites)
        return [(beats[0].seq, words) for beats, words in found if beats]

    return render(
        "debrief.html.jinja",
        scripts=("common.js",),
        reader=reader,
        header=reader.header,
        debrief=debrief,
        sections=sections(debrief),
        links=links,
        signs=SIGNS,
        says=_SAYS,
    )
