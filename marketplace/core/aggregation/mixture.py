"""Capped geometric mixture of fitted models, and its calibration by gold.

Gold sets two things, both by how well the answers alone (gold forgotten in a second fit) foretell it: the evidence cap
of the job, and a tilt of the models' weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from marketplace.core.aggregation import em, evidence
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Member

MIN_GOLD = 8
"""Answered gold records below which the default cap and the guard's weights stand."""
GRID = np.exp(np.linspace(np.log(0.03), np.log(4.0), 50))
"""Multiples of the default cap that are tried."""
SPREAD = 0.3
"""Scale of the Cauchy prior on the log multiple: heavy tails let little gold expose a crowd that shares a bias."""
TRUST_IN_GOLD = 0.25
"""Power of the gold's likelihood in the models' weights: one for independent records, less for those of one job."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """What the mixture needs of some records: per member log prior, log-likelihood and information.

    Attributes
    ----------
    log_prior
        Per member, shape (n, n_classes) or (1, n_classes).
    log_likelihood
        Per member, shape (n, n_classes).
    information
        Per member, shape (n,), nats.
    weights
        Shape (n_members,), sums to 1.
    is_prior_capped
        Per member, whether its prior is tempered along with the likelihood.
    """

    log_prior: list[FloatArray]
    log_likelihood: list[FloatArray]
    information: list[FloatArray]
    weights: FloatArray
    is_prior_capped: list[bool]

    @classmethod
    def of(cls, answers: Answers, known: Known, fits: Sequence[em.Fit], members: Sequence[Member]) -> "Mixture":
        """Return the mixture of all records."""
        return cls(
            [known.log_prior(member.class_prior) for member in members],
            [fit.log_likelihood for fit in fits],
            [evidence.per_task(answers, member.information) for member in members],
            np.array([member.weight for member in members]),
            [member.is_prior_capped and known.prior is None for member in members],
        )

    def at(self, rows: npt.NDArray[np.intp]) -> "Mixture":
        """Return the mixture of some records only."""
        return Mixture(
            [prior if len(prior) == 1 else prior[rows] for prior in self.log_prior],
            [part[rows] for part in self.log_likelihood],
            [part[rows] for part in self.information],
            self.weights,
            self.is_prior_capped,
        )

    def member_log(self, index: int, cap: float) -> FloatArray:
        """Return one member's capped log posterior, shape (n, n_classes)."""
        power = evidence.exponent(self.information[index], cap)[:, np.newaxis]
        prior = power * self.log_prior[index] if self.is_prior_capped[index] else self.log_prior[index]
        return np.log(em.normalise(prior + power * self.log_likelihood[index]))

    def posterior(self, cap: float) -> FloatArray:
        """Return the mixed posterior, shape (n, n_classes); gold isn't clamped."""
        mixed = self.weights[0] * self.member_log(0, cap)
        for index in range(1, len(self.weights)):
            mixed += self.weights[index] * self.member_log(index, cap)
        return em.normalise(mixed)

    def tilted(self, tilt: FloatArray) -> "Mixture":
        """Return the mixture with its log weights raised by ``tilt``, shape (n_members,)."""
        return replace(self, weights=em.normalise((np.log(self.weights) + tilt)[np.newaxis])[0])


@dataclass(frozen=True, eq=False)
class Calibration:
    """What gold says: the evidence cap, and how much to raise each member's log weight."""

    cap: float
    tilt: FloatArray


def usable_gold(answers: Answers, known: Known) -> npt.NDArray[np.intp]:
    """Return the gold records that have answers, or none where they are too few."""
    gold = np.flatnonzero((known.gold >= 0) & (answers.per_task > 0))
    return gold if len(gold) >= MIN_GOLD else gold[:0]


def calibrate(blind: Mixture, labels: npt.NDArray[np.integer], default: float) -> Calibration:
    """Return the cap and the tilt under which a mixture fitted without gold foretells it best.

    Parameters
    ----------
    blind
        The mixture of the gold records.
    labels
        Their true classes.
    default
        The cap without gold, centre of its prior.
    """
    rows = np.arange(len(labels))
    hits = [blind.member_log(index, default)[rows, labels].sum() for index in range(len(blind.weights))]
    tilt = TRUST_IN_GOLD * (np.array(hits) - max(hits))
    tilted = blind.tilted(tilt)

    def score(multiple: float) -> float:
        fit = float(np.log(tilted.posterior(multiple * default)[rows, labels]).sum())
        return fit - float(np.log1p((np.log(multiple) / SPREAD) ** 2))

    return Calibration(default * float(max(GRID, key=score)), tilt)
