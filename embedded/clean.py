"""``python -m embedded.clean``: remove everything the embedded servers wrote, after stopping what a killed run left."""

import shutil
import sys

from embedded import postgres_files, stale
from embedded.home import Home
from embedded.supervisor import AlreadyRunningError, lock


def clean(home: Home) -> int:
    """Empty a home nobody uses; return the exit code."""
    if not home.root.exists():
        return 0
    try:
        held = lock(home)
    except AlreadyRunningError as error:
        print(f"labelyard: {error} Stop it first.")
        return 1
    with held:
        stale.clean(home)
        postgres_files.forget(home)
        shutil.rmtree(home.root)
    return 0


if __name__ == "__main__":
    home = Home.of()
    sys.exit(max(clean(Home(home.root / "demo")), clean(home)))
