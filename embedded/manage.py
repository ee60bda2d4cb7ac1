"""``python -m embedded.manage COMMAND``: a management command on the running service's own database."""

import os
import sys

from embedded import run_info
from embedded.home import PROJECT, Home


def main(arguments: list[str]) -> None:
    """Replace this process by manage.py with the running service's servers."""
    home = Home.of()
    info = run_info.read(home.run_file)
    if info is None or not info.is_ready:
        sys.exit(f"No service runs in {home.root}; start one with: make up")
    servers = {"DATABASE_URL": info.database_url, "REDIS_URL": info.redis_url, "LABELYARD_HOME": str(home.root)}
    command = [sys.executable, str(PROJECT / "manage.py"), *arguments]
    os.execve(sys.executable, command, os.environ | servers)  # noqa: S606 (our own interpreter and file)


if __name__ == "__main__":
    main(sys.argv[1:])
