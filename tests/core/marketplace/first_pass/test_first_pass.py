"""The first pass: draws with known chances, thresholds that keep what they promise, audits that notice a fall."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.first_pass import Role, anchoring, audit, calibrate, disagrees, role_of, unit_of

ratios = st.floats(0, 1)


@given(st.floats(0, 1, exclude_max=True), ratios, ratios)
def test_nothing_is_accepted_that_is_not_trusted_and_blindness_has_its_chance(unit, blind_ratio, audit_ratio):
    plain = role_of(unit, blind_ratio=blind_ratio, audit_ratio=audit_ratio)
    trusted = role_of(unit, blind_ratio=blind_ratio, audit_ratio=audit_ratio, is_trusted=True)
    assert plain.role != Role.ACCEPTED
    assert trusted.role != Role.SHOWN
    assert (plain.role == Role.BLIND) == (unit < plain.blind_chance)
    assert plain.role != Role.BLIND or trusted.role == Role.BLIND  # who is blind stays blind when trusted
    assert blind_ratio <= trusted.blind_chance <= 1 + 1e-12


def test_draws_are_even_and_independent_of_the_order():
    units = np.array([unit_of(7, f"record-{i}") for i in range(20_000)])
    assert abs((units < 0.1).mean() - 0.1) < 0.007
    assert abs(np.corrcoef(units[1:], units[:-1])[0, 1]) < 0.03
    assert unit_of(8, "record-0") != units[0]


@pytest.mark.parametrize("wrong", [{"unit": 1.0}, {"unit": -0.1}, {"blind_ratio": 1.1}, {"audit_ratio": float("nan")}])
def test_ratios_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="ratios"):
        role_of(**({"unit": 0.5, "blind_ratio": 0.1, "audit_ratio": 0.1} | wrong))


def drawn(rng, n, accuracy_of):
    confidence = rng.beta(4, 1.2, n)
    return confidence, rng.random(n) < accuracy_of(confidence)


@pytest.mark.parametrize(
    "accuracy_of", [lambda c: c, lambda c: 0.6 + 0 * c, lambda c: c**3], ids=["fair", "flat", "sly"]
)
def test_what_stands_above_the_threshold_is_as_right_as_required(accuracy_of):
    rng = np.random.default_rng(3)
    n_set = n_broken = 0
    grid = rng.beta(4, 1.2, 50_000)
    for _ in range(200):
        found = calibrate(*drawn(rng, 800, accuracy_of), required=0.9)
        if found.threshold is not None:
            n_set += 1
            n_broken += accuracy_of(grid[grid >= found.threshold]).mean() < 0.9
    assert n_broken <= 0.05 * 200 + 6
    if accuracy_of(np.array([0.97]))[0] > 0.96:
        assert n_set > 100  # a good model gets its threshold


def test_no_threshold_before_enough_evidence_and_none_for_a_bad_model():
    sure = np.full(99, 0.99)
    assert calibrate(sure, np.ones(99, dtype=bool), required=0.9).threshold is None
    assert "99 blind records" in calibrate(sure, np.ones(99, dtype=bool), required=0.9).why
    assert calibrate(np.full(500, 0.99), np.arange(500) % 3 > 0, required=0.9).threshold is None
    assert calibrate(np.zeros(0), np.zeros(0, dtype=bool), required=0.9).accuracy is None
    with pytest.raises(ValueError, match="no blind record"):
        calibrate(np.zeros(0), np.zeros(0, dtype=bool), required=0.9).accuracy_at(0.9)


def test_sure_records_carry_no_unsure_ones():
    confidence = np.concatenate([np.full(1900, 0.99), np.full(100, 0.6)])
    is_right = np.concatenate([np.ones(1900), np.zeros(100)]).astype(bool)
    found = calibrate(confidence, is_right, required=0.9)
    assert found.threshold == 0.99  # all 2,000 together would pass at 95 %
    assert found.accuracy_at(0.99) > 0.99
    assert found.accuracy_at(0.99) < 1
    assert found.accuracy_at(0.6) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60), st.floats(0.5, 0.99), st.integers(1, 30))
def test_any_evidence_gives_a_threshold_that_its_own_records_keep(rows, required, least):
    confidence, is_right = np.array([c for c, _ in rows]), np.array([r for _, r in rows], dtype=bool)
    found = calibrate(confidence, is_right, required=required, least=least)
    if found.threshold is None:
        assert len(found.why) > 10
        return
    above = is_right[confidence >= found.threshold]
    assert len(above) == found.n_above >= least
    assert above.mean() >= required
    assert found.accuracy_low >= required


@pytest.mark.parametrize("confidence", [[1.5], [float("nan")], [-0.1]])
def test_confidences_that_are_none_are_refused(confidence):
    with pytest.raises(ValueError, match="ratios"):
        calibrate(np.array(confidence), np.array([True]), required=0.9)


def test_anchoring_is_found_where_it_is_and_its_interval_covers():
    rng = np.random.default_rng(5)
    n_covered = 0
    for _ in range(300):
        is_blind = rng.random(400) < 0.2
        agreement = rng.binomial(2, np.where(is_blind, 0.7, 0.8)) / 2
        found = anchoring(agreement, is_blind, np.full(400, 0.2))
        n_covered += found.low <= 0.1 <= found.high
    assert 0.85 <= n_covered / 300 <= 0.95


def test_a_share_that_changed_on_the_way_does_no_harm():
    rng = np.random.default_rng(6)
    is_hard = np.arange(20_000) >= 10_000
    chance = np.where(is_hard, 0.5, 0.05)  # more were blind when the records were hard
    is_blind = rng.random(20_000) < chance
    agreement = (rng.random(20_000) < np.where(is_hard, 0.5, 0.9)).astype(float)
    found = anchoring(agreement, is_blind, chance)
    assert abs(found.difference) < 0.03
    assert abs(agreement[~is_blind].mean() - agreement[is_blind].mean()) > 0.2


def test_anchoring_says_nothing_of_one_side_alone():
    found = anchoring(np.ones(5), np.zeros(5, dtype=bool), np.full(5, 0.1))
    assert (found.n_shown, found.n_blind, found.shown, found.blind, found.low) == (5, 0, 1.0, None, None)
    with pytest.raises(ValueError, match="other side"):
        anchoring(np.ones(2), np.array([True, False]), np.array([1.0, 0.1]))


def test_the_audit_is_unbiased_though_chances_differ():
    rng = np.random.default_rng(8)
    chance = np.where(np.arange(3000) % 2 > 0, 0.4, 0.1)
    is_right = rng.random(3000) < np.where(np.arange(3000) % 2 > 0, 0.99, 0.85)
    means = []
    for _ in range(200):
        seen = rng.random(3000) < chance
        means.append(audit(is_right[seen], chance[seen], 3000, required=0.5).mean)
    assert abs(np.mean(means) - is_right.mean()) < 0.005


def test_a_fall_is_noticed_soon_and_a_good_model_left_alone():
    rng = np.random.default_rng(9)
    delays, n_false = [], 0
    for _ in range(100):
        good, bad = rng.random(150) < 0.985, rng.random(300) < 0.8
        n_false += audit(good, np.full(150, 0.1), 1500, required=0.95).is_failing
        right = np.concatenate([good, bad])
        alarms = [n for n in range(151, 450, 5) if audit(right[:n], np.full(n, 0.1), 10 * n, required=0.95).is_failing]
        delays.append(alarms[0] - 150 if alarms else 300)
    assert n_false <= 3
    assert np.median(delays) <= 60
    assert audit(np.zeros(0, dtype=bool), np.zeros(0), 0, required=0.9).is_failing is False


def test_only_a_sure_model_calls_for_a_look():
    assert disagrees(0.95, 0.02, is_same=False)
    assert not disagrees(0.95, 0.02, is_same=True)
    assert not disagrees(0.89, 0.02, is_same=False)
    assert disagrees(0.93, None, is_same=False)
    assert not disagrees(0.9, 0.2, is_same=False)
