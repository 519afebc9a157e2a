"""What an inquirer says to the patient, out of the object that its model is still writing. Imports nothing of sim."""

from __future__ import annotations

import json
import re
from typing import Final

from consult.clean import clean
from consult.llm.base import OnText

_SAID: Final = re.compile(r'"(?:text|explanation)"\s*:\s*"')
"""The fields of an action that the patient hears first."""
_STRING: Final = re.compile(r'(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_LONGEST: Final = 4000


class Spoken:
    """Hears an object piece by piece, and tells on the words that are said, as far as they have come."""

    def __init__(self, hear: OnText) -> None:
        self._hear = hear
        self._written = ""
        self._told = 0

    def __call__(self, piece: str | None) -> None:
        """See `OnText`."""
        if piece is None:
            self._written, self._told = "", 0
            self._hear(None)
            return
        if len(self._written) > _LONGEST:
            return
        self._written += piece
        begun = _SAID.search(self._written)
        if begun is None:
            return
        whole = _STRING.match(self._written, begun.end())
        said = clean(json.loads(f'"{whole[0]}"')) if whole else ""
        if len(said) > self._told:
            self._hear(said[self._told :])
            self._told = len(said)
