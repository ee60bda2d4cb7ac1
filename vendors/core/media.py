"""What kind of file something is, told from its first bytes: a name or a header may say anything."""

from typing import Final

HEAD: Final = 16
"""How many bytes are needed to tell."""
_STARTS: Final = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
ENDINGS: Final = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
"""How the name of a file of each kind ends."""


def sniffed(head: bytes) -> str | None:
    """Return the media type of a PDF, PNG or JPEG by its first bytes, None for anything else.

    >>> sniffed(b"%PDF-1.7 ..."), sniffed(b"<html>%PDF-")
    ('application/pdf', None)
    """
    return next((kind for start, kind in _STARTS.items() if head.startswith(start)), None)
