"""The customer's program: ``python -m embedded.demo.customer FOLDER`` orders two campaigns and sees them through.

Both arms get the same job, gold, batch size and budget; one lets the selector choose the records, the other chance.
"""

import sys
import time
from pathlib import Path
from typing import Any, Final

from embedded.demo import material, onboarding, payments, setting
from embedded.demo.behaviours import CAST
from embedded.demo.client import ApiError, Client
from embedded.demo.setting import CLASSES, CURRENCY, Setting

ARMS: Final = {"selector": "herding", "random": "random"}
BUDGET_MICRO: Final = 250_000_000
MARKET_PATIENCE_S: Final = 45.0
POLL_S: Final = 1.0
INSTRUCTIONS: Final = (
    "Each scan shows one handwritten digit, 8 x 8 pixels. Choose the digit. If the picture is no digit at all, answer "
    "cannot label: out_of_scope; if it is damaged beyond reading, answer cannot label: corrupted."
)


def main(folder: str) -> None:
    """Order, wait, decide what only the customer can decide, until both campaigns are over."""
    run = setting.load(Path(folder))
    with onboarding.sign_up(run, name="Meadow Post", kind="customer", key="customer") as client:
        payments.top_up(client)
        orders = order(client, run)
        wait_for_market(client, orders["selector"]["job"])
        for arm in orders.values():
            terms = {"experiment": arm["experiment"], "job": arm["job"], "rounds": run.n_rounds}
            arm["campaign"] = client.post("/campaigns/", terms)["id"]
        setting.write_private(run.path("orders.json"), orders)
        while not all(is_over(client.get(f"/campaigns/{arm['campaign']}/")) for arm in orders.values()):
            for arm in orders.values():
                decide_escalations(client, arm["job"])
            time.sleep(POLL_S)
        for arm in orders.values():
            client.post(f"/jobs/{arm['job']}/cancel/")
        payments.take_back(client)


def order(client: Client, run: Setting) -> dict[str, dict[str, str]]:
    """Upload the pool and post a job and an experiment per arm; return their ids."""
    made = material.make(run.seed)
    fields = {"name": f"Envelopes {run.domain}", "modality": run.modality}
    dataset = client.upload("/datasets/", "envelopes.npz", material.archive(made.pool), fields)["id"]
    schema = {"name": f"Digit {run.domain}", "task_type": run.task_type, "classes": list(CLASSES)}
    label_schema = client.post("/label-schemas/", schema)["id"]
    return {
        arm: {
            "job": client.post("/jobs/", job_of(run, arm, label_schema, made.gold))["id"],
            "experiment": client.post("/experiments/", experiment_of(run, arm, strategy, dataset))["id"],
        }
        for arm, strategy in ARMS.items()
    }


def job_of(run: Setting, arm: str, label_schema: str, gold: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the order of an arm; apart from its title it is the same for both."""
    return {
        "title": f"Digits on envelopes, {arm}",
        "instructions": INSTRUCTIONS,
        "label_schema": label_schema,
        "modality": run.modality,
        "language": run.language,
        "domain": run.domain,
        "weights": {"cost": 0.4, "speed": 0.1, "accuracy": 0.5},
        "currency": CURRENCY,
        "budget_micro": BUDGET_MICRO,
        "batch_size": 20,
        "gold_ratio": 0.1,
        "min_overlap": 2,
        "max_overlap": 4,
        "target_confidence": 0.9,
        "accuracy_floor": 0.7,
        "max_rounds": 6,
        "max_offers": 40,
        "round_pause_s": 1.0,
        "review_window_s": 0,
        "gold": gold,
    }


def experiment_of(run: Setting, arm: str, strategy: str, dataset: str) -> dict[str, Any]:
    """Return the experiment of an arm."""
    return {
        "dataset": dataset,
        "name": f"Envelopes {run.domain} {arm}",
        "strategy": strategy,
        "batch_size": run.n_per_round,
        "seed": run.seed,
    }


def wait_for_market(client: Client, job: str) -> None:
    """Wait until all vendors may be offered the work, or for as long as a customer would."""
    deadline = time.monotonic() + MARKET_PATIENCE_S
    while time.monotonic() < deadline:
        candidates = client.get(f"/jobs/{job}/candidates/")["results"]
        if sum(row["sequence"] is not None for row in candidates) >= len(CAST):
            return
        time.sleep(POLL_S)


def decide_escalations(client: Client, job: str) -> None:
    """Ask the market again for batches that found no vendor."""
    for batch in client.pages(f"/jobs/{job}/batches/"):
        if batch["state"] != "escalated":
            continue
        try:
            client.post(f"/batches/{batch['id']}/resolve/", {"choice": "wait"})
        except ApiError as error:
            if error.status != 409:
                raise


def is_over(campaign: dict[str, Any]) -> bool:
    """Return whether a campaign goes on no more; a paused one is resumed by nobody here.

    >>> is_over({"state": "running"}), is_over({"state": "finished"})
    (False, True)
    """
    return campaign["state"] in {"finished", "stopped", "paused"}


if __name__ == "__main__":
    main(sys.argv[1])
