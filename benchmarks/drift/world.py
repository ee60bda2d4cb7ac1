"""A simulated world: four kinds of records, a model that knows them, and the ways in which batches can shift."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from curation.core.drift import Records, Reference, Verdict, watch

D, K, N_REFERENCE, N_BATCH = 10, 4, 1000, 100


@dataclass(frozen=True, slots=True)
class Make:
    """What the records of a time are like.

    Attributes
    ----------
    shares
        Of the four kinds.
    shift
        How far three features of ten have moved, in standard deviations within a kind.
    new
        Share of records of a kind that nobody knows.
    doubt
        How much flatter the model's probabilities are; 1 is as usual.
    """

    shares: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)
    shift: float = 0.0
    new: float = 0.0
    doubt: float = 1.0


USUAL = Make()
WINTER = Make(shares=(0.1, 0.1, 0.3, 0.5), shift=0.5)
SHIFTS = {
    "mean, by a standard deviation": Make(shift=1.0),
    "class shares, a quarter moves": Make(shares=(0.15, 0.3, 0.2, 0.35)),
    "new cluster, 10 %": Make(new=0.1),
    "a model less sure, 4 times flatter": Make(doubt=4.0),
    "a season nobody named": WINTER,
}
"""Shifts that have to be caught within two batches."""


class World:
    """Four kinds of records and the probabilities of a model that knows them."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.centres = self.rng.normal(size=(K, D)) * 2

    def draw(self, make: Make = USUAL, n: int = N_BATCH) -> Records:
        """Return a batch of records."""
        y = self.rng.choice(K, n, p=make.shares)
        X = self.centres[y] + self.rng.normal(size=(n, D))
        X[:, 2:5] += make.shift
        X[self.rng.random(n) < make.new] += 6
        logits = -((X[:, None] - self.centres) ** 2).sum(axis=2) / (8 * make.doubt)  # (n, K)
        proba = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Records(X.astype(np.float32), proba / proba.sum(axis=1, keepdims=True))

    def reference(self, make: Make = USUAL) -> Reference:
        """Return the records of a time when all was well, or of a season."""
        return Reference(self.draw(make, N_REFERENCE), self.rng)


def verdicts(
    usual: Reference, batches: Iterable[Records], seasons: Mapping[str, Reference] | None = None
) -> Iterator[Verdict]:
    """Yield what each batch of a watch is, in the order of their arrival, as ``manage.py drift`` tells it."""
    before: Records | None = None
    for batch in batches:
        verdict = watch(usual, batch, before, seasons)
        before = None if verdict.differences else batch
        yield verdict
