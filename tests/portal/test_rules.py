"""Pages on rules: make, try, switch on, see whom it hit, take it back."""

import pytest

from marketplace.models import Rule, RuleEffect
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)
FORM = {
    "name": "Slow down",
    "subject": "annotator",
    "collector": "seconds_per_answer",
    "comparator": "<",
    "threshold": "1",
    "min_n": "10",
    "action": "pause_annotator",
    "duration_s": "3600",
}


@pytest.fixture
def here():
    return world.make()


def test_a_customer_makes_tries_and_switches_on_a_rule_of_its_job(here):
    client = world.signed_in(here.customer)
    made = client.post(f"/rules/new/?job={here.job.public_id}", FORM, follow=True)
    assert "Not tried as it stands" in made.content.decode()
    rule = Rule.objects.get()
    early = client.post(f"/rules/{rule.public_id}/switch/", {"on": "1"}, follow=True).content.decode()
    assert "Try the rule on history first" in early
    tried = client.post(f"/rules/{rule.public_id}/try/", follow=True).content.decode()
    assert "it would have hit 0 of 0, 0 times, in 0 answers" in tried
    assert (
        "The rule is on." in client.post(f"/rules/{rule.public_id}/switch/", {"on": "1"}, follow=True).content.decode()
    )
    assert Rule.objects.get().is_on
    client.post(f"/rules/{rule.public_id}/change/", FORM | {"threshold": "2"})
    assert (Rule.objects.get().is_on, Rule.objects.get().threshold) == (False, 2.0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"threshold": "-1"}, "seconds_per_answer lies between"),
        ({"threshold": "0"}, "never true"),
        ({"window_answers": "5"}, "A window of 5 answers never holds 10"),
        ({"window_s": "0"}, "leave it out for all time"),
        ({"duration_s": ""}, "Say for how many seconds"),
        ({"action": "pause_vendor"}, "is laid on a vendor"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(here, changed, words):
    answer = world.signed_in(here.customer).post(f"/rules/new/?job={here.job.public_id}", FORM | changed)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Rule.objects.exists()


def test_both_sides_see_what_a_rule_did_and_the_customer_takes_it_back(here):
    world.add_effect(here)
    effect = RuleEffect.objects.get()
    client = world.signed_in(here.customer)
    assert effect.words in client.get(f"/rules/{effect.rule.public_id}/").content.decode().replace("&gt;", ">")
    done = client.post(f"/rule-effects/{effect.public_id}/reverse/", {"reason": "Our mistake."}, follow=True)
    assert "It stays on record" in done.content.decode()
    card = world.signed_in(here.rival.actor).get("/scorecard/").content.decode()
    assert "Taken back: Our mistake." in card
    assert "no rule has hit you" in world.signed_in(here.seller.actor).get("/scorecard/").content.decode()
