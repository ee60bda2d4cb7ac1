"""All that a finished run left behind, read through the API: the one input of table and report."""

from dataclasses import dataclass, field
from typing import Any

from embedded.demo.client import Client
from embedded.demo.payments import Money
from embedded.demo.view import View

Row = dict[str, Any]


@dataclass(slots=True)
class Arm:
    """One campaign with everything that belongs to it."""

    name: str
    job: Row
    campaign: Row
    rounds: list[Row]
    picks: list[Row]
    labels: list[Row]
    batches: list[Row]
    events: list[Row]

    @property
    def is_complete(self) -> bool:
        """Whether the campaign finished with every round labeled, closed and evaluated."""
        n_rounds = self.campaign["max_rounds"]
        is_evaluated = [row["metrics"] is not None for row in self.rounds]
        is_finished = self.campaign["state"] == "finished" and self.campaign["target_accuracy"] is None
        return is_finished and len(is_evaluated) == n_rounds and all(is_evaluated)

    @property
    def accuracies(self) -> list[float]:
        """Test accuracy after each round."""
        return [row["metrics"]["accuracy"] for row in self.rounds if row["metrics"]]


@dataclass(slots=True)
class Results:
    """A finished run."""

    seed: int
    elapsed_s: float
    arms: dict[str, Arm]
    vendors: dict[str, Row] = field(default_factory=dict)
    money: Money | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the loop really completed in both arms."""
        return bool(self.arms) and all(arm.is_complete for arm in self.arms.values())

    def view(self) -> View:
        """Return the counts of the whole run."""
        view = View()
        for name, arm in self.arms.items():
            view.add(name, arm.events)
        return view


def collect_arm(client: Client, name: str, ids: dict[str, str]) -> Arm:
    """Read one campaign."""
    job, experiment = f"/jobs/{ids['job']}", f"/experiments/{ids['experiment']}"
    rounds = list(client.pages(f"{experiment}/rounds/"))
    rounds.sort(key=lambda row: row["number"])
    picks = [
        pick | {"round": row["number"]}
        for row in rounds
        for pick in client.pages(f"{experiment}/rounds/{row['number']}/picks/")
    ]
    return Arm(
        name=name,
        job=client.get(f"{job}/"),
        campaign=client.get(f"/campaigns/{ids['campaign']}/"),
        rounds=rounds,
        picks=picks,
        labels=list(client.pages(f"{job}/labels/")),
        batches=[client.get(f"/batches/{row['id']}/") for row in client.pages(f"{job}/batches/")],
        events=list(client.pages(f"{job}/events/")),
    )
