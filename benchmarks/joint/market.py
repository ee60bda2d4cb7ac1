"""A simulated market of vendors that err by class: each mixes each class up with one other, at a rate of its own."""

from dataclasses import dataclass

import numpy as np

from curation.core.arrays import FloatArray

N_GOLD = 40


@dataclass(frozen=True, slots=True)
class Shape:
    """What a market is like: mean share of wrong answers, spread of the vendors' means, and of prices with quality."""

    n_vendors: int = 6
    wrong: float = 0.25
    spread: float = 0.3
    dearer: float = 0.0


SHAPES = {
    "alike": Shape(),
    "uneven, dearer where better": Shape(spread=0.7, dearer=0.5),
    "alike, half as wrong": Shape(wrong=0.125),
}


@dataclass(frozen=True, eq=False)
class Market:
    """Hidden confusions (V, k, k), prices (V,), and what each vendor answered to the gold of its test (V, k, k)."""

    confusion: FloatArray
    prices: FloatArray
    gold: FloatArray

    def ask(self, truth: int, vendor: int, rng: np.random.Generator) -> int:
        """Return a vendor's answer; a record that cannot be labeled (-1) is told so by all."""
        return int(rng.choice(len(self.confusion[vendor]), p=self.confusion[vendor, truth])) if truth >= 0 else -1


def make(n_classes: int, shape: Shape, seed: int) -> Market:
    """Draw a market: error rates by class between 0.4 and 1.6 of each vendor's mean, in an order of its own."""
    rng = np.random.default_rng([seed, 9])
    factor = rng.permutation(np.linspace(1 - shape.spread, 1 + shape.spread, shape.n_vendors))
    confusion = np.zeros((shape.n_vendors, n_classes, n_classes))
    for vendor in range(shape.n_vendors):
        rates = np.minimum(shape.wrong * factor[vendor] * rng.permutation(np.linspace(1.6, 0.4, n_classes)), 0.9)
        for label in range(n_classes):
            other = (label + 1 + rng.integers(0, n_classes - 1)) % n_classes
            confusion[vendor, label, label] = 1 - rates[label]
            confusion[vendor, label, other] += rates[label]
    gold = np.zeros_like(confusion)
    for vendor in range(shape.n_vendors):
        for truth in rng.integers(0, n_classes, N_GOLD):
            gold[vendor, truth, rng.choice(n_classes, p=confusion[vendor, truth])] += 1
    prices = 1 + shape.dearer * (1 - factor) / max(shape.spread, 1e-9)
    return Market(confusion, prices, gold)
