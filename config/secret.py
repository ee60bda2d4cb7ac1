"""The signing key of an installation that was given none."""

import os
import secrets
from pathlib import Path


def secret_key_of(home: Path) -> str:
    """Return the installation's signing key, made once and kept readable by its owner only.

    Several hosts must share one key: give them ``SECRET_KEY`` in the environment instead.
    """
    path = home / "secret_key"
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return _read(path)


def _read(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < 40:
        raise RuntimeError(f"{path} holds {len(key)} characters, a signing key needs 40: delete it or set SECRET_KEY.")
    return key
