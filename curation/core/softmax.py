"""Softmax regression on soft labels: each record counts for every class as far as it is believed to be of it."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from curation.core.arrays import Float32Array, FloatArray

_MAX_ITERATIONS = 60
_PRECISION = 1e-5


@dataclass(frozen=True, eq=False)
class Softmax:
    """A fitted model.

    Attributes
    ----------
    coef
        Shape (k, d + 1); the last column is the intercept.
    """

    coef: FloatArray

    def proba(self, X: Float32Array) -> FloatArray:
        """Return class probabilities, shape (n, k)."""
        return np.asarray(special.softmax(X @ self.coef[:, :-1].T + self.coef[:, -1], axis=1))


def fit(
    X: Float32Array, Q: FloatArray, *, inverse_penalty: float, start: Softmax | None = None, max_iterations: int = 60
) -> Softmax:
    """Fit by L-BFGS, from an earlier model where one is given.

    Parameters
    ----------
    X
        Scaled features, shape (n, d).
    Q
        Belief over the classes times the weight of the record, shape (n, k), >= 0.
    inverse_penalty
        C of the L2 penalty (the intercept is free).

    Notes
    -----
    Deterministic. O(n d k) a step. With rows of Q that are 0 but for one class it is `proxy.fit`.
    """
    n_features, n_classes = X.shape[1], Q.shape[1]
    mass = Q.sum(axis=1)[:, None]  # (n, 1)

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        W = flat.reshape(n_classes, n_features + 1)
        logits = X @ W[:, :-1].T + W[:, -1]
        logits -= special.logsumexp(logits, axis=1, keepdims=True)
        gap = np.exp(logits) * mass - Q  # (n, k)
        gradient = np.empty_like(W)
        gradient[:, :-1] = inverse_penalty * (gap.T @ X) + W[:, :-1]
        gradient[:, -1] = inverse_penalty * gap.sum(axis=0)
        value = -inverse_penalty * float((Q * logits).sum()) + 0.5 * float((W[:, :-1] ** 2).sum())
        return value, gradient.ravel()

    first = np.zeros(n_classes * (n_features + 1)) if start is None else start.coef.ravel()
    options = {"maxiter": min(max_iterations, _MAX_ITERATIONS), "ftol": _PRECISION}
    found = optimize.minimize(loss, first, jac=True, method="L-BFGS-B", options=options)
    return Softmax(found.x.reshape(n_classes, n_features + 1))
