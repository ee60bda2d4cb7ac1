"""Reviews: drawn with known chances, they correct labels and tell the accuracy."""

import pytest

from common.errors import NotFoundError, ValidationFailedError
from marketplace.errors import AlreadyDecidedError
from marketplace.models import Correction, JobRecord, Review
from marketplace.services import second_looks, vetting
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner():
    return market.customer()


@pytest.fixture
def job(owner):
    market.gold_set()
    sellers = [market.seller(price) for price in (30_000, 40_000)]
    job = market.job(owner, n_records=20, batch_size=20, n_gold=0)
    for one in sellers:
        market.work(one)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    assert set(job.records.values_list("state", flat=True)) == {"labeled"}
    JobRecord.objects.filter(job=job, key__in=["record-1", "record-2"]).update(confidence=0.6)
    return job


def truth(review):
    return market.truth(review.record.key)


def test_a_drawing_notes_its_chances_and_favours_the_unsure(owner, job):
    drawn = second_looks.draw(actor=owner, job_id=job.pk, n=6, seed=3)
    assert len(drawn) == 6
    again = Review.objects.filter(job=job)
    assert {row.pool_size for row in again} == {20}
    chances = {row.record.key: row.chance for row in again.select_related("record")}
    assert {"record-1", "record-2"} <= set(chances)
    assert chances["record-1"] > 2 * min(chances.values())


def test_confirming_all_tells_a_high_accuracy_with_its_doubt(owner, job):
    assert second_looks.accuracy(actor=owner, job_id=job.pk) is None
    for row in second_looks.draw(actor=owner, job_id=job.pk, n=10, seed=1):
        assert second_looks.accuracy(actor=owner, job_id=job.pk) is None  # half a drawing says nothing
        assert second_looks.decide(actor=owner, review_id=row.pk, label=truth(row)).is_right
    found = second_looks.accuracy(actor=owner, job_id=job.pk)
    assert (found.mean, found.high, found.n_reviewed) == (1.0, 1.0, 10)
    assert 0.5 < found.low < 1
    assert not Correction.objects.exists()


def test_a_correction_changes_the_label_and_counts_against_the_accuracy(owner, job):
    drawn = second_looks.draw(actor=owner, job_id=job.pk, n=20)
    wrong = {"cat": "dog", "dog": "bird", "bird": "cat"}
    for place, row in enumerate(drawn):
        label = wrong[truth(row)] if place < 5 else truth(row)
        second_looks.decide(actor=owner, review_id=row.pk, label=label, note="Looked again.")
    found = second_looks.accuracy(actor=owner, job_id=job.pk)
    assert (found.mean, found.low, found.high) == (0.75, 0.75, 0.75)  # every record was looked at
    assert Correction.objects.count() == 5
    correction = Correction.objects.order_by("pk").first()
    assert correction.review_id == drawn[0].pk
    assert market.CLASSES[correction.new_label] == wrong[truth(drawn[0])]


def test_a_label_can_be_taken_back_as_impossible(owner, job):
    (row,) = second_looks.draw(actor=owner, job_id=job.pk, n=1)
    second_looks.decide(actor=owner, review_id=row.pk, label=None, note="A black picture.")
    record = JobRecord.objects.get(pk=row.record_id)
    assert (record.state, record.label) == ("unlabelable", None)


def test_bad_reviews_are_refused(owner, job):
    (row,) = second_looks.draw(actor=owner, job_id=job.pk, n=1)
    with pytest.raises(ValidationFailedError):
        second_looks.decide(actor=owner, review_id=row.pk, label="whale")
    with pytest.raises(NotFoundError):
        second_looks.decide(actor=market.customer(), review_id=row.pk, label="cat")
    second_looks.decide(actor=owner, review_id=row.pk, label=truth(row))
    assert second_looks.decide(actor=owner, review_id=row.pk, label=truth(row)).is_right
    with pytest.raises(AlreadyDecidedError):
        second_looks.decide(actor=owner, review_id=row.pk, label=None)
    second_looks.draw(actor=owner, job_id=job.pk, n=100)
    with pytest.raises(ValidationFailedError, match="No decided record is left"):
        second_looks.draw(actor=owner, job_id=job.pk, n=1)
