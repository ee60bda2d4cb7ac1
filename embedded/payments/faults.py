"""Faults on demand: what networks and providers do on bad days, each with a probability."""

import random
import threading
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities, 0 to 1.

    Attributes
    ----------
    saved_500
        Carry the request out or not (even chances), answer 500, and answer the same 500 to the same key for ever.
    lost_answer
        Carry the request out and close the connection without an answer.
    lost_request
        Close the connection and do nothing.
    busy
        Answer 429 and do nothing.
    in_flight
        Answer 409 as if the same key were being worked on.
    webhook_lost, webhook_doubled, webhook_late
        Never send an event; send it twice; send it after later ones.
    """

    saved_500: float = 0.0
    lost_answer: float = 0.0
    lost_request: float = 0.0
    busy: float = 0.0
    in_flight: float = 0.0
    webhook_lost: float = 0.0
    webhook_doubled: float = 0.0
    webhook_late: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must be a probability, got {value}")


NAMES = frozenset(field.name for field in fields(Faults))


class FaultSource:
    """Draws which faults strike; the seed makes a run repeatable as far as its timing is."""

    def __init__(self, faults: Faults = Faults(), seed: int = 0) -> None:
        self.faults = faults
        self._rng = random.Random(seed)
        self._lock = threading.Lock()

    def strikes(self, name: str) -> bool:
        """Return whether a fault strikes now."""
        probability: float = getattr(self.faults, name)
        with self._lock:
            return probability > 0 and self._rng.random() < probability

    def even(self) -> bool:
        """Return heads or tails."""
        with self._lock:
            return self._rng.random() < 0.5
