"""Keys kept out of everything that is written or shown. Imports nothing of consult."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "[key]"
_SHAPES: Final = re.compile(
    r"(?i)(\b(?:bearer|basic)\s+)[\w.~+/=*-]{4,}"
    r"|(\b(?:x-api-key|api[-_ ]?key|authorization|access[-_]?token)[\"']?\s*(?:[:=]|provided:?|is)\s*[\"']?)"
    r"(?!bearer\b|basic\b)[\w.~+/=*-]{4,}"
    r"|([?&](?:key|token|secret|password|sig|signature)=)[^&\s]+|(://)[^/\s@]+(?=@)"
    r"|\b(?:sk|pk|gsk|hf|xai|ghp|AIza)[-_]?[\w*-]{12,}"
)
"""What keys look like: behind their usual names, in addresses, or by the prefixes that providers give them."""
_PART: Final = 8
"""Letters of a secret from which its beginning is hidden, too."""


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` without the given secrets, wherever they stand. Cheap: for the words of a model, which are otherwise kept."""
    for secret in secrets:
        if secret and secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets and without whatever looks like a key: for a server's errors."""
    whole = tuple(secrets)
    text = without(text, whole)
    for secret in whole:  # a text that was cut may hold the beginning of one
        n = next((n for n in range(len(secret) - 1, _PART - 1, -1) if secret[:n] in text), 0)
        text = text.replace(secret[:n], HIDDEN) if n else text
    return _SHAPES.sub(lambda m: f"{m[1] or m[2] or m[3] or m[4] or ''}{HIDDEN}", text)
