"""Pictures for tests, made of nothing, and cases that carry them: no clinical picture is anywhere in this project."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

from consult.files import dump_yaml, read_data
from consult.scenario import scenario_files
from consult.seeds import rng


def png(*key: object, width: int = 12, height: int = 8) -> bytes:
    """A PNG of coloured points drawn by the key: another key, another picture."""
    chance = rng("picture", *key)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + chance.randbytes(3 * width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    """The smallest file that begins like a GIF of that size."""
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x00\x00\x00;"


def jpeg(width: int, height: int) -> bytes:
    """The header of a JPEG of that size."""
    frame = struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9) + b"\xff\xc0" + frame + b"\xff\xd9"


def webp(width: int, height: int) -> bytes:
    """The header of a WebP of that size."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def case(folder: Path, of: str, picture: bytes | None = None, **image: Any) -> Path:
    """A built-in case in a folder of its own, with its picture beside it; `image`: other fields of its image."""
    data = read_data(scenario_files()[of])
    data["id"] = f"{of}_seen"
    data["images"][0] |= {"path": f"{of}.png"} | image
    folder.mkdir(parents=True, exist_ok=True)
    if picture is not None:
        (folder / f"{of}.png").write_bytes(picture)
    path = folder / f"{data['id']}.yaml"
    path.write_text(dump_yaml(data), "utf-8")
    return path
