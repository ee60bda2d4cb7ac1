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


SHIPPED: Final = Table(arms_known=('auto', 'max_herding', 'margin', 'badge', 'typiclust'),
      features=('log labels per class',
                'log classes',
                'log records',
                'log intrinsic dimension',
                'share of near copies',
                'share that cannot be labeled',
                'out-of-fold skill'),
      centre=(2.2084, 1.7593, 7.1747, 1.2255, 0.1937, 0.1211, 0.3339),
      scale=(1.1752, 0.5612, 0.6996, 1.2055, 0.1437, 0.1375, 0.273),
      usual=(0.0, -0.1509, -0.223, -0.2312, -0.2445),
      weights=((0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
               (-0.0459, -0.0883, 0.0617, -0.0071, -0.0699, -0.0344, -0.0545),
               (-0.0077, -0.0737, -0.0117, 0.0112, -0.0437, -0.037, -0.0477),
               (0.0039, -0.0771, 0.0005, 0.0337, -0.0812, -0.0187, -0.0363),
               (-0.0111, -0.1125, 0.0584, 0.0305, -0.0669, -0.0412, -0.0671)),
      spread=(0.1653, 0.192, 0.1465, 0.1565, 0.1742))
