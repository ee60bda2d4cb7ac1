"""A cap on what pages take, counted as it streams in: no form of ours needs more, whatever a header announces."""

from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

MAX_BYTES: Final = 65 * 1024 * 1024
"""A little more than the largest file that a form takes, which tells so beside its field."""
_OWN_CAPS: Final = "/api/"


class CappedUploads(FileUploadHandler):
    """Stop reading an upload to a page at the cap; the API counts its own."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.n_bytes = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Count, and pass the chunk on."""
        self.n_bytes += len(raw_data)
        is_counted = self.request is None or not self.request.path.startswith(_OWN_CAPS)
        if is_counted and self.n_bytes > MAX_BYTES:
            raise RequestDataTooBig(f"A form takes {MAX_BYTES // 1024**2} MiB at most.")
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers that follow."""
