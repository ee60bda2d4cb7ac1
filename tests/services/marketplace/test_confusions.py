"""A job shows which classes its good annotators confuse, and whether new instructions helped."""

import pytest

from common.errors import NotFoundError
from marketplace.models import Annotation, InstructionVersion, JobRecord
from marketplace.selectors import confusions
from marketplace.services import annotations, offers
from marketplace.services.annotations import Answer
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner():
    return market.customer()


@pytest.fixture
def job(owner):
    """Sixty records in two layers; each vendor calls every third cat a dog, the second half under new instructions."""
    market.gold_set()
    sellers = [market.seller(price) for price in (30_000, 40_000)]
    job = market.job(owner, n_records=60, batch_size=60, n_gold=0)
    for one in sellers:
        work = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
        answers = []
        for item in work.items.select_related("record"):
            number = int(item.record.key.rsplit("-", 1)[1])
            label = "dog" if number % 9 == 0 else market.truth(item.record.key)
            answers.append(Answer(item.pk, label))
        annotations.submit(actor=one.actor, assignment_id=work.pk, answers=answers)
    for record in JobRecord.objects.filter(job=job):
        JobRecord.objects.filter(pk=record.pk).update(
            state="labeled", label=market.CLASSES.index(market.truth(record.key)), confidence=0.9
        )
    return job


def test_the_pair_is_named_with_examples(job, owner, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        (found,) = confusions.of_job(owner, job.pk)
    assert ({found.first, found.second}, found.observed) == ({"cat", "dog"}, 14)
    assert found.p_value < 0.001
    assert len(found.examples) == 5
    assert found.examples[0].answers == {"dog": 2}
    assert [(one.version, one.n_confused, one.n_answers) for one in found.versions] == [(1, 14, 80)]
    assert found.change_p_value is None


def test_new_instructions_are_compared_with_those_before(job, owner):
    newer = InstructionVersion.objects.create(job=job, version=2, text="A cat is no dog.")
    calm = [r.pk for r in JobRecord.objects.filter(job=job) if int(r.key.rsplit("-", 1)[1]) % 9]
    Annotation.objects.filter(record__in=calm).update(instruction=newer)
    (found,) = confusions.of_job(owner, job.pk)
    assert [(one.version, one.n_confused, one.n_answers) for one in found.versions] == [(1, 14, 14), (2, 0, 66)]
    assert found.change_p_value < 1e-6


def test_strangers_and_undecided_jobs_see_nothing(job, owner):
    with pytest.raises(NotFoundError):
        confusions.of_job(market.customer(), job.pk)
    JobRecord.objects.filter(job=job).update(state="open", label=None)
    assert confusions.of_job(owner, job.pk) == []
