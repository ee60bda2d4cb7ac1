"""The page of a job's instructions: where they are unclear, a new version, the versions before."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.models import InstructionVersion, JobRecord
from marketplace.services import annotations, instructions, offers
from marketplace.services.annotations import Answer
from tests import market
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner():
    return market.customer()


def confused(owner):
    """Return a job of sixty records on which two good vendors call every third cat a dog."""
    market.gold_set()
    sellers = [market.seller(price) for price in (30_000, 40_000)]
    job = market.job(owner, n_records=60, batch_size=60, n_gold=0)
    for one in sellers:
        work = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
        answers = []
        for item in work.items.select_related("record"):
            is_odd = int(item.record.key.rsplit("-", 1)[1]) % 9 == 0
            answers.append(Answer(item.pk, "dog" if is_odd else market.truth(item.record.key)))
        annotations.submit(actor=one.actor, assignment_id=work.pk, answers=answers)
    for record in JobRecord.objects.filter(job=job):
        label = market.CLASSES.index(market.truth(record.key))
        JobRecord.objects.filter(pk=record.pk).update(state="labeled", label=label, confidence=0.9)
    return job


def test_what_is_unclear_is_shown_with_examples_and_mended_by_a_new_version(owner):
    job, client = confused(owner), world.signed_in(owner)
    url = f"/jobs/{job.public_id}/instructions/"
    with CaptureQueriesContext(connection) as queries:
        text = client.get(url).content.decode()
    assert len(queries) <= 13
    assert "cat and dog" in text
    assert "Given for one another 14 times" in text
    assert "Version 1: 14 of 80 answers." in text
    assert "dog 2" in text
    sent = {"text": "A cat is no dog.", "replaces": "1"}
    assert "Version 2 is in force" in client.post(f"{url}change/", sent, follow=True).content.decode()
    text = client.get(url).content.decode()
    assert "Version 2, in force" in text
    assert "120 answers" in text
    late = client.post(f"{url}change/", {"text": "Another two.", "replaces": "1"})
    assert (late.status_code, "newer version than the one you started from" in late.content.decode()) == (422, True)
    assert "Another two." in late.content.decode()
    empty = client.post(f"{url}change/", {"text": "", "replaces": "2"})
    beside = empty.content.decode().partition('id="id_text_error"')[2].partition("</ul>")[0]
    assert "This field is required." in beside
    assert InstructionVersion.objects.filter(job=job).count() == 2


def test_the_page_costs_the_same_for_more_versions(owner):
    market.gold_set()
    market.seller()
    job, client = market.job(owner), world.signed_in(owner)
    counts = []
    for version in (1, 2, 3):
        instructions.change(actor=owner, job_id=job.pk, text=f"Version after {version}.", replaces=version)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/jobs/{job.public_id}/instructions/")
        counts.append(len(queries))
    assert counts[0] == counts[2]
