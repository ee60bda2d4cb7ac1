"""``python -m benchmarks.vetting_run``: one vetting run in a job of 100 lots, on a PostgreSQL of its own."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from embedded import postgres_files
from embedded.child import Child
from embedded.home import PROJECT, Home
from embedded.postgres import Postgres

TARGET_S = 2.0


@contextmanager
def database() -> Iterator[None]:
    """Start an empty, migrated database, name it to Django, and clear it away."""
    home = Home(Path(tempfile.mkdtemp(prefix="labelyard-bench-")))
    home.prepare()
    postgres = Postgres.of(home, is_durable=False)
    child = Child(postgres.service(), home.logs)
    child.start()
    try:
        while not child.is_ready():
            child.watch()
            time.sleep(0.05)
        postgres.create_database()
        servers = {
            "DATABASE_URL": postgres.url(),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "LABELYARD_HOME": str(home.root),
        }
        os.environ.update(servers | {"DJANGO_SETTINGS_MODULE": "config.settings"})
        subprocess.run([sys.executable, "manage.py", "migrate", "--no-input", "-v0"], cwd=PROJECT, check=True)
        yield
    finally:
        child.kill()
        postgres_files.forget(home)
        shutil.rmtree(home.root, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Build the job, vet its last lot, compare with the evidence of the whole job, print, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lots", type=int, default=100)
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("docs/measurements/vetting_run.json"))
    options = parser.parse_args(arguments)
    with database():
        import django

        django.setup()
        from benchmarks.vetting_run import measure
        from benchmarks.vetting_run.world import Size

        figures = measure.all_of(Size(n_lots=options.lots, n_records=options.records))
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    table = Table("what", "figure")
    for name, value in figures.items():
        table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    Console().print(table, f"target: a vetting run takes less than {TARGET_S} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
