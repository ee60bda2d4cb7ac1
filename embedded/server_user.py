"""Whom PostgreSQL runs as: it refuses to run as root, so root lends it an existing unprivileged user."""

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class ServerUser:
    """A user and group to run a server as."""

    uid: int
    gid: int

    def own(self, folder: Path) -> None:
        """Give the user a folder of its own."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(folder, self.uid, self.gid)


def server_user(effective_uid: int, candidates: Sequence[str] = CANDIDATES) -> ServerUser | None:
    """Return the user to switch to, or None when we are not root and stay who we are."""
    if effective_uid != 0:
        return None
    entry = next((entry for name in candidates if (entry := _entry(name)) is not None), None)
    if entry is None:
        raise RuntimeError(
            f"PostgreSQL cannot run as root and this system has none of the users {', '.join(candidates)}."
        )
    return ServerUser(entry.pw_uid, entry.pw_gid)


def is_reachable_by_others(path: Path) -> bool:
    """Return whether any user may walk down to the path and, if it is a file, read and run it."""
    if path.is_file() and path.stat().st_mode & 0o005 != 0o005:
        return False
    return all(folder.stat().st_mode & 0o001 for folder in (path if path.is_dir() else path.parent, *path.parents))


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
