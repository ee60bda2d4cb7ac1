"""The quote: price, time, accuracy and the chance to be taken, each as a median with an 80 % interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from marketplace.core.pricing import BASIS_POINTS
from marketplace.core.quote.course import Course, Rows
from marketplace.core.quote.draws import BoolArray, FloatArray, IntArray, Possible, draw
from marketplace.core.quote.opinions import Opinions, opinions
from marketplace.core.quote.slots import Slots
from marketplace.core.quote.terms import Bidder, Terms

VERSION: Final = "played-1"
LEVEL: Final = 0.8
_TAILS: Final = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
_WORK: Final = 2700
"""Batches played in all draws together: what 50 ms allow."""
_DRAWS: Final = (56, 400)
_MAX_CHUNKS: Final = 24
_ENOUGH: Final = 20
"""Draws in which everything was taken that are needed for the figures to be of those alone."""
_OPTION_DRAWS: Final = 50
_CURVE: Final = tuple(np.linspace(0.05, 1.0, 20).round(2).tolist())
WINDOWS: Final = (0.5, 1.0, 2.0)
WAVES: Final = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median with the central interval that holds 80 % of what is expected."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Fill:
    """Whether and when a batch is taken: ``probability``; that all are done without the customer: ``all_probability``.

    ``curve`` holds (seconds, probability that a batch is taken by then).
    """

    probability: float
    all_probability: float
    taken_s: Estimate | None
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Option:
    """The same for another wave size, and another time to accept as a multiple of what the vendors signed."""

    wave_size: int
    window: float
    probability: float
    median_s: float | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What to expect of a job; price in micro-units with fees, times in seconds, accuracy a ratio.

    ``answers`` is the mean number of answers a record gets. None where nobody is expected to take anything.
    """

    n_records: int
    price_micro: Estimate | None
    eta_s: Estimate | None
    accuracy: Estimate | None
    answers: float
    fill: Fill
    options: tuple[Option, ...]
    eta_draws_s: tuple[float, ...] = ()

    def on_time(self, seconds: float) -> float:
        """Return the probability that all is done within so many seconds."""
        return float(np.mean(np.asarray(self.eta_draws_s) <= seconds)) if self.eta_draws_s else 0.0


def quote(bidders: Sequence[Bidder], terms: Terms, rng: np.random.Generator) -> Quote:
    """Play a job forward many times, each time in another possible truth, and say what came of it.

    Parameters
    ----------
    bidders
        The eligible vendors in the order in which they will be asked.
    terms
        What the job states.
    rng
        Decides the draws; the same state gives the same quote.

    Returns
    -------
    Quote
        Price and accuracy are of what is taken without the customer's help; ``fill`` says how much that is. The time
        is None where hardly ever everything is done without it.

    Notes
    -----
    All batches compete for the vendors' slots in the order of time; a chunk's layers go to different vendors, and its
    extra opinions start when its first layers are in, after all first layers are played. Jobs of more than 24 chunks
    are played as 24 larger ones, so time does not grow with the records. Rework after vetting is left out.
    ``benchmarks.quotes`` says how well the intervals hold and what a quote takes.
    """
    if not bidders:
        return Quote(terms.n_records, None, None, None, 0.0, Fill(0.0, 0.0, None, ()), ())
    n_batches = min(terms.n_chunks, _MAX_CHUNKS) * terms.min_overlap
    market = draw(bidders, int(np.clip(_WORK // n_batches, *_DRAWS)), rng)
    played = _Play(market, terms, opinions(terms), rng)
    played.run()
    return _summary(played, terms, _options(market, terms, rng))


class _Play:
    """A whole job in every draw; 2-D arrays are (n_chunks, n_draws), and so are flat ones row by row."""

    def __init__(self, market: Possible, terms: Terms, table: Opinions, rng: np.random.Generator) -> None:
        self.market, self.terms, self.table, self.rng = market, terms, table, rng
        self.n_chunks, n_draws = min(terms.n_chunks, _MAX_CHUNKS), market.shape[0]
        self.n_records = terms.n_records / self.n_chunks
        self.truth = np.tile(np.arange(n_draws), self.n_chunks)
        n_rows = len(self.truth)
        self.barred: BoolArray = np.zeros((n_rows, market.shape[1]), dtype=np.bool_)
        self.quality: FloatArray = np.zeros(n_rows)
        self.ready_s: FloatArray = self.quality
        self.n_layers = self.cost = self.answers = self.done = self.quality
        self.n_unsure: IntArray = np.full(n_rows, max(round(self.n_records), 1))
        self.waits: list[FloatArray] = []
        slots = _slots(market, self.n_records * (1 + terms.gold_ratio), n_draws, rng)
        self.course = Course(market, terms, slots, rng)

    def run(self) -> None:
        """Play first the layers that are ordered at once, then the further opinions."""
        first = self.terms.min_overlap
        n_items = np.full(len(self.truth) * first, self.n_records * (1 + self.terms.gold_ratio))
        self._play(n_items, np.zeros(len(n_items)), first)
        for layer in range(first, len(self.table.share)):
            n_further, start_s = self._order(layer)
            if not np.isfinite(start_s).any():
                return
            self._play(n_further, start_s, 1)

    def _play(self, n_items: FloatArray, start_s: FloatArray, n_layers: int) -> None:
        truth, barred = np.tile(self.truth, n_layers), np.tile(self.barred, (n_layers, 1))
        wave = np.full(len(truth), self.terms.wave_size)
        rows = Rows(truth, truth, start_s, n_items, barred, wave, np.ones(len(truth)), n_layers)
        course, exists = self.course.run(rows), np.isfinite(start_s)
        per_layer = (n_layers, len(self.truth))
        done_s = np.where(exists, course.done_s, 0.0).reshape(per_layer).max(axis=0)
        share = np.where(exists, 1 - course.left, 0.0)
        self.barred = course.barred[: len(self.truth)]
        self.ready_s = np.maximum(self.ready_s, done_s)
        self.quality = self.quality + course.right.reshape(per_layer).sum(axis=0)
        self.n_layers = self.n_layers + share.reshape(per_layer).sum(axis=0)
        self.cost = self.cost + course.cost_micro.reshape(per_layer).sum(axis=0)
        self.answers = self.answers + np.where(exists, n_items, 0.0).reshape(per_layer).sum(axis=0)
        self.done = self.done + (share * n_items).reshape(per_layer).sum(axis=0)
        waits = np.full(len(truth), np.nan)
        waits[exists] = course.taken_s[exists] - start_s[exists]
        self.waits.append(waits)

    def _order(self, layer: int) -> tuple[FloatArray, FloatArray]:
        """Return how many items a layer of each chunk has, and when it goes out (infinity: there is none)."""
        share = self.table.share_at(layer, self.quality / np.maximum(self.n_layers, 1e-9))
        so_far = self.table.share_at(layer - 1, self.quality / np.maximum(self.n_layers, 1e-9))
        n_whole = max(round(self.n_records), 1)
        self.n_unsure = self.rng.binomial(self.n_unsure, np.clip(share / np.maximum(so_far, 1e-9), 0, 1))
        n_unsure = np.asarray(self.n_unsure * (self.n_records / n_whole))
        is_asked = (n_unsure > 0) & np.isfinite(self.ready_s)
        n_items = np.asarray(n_unsure + np.round(n_unsure * self.terms.gold_ratio))
        return n_items, np.where(is_asked, self.ready_s, np.inf)

    def of_draws(self, values: FloatArray) -> FloatArray:
        """Return values by row as (n_chunks, n_draws)."""
        return values.reshape(self.n_chunks, -1)


def _slots(market: Possible, n_items: float, n_yards: int, rng: np.random.Generator) -> Slots:
    """Return the slots now; what is in hand is somewhere in the middle of a batch like ours."""
    n_slots = int(market.slots.max())
    work_s = (market.start_s + np.exp(market.label) * n_items)[np.arange(n_yards) % market.shape[0]]
    return Slots.of(market, rng.random((*work_s.shape, n_slots)) * work_s[:, :, None])


def _summary(played: _Play, terms: Terms, options: tuple[Option, ...]) -> Quote:
    waits = np.concatenate(played.waits).reshape(-1, played.market.shape[0])  # (n_batches, n_draws)
    exists, is_taken = ~np.isnan(waits), np.isfinite(waits)
    ready_s = played.of_draws(played.ready_s)
    whole = np.isfinite(ready_s).all(axis=0)
    fill = Fill(
        probability=float(is_taken.sum() / exists.sum()),
        all_probability=float(whole.mean()),
        taken_s=_estimate(waits[is_taken]),
        curve=_curve(waits[is_taken], int(exists.sum())),
    )
    done, cost, quality = (played.of_draws(v).sum(axis=0) for v in (played.done, played.cost, played.quality))
    some = whole if whole.sum() >= _ENOUGH else done > 0
    if not some.any():
        return Quote(terms.n_records, None, None, None, 0.0, fill, options)
    wanted = played.of_draws(played.answers).sum(axis=0)[some]
    fee = (BASIS_POINTS + terms.fee_basis_points) / BASIS_POINTS
    accuracy = played.table.right_at(quality[some] / played.of_draws(played.n_layers).sum(axis=0)[some])
    right = played.rng.binomial(terms.n_records, np.clip(accuracy, 0, 1)) / terms.n_records
    eta_s = ready_s.max(axis=0)[whole] if whole.sum() >= _ENOUGH else np.zeros(0)
    answers = float(wanted.mean()) / terms.n_records / (1 + terms.gold_ratio)
    price = _estimate(np.ceil(cost[some] * wanted / done[some] * fee))
    draws = tuple(np.sort(eta_s).round(1).tolist())
    return Quote(terms.n_records, price, _estimate(eta_s), _estimate(right), answers, fill, options, draws)


def _estimate(values: FloatArray) -> Estimate | None:
    if not len(values):
        return None
    low, median, high = np.quantile(values, _TAILS, method="weibull")
    return Estimate(float(low), float(median), float(high))


def _curve(waits: FloatArray, n: int) -> tuple[tuple[float, float], ...]:
    """Return points of the probability to be taken by a time, at equal steps of probability."""
    if not len(waits):
        return ()
    at_s = np.quantile(waits, _CURVE)
    return tuple((float(s), round(step * len(waits) / n, 4)) for s, step in zip(at_s, _CURVE, strict=True))


def _options(market: Possible, terms: Terms, rng: np.random.Generator) -> tuple[Option, ...]:
    """Play one batch under every wave and window, each draw in a yard of its own."""
    n_items = min(terms.batch_size, terms.n_records) * (1 + terms.gold_ratio)
    cells = [(wave, window) for wave in WAVES for window in WINDOWS]
    n_each = min(_OPTION_DRAWS, market.shape[0])
    n_rows = n_each * len(cells)
    truth = np.tile(np.arange(n_each), len(cells))
    wave, window = (np.repeat([cell[i] for cell in cells], n_each) for i in (0, 1))
    barred = np.zeros((n_rows, market.shape[1]), dtype=np.bool_)
    course = Course(market, terms, _slots(market, n_items, n_rows, rng), rng)
    rows = Rows(truth, np.arange(n_rows), np.zeros(n_rows), np.full(n_rows, n_items), barred, wave, window)
    taken_s = course.run(rows).taken_s.reshape(len(cells), -1)
    return tuple(_option(*cell, times) for cell, times in zip(cells, taken_s, strict=True))


def _option(wave: int, window: float, taken_s: FloatArray) -> Option:
    is_taken = np.isfinite(taken_s)
    median = float(np.median(taken_s[is_taken])) if is_taken.any() else None
    return Option(wave, window, float(is_taken.mean()), median)
