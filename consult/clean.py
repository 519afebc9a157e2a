"""Text from outside made safe to store and show: no terminal control, no hidden direction marks.

Imports nothing of consult.
"""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI … final byte
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, SOS, PM, APC strings
    r"|\x1b[ -/]*[0-~]?"  # every other escape sequence
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one C1 byte
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 (but tab, newline), DEL, C1
    "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"  # direction marks, embeddings, overrides, isolates
    "\u2028\u2029\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"  # separators, BOM, tags, lone surrogates
)
_SAFE = re.compile(r"[\x20-\x7e\n]*\Z")


def clean(text: str, *, limit: int | None = None) -> str:
    """`text` without escape sequences, control characters and direction overrides; cut to `limit` characters.

    Newlines are kept, tabs become a space. A cut text ends in "…".
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    if _SAFE.match(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", _ESCAPES.sub("", text)).replace("\t", " ")


def one_line(text: str, *, limit: int = 500) -> str:
    """`clean` text on one line, for messages and tables."""
    return " ".join(clean(text[: limit * 4]).split())[:limit]
