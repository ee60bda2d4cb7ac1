"""Rules that put vendors in order for a batch: production on what it learnt, on the truth, and baselines."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.routing import truth
from benchmarks.routing.beliefs import Beliefs, Learning, Seen
from benchmarks.routing.world import REFERENCE, Order, World
from marketplace.core.routing import CandidateFacts, Limits, is_explored, rank
from vendors.core.posteriors import NEWCOMER_ENDS


class Router(Protocol):
    """Orders the open vendors for a batch, and is told what comes of each offer."""

    def order(self, now_s: float, order: Order, open_vendors: list[int], in_flight: list[int]) -> list[int]:
        """Return the vendors in the order in which they shall be asked."""
        ...

    def learn(self, seen: Seen) -> None:
        """Take note of what happened."""
        ...


def by_index(facts: list[CandidateFacts], order: Order, newcomers: Collection[uuid.UUID] = ()) -> list[int]:
    """Return vendor numbers as the production ranker orders them."""
    rows = rank(
        facts,
        weights=order.weights,
        reference=REFERENCE,
        limits=Limits(),
        n_records=order.n_records,
        newcomers=newcomers,
    )
    return [row.vendor_id.int for row in rows if row.sequence is not None]


class Static:
    """A rule that never learns."""

    def learn(self, seen: Seen) -> None:
        """Ignore what happened."""


@dataclass
class Production:
    """The production ranker on posteriors fed as the services feed them."""

    world: World
    learning: Learning
    explores: bool = True

    def __post_init__(self) -> None:
        self.beliefs = [Beliefs.of(vendor, self.learning) for vendor in self.world.vendors]
        self.n_ended = [0] * len(self.world.vendors)
        self.rng = np.random.default_rng(1)

    def order(self, now_s: float, order: Order, open_vendors: list[int], in_flight: list[int]) -> list[int]:
        facts = [
            self.beliefs[v].facts(uuid.UUID(int=v), now_s, order, in_flight[v] / self.world.vendors[v].slots)
            for v in open_vendors
        ]
        if not self.explores or not is_explored(order.weights, "public", self._draw()):
            return by_index(facts, order)
        return by_index(facts, order, [uuid.UUID(int=v) for v in open_vendors if self.n_ended[v] < NEWCOMER_ENDS])

    def _draw(self) -> int:
        return int(self.rng.integers(1 << 30))

    def learn(self, seen: Seen) -> None:
        """Update the vendor's posteriors."""
        self.n_ended[seen.vendor] += seen.kind in {"delivered", "not_started", "past_due"}
        self.beliefs[seen.vendor].learn(seen)


@dataclass
class Knowing(Static):
    """The production ranker on every vendor's true parameters (not on its luck, nor on whether it is silent now)."""

    world: World

    def order(self, now_s: float, order: Order, open_vendors: list[int], in_flight: list[int]) -> list[int]:
        facts = [truth.facts(self.world.vendors[v], v, now_s, order, in_flight[v]) for v in open_vendors]
        return by_index(facts, order)


@dataclass
class Claimed(Static):
    """Smallest weighted sum of what vendors claim."""

    world: World

    def order(self, now_s: float, order: Order, open_vendors: list[int], in_flight: list[int]) -> list[int]:
        return sorted(open_vendors, key=lambda v: self._sum(v, order))

    def _sum(self, number: int, order: Order) -> float:
        vendor, weights = self.world.vendors[number], order.weights
        claims = vendor.claims
        seconds = claims.response_s + claims.start_s + claims.label_s * order.n_records
        return (
            weights.cost * vendor.price_micro / REFERENCE.price_micro
            + weights.speed * seconds / order.ref_time_s
            + weights.accuracy * claims.error / REFERENCE.error
        )


@dataclass
class Cheapest(Static):
    """Lowest price first."""

    world: World

    def order(self, now_s: float, order: Order, open_vendors: list[int], in_flight: list[int]) -> list[int]:
        return sorted(open_vendors, key=lambda v: self.world.vendors[v].price_micro)


@dataclass
class RoundRobin(Static):
    """Everybody in turn."""

    world: World
    turn: int = 0

    def order(self, now_s: float, order: Order, open_vendors: list[int], in_flight: list[int]) -> list[int]:
        self.turn += 1
        n = len(self.world.vendors)
        return sorted(open_vendors, key=lambda v: (v - self.turn) % n)


@dataclass
class Chance(Static):
    """Any order, from its own generator."""

    world: World
    seed: int

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def order(self, now_s: float, order: Order, open_vendors: list[int], in_flight: list[int]) -> list[int]:
        return [int(v) for v in self.rng.permutation(open_vendors)]
