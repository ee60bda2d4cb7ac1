"""Batches on their way through the offers: asked, declined, silent, accepted, failed, asked on; all of them at once."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from marketplace.core.quote.draws import BoolArray, FloatArray, IntArray, Possible
from marketplace.core.quote.slots import Asked, Slots
from marketplace.core.quote.terms import Terms

_P_STALL: Final = 0.5
"""Share of failed work that was never started; the rest runs into its deadline half done on average."""
_START_SPREAD: Final = 0.6
_STEP: Final = (0.25, 0.45)
"""Share of a yard's batches that take a step together: of few, and of more than _MANY."""
_MANY: Final = 40
_POLL_S: Final = 5.0
"""How soon a vendor without a slot looks again, seconds."""
_NEVER: Final = np.inf


@dataclass(frozen=True, slots=True)
class Rows:
    """Batches to play, each in one truth: ``truth`` names its parameters, ``yard`` whose slots it competes for.

    ``start_s`` infinite: there is no such batch. ``window`` scales the time to accept. The rows are ``n_layers`` equal
    parts: those in the same place of each part hold the same records, which no vendor sees twice.
    """

    truth: IntArray
    yard: IntArray
    start_s: FloatArray
    n_items: FloatArray
    barred: BoolArray  # (n_rows, n_bidders): may not be asked
    wave: IntArray
    window: FloatArray
    n_layers: int = 1

    def siblings(self, row: IntArray) -> list[IntArray]:
        """Return the rows of the same records in each other layer."""
        n = len(self.truth)
        return [(row + n // self.n_layers * step) % n for step in range(1, self.n_layers)]


@dataclass(frozen=True, slots=True)
class Made:
    """Offers and what comes of them: ``missed_s`` is when a refusal is known, ``took_s`` how long the work takes."""

    is_willing: BoolArray
    answer_s: FloatArray
    missed_s: FloatArray
    until_s: FloatArray
    took_s: FloatArray
    share: FloatArray


class Course:
    """The course of batches; after :meth:`run` its arrays, one entry a row, say what became of them.

    Attributes
    ----------
    done_s, taken_s
        When all of it was done and when it was first accepted; infinity when never.
    cost_micro, left, right
        What the labels cost without fee, the share not done, and the sum of share done times accuracy.
    barred
        ``Rows.barred`` and whoever worked on it.

    Notes
    -----
    Mirrors the offering statement: the first candidate not yet asked in this round and not full is asked; when all
    are full the batch waits for the first to be free; after the last, the next round starts after a pause; after the
    last round or offer the customer has to decide, and the course ends. After the first miss ``wave`` offers run
    side by side. A willing vendor that is full accepts once a slot of it is free, if there is still time. A step
    plays the earliest events of each yard, so that batches reach for slots about in the order of time. Rows lie with
    the yard changing fastest.
    """

    def __init__(self, market: Possible, terms: Terms, slots: Slots, rng: np.random.Generator) -> None:
        self.market, self.terms, self.slots, self.rng = market, terms, slots, rng

    def run(self, rows: Rows) -> "Course":
        """Play the batches to their ends."""
        n = len(rows.truth)
        self.rows, self.barred, self.asked = rows, rows.barred.copy(), rows.barred.copy()
        self.lanes = np.full((n, int(rows.wave.max())), _NEVER)
        self.lanes[:, 0] = rows.start_s
        self.n_offers, self.round = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int64)
        self.bidder = np.zeros(self.lanes.shape, dtype=np.int64)
        self.agreed_s, self.until_s, self.took_s, self.share = (np.full(self.lanes.shape, _NEVER) for _ in range(4))
        self.done_s, self.taken_s, self.left = np.full(n, _NEVER), np.full(n, _NEVER), np.ones(n)
        self.cost_micro, self.right = np.zeros(n), np.zeros(n)
        self.live, self.live_until_s = np.zeros(n, dtype=np.int64), np.zeros(n)
        self.layer = np.arange(n) // (n // rows.n_layers)
        while len(due := self._due()):
            self._settle(due)
            asking = due[self.lanes[due].min(axis=1) < self.agreed_s[due].min(axis=1)]
            for layer in range(rows.n_layers):
                self._offer(asking[self.layer[asking] == layer])
        return self

    def _due(self) -> IntArray:
        """Return the rows whose next event is among the earliest of their yard: time passes alike for all in a yard."""
        next_s = np.minimum(self.lanes.min(axis=1), self.agreed_s.min(axis=1))
        n_yards = self.slots.opens.shape[0]
        ordered = np.sort(next_s.reshape(-1, n_yards), axis=0)  # (n_rows_of_a_yard, n_yards)
        step = _STEP[len(ordered) > _MANY]
        place = (step * np.isfinite(ordered).sum(axis=0)).astype(np.int64)
        until_s = ordered[place, np.arange(n_yards)]
        return np.flatnonzero(np.isfinite(next_s) & (next_s <= until_s[self.rows.yard]))

    def _offer(self, active: IntArray) -> None:
        lane = self.lanes[active].argmin(axis=1)
        now_s = self.lanes[active, lane]
        is_left = ~self.asked[active]
        is_left[self.n_offers[active] >= self.terms.max_offers] = False
        opens, is_free = self._open(active, now_s)
        is_free &= is_left
        chosen = is_free.argmax(axis=1)
        is_made = is_free[np.arange(len(active)), chosen]
        if is_made.any():
            self._make(active[is_made], lane[is_made], chosen[is_made], now_s[is_made])
        if not is_made.all():
            none = ~is_made
            self._wait(active[none], lane[none], now_s[none], np.where(is_left, opens, _NEVER)[none])

    def _open(self, row: IntArray, now_s: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Return from when on each bidder may be asked and whether it may now: not while it is asked for a sibling."""
        yard = self.rows.yard[row]
        opens = self.slots.opens[yard]  # (n_rows, n_bidders)
        is_free = (opens <= now_s[:, None]) | (self.slots.shuts[yard] > now_s[:, None])
        for sibling in self.rows.siblings(row):
            held = np.flatnonzero(self.live_until_s[sibling] > now_s)
            who = self.live[sibling[held]]
            opens[held, who] = np.maximum(opens[held, who], self.live_until_s[sibling[held]])
            is_free[held, who] = False
        return opens, is_free

    def _wait(self, row: IntArray, lane: IntArray, now_s: FloatArray, opens: FloatArray) -> None:
        """Nobody is free: wait for the first of those left, or for the offers still out, or start the next round."""
        self.lanes[row, lane] = np.maximum(opens.min(axis=1), now_s)
        is_out = np.isfinite(self.lanes[row]).any(axis=1) | np.isfinite(self.agreed_s[row]).any(axis=1)
        again = ~is_out & (self.round[row] < self.terms.max_rounds) & (self.n_offers[row] < self.terms.max_offers)
        again &= ~self.barred[row].all(axis=1)
        row = row[again]
        self.round[row] += 1
        self.asked[row] = self.barred[row]
        self.lanes[row, 0] = now_s[again] + max(self.terms.round_pause_s, 1e-3)

    def _make(self, row: IntArray, lane: IntArray, bidder: IntArray, now_s: FloatArray) -> None:
        is_first = (self.n_offers[row] == 0) & (self.rows.wave[row] > 1)
        self.asked[row, bidder] = True
        self.n_offers[row] += 1
        made = self._answers(row, bidder, now_s)
        self.live[row], self.live_until_s[row] = bidder, np.where(made.is_willing, made.until_s, made.missed_s)
        self.lanes[row, lane] = np.where(made.is_willing, _NEVER, made.missed_s)
        is_widened = is_first & ~made.is_willing
        for place in range(1, self.lanes.shape[1]):
            wide = is_widened & (self.rows.wave[row] > place)
            self.lanes[row[wide], place] = made.missed_s[wide]
        self.bidder[row, lane], self.until_s[row, lane] = bidder, made.until_s
        self.agreed_s[row, lane] = np.where(made.is_willing, made.answer_s, _NEVER)
        self.took_s[row, lane], self.share[row, lane] = made.took_s, made.share

    def _answers(self, row: IntArray, bidder: IntArray, now_s: FloatArray) -> Made:
        market, truth, n = self.market, self.rows.truth[row], len(row)
        window_s = market.window_s[bidder] * self.rows.window[row]
        noise = self.rng.standard_normal((3, n))
        luck = self.rng.random((4, n))
        answer_s = now_s + np.exp(market.response[truth, bidder] + market.response_spread[bidder] * noise[0])
        is_willing = luck[0] < market.willing[truth, bidder]
        speaks = (answer_s < now_s + window_s) & (is_willing | (luck[1] >= market.silent[truth, bidder]))
        took_s, share = self._work(row, bidder, noise[1:], luck[2:])
        until_s = now_s + window_s
        return Made(speaks & is_willing, answer_s, np.where(speaks, answer_s, until_s), until_s, took_s, share)

    def _work(
        self, row: IntArray, bidder: IntArray, noise: FloatArray, luck: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return how long accepted work takes to its end and which share of it is done then."""
        market, truth = self.market, self.rows.truth[row]
        n_items = self.rows.n_items[row] * self.left[row]
        start_window_s = market.start_window_s[bidder]
        lag_s = np.minimum(market.start_s[truth, bidder] * np.exp(_START_SPREAD * noise[0]), start_window_s)
        work_s = np.exp(market.label[truth, bidder] + market.label_spread[bidder] * noise[1]) * n_items
        due_s = start_window_s + market.base_s[bidder] + market.promised_label_s[bidder] * n_items
        fails = luck[0] >= market.complete[truth, bidder]
        stalls = fails & (luck[1] < _P_STALL)
        is_late = ~fails & (lag_s + work_s > due_s)
        in_time = np.clip((due_s - lag_s) / np.maximum(work_s, 1e-9), 0.0, 1.0)
        partial = np.where(is_late, in_time, np.maximum(luck[1] - _P_STALL, 0.0) / (1 - _P_STALL))
        fails |= is_late
        took_s = np.where(stalls, start_window_s, np.where(fails, due_s, lag_s + work_s))
        return took_s, np.where(fails, partial, 1.0)

    def _settle(self, due: IntArray) -> None:
        """Let the earliest acceptance win where no open offer could still come before it and a slot is free."""
        lane = self.agreed_s[due].argmin(axis=1)
        is_next = self.agreed_s[due, lane] <= self.lanes[due].min(axis=1)
        is_next &= np.isfinite(self.agreed_s[due, lane])
        row, lane = due[is_next], lane[is_next]
        if not len(row):
            return
        at_s, until_s = self.agreed_s[row, lane], self.until_s[row, lane]
        # In a wave another vendor may take the batch while this one waits for a slot of its own: it asks again then.
        is_alone = self.rows.wave[row] == 1
        patience_s = np.where(is_alone, until_s, np.nextafter(at_s, _NEVER))
        yard, bidder = self.rows.yard[row], self.bidder[row, lane]
        accepted_s, is_served = self.slots.take(Asked(yard, bidder, at_s, patience_s, self.took_s[row, lane]))
        is_got = np.isfinite(accepted_s)
        again_s = np.maximum(self.slots.opens[yard, bidder], at_s + _POLL_S)
        is_lost = ~is_got & np.where(is_alone, is_served, again_s >= until_s)
        waits = ~is_got & ~is_lost & ~is_alone
        self.agreed_s[row[waits], lane[waits]] = again_s[waits]
        self.agreed_s[row[is_lost], lane[is_lost]] = _NEVER
        self.lanes[row[is_lost], lane[is_lost]] = until_s[is_lost]
        self._book(row[is_got], lane[is_got], accepted_s[is_got])

    def _book(self, row: IntArray, lane: IntArray, accepted_s: FloatArray) -> None:
        bidder, truth = self.bidder[row, lane], self.rows.truth[row]
        end_s, share = accepted_s + self.took_s[row, lane], self.share[row, lane]
        part, is_whole = share * self.left[row], share >= 1.0
        self.taken_s[row] = np.minimum(self.taken_s[row], accepted_s)
        self.cost_micro[row] += part * self.rows.n_items[row] * self.market.price_micro[bidder]
        self.right[row] += part * self.market.accuracy[truth, bidder]
        self.left[row] = np.where(is_whole, 0.0, self.left[row] - part)
        self.done_s[row] = np.where(is_whole, end_s, _NEVER)
        self.barred[row, bidder] = self.asked[row, bidder] = True
        for sibling in self.rows.siblings(row):
            self.barred[sibling, bidder] = self.asked[sibling, bidder] = True
        self.lanes[row], self.agreed_s[row] = _NEVER, _NEVER
        self.lanes[row[~is_whole], 0] = end_s[~is_whole]
