"""The market's staff: give the qualification test its records, and let applicants in."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from embedded.demo.client import Client
from embedded.demo.setting import CLASSES, Setting
from embedded.home import PROJECT

FLOOR = 0.8


def make_key(environment: Mapping[str, str]) -> str:
    """Return a fresh staff key; only whoever runs the installation can make one."""
    command = [sys.executable, str(PROJECT / "manage.py"), "create_platform_key", "--name", "demo"]
    result = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"No staff key could be made:\n{result.stderr}")
    return result.stdout.strip().splitlines()[-1]


def add_test(client: Client, run: Setting, records: Sequence[Mapping[str, Any]]) -> None:
    """Add the qualification test of the run's kind of work."""
    test = {"classes": list(CLASSES), "records": list(records), "floor": FLOOR}
    client.post("/gold-sets/", run.kind | test | {"n_records_per_attempt": len(records) // 2})


def review(client: Client) -> int:
    """Approve who has handed in all that is due; return how many."""
    submitted = list(client.pages("/vendors/", state="submitted"))
    for vendor in submitted:
        decision = {"decision": "approve", "reason": "Agreement, prices and capability are in order."}
        client.post(f"/vendors/{vendor['id']}/review/", decision)
    return len(submitted)
