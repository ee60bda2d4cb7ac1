"""What is true of a market and hidden from its router: vendors that drift, go silent, stall, join late and boast.

Every distribution here was fixed before the ranker was tuned; `docs/decisions/0003-routing.md` says how.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from marketplace.core.routing import REFERENCES, Weights

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S
REFERENCE: Final = REFERENCES["bbox"]
N_ATTEMPTS: Final = 8
"""Independent fates drawn for each order and vendor; later attempts meet them again in turn."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Size and temper of a world; rates are a vendor's and a day's."""

    n_vendors: int = 16
    n_days: float = 10.0
    orders_a_day: float = 240.0
    records: tuple[int, int] = (30, 60)
    drifts_a_day: float = 0.1
    drift_spread: float = 0.3
    silences_a_day: float = 0.25
    silence_h: float = 4.0
    late_share: float = 0.25
    boast: float = 0.35
    stall_share: float = 0.2


@dataclass(frozen=True, slots=True)
class Traits:
    """How a vendor behaves during one regime: times in seconds, errors and chances in (0, 1)."""

    p_accept: float
    p_silent: float
    response_s: float
    start_s: float
    label_s: float
    p_stall: float
    p_quit: float
    error: float


@dataclass(frozen=True, slots=True)
class Claims:
    """What a vendor says of itself; its price is what it says."""

    p_accept: float
    response_s: float
    start_s: float
    label_s: float
    error: float


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor: open terms, claims, and what nobody sees (regimes by start, spells of silence)."""

    joins_at_s: float
    price_micro: int
    slots: int
    claims: Claims
    regime_starts_s: tuple[float, ...]
    regimes: tuple[Traits, ...]
    silent: tuple[tuple[float, float], ...]
    closed: tuple[tuple[float, float], ...]

    def traits(self, at_s: float) -> Traits:
        """Return how the vendor behaves at a time."""
        number = int(np.searchsorted(self.regime_starts_s, at_s, side="right")) - 1
        return self.regimes[max(number, 0)]

    def back_at(self, at_s: float) -> float:
        """Return when a vendor silent at a time answers again; the time itself when it is not silent."""
        return next((end for start, end in self.silent if start <= at_s < end), at_s)

    def is_open(self, at_s: float) -> bool:
        """Return whether the vendor is in the market and has not switched itself off."""
        return at_s >= self.joins_at_s and not any(start <= at_s < end for start, end in self.closed)


@dataclass(frozen=True, slots=True)
class Order:
    """A batch to be labeled."""

    at_s: float
    n_records: int
    weights: Weights

    @property
    def ref_time_s(self) -> float:
        """What the work usually takes."""
        return REFERENCE.label_s * self.n_records


@dataclass(frozen=True, slots=True)
class World:
    """Vendors, orders and every stroke of luck, so that all routers meet the same (``luck``: uniform in (0, 1))."""

    vendors: tuple[Vendor, ...]
    orders: tuple[Order, ...]
    luck: npt.NDArray[np.float64]  # (n_orders, n_vendors, N_ATTEMPTS, 7)
    gold: npt.NDArray[np.float64]  # (n_orders, n_vendors, N_ATTEMPTS)


def make(seed: int, shape: Shape | None = None) -> World:
    """Return the world of a seed."""
    shape = shape or Shape()
    rng = np.random.default_rng([seed, 20261123])
    vendors = tuple(_vendor(rng, shape) for _ in range(shape.n_vendors))
    orders = tuple(_orders(rng, shape))
    size = (len(orders), len(vendors), N_ATTEMPTS)
    return World(vendors, orders, rng.random((*size, 7)), rng.random(size))


def _vendor(rng: np.random.Generator, shape: Shape) -> Vendor:
    skill = rng.standard_normal()
    traits = Traits(
        p_accept=rng.beta(6, 2),
        p_silent=rng.beta(2, 3),
        response_s=300 * np.exp(0.6 * rng.standard_normal()),
        start_s=600 * np.exp(0.6 * rng.standard_normal()),
        label_s=REFERENCE.label_s * np.exp(0.35 * rng.standard_normal()),
        p_stall=rng.beta(3, 15) if rng.random() < shape.stall_share else rng.beta(1, 40),
        p_quit=rng.beta(1, 30),
        error=min(REFERENCE.error * np.exp(0.45 * rng.standard_normal() - 0.25 * skill), 0.4),
    )
    horizon_s = shape.n_days * DAY_S
    late = rng.random() < shape.late_share
    starts, regimes = _regimes(rng, traits, shape)
    return Vendor(
        joins_at_s=float(rng.uniform(0.1, 0.6) * horizon_s) if late else 0.0,
        price_micro=int(REFERENCE.price_micro * np.exp(0.3 * rng.standard_normal() + 0.15 * skill)),
        slots=int(rng.integers(1, 4)),
        claims=_claims(rng, traits, shape),
        regime_starts_s=starts,
        regimes=regimes,
        silent=_spells(rng, horizon_s, shape.silences_a_day, shape.silence_h),
        closed=_nights(rng, shape) if rng.random() < 0.5 else (),
    )


def _claims(rng: np.random.Generator, traits: Traits, shape: Shape) -> Claims:
    """Everybody rounds in its own favour, some a lot."""
    flatter = np.exp(-shape.boast * np.abs(rng.standard_normal(4)))
    return Claims(
        p_accept=0.95,
        response_s=traits.response_s * flatter[0],
        start_s=traits.start_s * flatter[1],
        label_s=traits.label_s * flatter[2],
        error=traits.error * flatter[3],
    )


def _regimes(rng: np.random.Generator, traits: Traits, shape: Shape) -> tuple[tuple[float, ...], tuple[Traits, ...]]:
    n = rng.poisson(shape.drifts_a_day * shape.n_days)
    starts = [0.0, *sorted(float(s) for s in rng.uniform(0, shape.n_days * DAY_S, n))]
    regimes = [traits]
    for _ in range(n):
        jump = np.exp(shape.drift_spread * rng.standard_normal(4))
        old = regimes[-1]
        regimes.append(
            replace(
                old,
                p_accept=min(max(old.p_accept * jump[0], 0.1), 0.98),
                response_s=old.response_s * jump[1],
                label_s=old.label_s * jump[2],
                error=min(old.error * jump[3], 0.4),
            )
        )
    return tuple(starts), tuple(regimes)


def _spells(rng: np.random.Generator, horizon_s: float, a_day: float, hours: float) -> tuple[tuple[float, float], ...]:
    starts = sorted(rng.uniform(0, horizon_s, rng.poisson(a_day * horizon_s / DAY_S)))
    return tuple((float(s), float(s + rng.exponential(hours * HOUR_S))) for s in starts)


def _nights(rng: np.random.Generator, shape: Shape) -> tuple[tuple[float, float], ...]:
    """Hours a vendor is closed each day and says so."""
    start, length = rng.uniform(0, 24), rng.uniform(6, 12)
    days = range(-1, int(shape.n_days) + 3)
    return tuple(((24 * d + start) * HOUR_S, (24 * d + start + length) * HOUR_S) for d in days)


def _orders(rng: np.random.Generator, shape: Shape) -> list[Order]:
    horizon_s = shape.n_days * DAY_S
    times = np.sort(rng.uniform(0, horizon_s, rng.poisson(shape.orders_a_day * shape.n_days)))
    sizes = rng.integers(shape.records[0], shape.records[1] + 1, len(times))
    priorities = rng.choice(["cost", "speed", "accuracy"], len(times))
    return [Order(float(at), int(n), Weights.of(str(p))) for at, n, p in zip(times, sizes, priorities, strict=True)]
