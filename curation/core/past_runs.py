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
        (-0.0509, -0.1116, 0.0904, -0.0053, -0.0397, -0.0488, -0.0524),
        (-0.0119, -0.0637, -0.0057, 0.0196, -0.0305, -0.0516, -0.0379),
        (-0.0087, -0.0901, 0.0139, 0.036, -0.0695, -0.04, -0.0299),
        (-0.0181, -0.1398, 0.0919, 0.0402, -0.0424, -0.0469, -0.0577),
    ),
    spread=(0.133, 0.1303, 0.1257, 0.1356, 0.1421),
)
