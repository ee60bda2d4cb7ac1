"""What choosing costs, where the time went and how soon a target was reached, over HTTP."""

import pytest

from tests.api.test_curation import experiment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


def played(customer) -> str:
    """Return the address of an experiment that has had a round."""
    at = experiment(customer)
    customer.made(f"{at}/rounds/")
    picks = customer.get(f"{at}/rounds/1/picks/").body["results"]
    classes = customer.get(f"{at}/").body["classes"]
    labels = [{"key": pick["key"], "label": classes[n % 2]} for n, pick in enumerate(picks)]
    customer.made(f"{at}/observations/", {"labels": labels})
    customer.made(f"{at}/rounds/1/evaluate/")
    return at


def test_the_entries_add_up_to_what_is_shown(customer):
    at = played(customer)
    shown = customer.get(f"{at}/compute/").body
    entries = customer.get(f"{at}/compute/entries/").body["results"]
    assert [(one["stage"], one["is_end"]) for one in entries] == [
        ("select", False),
        ("select", True),
        ("train", False),
        ("train", True),
    ]
    for name in ("cpu_us", "wall_us", "n_rows"):
        assert sum(one[name] for one in entries) == shown["total"][name] == shown["rounds"][0]["total"][name] > 0
    assert (shown["total"]["n_attempts"], shown["total"]["n_open"]) == (2, 0)


def test_an_experiment_is_compared_at_any_target(customer):
    at = played(customer)
    found = customer.get(f"{at}/convergence/?target=0.01").body
    assert found["target"] == 0.01
    assert [arm["campaign"] for arm in found["arms"]] == [None]
    assert found["arms"][0]["reached"]["rounds"] == 1
    assert found["arms"][0]["reached"]["hours"] > 0
    assert customer.get(f"{at}/convergence/").body["target"] is None


@pytest.mark.parametrize("target", ["", "0", "1.1", "-1", "nan", "inf", "a", "%C2%B2", "0" * 30])
def test_a_target_that_is_none_is_refused(customer, target):
    answer = customer.get(f"{experiment(customer)}/convergence/?target={target}")
    assert (answer.status, answer.code) == (400, "invalid_parameter")
