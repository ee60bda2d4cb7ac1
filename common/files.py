"""Result files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write all files beside their places first, then move each there; folders are created where missing.

    Raises
    ------
    OSError
        When a file cannot be written; those already in place stay as they were unless all could be written.
    """
    staged: list[tuple[str, Path]] = []
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
            staged.append((name, path))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
        for name, path in staged:
            os.replace(name, path)
    finally:
        for name, _ in staged:
            Path(name).unlink(missing_ok=True)
