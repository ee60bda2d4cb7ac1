"""Trainings to log: a softmax regression on digits, by steps, with planted wrong labels and planted forgetting."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special
from sklearn.datasets import load_digits

from curation.core.forgetting import Curves
from curation.core.trajectories import Dynamics, Epoch

N_EPOCHS, BATCH, RATE = 24, 50, 0.5


@dataclass(frozen=True, eq=False)
class Training:
    """Labels as the model was told them, which of them are wrong, and the logits of each epoch, shape (n, 10)."""

    labels: np.ndarray
    wrong: np.ndarray
    logits: list[np.ndarray]


def train(seed, *, n=600, wrong_ratio=0.0, forgotten=None, rate=RATE, n_epochs=N_EPOCHS):
    """Train; in the second half no record of the class `forgotten` is shown any more, though all are looked at."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    rows = rng.choice(len(X), n, replace=False)
    X, labels = X[rows] / 16, y[rows].astype(np.int64)
    wrong = rng.random(n) < wrong_ratio
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    W, logits = np.zeros((X.shape[1], 10)), []
    for epoch in range(n_epochs):
        shown = np.arange(n) if epoch < n_epochs // 2 else np.flatnonzero(labels != forgotten)
        order = rng.permutation(shown)
        for start in range(0, len(shown), BATCH):
            batch = order[start : start + BATCH]
            error = special.softmax(X[batch] @ W, axis=1) - np.eye(10)[labels[batch]]
            W -= rate * X[batch].T @ error / len(batch)
        logits.append(X @ W)
    return Training(labels, wrong, logits)


def epochs(training) -> Iterator[Epoch]:
    """Yield what a log would say of each epoch."""
    n, rows = len(training.labels), np.arange(len(training.labels))
    for logits in training.logits:
        proba, order = special.softmax(logits, axis=1), np.argsort(-logits, axis=1, kind="stable")
        others = logits.copy()
        others[rows, training.labels] = -np.inf
        yield Epoch(
            rows=np.arange(n),
            label=training.labels,
            p_label=proba[rows, training.labels],
            margin=logits[rows, training.labels] - others.max(axis=1),
            top1=order[:, 0],
            top1_p=proba[rows, order[:, 0]],
            top2=order[:, 1],
            top2_p=proba[rows, order[:, 1]],
        )


def follow(training):
    """Return trajectories, curves by class, and the span of each epoch."""
    numbers = range(len(training.logits))
    dynamics, curves = Dynamics(len(training.labels), numbers), Curves(10, len(numbers))
    for number, epoch in zip(numbers, epochs(training), strict=True):
        curves.add(dynamics.add(number, epoch), epoch.label, epoch.right)
    return dynamics.trajectories(), curves, dynamics.span_of
