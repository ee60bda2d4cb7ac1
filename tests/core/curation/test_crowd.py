"""Truth from vendors and a model together, and what to buy next."""

from dataclasses import replace

import numpy as np
import pytest

from curation.core import crowd, joint, opinions, proxy, softmax
from curation.core.arrays import Asked
from curation.core.crowd import Answers
from curation.core.problem import Problem, Said

K, V = 3, 4


def people(seed=0):
    """Return confusions and gold: one vendor mixes classes 0 and 1 up mostly, the others are right in 90 % of cases."""
    confusion = np.full((V, K, K), 0.05)
    confusion[:, np.arange(K), np.arange(K)] = 0.9
    confusion[0, 0] = [0.2, 0.75, 0.05]
    confusion[0, 1] = [0.75, 0.2, 0.05]
    rng = np.random.default_rng(seed)
    gold = np.stack([[rng.multinomial(14, row) for row in rows] for rows in confusion]).astype(float)
    return confusion, gold


def market(n=240, seed=0, per_record=1):
    """Return features, truth, answers and gold of records that a model can tell."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % K
    X = (rng.normal(size=(K, 6))[truth] * 1.2 + rng.normal(size=(n, 6)) * 0.7).astype(np.float32)
    confusion, gold = people(seed)
    record = np.repeat(np.arange(n), per_record)
    vendor = np.concatenate([rng.permutation(V)[:per_record] for _ in range(n)])
    label = np.array([rng.choice(K, p=confusion[v, truth[r]]) for r, v in zip(record, vendor, strict=True)])
    return X, truth, Answers(record, vendor, label), gold


def test_one_answer_a_record_and_a_model_tell_more_than_the_answers():
    gains = []
    for seed in range(5):
        X, truth, answers, gold = market(seed=seed)
        found = crowd.infer(X, answers, gold)
        gains.append((found.posterior.argmax(axis=1) == truth).mean() - (answers.label == truth).mean())
        assert np.allclose(found.posterior.sum(axis=1), 1)
        assert np.allclose(found.confusion.sum(axis=2), 1)
    assert np.mean(gains) > 0.1


def test_the_vendor_that_mixes_classes_up_is_known_and_its_answer_read_the_other_way():
    X, truth, answers, gold = market(n=400, seed=1)
    found = crowd.infer(X, answers, gold)
    assert found.confusion[0, 0].argmax() == 1
    assert found.confusion[1:, 0].argmax(axis=1).tolist() == [0, 0, 0]
    mine = (answers.vendor == 0) & (truth < 2)
    assert (found.posterior[mine].argmax(axis=1) == truth[mine]).mean() > 0.8
    assert (answers.label[mine] == truth[mine]).mean() < 0.4


def test_renaming_classes_and_vendors_renames_the_result():
    X, _, answers, gold = market(seed=2)
    classes, vendors = np.array([2, 0, 1]), np.array([3, 1, 0, 2])
    renamed = Answers(answers.record, vendors[answers.vendor], classes[answers.label])
    gold_renamed = np.zeros_like(gold)
    for v in range(V):
        gold_renamed[vendors[v]][np.ix_(classes, classes)] = gold[v]
    first, second = crowd.infer(X, answers, gold), crowd.infer(X, renamed, gold_renamed)
    assert np.allclose(second.posterior[:, classes], first.posterior, atol=2e-3)


def test_without_features_the_answers_decide_alone():
    X, truth, answers, gold = market(per_record=3, seed=3)
    found = crowd.infer(X[:, :0], answers, gold)
    assert (found.posterior.argmax(axis=1) == truth).mean() > 0.93


def test_answers_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="2 records, 1 vendors, 2 labels"):
        Answers(np.zeros(2, int), np.zeros(1, int), np.zeros(2, int))


def test_expected_worth_never_falls_and_a_better_vendor_promises_more():
    rng = np.random.default_rng(0)
    belief = rng.dirichlet(np.ones(K), 50)
    good, bad = np.full((K, K), 0.02), np.full((K, K), 0.2)
    good[np.arange(K), np.arange(K)], bad[np.arange(K), np.arange(K)] = 0.96, 0.6
    found = crowd.expected_worth(belief, np.stack([good, bad, np.full((K, K), 1 / K)]))
    assert (found >= crowd.worth(belief)[:, None] - 1e-9).all()
    assert (found[:, 0] >= found[:, 1] - 1e-9).all()
    assert np.allclose(found[:, 2], crowd.worth(belief))


def test_soft_labels_that_are_certain_fit_as_hard_ones():
    X, truth, _, _ = market(seed=4)
    soft = softmax.fit(X, np.eye(K)[truth], inverse_penalty=3.0).proba(X)
    hard = proxy.fit(X, truth.astype(np.int64), np.ones(len(X)), K, inverse_penalty=3.0).proba(X)
    assert np.abs(soft - hard).max() < 0.02


def state(belief, confusion, prices, n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    a = len(belief)
    asked_of = np.zeros((a, V), dtype=bool)
    asked_of[:, 1] = True
    return joint.State(
        X, np.ones(n), np.full((n, K), 1 / K), np.arange(a), belief, np.ones(a, bool), asked_of, confusion, prices
    )


def decide(here, budget=20.0):
    allowed = np.ones(len(here.X), bool)
    allowed[here.rows] = False
    return joint.decide(
        here, allowed=allowed, group=np.arange(len(here.X)), width=1.0, budget=budget, rng=np.random.default_rng(0)
    )


def test_the_budget_is_kept_and_nobody_is_asked_twice():
    belief = np.random.default_rng(1).dirichlet(np.ones(K), 30)
    prices = np.array([1.0, 0.5, 2.0, 0.7])
    actions = decide(state(belief, people()[0], prices))
    assert sum(prices[action.vendor] for action in actions) <= 20.0
    assert len({action.row for action in actions if action.is_new}) == sum(action.is_new for action in actions)
    again = [action for action in actions if not action.is_new]
    assert again, "labels in doubt are worth another opinion"
    assert all(action.vendor != 1 for action in again)
    values = [action.worth_per_price for action in actions]
    assert values == sorted(values, reverse=True)


def test_certain_labels_are_left_alone_and_doubt_is_worth_asking_about():
    sure, torn = np.tile([0.999, 0.0005, 0.0005], (30, 1)), np.tile([0.5, 0.5, 0.0], (30, 1))
    prices = np.ones(V)
    assert not [a for a in decide(state(sure, people()[0], prices)) if not a.is_new]
    assert [a for a in decide(state(torn, people()[0], prices)) if not a.is_new]


def test_another_opinion_is_asked_of_whom_it_tells_most_per_price():
    torn = np.tile([0.5, 0.0, 0.5], (30, 1))
    again = {a.vendor for a in decide(state(torn, people()[0], np.array([1.0, 1.0, 1.0, 0.3]))) if not a.is_new}
    assert again == {3}


@pytest.mark.parametrize("prices", [[], [1.0, 0.0, 1.0, 1.0], [1.0, -1.0, 1.0, 1.0]])
def test_prices_that_are_none_are_refused(prices):
    with pytest.raises(ValueError, match="a price above 0"):
        decide(state(np.full((3, K), 1 / K), people()[0], np.array(prices)))


def test_several_answers_are_worth_what_two_random_ones_are_by_counting():
    confusion, _ = people()
    rng = np.random.default_rng(0)
    belief = rng.dirichlet(np.ones(K), 6)
    exact = np.zeros(6)
    pairs = [(a, b) for a in range(V) for b in range(V) if a != b]
    for a, b in pairs:
        for first in range(K):
            for second in range(K):
                after = belief * confusion[a, :, first] * confusion[b, :, second]
                chance = after.sum(axis=1)
                exact += chance * crowd.worth(after / chance[:, None]) / len(pairs)
    told = np.mean([crowd.expected_worth_of_several(belief, confusion, 2, rng) for _ in range(60)], axis=0)
    assert np.abs(told - exact).max() < 0.03
    assert (told > crowd.expected_worth(belief, confusion).mean(axis=1)).all()


def problem_of(X, truth, n_asked=60, n_answers=1, seed=0):
    """Return a problem whose first rows were asked, each of some vendors."""
    confusion, gold = people(seed)
    rng = np.random.default_rng(seed)
    said = [(r, v) for r in range(n_asked) for v in rng.permutation(V)[:n_answers]]
    label = np.array([rng.choice(K, p=confusion[v, truth[r]]) for r, v in said])
    answers = Answers(*np.array(said).T, label)
    votes = np.full((n_asked, K), 0.1)
    np.add.at(votes, (answers.record, label), 1.0)
    asked = Asked(np.arange(n_asked), votes.argmax(axis=1), np.full(n_asked, 0.8))
    return Problem(X, asked, K, said=Said(answers, gold))


def plan(problem, **changes):
    usual = {
        "prices": np.ones(V),
        "is_open": np.ones(len(problem.asked.rows), dtype=bool),
        "may_answer": np.ones(V, dtype=bool),
        "overlap": 1,
        "n_records": 20,
    }
    return opinions.plan(problem, **usual | changes)


def test_where_little_is_left_to_ask_money_goes_to_further_opinions():
    X, truth, _, _ = market(n=400, seed=3)
    many_left, few_left = plan(problem_of(X, truth)), plan(problem_of(X[:75], truth))
    assert few_left.n_new + len(few_left.places) == 20
    assert len(few_left.places) > len(many_left.places)
    assert len(few_left.places) <= 10  # at most half of the money


def test_nobody_is_asked_twice_nor_what_is_closed_nor_who_cannot_be_asked():
    X, truth, _, _ = market(n=75, seed=3)
    problem = problem_of(X, truth)
    is_open = np.arange(60) % 2 == 0
    may_answer = np.array([True, False, True, True])
    found = plan(problem, is_open=is_open, may_answer=may_answer)
    assert len(found.places)
    assert is_open[found.places].all()
    assert may_answer[found.vendors].all()
    given = set(zip(problem.said.answers.record.tolist(), problem.said.answers.vendor.tolist(), strict=True))
    assert given.isdisjoint(zip(found.places.tolist(), found.vendors.tolist(), strict=True))
    dear = plan(problem, prices=np.array([1.0, 1.0, 50.0, 1.0]))
    assert 2 not in dear.vendors
    for nothing in ({"is_open": np.zeros(60, bool)}, {"may_answer": np.zeros(V, bool)}):
        assert (plan(problem, **nothing).n_new, len(plan(problem, **nothing).places)) == (20, 0)


def test_the_model_learns_from_vendors_and_model_together():
    X, truth, _, _ = market(n=400, seed=4)
    problem = problem_of(X, truth, n_asked=300)
    labels, weights = problem.training_set[1:]
    assert (labels == truth[:300]).mean() > (problem.asked.labels == truth[:300]).mean() + 0.05
    assert weights.max() <= 1
    assert problem.inferred.posterior.shape == (300, K)
    untold = replace(problem, said=Said(Answers(*np.empty((3, 0), np.int64)), problem.said.gold))
    assert untold.inferred is None
    assert (untold.training_set[1] == problem.asked.labels).all()
