"""Second looks and corrections on pages: the queue of likely wrong labels, their history, what vendors get later."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.models import Adjudication, Annotation, Correction, JobRecord, Review, Settlement, SettlementAdjustment
from marketplace.services import second_looks, vetting
from tests import kinds, market
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner():
    return market.customer()


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price) for price in (30_000, 40_000)]


def labeled(owner, sellers, **wrong):
    """Return a job whose records are all decided."""
    job = market.job(owner, n_records=8, batch_size=8, n_gold=0)
    for one in sellers:
        market.work(one, **wrong)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    assert set(job.records.values_list("state", flat=True)) == {"labeled"}
    return job


def look_url(review):
    return f"/second-looks/{review.public_id}/"


def field(review, name):
    return f"{review.public_id}-{name}"


def test_labels_are_drawn_confirmed_and_corrected(owner, sellers):
    job, client = labeled(owner, sellers), world.signed_in(owner)
    url = f"/jobs/{job.public_id}/second-looks/"
    assert "Nothing was drawn" in client.get(url).content.decode()
    assert client.post(f"{url}draw/", {"n": "2"}).url == url
    text = client.get(url).content.decode()
    assert text.count("The label is right") == 2
    right, wrong = Review.objects.select_related("record__job__label_schema").order_by("pk")
    seen = f'"{right.record.shown_label}"'
    assert client.post(look_url(right), {"right": "1", field(right, "seen"): seen}).url == url
    other = (wrong.record.label + 1) % 3
    sent = {field(wrong, "label"): f"class:{other}", field(wrong, "note"): "Look at the ears."}
    assert "corrected." in client.post(look_url(wrong), sent, follow=True).content.decode()
    wrong.record.refresh_from_db()
    assert (wrong.record.label, Correction.objects.count()) == (other, 1)
    text = client.get(url).content.decode()
    assert "of the labels were right as first decided" in text
    assert ("Look at the ears." in text, "The label is right" in text) == (True, False)
    history = client.get(f"/jobs/{job.public_id}/corrections/").content.decode()
    assert f"<del>{market.CLASSES[(other - 1) % 3]}</del>" in history
    assert f"<strong>{market.CLASSES[other]}</strong>" in history
    assert "Look at the ears." in history


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Say what the label is, or that the label shown is right."),
        ({"label": "class:9"}, "Select a valid choice"),
        ({"right": "1", "seen": '"horse"'}, "The label has changed since you looked"),
    ],
)
def test_what_is_wrong_stands_beside_its_label(owner, sellers, sent, words):
    job, client = labeled(owner, sellers), world.signed_in(owner)
    review = second_looks.draw(actor=owner, job_id=job.pk, n=1)[0]
    given = {name if name == "right" else field(review, name): value for name, value in sent.items()}
    answer = client.post(look_url(review), given)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert not Review.objects.exclude(decided_at=None).exists()


def test_drawing_nothing_is_told_and_records_without_a_label_wait(owner, sellers):
    job, client = market.job(owner, n_gold=0), world.signed_in(owner)
    answer = client.post(f"/jobs/{job.public_id}/second-looks/draw/", {"n": "5"})
    assert (answer.status_code, "No decided record is left" in answer.content.decode()) == (422, True)
    second_looks.call_for(job.pk, [job.records.first().pk], Review.Cause.MODEL, "m is sure of something else.")
    text = client.get(f"/jobs/{job.public_id}/second-looks/").content.decode()
    assert "It has no label yet" in text
    assert "A model says something else: m is sure" in text
    early = client.post(look_url(Review.objects.get()), {field(Review.objects.get(), "label"): "class:0"})
    assert early.status_code == 422


@pytest.mark.parametrize("task_type", ["bbox", "multilabel", "ranking", "transcription"])
def test_every_task_type_can_be_corrected(owner, task_type):
    example, one = kinds.EXAMPLES[task_type], kinds.seller(task_type)
    job = kinds.job(owner, example, n_records=2, n_gold=0, min_overlap=1, max_overlap=1)
    kinds.work(one, example.truth)
    JobRecord.objects.filter(job=job).update(state="unlabelable", reason="other", confidence=0.5)
    review = second_looks.draw(actor=owner, job_id=job.pk, n=1)[0]
    client = world.signed_in(owner)
    assert "cannot be labeled" in client.get(f"/jobs/{job.public_id}/second-looks/").content.decode()
    named = {
        "bbox": {"label": '[{"class": "cat", "box": [1, 2, 30, 40]}]'},
        "multilabel": {"label": "class:0"},
        "transcription": {"label": "the words"},
        "ranking": {f"label-{n}": str(n + 1) for n in range(len(example.record.get("items", [])))},
    }[task_type]
    sent = {field(review, name): value for name, value in named.items()}
    assert client.post(look_url(review), sent).status_code == 302
    review.record.refresh_from_db()
    assert review.record.state == "labeled"


def test_the_queue_and_the_history_cost_the_same_for_more_labels(owner, sellers):
    job, client = labeled(owner, sellers), world.signed_in(owner)
    counts = []
    for n in (2, 4):
        for review in second_looks.draw(actor=owner, job_id=job.pk, n=n):
            label = market.CLASSES[(review.record.label + 1) % 3]
            second_looks.decide(actor=owner, review_id=review.pk, label=label)
        for page in ("second-looks", "corrections"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(f"/jobs/{job.public_id}/{page}/").status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 10


def test_a_vendor_reads_what_corrections_added_to_its_pay():
    here = world.make()
    world.add_effect(here)
    world.add_dispute(here)
    staff, vendor = world.signed_in(here.staff), world.signed_in(here.rival.actor)
    assert "No refused answer has turned out" in vendor.get("/paid-later/").content.decode()
    row = Adjudication.objects.get()
    answer = Annotation.objects.select_related("record", "gold").get(pk=row.annotation_id)
    settle(here)
    label = market.truth((answer.record or answer.gold).key)
    staff.post(f"/adjudications/{row.public_id}/decide/", {"label": label, "note": "Seen anew."})
    assert SettlementAdjustment.objects.count() == 1
    with CaptureQueriesContext(connection) as queries:
        text = vendor.get("/paid-later/").content.decode()
    assert len(queries) <= 7
    assert "+ 0.05 USD" in text
    assert "Your dispute was upheld: Seen anew." in text
    assert "+ 0.05 USD" not in world.signed_in(here.seller.actor).get("/paid-later/").content.decode()


def settle(here):
    """Settle the rival's work with nothing paid."""
    Settlement.objects.create(
        assignment=here.assignment,
        job=here.job,
        vendor_id=here.rival.vendor_id,
        n_paid=0,
        price_micro=50_000,
        currency="USD",
        vendor_micro=0,
        fee_micro=0,
    )
