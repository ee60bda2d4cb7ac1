"""One run of the demo, from an empty market to the report."""

import json
import os
import secrets
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from embedded.demo import material, payments, report, results, staff, summary
from embedded.demo.behaviours import CAST
from embedded.demo.client import Client
from embedded.demo.console import Frame, Screen
from embedded.demo.material import Material
from embedded.demo.programs import Programs
from embedded.demo.results import Results
from embedded.demo.setting import Setting
from embedded.demo.view import View
from embedded.run_info import RunInfo

TICK_S = 0.5
PATIENCE_S = 900.0


class DemoError(RuntimeError):
    """The loop did not complete."""


@dataclass(frozen=True)
class Options:
    """What can be chosen on the command line."""

    seed: int = 0
    n_rounds: int = 5
    n_per_round: int = 40
    keep_running: bool = False


class Demo:
    """Starts the programs, plays the market's staff, watches, and reports."""

    def __init__(self, programs: Programs, options: Options, reports: Path, console: Console) -> None:
        self.programs = programs
        self.options = options
        self.reports = reports
        self.console = console
        self.view = View()
        self._started = time.monotonic()
        self._after: dict[str, int] = {}

    def run(self) -> tuple[Results, Material, Path]:
        """Run to the end; return what came out and where the report lies."""
        self.console.print("Starting PostgreSQL, Valkey, web server and workers ...")
        info = self.programs.start_service()
        made = material.make(self.options.seed)
        run = self._prepare(info.web_url, made)
        with Client(info.web_url, staff.make_key(_environment(info))) as staff_client:
            staff.add_test(staff_client, run, made.test)
            self._start_clients(run)
            orders = self._open_market(run, staff_client)
            self._watch(run, orders)
            found = self._collect(run, orders, staff_client)
        self.programs.stop_clients()
        return found, made, self._report(found, made)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def _prepare(self, base_url: str, made: Material) -> Setting:
        options = self.options
        domain = f"envelopes-{secrets.token_hex(3)}"
        folder = str(self.programs.home.root / "clients")
        run = Setting(base_url, folder, options.seed, options.n_rounds, options.n_per_round, domain)
        run.save()
        material.save_truth(run, made)
        return run

    def _start_clients(self, run: Setting) -> None:
        self.console.print(f"Starting one customer and {len(CAST)} vendors, each a program of its own ...")
        self.programs.start_client("customer", "embedded.demo.customer", run.folder)
        for behaviour in CAST:
            self.programs.start_client(behaviour.key, "embedded.demo.vendor", run.folder, behaviour.key)

    def _open_market(self, run: Setting, staff_client: Client) -> dict[str, dict[str, str]]:
        """Let applicants in until the customer has ordered; return its orders."""
        admitted = 0
        while not run.path("orders.json").exists():
            self._check()
            admitted += staff.review(staff_client)
            time.sleep(TICK_S)
        self.console.print(f"{admitted} vendors applied; both campaigns are ordered ({self.elapsed_s:.0f} s).")
        orders: dict[str, dict[str, str]] = json.loads(run.path("orders.json").read_text())
        return orders

    def _watch(self, run: Setting, orders: dict[str, dict[str, str]]) -> None:
        arms = {ids["job"]: name for name, ids in orders.items()}
        with self._client(run, "customer") as client, Screen(self.console) as screen:
            while True:
                is_over = self.programs.exit_code("customer") == 0
                fresh = [line for job in arms for line in self._news(client, job)]
                frame = Frame(self.view, arms, self.elapsed_s, self.options.n_rounds, self.options.seed)
                screen.show(frame, fresh)
                if is_over:
                    return
                self._check()
                time.sleep(TICK_S)

    def _news(self, client: Client, job: str) -> list[tuple[str, str]]:
        """Fold a job's new events; return them as lines."""
        events = list(client.pages(f"/jobs/{job}/events/", after=self._after.get(job, 0)))
        if events:
            self._after[job] = events[-1]["id"]
        return self.view.add(job, events)

    def _check(self) -> None:
        """Raise when the loop can no longer complete."""
        if not self.programs.is_service_up():
            raise DemoError(f"The service ended; see {self.programs.log_of('supervisor')}.")
        dead = self.programs.dead()
        if dead:
            raise DemoError(f"{', '.join(dead)} ended with an error; see {self.programs.log_of(f'client-{dead[0]}')}.")
        if self.elapsed_s > PATIENCE_S:
            raise DemoError(f"The campaigns did not finish within {PATIENCE_S:.0f} s.")

    def _collect(self, run: Setting, orders: dict[str, dict[str, str]], staff_client: Client) -> Results:
        with ExitStack() as stack:
            clients = {key: stack.enter_context(self._client(run, key)) for key in ("customer", *(b.key for b in CAST))}
            customer = clients.pop("customer")
            arms = {name: results.collect_arm(customer, name, ids) for name, ids in orders.items()}
            vendors = {key: client.get("/vendor/") for key, client in clients.items()}
            self.console.print("Waiting for the last daily payouts and the comparison with the provider's books ...")
            money = payments.collect(customer, clients, staff_client)
        return Results(self.options.seed, self.elapsed_s, arms, vendors, money)

    def _report(self, found: Results, made: Material) -> Path:
        self.reports.mkdir(parents=True, exist_ok=True)
        name = f"demo-seed-{found.seed}"
        (self.reports / f"{name}.json").write_text(json.dumps(_document(found, made), indent=1))
        path = self.reports / f"{name}.html"
        path.write_text(report.build(found, made.pool), encoding="utf-8")
        return path

    def _client(self, run: Setting, key: str) -> Client:
        token = json.loads(run.path(f"keys/{key}.json").read_text())["token"]
        return Client(run.base_url, token)


def _environment(info: RunInfo) -> dict[str, str]:
    return dict(os.environ) | {"DATABASE_URL": info.database_url, "REDIS_URL": info.redis_url}


def _document(found: Results, made: Material) -> dict[str, Any]:
    """Return the run in numbers, for programs."""
    arms = {name: asdict(summary.of_arm(arm, made.pool)) for name, arm in found.arms.items()}
    checks = [asdict(check) for check in summary.checks(found, made.pool)]
    return {"seed": found.seed, "elapsed_s": round(found.elapsed_s, 1), "arms": arms, "checks": checks}
