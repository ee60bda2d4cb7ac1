"""Information in closed form: entropy, mutual information between label and model, and what it costs."""

import numpy as np
import pytest

from curation.core import crowd, joint, reasons
from curation.core.strategies.committees import mutual_information
from curation.core.strategies.uncertain import normalised_entropy


@pytest.mark.parametrize("k", [2, 3, 10])
def test_entropy_is_one_where_nothing_is_known_and_zero_where_all_is(k):
    known, unknown = np.eye(k)[:1], np.full((1, k), 1 / k)
    assert normalised_entropy(np.concatenate([known, unknown])) == pytest.approx([0, 1])
    assert [reasons.entropy(row) for row in (known[0], unknown[0])] == pytest.approx([0, 1])
    half = np.zeros(k)
    half[:2] = 0.5
    assert reasons.entropy(half) == pytest.approx(np.log(2) / np.log(k))


def test_identical_members_have_no_mutual_information_whatever_they_believe():
    beliefs = np.random.default_rng(0).dirichlet(np.ones(4), 200)
    assert mutual_information([beliefs] * 5) == pytest.approx(np.zeros(200), abs=1e-12)


@pytest.mark.parametrize("k", [2, 5])
def test_members_sure_of_different_classes_know_all_that_a_label_can_tell(k):
    beliefs = [np.eye(k)[[member]] for member in range(k)]
    assert mutual_information(beliefs) == pytest.approx([1.0])


def test_mutual_information_of_two_members_is_the_entropy_of_their_mean_less_their_mean_entropy():
    p, q = 0.9, 0.4

    def h(x):
        return -x * np.log2(x) - (1 - x) * np.log2(1 - x)

    beliefs = [np.array([[p, 1 - p]]), np.array([[q, 1 - q]])]
    assert mutual_information(beliefs) == pytest.approx([h((p + q) / 2) - (h(p) + h(q)) / 2])


def test_an_answer_from_somebody_who_guesses_is_worth_nothing_and_from_one_who_knows_all_there_is():
    belief = np.array([[0.6, 0.4], [0.5, 0.5]])
    knows, guesses = np.eye(2), np.full((2, 2), 0.5)
    expected = crowd.expected_worth(belief, np.stack([knows, guesses]))
    now, all_ = crowd.worth(belief), crowd.worth(np.eye(2)[:1])[0]
    assert expected[:, 0] == pytest.approx([all_, all_], abs=1e-6)
    assert expected[:, 1] == pytest.approx(now, abs=1e-6)


def test_worth_is_told_per_price():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 3)).astype(np.float32)
    bought = []
    for price in (1.0, 2.0):
        state = joint.State(
            X=X,
            weights=np.ones(60),
            proba=np.full((60, 2), 0.5),
            rows=np.empty(0, np.int64),
            belief=np.empty((0, 2)),
            is_open=np.empty(0, np.bool_),
            asked_of=np.empty((0, 1), np.bool_),
            confusion=np.array([[[0.9, 0.1], [0.1, 0.9]]]),
            prices=np.array([price]),
        )
        wish = {"allowed": np.ones(60, np.bool_), "group": np.arange(60), "width": 1.0, "budget": 5 * price}
        bought.append(joint.decide(state, **wish, rng=np.random.default_rng(2)))
    assert [action.row for action in bought[0]] == [action.row for action in bought[1]]
    halved = [action.worth_per_price / 2 for action in bought[0]]
    assert [action.worth_per_price for action in bought[1]] == pytest.approx(halved)
