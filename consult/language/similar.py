"""Likeness of meaning by small static word vectors: the last resort of the resolver, and an optional extra.

The vectors are wordllama's (MIT), which carries them in its package: nothing is fetched. The only home of wordllama, which
is loaded only where the embedding resolver was asked for. Sums are made in double precision and rounded, so that
the same package gives the same answer on any machine. Knows nothing of scenarios.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from consult.errors import UsageError
from consult.knowledge.model import Finding, Knowledge, Source
from consult.knowledge.per_object import per_object
from consult.language.concepts import concepts
from consult.language.tokens import tokens

LIKE: Final = 0.55
"""Cosine from which a question is taken for another (ours, set on the development half)."""
LIKE_SENSITIVE: Final = 0.7
"""The same for a sensitive finding: better not understood than answered unasked."""
AHEAD: Final = 0.1
"""By how much it must be more like it than the best of any other finding."""
_PLACES: Final = 4

Vectors = npt.NDArray[np.float64]


def available() -> bool:
    """Whether the extra is installed; loads nothing."""
    return find_spec("wordllama") is not None


def require() -> None:
    """Raise UsageError if the extra is not installed."""
    if not available():
        raise UsageError(
            "--resolver: embedding needs wordllama (mend: pip install 'consult[embeddings]', or use lexicon)"
        )


@lru_cache(maxsize=1)
def _model() -> Any:
    require()
    import wordllama

    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def _vectors(texts: Sequence[str]) -> Vectors:
    """Unit vectors, one row a text."""
    raw = np.asarray(_model().embed(list(texts)), dtype=np.float64)
    length = np.linalg.norm(raw, axis=1, keepdims=True)
    return np.asarray(raw / np.maximum(length, 1e-9))


def _bank(knowledge: Knowledge) -> tuple[tuple[str, ...], Vectors]:
    said = [
        (text, f.id)
        for f in knowledge.findings
        if f.source is Source.HISTORY
        for text in (*f.questions, *f.heard, f.plain, *f.synonyms)
    ]
    return tuple(owner for _, owner in said), _vectors([text for text, _ in said])


_banks = per_object(_bank)
"""What each finding is called, as vectors; made once per knowledge."""


def _names(question: str, finding: Finding) -> bool:
    said = concepts(tokens(question))
    return bool(set(said).intersection(concepts(tokens(finding.plain))))


def nearest(question: str, knowledge: Knowledge) -> list[str]:
    """The finding that a question is most like, if it is like enough and clearly more so than any other."""
    owners, bank = _banks(knowledge)
    best: dict[str, float] = {}
    for owner, score in zip(owners, np.round(bank @ _vectors([question])[0], _PLACES), strict=True):
        best[owner] = max(best.get(owner, -1.0), float(score))
    (first, top), *rest = sorted(best.items(), key=lambda x: -x[1])
    if rest and top - rest[0][1] < AHEAD:
        return []
    parent = knowledge.finding[first].parent
    if parent is not None and not _names(question, knowledge.finding[parent]):
        return []  # "Is it on one side?" asks of what only the dialogue can tell
    enough = LIKE_SENSITIVE if knowledge.finding[first].sensitive else LIKE
    return [first] if top >= enough else []
