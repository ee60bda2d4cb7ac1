"""Trajectories against brute force; planted wrong labels rank first; a planted forgotten class is named, no other."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special
from sklearn.metrics import average_precision_score

from curation.core import forgetting
from curation.core.trajectories import EARLY_EPOCHS, Dynamics
from tests.trainings import epochs, follow, train


def test_every_number_is_what_all_epochs_kept_would_give():
    training = train(0, n=80, wrong_ratio=0.1)
    found, _, span_of = follow(training)
    rows, y = np.arange(80), training.labels
    logits = np.array(training.logits)  # (epochs, n, k)
    proba = special.softmax(logits, axis=2)
    others = logits.copy()
    others[:, rows, y] = -np.inf
    right = logits.argmax(axis=2) == y
    assert found.mean_p == pytest.approx(proba[:, rows, y].mean(axis=0))
    assert found.variance == pytest.approx(proba[:, rows, y].var(axis=0))
    assert found.aum == pytest.approx((logits[:, rows, y] - others.max(axis=2)).mean(axis=0))
    assert found.n_forgotten.tolist() == (right[:-1] & ~right[1:]).sum(axis=0).tolist()
    assert found.was_right.tolist() == right.any(axis=0).tolist()
    assert found.last_top1.tolist() == logits[-1].argmax(axis=1).tolist()
    assert found.n_epochs.tolist() == [len(logits)] * 80
    assert found.n_right.T.tolist() == [right[span_of == span].sum(axis=0).tolist() for span in range(8)]


def test_el2n_is_too_low_by_no_more_than_what_the_log_leaves_out():
    training = train(0, n=80)
    for epoch, logits in zip(epochs(training), training.logits, strict=True):
        proba = special.softmax(logits, axis=1)
        exact = np.linalg.norm(proba - np.eye(10)[training.labels], axis=1)
        named = epoch.p_label + np.where(epoch.top1 == epoch.label, 0, epoch.top1_p)
        rest = 1 - named - np.where(epoch.top2 == epoch.label, 0, epoch.top2_p)
        assert (epoch.el2n <= exact + 1e-12).all()
        assert (exact**2 - epoch.el2n**2 <= rest * epoch.top2_p + 1e-12).all()
    found = follow(training)[0]
    assert found.el2n == pytest.approx(np.mean([epoch.el2n for epoch in epochs(training)][:EARLY_EPOCHS], axis=0))


@pytest.mark.parametrize("seed", range(3))
def test_wrong_labels_have_the_least_area_under_the_margin(seed):
    training = train(seed, wrong_ratio=0.1)
    found = follow(training)[0]
    assert average_precision_score(training.wrong, -found.aum) > 0.6
    assert training.wrong[found.suspects[:20]].mean() >= 0.8


@pytest.mark.parametrize("seed", range(5))
def test_a_forgotten_class_is_named_and_no_other(seed):
    training = train(seed, forgotten=seed + 2)
    found, curves, span_of = follow(training)
    told = forgetting.changes(found, found.label, curves, span_of)
    named = [one for one in told if one.is_forgotten]
    assert [one.group for one in named] == [seed + 2]
    assert named[0].before - named[0].last > 0.3
    assert named[0].low < named[0].before - named[0].last < named[0].high
    lost = forgetting.records(found, found.label, named[0])
    assert (training.labels[lost] == seed + 2).all()
    assert (found.n_forgotten[lost[:10]] >= 1).all()
    lean = forgetting.leaning(found, 10)
    assert lean.argmin() == seed + 2


@pytest.mark.parametrize("rate", [0.1, 0.5, 5.0])
def test_without_forgetting_no_class_is_named(rate):
    """At the last rate the accuracy of classes jumps up and down from epoch to epoch."""
    for seed in range(10):
        found, curves, span_of = follow(train(seed, n=300, wrong_ratio=0.1, rate=rate, n_epochs=16))
        assert not [one for one in forgetting.changes(found, found.label, curves, span_of) if one.is_forgotten]


def test_a_slice_within_classes_is_found_as_classes_are():
    """Records of every class that came from one camera, lost at the end."""
    training = train(0)
    camera = np.random.default_rng(0).integers(0, 4, 600)
    for logits in training.logits[12:]:
        logits[camera == 2] = -logits[camera == 2]
    numbers = range(24)
    dynamics, curves = Dynamics(600, numbers), forgetting.Curves(4, 24)
    for number, epoch in zip(numbers, epochs(training), strict=True):
        curves.add(dynamics.add(number, epoch), camera, epoch.right)
    told = forgetting.changes(dynamics.trajectories(), camera, curves, dynamics.span_of)
    assert [one.group for one in told if one.is_forgotten] == [2]


def test_few_records_or_few_epochs_name_nothing():
    training = train(0, n=60, forgotten=3, n_epochs=16)
    found, curves, span_of = follow(replace(training, logits=training.logits[:3]))
    assert forgetting.changes(found, found.label, curves, span_of) == []
    alone = np.where(np.arange(60) == np.flatnonzero(training.labels == 3)[0], 0, -1)
    found, _, span_of = follow(training)
    curves = forgetting.Curves(1, 16)
    told = forgetting.changes(found, alone, curves, span_of)
    assert len(told) == 1
    assert not told[0].is_forgotten


def test_a_changed_label_begins_a_record_anew():
    training = train(0, n=50, n_epochs=6)
    dynamics, whole = Dynamics(50, range(6)), list(epochs(training))
    for number, epoch in enumerate(whole):
        label = epoch.label.copy()
        label[0] = label[0] if number >= 4 else (label[0] + 1) % 10
        dynamics.add(number, replace(epoch, label=label))
    found = dynamics.trajectories()
    assert found.n_epochs.tolist() == [2] + [6] * 49
    assert found.mean_p[0] == pytest.approx(np.mean([epoch.p_label[0] for epoch in whole[4:]]))


def test_records_need_not_be_in_every_epoch_and_epochs_come_in_order():
    whole = list(epochs(train(0, n=50, n_epochs=4)))
    dynamics = Dynamics(51, [0, 1, 5])
    half = {name: values[:25] for name, values in vars(whole[0]).items()}
    dynamics.add(0, replace(whole[0], **half))
    dynamics.add(5, whole[1])
    found = dynamics.trajectories()
    assert found.n_epochs.tolist() == [2] * 25 + [1] * 25 + [0]
    assert np.isnan(found.mean_p[50])
    assert found.suspects[-1] == 50
    for number in (1, 7):
        with pytest.raises(ValueError, match=f"epoch {number} is not announced"):
            dynamics.add(number, whole[2])


def test_bad_epochs_are_refused():
    epoch = next(epochs(train(0, n=50, n_epochs=1)))
    for change, words in (
        ({"rows": np.zeros(50, np.int64)}, "of 1 records only"),
        ({"margin": np.full(50, np.nan)}, "must be finite"),
        ({"top1": epoch.top1[:9]}, "one entry a record"),
    ):
        with pytest.raises(ValueError, match=words):
            replace(epoch, **change)
    with pytest.raises(ValueError, match="rise"):
        Dynamics(3, [2, 1])
