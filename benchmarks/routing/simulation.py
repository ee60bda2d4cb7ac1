"""A market run from its first order to its last, event by event, under the timers and limits of the real one."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from scipy import special

from benchmarks.routing.beliefs import Seen
from benchmarks.routing.fates import Fate, fate_of
from benchmarks.routing.routers import Router
from benchmarks.routing.world import N_ATTEMPTS, REFERENCE, Order, World

MAX_OFFERS: Final = 8
MAX_ROUNDS: Final = 3
ROUND_PAUSE_S: Final = 300.0
ESCALATION_S: Final = 3600.0
"""How long a customer takes to say "wait" when all candidates are exhausted."""
POLL_S: Final = 60.0
"""How often a batch looks again when all its candidates are busy."""


@dataclass
class Course:
    """Where one order stands."""

    number: int
    order: Order
    ranking: list[int] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)
    n_asked: dict[int, int] = field(default_factory=dict)
    round: int = 0
    n_offers: int = 0
    left: float = 1.0
    cost: float = 0.0
    error: float = 0.0
    done_at_s: float = 0.0

    @property
    def loss(self) -> float:
        """What the customer lost, weighted as it asked."""
        weights = self.order.weights
        seconds = (self.done_at_s - self.order.at_s) / self.order.ref_time_s
        return weights.cost * self.cost + weights.speed * seconds + weights.accuracy * self.error


class Simulation:
    """One router in one world."""

    def __init__(self, world: World, router: Router) -> None:
        self.world, self.router = world, router
        self.in_flight = [0] * len(world.vendors)
        self.courses = [Course(number, order) for number, order in enumerate(world.orders)]
        self.events: list[tuple[float, int, Callable[[float], None]]] = []
        self.ticket = itertools.count()

    def run(self) -> list[Course]:
        """Return every order's course once all are done."""
        for course in self.courses:
            self._at(course.order.at_s, partial(self._rank, course=course))
        while self.events:
            now_s, _, act = heapq.heappop(self.events)
            act(now_s)
        return self.courses

    def _at(self, when_s: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self.events, (when_s, next(self.ticket), act))

    def _rank(self, now_s: float, course: Course) -> None:
        course.round += 1
        course.asked.clear()
        opened = [number for number, vendor in enumerate(self.world.vendors) if vendor.is_open(now_s)]
        course.ranking = self.router.order(now_s, course.order, opened, self.in_flight)
        self._offer(now_s, course)

    def _offer(self, now_s: float, course: Course) -> None:
        vendors = self.world.vendors
        left = [v for v in course.ranking if v not in course.asked and vendors[v].is_open(now_s)]
        if not left or course.n_offers >= MAX_OFFERS:
            self._exhausted(now_s, course)
            return
        free = next((v for v in left if self.in_flight[v] < vendors[v].slots), None)
        if free is None:
            self._at(now_s + POLL_S, lambda later_s: self._offer(later_s, course))
            return
        attempt = course.n_asked.get(free, 0)
        course.n_asked[free] = attempt + 1
        course.asked.add(free)
        course.n_offers += 1
        fate = fate_of(self.world, course.number, free, attempt, now_s)
        self._at(now_s + fate.answered_s, lambda later_s: self._answer(later_s, course, free, fate))

    def _exhausted(self, now_s: float, course: Course) -> None:
        if course.round < MAX_ROUNDS and course.n_offers < MAX_OFFERS:
            pause_s = ROUND_PAUSE_S
        else:
            pause_s, course.round, course.n_offers = ESCALATION_S, 0, 0
        self._at(now_s + pause_s, lambda later_s: self._rank(later_s, course))

    def _answer(self, now_s: float, course: Course, vendor: int, fate: Fate) -> None:
        is_full = self.in_flight[vendor] >= self.world.vendors[vendor].slots
        answer = "declined" if fate.answer == "accepted" and is_full else fate.answer
        self.router.learn(Seen(vendor, answer, now_s, fate.answered_s))
        if answer != "accepted":
            self._offer(now_s, course)
            return
        self.in_flight[vendor] += 1
        ended_s = now_s + fate.ended_s - fate.answered_s
        self._at(ended_s, lambda later_s: self._end(later_s, course, vendor, fate))

    def _end(self, now_s: float, course: Course, vendor: int, fate: Fate) -> None:
        self.in_flight[vendor] -= 1
        done = course.left * fate.done_share
        course.cost += done * self.world.vendors[vendor].price_micro / REFERENCE.price_micro
        course.error += done * fate.error / REFERENCE.error
        course.left -= done
        self.router.learn(Seen(vendor, fate.ending, now_s, fate.ended_s - fate.answered_s))
        n_labels = round(done * course.order.n_records)
        if n_labels:
            self._vet(now_s, course, vendor, n_labels, fate)
        if fate.ending == "delivered":
            course.done_at_s = now_s
        else:
            self._offer(now_s, course)

    def _vet(self, now_s: float, course: Course, vendor: int, n_labels: int, fate: Fate) -> None:
        attempt = (course.n_asked[vendor] - 1) % N_ATTEMPTS
        uniform = self.world.gold[course.number, vendor, attempt]
        n_wrong = _binomial(uniform, n_labels, fate.error)
        self.router.learn(Seen(vendor, "labels", now_s, fate.label_s, n_labels - n_wrong, n_labels))


def _binomial(uniform: float, n: int, probability: float) -> int:
    """Return the binomial quantile at a uniform number."""
    counts = range(n + 1)
    return next((k for k in counts if special.bdtr(k, n, probability) >= uniform), n)
