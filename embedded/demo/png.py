"""Small grey pictures as PNG, in the few lines that takes."""

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(grey: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture (height, width) of grey values, 0 = black, as a PNG file."""
    height, width = grey.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in grey)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")


def data_uri(scan: npt.NDArray[np.float32], ink: float = 16.0) -> str:
    """Return a square scan (flat, ``ink`` = black) as an address that holds the picture itself."""
    side = round(len(scan) ** 0.5)
    grey = (255 - np.clip(scan / ink, 0, 1) * 255).astype(np.uint8).reshape(side, side)
    return "data:image/png;base64," + base64.b64encode(png(grey)).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
