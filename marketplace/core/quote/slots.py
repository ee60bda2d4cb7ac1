"""When the vendors' slots are taken, in every possible truth at once."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from marketplace.core.quote.draws import BoolArray, FloatArray, IntArray, Possible

_NEVER: Final = np.inf


@dataclass(slots=True)
class Slots:
    """The latest booking of each slot; all of a bidder's slots are taken from ``shuts`` to ``opens``.

    A yard is one market in one possible truth: batches of one yard compete for the same slots.
    """

    starts: FloatArray  # (n_yards, n_bidders, n_slots)
    ends: FloatArray  # (n_yards, n_bidders, n_slots)
    opens: FloatArray  # (n_yards, n_bidders)
    shuts: FloatArray  # (n_yards, n_bidders)

    @classmethod
    def of(cls, market: Possible, residual_s: FloatArray) -> "Slots":
        """Return the slots as they stand: those in use end after ``residual_s``, (n_yards, n_bidders, n_slots)."""
        number = np.arange(residual_s.shape[2])
        is_used = number < market.in_flight[:, None]
        exists = number < market.slots[:, None]
        ends = np.where(exists, np.where(is_used, residual_s, 0.0), _NEVER)
        starts = np.broadcast_to(np.where(exists, 0.0, -_NEVER), ends.shape).copy()
        return cls(starts, ends, ends.min(axis=2), starts.max(axis=2))

    def take(self, asked: "Asked") -> tuple[FloatArray, BoolArray]:
        """Give slots to who asks for one, the earliest first, each slot at most once.

        Returns
        -------
        accepted_s
            When each gets its slot, infinity when not before its deadline.
        is_served
            Whether its turn has come; the others ask again.
        """
        order = np.lexsort((asked.at_s, asked.yard * self.opens.shape[1] + asked.bidder))
        yard, bidder = asked.yard[order], asked.bidder[order]
        place: IntArray = np.arange(len(order))
        is_next = np.r_[False, (yard[1:] == yard[:-1]) & (bidder[1:] == bidder[:-1])]
        place -= np.maximum.accumulate(np.where(is_next, 0, place))
        n_slots = self.ends.shape[2]
        served = np.flatnonzero(place < n_slots)
        yard, bidder, place, order = yard[served], bidder[served], place[served], order[served]
        slot = self.ends[yard, bidder].argsort(axis=1)[np.arange(len(order)), place]
        at_s = np.maximum(asked.at_s[order], self.ends[yard, bidder, slot])
        is_got = at_s < asked.until_s[order]
        accepted_s = np.full(len(asked.at_s), _NEVER)
        accepted_s[order[is_got]] = at_s[is_got]
        is_served = np.zeros(len(asked.at_s), dtype=np.bool_)
        is_served[order] = True
        self._book(yard[is_got], bidder[is_got], slot[is_got], at_s[is_got], asked.took_s[order[is_got]])
        return accepted_s, is_served

    def _book(self, yard: IntArray, bidder: IntArray, slot: IntArray, at_s: FloatArray, took_s: FloatArray) -> None:
        self.starts[yard, bidder, slot] = at_s
        self.ends[yard, bidder, slot] = at_s + took_s
        self.opens[yard, bidder] = self.ends[yard, bidder].min(axis=1)
        self.shuts[yard, bidder] = self.starts[yard, bidder].max(axis=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """Willing vendors that ask for a slot of their own from ``at_s`` on, before ``until_s``, for ``took_s``."""

    yard: IntArray
    bidder: IntArray
    at_s: FloatArray
    until_s: FloatArray
    took_s: FloatArray
