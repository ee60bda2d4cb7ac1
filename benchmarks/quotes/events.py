"""A job run through the market event by event, in order of time, under the rules of the offering statement."""

import heapq
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from benchmarks.quotes.market import Hidden, answer_of
from marketplace.core.overlap import needs_another
from marketplace.core.quote import Terms

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
_POLL_S = 0.5


@dataclass
class Chunk:
    """Records that go out together: the answers so far, who gave them, how many layers are out."""

    n_records: int
    votes: list[IntArray] = field(default_factory=list)
    seen_by: set[int] = field(default_factory=set)
    live: set[int] = field(default_factory=set)
    n_out: int = 0
    done_at_s: float = math.inf


@dataclass
class Batch:
    """One layer of a chunk on its way."""

    chunk: Chunk
    records: IntArray
    left: IntArray
    made_at_s: float
    asked: set[int] = field(default_factory=set)
    n_live: int = 0
    n_offers: int = 0
    round: int = 1
    is_taken: bool = False
    was_taken_at_s: float = math.inf
    votes: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """What became of a job: seconds to the end (infinity: a batch needed its customer), cost, accuracy, waits."""

    done_s: float
    cost_micro: float
    accuracy: float
    waits_s: list[float]


class Run:
    """One job in one market."""

    def __init__(self, vendors: Sequence[Hidden], terms: Terms, rng: np.random.Generator) -> None:
        self.vendors, self.terms, self.rng = vendors, terms, rng
        self.in_flight = [0] * len(vendors)
        self.willing: list[list[Callable[[float], None]]] = [[] for _ in vendors]
        self.queue: list[tuple[float, int, Callable[[float], None]]] = []
        self.ticket = itertools.count()
        self.batches: list[Batch] = []
        self.cost_micro = 0.0

    def run(self) -> Ended:
        """Return what became of the job."""
        sizes = np.full(self.terms.n_chunks, self.terms.n_records // self.terms.n_chunks)
        sizes[: self.terms.n_records % self.terms.n_chunks] += 1
        chunks = [Chunk(int(size)) for size in sizes]
        for chunk in chunks:
            for _ in range(self.terms.min_overlap):
                self._send(0.0, chunk, np.arange(chunk.n_records))
        while self.queue:
            now_s, _, act = heapq.heappop(self.queue)
            act(now_s)
        right = sum(self._n_right(chunk) for chunk in chunks)
        done_s = max(chunk.done_at_s for chunk in chunks)
        waits_s = [batch.was_taken_at_s - batch.made_at_s for batch in self.batches]
        return Ended(done_s, self.cost_micro * 1.1, right / self.terms.n_records, waits_s)

    def _at(self, when_s: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self.queue, (when_s, next(self.ticket), act))

    def _send(self, now_s: float, chunk: Chunk, records: IntArray) -> None:
        n_gold = round(len(records) * self.terms.gold_ratio)
        batch = Batch(chunk, records, np.arange(len(records) + n_gold), now_s)
        chunk.n_out += 1
        self.batches.append(batch)
        self._advance(now_s, batch)

    def _advance(self, now_s: float, batch: Batch) -> None:
        """Fill the batch's wave from the candidates that are left."""
        wave = self.terms.wave_size if batch.n_offers or batch.round > 1 else 1
        while not batch.is_taken and batch.n_live < wave:
            known = [v for v in range(len(self.vendors)) if v not in batch.asked | batch.chunk.seen_by]
            if batch.n_offers >= self.terms.max_offers or not known:
                self._exhausted(now_s, batch)
                return
            free = (v for v in known if v not in batch.chunk.live and self.in_flight[v] < self.vendors[v].slots)
            vendor = next(free, None)
            if vendor is None:
                if not batch.n_live:
                    self._at(now_s + _POLL_S, lambda later_s: self._advance(later_s, batch))
                return
            self._offer(now_s, batch, vendor)

    def _exhausted(self, now_s: float, batch: Batch) -> None:
        is_last = batch.round >= self.terms.max_rounds or batch.n_offers >= self.terms.max_offers
        if batch.n_live or is_last:
            return
        batch.round += 1
        batch.asked.clear()
        self._at(now_s + self.terms.round_pause_s, lambda later_s: self._advance(later_s, batch))

    def _offer(self, now_s: float, batch: Batch, vendor: int) -> None:
        batch.asked.add(vendor)
        batch.chunk.live.add(vendor)
        batch.n_offers += 1
        batch.n_live += 1
        answer = answer_of(self.vendors[vendor], self.rng)
        until_s = now_s + self.vendors[vendor].window_s
        act = self._missed if answer.kind != "accepted" else partial(self._agrees, until_s=until_s)
        self._at(now_s + answer.after_s, partial(act, batch=batch, vendor=vendor))

    def _missed(self, now_s: float, batch: Batch, vendor: int) -> None:
        batch.n_live -= 1
        batch.chunk.live.discard(vendor)
        self._advance(now_s, batch)

    def _agrees(self, now_s: float, batch: Batch, vendor: int, until_s: float) -> None:
        """Accept now, or as soon as a slot is free, if that is in time."""
        if batch.is_taken or now_s >= until_s:
            self._missed(now_s, batch, vendor)
        elif self.in_flight[vendor] < self.vendors[vendor].slots:
            self._take(now_s, batch, vendor)
        else:
            again = partial(self._agrees, batch=batch, vendor=vendor, until_s=until_s)
            self._at(min(now_s + 5.0, until_s), again)

    def _take(self, now_s: float, batch: Batch, vendor: int) -> None:
        batch.n_live -= 1
        batch.is_taken = True
        batch.was_taken_at_s = min(batch.was_taken_at_s, now_s)
        batch.chunk.seen_by.add(vendor)
        self.in_flight[vendor] += 1
        one, rng = self.vendors[vendor], self.rng
        n_items = len(batch.left)
        start_s = one.start_s * math.exp(one.start_spread * rng.standard_normal())
        label_s = one.label_s * math.exp(one.label_spread * rng.standard_normal())
        due_s = one.start_window_s + one.start_s + one.promised_label_s * n_items
        if rng.random() < one.stalls or start_s >= one.start_window_s:
            took_s, n_done = one.start_window_s, 0
        elif rng.random() < one.quits:
            took_s, n_done = due_s, int(rng.random() * n_items)
        else:
            took_s = min(start_s + label_s * n_items, due_s)
            n_done = n_items if took_s < due_s else int((due_s - start_s) / label_s)
        self._at(now_s + took_s, partial(self._ends, batch=batch, vendor=vendor, n_done=n_done))

    def _ends(self, now_s: float, batch: Batch, vendor: int, n_done: int) -> None:
        self.in_flight[vendor] -= 1
        one = self.vendors[vendor]
        self.cost_micro += n_done * one.price_micro
        for item in batch.left[:n_done]:
            if item < len(batch.records):
                is_right = self.rng.random() < one.accuracy
                batch.votes[int(item)] = 0 if is_right else int(self.rng.integers(1, self.terms.n_classes))
        batch.left = batch.left[n_done:]
        batch.chunk.live.discard(vendor)
        if len(batch.left):
            batch.is_taken = False
            self._advance(now_s, batch)
            return
        self._delivered(now_s, batch)

    def _delivered(self, now_s: float, batch: Batch) -> None:
        chunk = batch.chunk
        votes = np.full(chunk.n_records, -1)
        votes[batch.records] = [batch.votes[i] for i in range(len(batch.records))]
        chunk.votes.append(votes)
        chunk.n_out -= 1
        if chunk.n_out:
            return
        may_ask = len(chunk.votes) < self.terms.max_overlap
        unsure = np.flatnonzero(self._unsure(chunk) & may_ask)
        if len(unsure):
            self._send(now_s, chunk, unsure)
        else:
            chunk.done_at_s = now_s

    def _unsure(self, chunk: Chunk) -> BoolArray:
        votes = np.array(chunk.votes)
        n_answers = (votes >= 0).sum(axis=0)
        return needs_another(
            self._posterior(chunk),
            n_answers,
            target_confidence=self.terms.target_confidence,
            min_answers=self.terms.min_overlap,
            max_answers=self.terms.max_overlap,
        ) & (n_answers == len(votes))

    def _posterior(self, chunk: Chunk) -> FloatArray:
        """Return one-coin posteriors at the market's usual accuracy, (n_records, n_classes)."""
        votes = np.array(chunk.votes)
        counts = np.array([(votes == label).sum(axis=0) for label in range(self.terms.n_classes)]).T
        weight = np.exp(counts * math.log(0.9 * (self.terms.n_classes - 1) / 0.1))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    def _n_right(self, chunk: Chunk) -> int:
        if not chunk.votes:
            return 0
        posterior = self._posterior(chunk) + 1e-9 * self.rng.random((chunk.n_records, self.terms.n_classes))
        return int((posterior.argmax(axis=1) == 0).sum())
