"""A market whose vendors' parameters nobody knows: what is believed of them was learnt from their history."""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from marketplace.core.quote import Bidder, Terms
from vendors.core.posteriors import FORGETTING, Duration, Ratio

FloatArray = npt.NDArray[np.float64]
ACCURACY_PRIOR: Final = Ratio(4.5, 0.5)
ACCEPTANCE_PRIOR: Final = Ratio(3.0, 1.0)
COMPLETION_PRIOR: Final = Ratio(9.0, 0.5)
RESPONSE_PRIOR_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Hidden:
    """The truth about one vendor; chances in (0, 1), medians and spreads of durations in seconds and log-seconds."""

    willing: float
    silent: float
    response_s: float
    response_spread: float
    start_s: float
    start_spread: float
    label_s: float
    label_spread: float
    stalls: float
    quits: float
    accuracy: float
    window_s: float
    start_window_s: float
    promised_label_s: float
    slots: int
    price_micro: int


def hidden(rng: np.random.Generator) -> Hidden:
    """Return a vendor."""
    label_s = float(10 * np.exp(0.4 * rng.standard_normal()))
    return Hidden(
        willing=float(rng.beta(4, 2)),
        silent=float(rng.beta(2, 2)),
        response_s=float(240 * np.exp(0.6 * rng.standard_normal())),
        response_spread=float(rng.uniform(0.4, 0.9)),
        start_s=float(400 * np.exp(0.4 * rng.standard_normal())),
        start_spread=0.6,
        label_s=label_s,
        label_spread=float(rng.uniform(0.15, 0.35)),
        stalls=float(rng.beta(1, 40)),
        quits=float(rng.beta(1, 40)),
        accuracy=float(rng.beta(18, 2)),
        window_s=float(rng.choice([900.0, 1800.0])),
        start_window_s=2700.0,
        promised_label_s=label_s * float(rng.uniform(0.9, 1.6)),
        slots=int(rng.integers(1, 5)),
        price_micro=int(50_000 * np.exp(0.3 * rng.standard_normal())),
    )


def believed(one: Hidden, n_offers: int, rng: np.random.Generator) -> Bidder:
    """Return what the market has learnt of a vendor from so many offers, by the production posteriors."""
    accepted = declined = done = failed = 0.0
    response: FloatArray = np.zeros(3)
    label: FloatArray = np.zeros(3)
    n_right, n_judged = rng.binomial(40, one.accuracy), 40
    for _ in range(n_offers):
        accepted, declined = FORGETTING * accepted, FORGETTING * declined
        answer = answer_of(one, rng)
        if answer.kind != "silent":
            response = FORGETTING * response + _logs(answer.after_s)
        if answer.kind != "accepted":
            declined += 1.0 if answer.kind == "silent" else 0.5
            continue
        accepted += 1
        is_done = rng.random() >= one.stalls + one.quits
        done, failed = FORGETTING * done + is_done, FORGETTING * failed + (not is_done)
        label = FORGETTING * label + _logs(one.label_s * math.exp(one.label_spread * rng.standard_normal()))
        n_right, n_judged = n_right + rng.binomial(4, one.accuracy), n_judged + 4
    return Bidder(
        price_micro=one.price_micro,
        window_s=one.window_s,
        slots=one.slots,
        in_flight=0,
        acceptance=ACCEPTANCE_PRIOR.with_counts(accepted, declined),
        warmth=1.0,
        completion=COMPLETION_PRIOR.with_counts(done, failed),
        accuracy=ACCURACY_PRIOR.with_counts(n_right, n_judged - n_right),
        response=_duration(response, RESPONSE_PRIOR_S),
        label=_duration(label, one.promised_label_s),
        base_s=one.start_s,
        start_window_s=one.start_window_s,
        promised_label_s=one.promised_label_s,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """accepted, declined or silent, and after how long it is known."""

    kind: str
    after_s: float


def answer_of(one: Hidden, rng: np.random.Generator) -> Answer:
    """Return what comes of an offer."""
    after_s = one.response_s * math.exp(one.response_spread * rng.standard_normal())
    is_willing = rng.random() < one.willing
    if after_s >= one.window_s or (not is_willing and rng.random() < one.silent):
        return Answer("silent", one.window_s)
    return Answer("accepted" if is_willing else "declined", after_s)


def _duration(sums: FloatArray, prior_s: float) -> Duration:
    return Duration(float(sums[0]), float(sums[1]), float(sums[2]), prior_s)


def _logs(seconds: float) -> FloatArray:
    log = math.log(max(seconds, 1e-3))
    return np.array([1.0, log, log * log])


def terms(rng: np.random.Generator) -> Terms:
    """Return a job: some hundred records in batches, one to three opinions."""
    min_overlap = int(rng.integers(1, 3))
    made = Terms(
        n_records=int(rng.integers(20, 300)),
        batch_size=int(rng.choice([10, 20, 40])),
        n_classes=4,
        gold_ratio=0.1,
        min_overlap=min_overlap,
        max_overlap=min_overlap + int(rng.integers(0, 3)),
        target_confidence=0.9,
        wave_size=1,
        max_offers=8,
        max_rounds=3,
        round_pause_s=300.0,
        fee_basis_points=1000,
    )
    return replace(made, wave_size=int(rng.choice([1, 1, 2])))
