"""How much a label of a record is worth, and how good the record is: two scores, neither of which tells the other.

A sharp picture of what was asked before is good and worth nothing; a blurred one of something new is the reverse.
"""

import numpy as np

from curation.core.arrays import FloatArray

_PER_USUAL = 4.0
"""A quarter of the usual squared distance is the reach of a label: the kernel's first width in herding."""


def value(uncertainty: FloatArray, relevance: FloatArray, nearest_asked: FloatArray) -> FloatArray:
    """Return what a label would teach now, shape (n,), in [0, 1]: unsure x labelable x not said by its neighbours.

    Parameters
    ----------
    uncertainty, relevance
        Of each record, in [0, 1].
    nearest_asked
        Distance to the nearest record asked, in usual distances of the pool; infinity before the first.

    Examples
    --------
    >>> value(np.array([1.0, 1.0]), np.array([0.9, 0.9]), np.array([0.0, np.inf])).tolist()
    [0.0, 0.9]
    """
    return np.asarray(uncertainty * relevance * -np.expm1(-_PER_USUAL * np.square(nearest_asked)))


def sharpness(images: FloatArray) -> FloatArray:
    """Return the quality of pictures as far as sharpness goes, shape (n,), in [0, 1): no labels, no other records.

    The energy of the Laplacian against that of the picture about its mean, e / (1 + e): blind to light and contrast.
    A picture of one colour has none.

    Parameters
    ----------
    images
        Grey values, shape (n, h, w), h and w at least 3.

    Raises
    ------
    ValueError
        When the shape is another or values are not finite.

    Notes
    -----
    O(n h w). Noise counts as sharp: look at both scores, and at the picture.

    References
    ----------
    Pech-Pacheco et al. (2000), Diatom Autofocusing in Brightfield Microscopy (variance of the Laplacian).
    """
    if images.ndim != 3 or min(images.shape[1:]) < 3 or not np.isfinite(images).all():
        raise ValueError(f"need finite grey values of shape (n, h, w), h and w at least 3, got {images.shape}")
    middle = images[:, 1:-1, 1:-1]
    edges = images[:, :-2, 1:-1] + images[:, 2:, 1:-1] + images[:, 1:-1, :-2] + images[:, 1:-1, 2:] - 4 * middle
    energy = images.var(axis=(1, 2))
    ratio = np.divide(np.mean(edges**2, axis=(1, 2)), energy, out=np.zeros(len(images)), where=energy > 0)
    return np.asarray(ratio / (1 + ratio))
