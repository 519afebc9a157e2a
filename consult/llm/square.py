"""A picture of one colour, made of nothing: to see whether a model has eyes, and to show one that shows nothing. Pure."""

from __future__ import annotations

import struct
import zlib


def square(red: int, green: int, blue: int, *, side: int) -> bytes:
    """A PNG of `side` by `side` points in one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes((red, green, blue)) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
