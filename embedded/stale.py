"""Clear away what a killed run left behind; the caller holds the home's lock, so no supervisor lives."""

import signal

from embedded import processes, run_info
from embedded.home import Home


def clean(home: Home) -> list[str]:
    """Stop every process of the last run that still is that very process; return their names."""
    info = run_info.read(home.run_file)
    if info is None:
        return []
    left = {name: identity for name, identity in info.processes.items() if identity.is_running}
    for name, identity in left.items():
        processes.stop(identity, signal.SIGINT if name == "postgres" else signal.SIGTERM)
    home.run_file.unlink(missing_ok=True)
    return list(left)
