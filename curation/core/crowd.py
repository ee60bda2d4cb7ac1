"""What records are, from who said what and from a model of the records: truth, vendors and model learn from each other.

A vendor that mixes up two classes is known by its gold answers and by what others, and a model that has not seen the
answer, make of the same records. So one answer a record is enough to learn from, and each tells as much as it is worth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from curation.core import softmax
from curation.core.arrays import Float32Array, FloatArray, IntArray

N_FOLDS: Final = 5
MIN_TO_MODEL: Final = 20
"""Records below which no model has a say."""
_STEPS: Final = 3
_PENALTY: Final = 3.0
_OWN: Final = 4.0
"""Answers that a vendor's average accuracy counts for in each row of its confusion."""
_PLAYS: Final = 32
_DOUBT: Final = 0.2
"""Share of the model's say that is spread evenly: it is never certain."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Who said what: record (0 .. n_records - 1), vendor (0 .. V - 1) and class, each of shape (m,)."""

    record: IntArray
    vendor: IntArray
    label: IntArray

    def __post_init__(self) -> None:
        if not len(self.record) == len(self.vendor) == len(self.label):
            raise ValueError(
                f"lengths differ: {len(self.record)} records, {len(self.vendor)} vendors, {len(self.label)} labels"
            )


@dataclass(frozen=True, eq=False)
class Crowd:
    """What is believed after all answers.

    Attributes
    ----------
    posterior
        Belief over the classes of each record, shape (n, k).
    confusion
        P(answer | class) of each vendor, shape (V, k, k).
    """

    posterior: FloatArray
    confusion: FloatArray


def prior_confusion(gold: FloatArray) -> FloatArray:
    """Return what gold alone says of vendors: pseudo-counts of [vendor, true class, answer], shape (V, k, k)."""
    n_classes = gold.shape[1]
    right = np.trace(gold, axis1=1, axis2=2)
    accuracy = ((right + 4.5) / (gold.sum(axis=(1, 2)) + 5))[:, None, None]  # (V, 1, 1)
    usual = np.where(np.eye(n_classes, dtype=bool), accuracy, (1 - accuracy) / max(n_classes - 1, 1))
    return np.asarray(_OWN * usual + gold)


def infer(X: Float32Array, answers: Answers, gold: FloatArray, start: softmax.Softmax | None = None) -> Crowd:
    """Return the belief about records and vendors.

    Parameters
    ----------
    X
        Scaled features of the records, shape (n, d); without features (d = 0) the answers decide alone.
    answers
        All answers on them, one or more each.
    gold
        How often each vendor gave which answer to which class of gold, shape (V, k, k).
    start
        A model to start the fits from.

    Returns
    -------
    Crowd
        Deterministic; renaming classes or vendors renames the result.

    Notes
    -----
    Expectation maximisation, three rounds: models fitted without a record's fold say what it may be, times what each
    answer says given its vendor's confusion; the confusion is counted anew from that, on top of gold. Below 20 records
    the model is left out. O(rounds x folds x n d k).

    References
    ----------
    Raykar et al. (2010), Learning from Crowds; Khetan, Lipton, Anandkumar (2018), Learning from Noisy Singly-labeled
    Data.
    """
    n, n_classes = len(X), gold.shape[1]
    counts = prior_confusion(gold)
    confusion = normalised(counts)
    prior: FloatArray = np.full((n, n_classes), 1 / n_classes)
    posterior = _posterior(answers, prior, confusion)
    fold = np.arange(n) % N_FOLDS
    models: list[softmax.Softmax | None] = [start] * N_FOLDS
    for _ in range(_STEPS):
        if n >= MIN_TO_MODEL and X.shape[1]:
            for number in range(N_FOLDS):
                out = fold == number
                model = softmax.fit(X[~out], posterior[~out], inverse_penalty=_PENALTY, start=models[number])
                prior[out] = (1 - _DOUBT) * model.proba(X[out]) + _DOUBT / n_classes
                models[number] = model
        seen = np.zeros_like(counts)  # [vendor, answer, class]
        np.add.at(seen, (answers.vendor, answers.label), posterior[answers.record])
        confusion = normalised(counts + seen.transpose(0, 2, 1))
        posterior = _posterior(answers, prior, confusion)
    return Crowd(posterior, confusion)


def normalised(counts: FloatArray) -> FloatArray:
    """Return rows that sum to 1."""
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


def _posterior(answers: Answers, prior: FloatArray, confusion: FloatArray) -> FloatArray:
    logs = np.log(prior + 1e-12)
    said = np.log(confusion[answers.vendor, :, answers.label] + 1e-12)  # (m, k)
    np.add.at(logs, answers.record, said)
    return np.asarray(special.softmax(logs, axis=1))


def worth(belief: FloatArray) -> FloatArray:
    """Return what a label believed so is worth to learn from, in labels that are certain: shape (...,), in [0, 1].

    A share e of labels that are wrong at random lets n of them teach as much as ``n (1 - e k / (k - 1))^2`` right ones.

    >>> worth(np.array([[1.0, 0.0], [0.5, 0.5], [0.75, 0.25]])).tolist()
    [1.0, 0.0, 0.25]
    """
    n_classes = belief.shape[-1]
    sure = (n_classes * belief.max(axis=-1) - 1) / max(n_classes - 1, 1)
    return np.asarray(np.maximum(sure, 0.0) ** 2)


def expected_worth(belief: FloatArray, confusion: FloatArray) -> FloatArray:
    """Return the worth to be expected once a vendor has answered too.

    Parameters
    ----------
    belief
        Shape (n, k).
    confusion
        Shape (V, k, k).

    Returns
    -------
    FloatArray
        Shape (n, V); never below :func:`worth` of the belief but for rounding.
    """
    found = np.empty((len(belief), len(confusion)))
    for vendor, chances in enumerate(confusion):
        joint = belief[:, :, None] * chances[None]  # (n, class, answer)
        chance = joint.sum(axis=1)  # (n, answer)
        after = joint / np.maximum(chance[:, None, :], 1e-300)
        found[:, vendor] = (chance * worth(after.transpose(0, 2, 1))).sum(axis=1)
    return found


def expected_worth_of_several(
    belief: FloatArray, confusion: FloatArray, n_answers: int, rng: np.random.Generator
) -> FloatArray:
    """Return the worth to be expected once several vendors, drawn by lot, have answered, shape (n,).

    The mean of 32 random plays: all ways in which several answers can fall are too many to add up. Where there are
    fewer vendors than answers, all of them answer.
    """
    n, n_vendors = len(belief), len(confusion)
    total = np.zeros(n)
    for _ in range(_PLAYS):
        truth = (belief.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1).clip(max=belief.shape[1] - 1)
        said = np.log(belief + 1e-12)
        order = rng.random((n, n_vendors)).argsort(axis=1)[:, :n_answers]  # (n, answers), vendors each once
        for vendor in order.T:
            chances = confusion[vendor, truth].cumsum(axis=1)
            answer = (chances < rng.random(n)[:, None]).sum(axis=1).clip(max=belief.shape[1] - 1)
            said += np.log(confusion[vendor, :, answer] + 1e-12)
        total += worth(special.softmax(said, axis=1))
    return np.asarray(total / _PLAYS)
