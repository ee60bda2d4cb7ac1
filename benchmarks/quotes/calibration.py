"""Quotes against what happened, over many jobs."""

from dataclasses import dataclass

import numpy as np

from benchmarks.quotes import market
from benchmarks.quotes.events import Ended, Run
from marketplace.core.quote import Estimate, Quote, quote

N_BINS = 5


@dataclass(frozen=True)
class Case:
    """A job as it was quoted and as it went."""

    quoted: Quote
    ended: Ended

    @property
    def is_filled(self) -> bool:
        """Whether no batch needed its customer."""
        return bool(np.isfinite(self.ended.done_s))


def case(seed: int) -> Case:
    """Return the case of a seed: a market of its own, 2 to 14 vendors, each with a history of its own length."""
    rng = np.random.default_rng([seed, 20])
    n_vendors = int(rng.integers(2, 15))
    vendors = [market.hidden(rng) for _ in range(n_vendors)]
    bidders = [market.believed(one, int(rng.integers(5, 80)), rng) for one in vendors]
    order = sorted(range(n_vendors), key=lambda v: bidders[v].price_micro / bidders[v].acceptance.mean)
    terms = market.terms(rng)
    quoted = quote([bidders[v] for v in order], terms, np.random.default_rng([seed, 22]))
    return Case(quoted, Run([vendors[v] for v in order], terms, np.random.default_rng([seed, 21])).run())


def coverage(cases: list[Case], name: str) -> float:
    """Return the share of wholly filled jobs whose figure lies within its interval."""
    actual = {"eta": "done_s", "price": "cost_micro", "accuracy": "accuracy"}[name]
    quoted = {"eta": "eta_s", "price": "price_micro", "accuracy": "accuracy"}[name]
    return float(np.mean([_holds(getattr(c.quoted, quoted), getattr(c.ended, actual)) for c in cases if c.is_filled]))


def _holds(estimate: Estimate | None, value: float) -> bool:
    return estimate is not None and estimate.low - 1e-9 <= value <= estimate.high + 1e-9


def reliability(cases: list[Case]) -> tuple[list[tuple[float, float, int]], float]:
    """Return the reliability diagram of the fill probability of a batch, and its mean error weighted by batches.

    Each row: mean probability quoted, share of batches taken, number of batches; bins of equal numbers of jobs.
    """
    quoted = np.array([c.quoted.fill.probability for c in cases])
    taken = np.array([np.isfinite(c.ended.waits_s).mean() for c in cases])
    n = np.array([len(c.ended.waits_s) for c in cases])
    rows = []
    for part in np.array_split(np.argsort(quoted, kind="stable"), N_BINS):
        mean, share = (float(np.average(v[part], weights=n[part])) for v in (quoted, taken))
        rows.append((mean, share, int(n[part].sum())))
    error = float(np.average([abs(a - b) for a, b, _ in rows], weights=[w for *_, w in rows]))
    return rows, error
