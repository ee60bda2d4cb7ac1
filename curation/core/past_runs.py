"""What past runs say each arm adds: the warm start of the portfolio.

The numbers are learnt by ``python -m benchmarks.portfolio --fit``, which prints them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core.arrays import FloatArray
from curation.core.portfolio import Arms


@dataclass(frozen=True, slots=True)
class Table:
    """A linear prediction per arm of how much faster than the engine's the loss falls, from the circumstances.

    Attributes
    ----------
    arms_known
        The arms, k of them, the engine first.
    features
        Circumstances they are predicted from, f of them.
    centre, scale
        Of each circumstance, over past runs.
    usual
        Mean advantage of each arm.
    weights
        Per arm, what one scale of each circumstance adds.
    spread
        Standard deviation of what a pool's own advantage differs from the prediction.
    """

    arms_known: tuple[str, ...]
    features: tuple[str, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    usual: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    spread: tuple[float, ...]

    def arms(self, circumstances: FloatArray) -> Arms:
        """Return what is expected of each arm; circumstances beyond two scales count as two."""
        z = np.clip((circumstances - np.array(self.centre)) / np.array(self.scale), -2.0, 2.0)  # (f,)
        expected = np.array(self.usual) + np.array(self.weights) @ z
        return Arms(self.arms_known, expected, np.array(self.spread))


SHIPPED: Final = Table(
    arms_known=("auto", "max_herding", "margin", "badge", "typiclust"),
    features=(
        "log labels per class",
        "log classes",
        "log records",
        "log intrinsic dimension",
        "share of near copies",
        "share that cannot be labeled",
        "out-of-fold skill",
    ),
    centre=(2.2039, 1.7749, 7.2171, 1.1829, 0.2042, 0.1371, 0.3143),
    scale=(1.1648, 0.5473, 0.676, 1.1395, 0.135, 0.1358, 0.2648),
    usual=(0.0, -0.1262, -0.2379, -0.2413, -0.2419),
    weights=(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        (-0.0269, -0.0321, 0.0238, 0.0051, -0.0218, -0.0288, -0.0389),
        (-0.0097, -0.0287, -0.0069, 0.0115, -0.0212, -0.0231, -0.0186),
        (-0.0057, -0.0371, -0.0042, 0.0244, -0.04, -0.0224, -0.0169),
        (-0.013, -0.0442, 0.021, 0.0232, -0.0313, -0.0272, -0.0373),
    ),
    spread=(0.1635, 0.1668, 0.1409, 0.1602, 0.19),
)
