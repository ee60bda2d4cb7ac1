"""Value and quality are two scores: a sharp copy is good and worth nothing, a blurred novelty the reverse."""

import numpy as np
import pytest
from scipy import ndimage, stats
from sklearn.datasets import load_digits

from curation.core import merit, selection
from curation.core.arrays import Asked
from curation.core.problem import Problem


@pytest.fixture(scope="module")
def pictures():
    """Digits 0 to 6, of which 60 are asked; then 30 sharp copies of those, and 30 blurred pictures of 7 to 9."""
    images, y = load_digits().images, load_digits().target
    known, new = np.flatnonzero(y < 7)[:400], np.flatnonzero(y >= 7)[:30]
    blurred = ndimage.gaussian_filter(images[new], (0, 1.2, 1.2))
    X = np.concatenate([images[known], images[known[:30]], blurred])
    asked = Asked(np.arange(60), y[known[:60]].astype(np.int64), np.ones(60))
    return X, Problem(X.reshape(len(X), -1).astype(np.float32), asked, 10, seed=0)


def test_a_sharp_copy_is_good_and_worth_nothing_and_a_blurred_novelty_the_reverse(pictures):
    images, problem = pictures
    chosen = selection.by_hand(problem, range(60, len(images)))
    value = np.array([pick.parts["value"] for pick in chosen])
    quality = merit.sharpness(images[60:])
    copies, novel = slice(340, 370), slice(370, 400)
    assert value[copies].max() < 0.01
    assert np.median(value[novel]) > np.median(value[:340])
    assert np.median(quality[copies]) > 2 * np.median(quality[novel])
    assert quality[novel].max() < np.median(quality[:340])


def test_neither_score_follows_from_the_other(pictures):
    images, problem = pictures
    rows = range(60, 400)
    value = [pick.parts["value"] for pick in selection.by_hand(problem, rows)]
    assert abs(stats.spearmanr(value, merit.sharpness(images[60:400])).statistic) < 0.3


def test_sharpness_falls_with_blur_and_not_with_light():
    images = load_digits().images[:50]
    blurs = [merit.sharpness(ndimage.gaussian_filter(images, (0, s, s))) for s in (0.0, 0.6, 1.2)]
    assert (blurs[0] > blurs[1]).all()
    assert (blurs[1] > blurs[2]).all()
    assert merit.sharpness(images * 0.2 + 5) == pytest.approx(blurs[0])
    assert merit.sharpness(np.ones((1, 4, 4))).tolist() == [0.0]
    with pytest.raises(ValueError, match=r"got \(4, 4\)"):
        merit.sharpness(np.ones((4, 4)))
