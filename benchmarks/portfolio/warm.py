"""The warm start: what past runs say an arm adds in given circumstances, by ridge regression over branches."""

from collections.abc import Sequence

import numpy as np

from benchmarks.portfolio.branches import ARMS, Branch
from curation.core import circumstances
from curation.core.arrays import FloatArray
from curation.core.past_runs import Table

RIDGE = 1000.0
"""Pull towards an arm's mean advantage, in branches: about ten pools' worth, as those of one pool are alike. With
a tenth of it the portfolio left the engine on pools it had not seen, and lost (decision 0014)."""
MOST = 2.0
"""No single branch counts for a rate beyond this: some losses jump when cleaning changes its mind."""


def advantage(branch: Branch) -> FloatArray:
    """Return by how much each arm's loss fell faster than the engine's, in rates, shape (k,)."""
    logs = np.log([branch.loss_after[arm] for arm in ARMS])
    return np.asarray(np.clip((logs[0] - logs) / branch.growth, -MOST, MOST))


def learn(branches: Sequence[Branch]) -> Table:
    """Return the table that branches teach; the spread is what whole runs differ from it by."""
    X = np.array([branch.circumstances for branch in branches])
    Y = np.array([advantage(branch) for branch in branches])  # (n, k)
    centre, scale = X.mean(axis=0), np.maximum(X.std(axis=0), 1e-9)
    Z = (X - centre) / scale
    weights = np.linalg.solve(Z.T @ Z + RIDGE * np.eye(Z.shape[1]), Z.T @ (Y - Y.mean(axis=0))).T  # (k, features)
    left = Y - Y.mean(axis=0) - Z @ weights.T
    runs = sorted({(branch.pool, branch.setting) for branch in branches})
    own = np.array(
        [[left[[at for at, b in enumerate(branches) if (b.pool, b.setting) == run]].mean(axis=0)] for run in runs]
    )
    spread = np.maximum(own[:, 0].std(axis=0), 0.05)
    spread[0] = np.median(spread[1:])
    return Table(
        arms_known=ARMS,
        features=circumstances.NAMES,
        centre=tuple(centre.round(4).tolist()),
        scale=tuple(scale.round(4).tolist()),
        usual=tuple(Y.mean(axis=0).round(4).tolist()),
        weights=tuple(tuple(row) for row in weights.round(4).tolist()),
        spread=tuple(spread.round(4).tolist()),
    )
