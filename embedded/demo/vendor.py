"""A vendor's program: ``python -m embedded.demo.vendor FOLDER KEY`` registers, qualifies and works over HTTP."""

import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from embedded.demo import answers, onboarding, setting
from embedded.demo.answers import Truth
from embedded.demo.behaviours import Behaviour, behaviour_of
from embedded.demo.client import ApiError, Client
from embedded.demo.setting import CLASSES, Setting

POLL_S: Final = 0.3
PART: Final = 6
_OPEN_STATES: Final = frozenset({"reserved", "started", "rework"})
_NO_SLOT: Final = "capacity_exhausted"
_LOST_RACES: Final = frozenset({404, 409})


class VendorProgram:
    """Answers offers and labels what it accepted, in the manner of its behaviour."""

    def __init__(
        self,
        client: Client,
        behaviour: Behaviour,
        run: Setting,
        truth: dict[str, Truth],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self.behaviour = behaviour
        self.run = run
        self.truth = truth
        self._sleep = sleep
        self._given_up: set[str] = set()

    def turn(self) -> None:
        """Look once at what is there to do."""
        if not self.behaviour.is_silent:
            for offer in self._rows("/offers/", state="live"):
                self._decide(offer)
        for assignment in self._rows("/assignments/"):
            if assignment["state"] in _OPEN_STATES and assignment["id"] not in self._given_up:
                self._work(assignment["id"])

    def annotation(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return this vendor's answer on a record; the same record always gets the same answer."""
        rng = random.Random(f"{self.run.seed}:{self.behaviour.key}:{record['uri']}")
        if self.behaviour.is_spammer:
            given = answers.spam(len(CLASSES), rng)
        else:
            given = answers.answer(self.truth[record["uri"]], self.behaviour.error_ratio, len(CLASSES), rng)
        annotator = f"{self.behaviour.key}-{rng.randrange(3)}"
        return {"key": record["key"], "annotator": annotator, "seconds": self.behaviour.label_s} | answers.as_answer(
            given, CLASSES
        )

    def _rows(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        return list(self.client.get(path, **parameters)["results"])

    def _decide(self, offer: dict[str, Any]) -> None:
        """Accept or decline after some thought; an offer that ran out meanwhile is no loss."""
        self._sleep(self.behaviour.response_s)
        rng = random.Random(f"{self.run.seed}:{self.behaviour.key}:{offer['id']}")
        wants = rng.random() < self.behaviour.accepts_ratio
        if not wants or self._refused(f"/offers/{offer['id']}/accept/") == _NO_SLOT:
            self._refused(f"/offers/{offer['id']}/decline/", reason="no_capacity")

    def _refused(self, path: str, **body: str) -> str:
        """Send a decision; return why it came to nothing, empty when it did not."""
        try:
            self.client.post(path, body)
        except ApiError as error:
            if error.status not in _LOST_RACES:
                raise
            return error.code
        return ""

    def _work(self, assignment_id: str) -> None:
        """Deliver an assignment part by part, as far as this vendor ever gets."""
        if self.behaviour.delivers_ratio == 0:
            self._given_up.add(assignment_id)
            return
        try:
            todo = open_records(self.client.get(f"/assignments/{assignment_id}/"))
            for part in parts(todo[: self._n_delivered(len(todo))], PART):
                self._sleep(self.behaviour.label_s * len(part))
                annotations = [self.annotation(record) for record in part]
                self.client.put(f"/assignments/{assignment_id}/annotations/", {"annotations": annotations})
        except ApiError as error:
            if error.status not in _LOST_RACES:
                raise
        if self.behaviour.delivers_ratio < 1:
            self._given_up.add(assignment_id)

    def _n_delivered(self, n_records: int) -> int:
        return max(1, round(n_records * self.behaviour.delivers_ratio))


def open_records(assignment: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of an assignment that still want an answer."""
    return [record for record in assignment["records"] if not record.get("is_done")]


def parts(records: Sequence[dict[str, Any]], size: int) -> list[Sequence[dict[str, Any]]]:
    """Cut work into deliveries.

    >>> [len(part) for part in parts([{}] * 7, 3)]
    [3, 3, 1]
    """
    return [records[start : start + size] for start in range(0, len(records), size)]


def main(folder: str, key: str) -> None:
    """Join the market and work until we are ended."""
    run, behaviour = setting.load(Path(folder)), behaviour_of(key)
    truth = setting.load_truth(run)
    with onboarding.join(run, behaviour, truth) as client:
        program = VendorProgram(client, behaviour, run, truth)
        while True:
            program.turn()
            time.sleep(POLL_S)


if __name__ == "__main__":
    main(*sys.argv[1:3])
