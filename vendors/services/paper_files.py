"""The files of papers: streamed to storage under a cap, their kind told from their bytes, their checksum ours."""

import contextlib
import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import fsspec
from django.conf import settings

from common.actors import Actor
from common.errors import NotFoundError, ValidationFailedError
from common.ids import uuid7
from vendors.core import media
from vendors.models import VendorDocument
from vendors.selectors import vendors
from vendors.services import documents
from vendors.services.documents import DocumentInput

_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in storage: where, its SHA-256 and its kind."""

    url: str
    sha256: str
    media_type: str


def hand_in(*, actor: Actor, document: DocumentInput, chunks: Iterable[bytes]) -> VendorDocument:
    """Hand a paper in with its file; ``uri`` and ``sha256`` of the input are not looked at.

    The file is written before the row, outside any transaction; where the row is refused, the file is removed.

    Raises
    ------
    ValidationFailedError
        When the file is empty, too large or neither PDF, PNG nor JPEG; or the paper breaks a rule of
        `documents.hand_in`.
    ConflictError
        When the same file was handed in for the same capability before.
    """
    actor.require("vendor:write")
    stored = _store(vendors.own(actor).pk, chunks)
    filed = replace(document, uri="", sha256=stored.sha256, file_url=stored.url, media_type=stored.media_type)
    try:
        return documents.hand_in(actor=actor, document=filed)
    except BaseException:
        _remove(stored.url)
        raise


def read(document: VendorDocument) -> Iterator[bytes]:
    """Return the parts of a paper's file.

    Raises
    ------
    NotFoundError
        When the paper has no file with us, or storage has lost it.
    """
    if not document.file_url:
        raise NotFoundError("This paper has no file here.")
    filesystem, path = fsspec.core.url_to_fs(document.file_url)
    try:
        file = filesystem.open(path, "rb")
    except FileNotFoundError:
        raise NotFoundError("The file is no longer there; ask for it to be handed in anew.") from None
    return _parts(file)


def _parts(file: fsspec.core.OpenFile) -> Iterator[bytes]:
    with file:
        while part := file.read(_CHUNK):
            yield part


def _store(vendor_id: uuid.UUID, chunks: Iterable[bytes]) -> Stored:
    url = f"{settings.DOCUMENT_STORAGE_URL}/{vendor_id}/{uuid7()}"
    filesystem, path = fsspec.core.url_to_fs(url)
    filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
    digest, head, n_bytes = hashlib.sha256(), b"", 0
    try:
        with filesystem.open(path, "wb") as file:
            for chunk in chunks:
                head = head if len(head) >= media.HEAD else (head + chunk)[: media.HEAD]
                n_bytes += len(chunk)
                _check(head, n_bytes)
                digest.update(chunk)
                file.write(chunk)
        media_type = media.sniffed(head)
        if media_type is None:
            raise _refused("Choose a PDF, PNG or JPEG file; this is none.", "unknown_type")
    except BaseException:
        _remove(url)
        raise
    return Stored(url, digest.hexdigest(), media_type)


def _check(head: bytes, n_bytes: int) -> None:
    """Refuse a file as soon as it can be told that it will not do."""
    if len(head) >= media.HEAD and media.sniffed(head) is None:
        raise _refused("Choose a PDF, PNG or JPEG file; this is none.", "unknown_type")
    if n_bytes > settings.DOCUMENT_MAX_BYTES:
        most = settings.DOCUMENT_MAX_BYTES // 1024**2
        raise _refused(f"A paper has {most} MiB at most; scan it with fewer dots.", "too_large")


def _refused(detail: str, code: str) -> ValidationFailedError:
    return ValidationFailedError.of("file", code, detail)


def _remove(url: str) -> None:
    filesystem, path = fsspec.core.url_to_fs(url)
    with contextlib.suppress(FileNotFoundError):
        filesystem.rm(path)
