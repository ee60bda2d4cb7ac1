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

POLL_S: Final = 0.4
LOOK_FOR_REWORK_EVERY: Final = 3
PART: Final = 6
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
        self._n_turns = 0

    def turn(self) -> None:
        """Look once at what is there to do."""
        todo: list[str] = []
        if not self.behaviour.is_silent:
            todo = [taken for offer in self._rows("/offers/", state="live") if (taken := self._decide(offer))]
        self._n_turns += 1
        if self._n_turns % LOOK_FOR_REWORK_EVERY == 0:
            todo += [assignment["id"] for assignment in self._rows("/assignments/", state="rework")]
        for assignment_id in todo:
            self._work(assignment_id)

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

    def _decide(self, offer: dict[str, Any]) -> str:
        """Accept or decline after some thought; return the work taken on, empty for none."""
        self._sleep(self.behaviour.response_s)
        rng = random.Random(f"{self.run.seed}:{self.behaviour.key}:{offer['id']}")
        if rng.random() < self.behaviour.accepts_ratio:
            taken, refusal = self._send(f"/offers/{offer['id']}/accept/")
            if refusal != _NO_SLOT:
                return taken
        self._send(f"/offers/{offer['id']}/decline/", reason="no_capacity")
        return ""

    def _send(self, path: str, **body: str) -> tuple[str, str]:
        """Send a decision; return the id of what came of it, or why nothing did: a lost race is no error."""
        try:
            return str(self.client.post(path, body)["id"]), ""
        except ApiError as error:
            if error.status not in _LOST_RACES:
                raise
            return "", error.code

    def _work(self, assignment_id: str) -> None:
        """Deliver an assignment part by part, as far as this vendor ever gets."""
        if self.behaviour.delivers_ratio == 0:
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
