"""The first pass over its life: blind shares, thresholds from blind records only, labels that stand, and their end."""

import pytest

from common.errors import ValidationFailedError
from marketplace.core.first_pass import unit_of
from marketplace.core.states import RecordState
from marketplace.models import BatchItem, Job, JobRecord, Lot, PreLabel, RoutingEvent
from marketplace.services import first_pass, first_pass_reports, jobs, prelabels, vetting
from marketplace.services.first_pass import Terms
from marketplace.services.lots import RecordInput
from marketplace.services.prelabels import PreLabelInput
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer():
    return market.customer()


def standing_job(customer, **terms) -> Job:
    market.gold_set()
    market.seller(10_000)
    return market.job(customer, n_records=0, **terms)


def wrong(key: str) -> str:
    return market.CLASSES[(market.CLASSES.index(market.truth(key)) + 1) % 3]


def word(number: int, *, is_right: bool = True, confidence: float = 0.97) -> PreLabelInput:
    key = f"record-{number}"
    return PreLabelInput(key, market.truth(key) if is_right else wrong(key), confidence)


def order(customer, job, numbers) -> Lot:
    return jobs.add_lot(actor=customer, job_id=job.pk, records=[RecordInput(f"record-{i}") for i in numbers])


def decide(job, *, share_right: float = 1.0) -> None:
    """Let people have decided what is open, as vetting would have."""
    for number, record in enumerate(JobRecord.objects.filter(job=job, state="open").order_by("pk")):
        label = market.CLASSES.index(market.truth(record.key))
        record.label = label if (number % 100) < 100 * share_right else (label + 1) % 3
        record.state, record.confidence = "labeled", 0.95
        record.save()


def proven_job(customer, n: int = 1200, model: str = "v1") -> Job:
    """Return a job whose model is right wherever people looked."""
    job = standing_job(customer, batch_size=200)
    prelabels.put(actor=customer, job_id=job.pk, model=model, rows=[word(i) for i in range(n)])
    order(customer, job, range(n))
    decide(job)
    return job


def test_a_tenth_is_blind_with_its_propensity_and_stays_so_when_given_again(customer):
    job = standing_job(customer)
    rows = [word(i) for i in range(600)]
    assert prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=rows) == 600
    before = dict(PreLabel.objects.values_list("key", "role"))
    assert 35 <= sum(role == "blind" for role in before.values()) <= 90
    assert set(PreLabel.objects.values_list("blind_chance", flat=True)) == {0.1}
    prelabels.put(actor=customer, job_id=job.pk, model="v2", rows=rows)
    assert dict(PreLabel.objects.values_list("key", "role")) == before
    assert set(PreLabel.objects.values_list("model", flat=True)) == {"v2"}


def test_nothing_stands_without_a_person_unless_asked_for_and_proven(customer):
    job = standing_job(customer)
    rows = [word(i) for i in range(30)]
    prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=rows)
    assert order(customer, job, range(10)).batches.count() > 0
    first_pass.change(actor=customer, job_id=job.pk, terms=Terms(is_auto_accept=True))
    order(customer, job, range(10, 30))
    assert not JobRecord.objects.filter(is_machine=True).exists()
    assert BatchItem.objects.filter(record__job=job).values("record").distinct().count() == 30
    assert first_pass.calibration(job, "v1", job.first_pass).why == "0 blind records are decided; 100 are needed."


def test_proven_labels_stand_cost_nothing_and_some_are_audited(customer):
    job = proven_job(customer)
    job.refresh_from_db()
    committed = job.committed_micro
    rows = [word(i) for i in range(2000, 2400)] + [word(i, confidence=0.5) for i in range(2400, 2410)]
    prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=rows)
    first_pass.change(actor=customer, job_id=job.pk, terms=Terms(is_auto_accept=True, audit_ratio=0.2))
    lot = order(customer, job, range(2000, 2420))
    machine = JobRecord.objects.filter(lot=lot, is_machine=True)
    assert 240 <= machine.count() <= 340
    assert not BatchItem.objects.filter(record__in=machine).exists()
    assert {r.label == market.CLASSES.index(market.truth(r.key)) for r in machine} == {True}
    assert all(0.9 < r.confidence < 1 and r.state == RecordState.LABELED for r in machine)
    sent = PreLabel.objects.filter(threshold__isnull=False, role="blind")
    assert sorted(set(sent.values_list("blind_chance", flat=True))) == pytest.approx([0.28])
    assert sent.count() + machine.count() == 400
    unsure = PreLabel.objects.filter(key__in=[f"record-{i}" for i in range(2400, 2410)])
    assert set(unsure.values_list("threshold", flat=True)) == {None}
    job.refresh_from_db()
    assert job.committed_micro == committed
    assert RoutingEvent.objects.filter(job=job, kind="first_pass.accepted").count() == 1


def test_a_lot_of_labels_that_all_stand_is_closed_at_once(customer):
    job = proven_job(customer)
    first_pass.change(
        actor=customer, job_id=job.pk, terms=Terms(is_auto_accept=True, audit_ratio=0.01, blind_ratio=0.01)
    )
    accepted = [f"record-{i}" for i in range(3000, 3100)]
    prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=[word(i) for i in range(3000, 3100)])
    terms = job.first_pass
    terms.refresh_from_db()
    sure = [key for key in accepted if unit_of(terms.seed, key) > 0.05]
    lot = jobs.add_lot(actor=customer, job_id=job.pk, records=[RecordInput(key) for key in sure])
    assert lot.batches.count() == 0
    vetting.vet_lot(lot_id=lot.pk)
    lot.refresh_from_db()
    assert lot.state == "closed"
    assert {row.given_by for row in lot.records.all()} == {"machine"}


def test_a_new_model_proves_itself_anew(customer):
    job = proven_job(customer)
    first_pass.change(actor=customer, job_id=job.pk, terms=Terms(is_auto_accept=True))
    prelabels.put(actor=customer, job_id=job.pk, model="v2", rows=[word(i) for i in range(2000, 2050)])
    lot = order(customer, job, range(2000, 2050))
    assert not lot.records.filter(is_machine=True).exists()


def test_a_model_that_fails_loses_the_right_and_the_customer_reads_why(customer):
    job = proven_job(customer)
    first_pass.change(actor=customer, job_id=job.pk, terms=Terms(is_auto_accept=True, audit_ratio=0.3))
    rows = [word(i, is_right=i % 3 > 0) for i in range(2000, 2200)]  # the world has changed
    prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=rows)
    order(customer, job, range(2000, 2200))
    first_pass.look_after(job)
    assert job.first_pass.is_auto_accept
    decide(job)
    first_pass.look_after(job)
    terms = job.first_pass
    terms.refresh_from_db()
    assert not terms.is_auto_accept
    assert "labels stand without a person" in terms.ended_why
    assert RoutingEvent.objects.filter(job=job, kind="first_pass.ended").count() == 1
    audit = first_pass.audit(job, "v1", terms)
    assert audit.low < 2 / 3 < audit.high
    # Switched on again, the audits keep it from accepting anything.
    first_pass.change(actor=customer, job_id=job.pk, terms=Terms(is_auto_accept=True))
    prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=[word(i) for i in range(4000, 4040)])
    assert not order(customer, job, range(4000, 4040)).records.filter(is_machine=True).exists()


def test_records_in_hand_take_no_pre_label(customer):
    market.gold_set()
    one = market.seller(10_000)
    job = market.job(customer)
    prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=[word(0), word(1)])
    market.work(one)
    with pytest.raises(ValidationFailedError) as refused:
        prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=[word(0)])
    assert [error["code"] for error in refused.value.errors] == ["already_out"]
    found = first_pass_reports.anchoring(job, "v1")
    assert found.n_shown + found.n_blind == 2


def test_how_much_annotators_are_swayed_is_told(customer):
    market.gold_set()
    sellers = [market.seller(price) for price in (10_000, 20_000)]
    job = market.job(customer, n_records=60, batch_size=60)
    prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=[word(i, is_right=i % 2 > 0) for i in range(60)])
    for one in sellers:
        market.work(one)
    vetting.vet_lot(lot_id=Lot.objects.get(job=job).pk)
    report = first_pass_reports.report(customer, job.pk)
    (model,) = report.models
    assert (model.model, sum(model.counts.values())) == ("v1", 60)
    assert (model.anchoring.n_shown, model.anchoring.n_blind) == (model.counts["shown"], model.counts["blind"])
    assert model.anchoring.shown == pytest.approx(0.5, abs=0.1)
    assert model.calibration.n == model.counts["blind"]


BAD = [
    ({"confidence": 1.5}, "prelabels[1].confidence", "out_of_range"),
    ({"confidence": float("nan")}, "prelabels[1].confidence", "out_of_range"),
    ({"label": "cow"}, "prelabels[1].label", "unknown_class"),
    ({"key": "record-0"}, "prelabels[1].key", "duplicate_key"),
    ({"probabilities": [0.5, 0.5]}, "prelabels[1].probabilities", "count"),
    ({"probabilities": [0.5, 0.2, 0.0]}, "prelabels[1].probabilities", "sum"),
    ({"probabilities": [float("nan"), 0.5, 0.5]}, "prelabels[1].probabilities", "sum"),
]


@pytest.mark.parametrize(("change", "field", "code"), BAD)
def test_each_fault_is_named_in_its_place_and_nothing_is_kept(customer, change, field, code):
    job = market.job(customer, n_records=3)
    bad = PreLabelInput(**({"key": "record-1", "label": "cat", "confidence": 0.5, "probabilities": None} | change))
    with pytest.raises(ValidationFailedError) as refused:
        prelabels.put(actor=customer, job_id=job.pk, model="v1", rows=[word(0), bad])
    assert (field, code) in {(error["field"], error["code"]) for error in refused.value.errors}
    assert not PreLabel.objects.exists()


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(blind_ratio=0.0), "blind_ratio"),
        (Terms(audit_ratio=0.0), "audit_ratio"),
        (Terms(required_accuracy=1.0), "required_accuracy"),
        (Terms(required_accuracy=float("nan")), "required_accuracy"),
    ],
)
def test_terms_that_would_blind_us_are_refused(customer, terms, field):
    job = market.job(customer, n_records=0)
    with pytest.raises(ValidationFailedError) as refused:
        first_pass.change(actor=customer, job_id=job.pk, terms=terms)
    assert [error["field"] for error in refused.value.errors] == [field]


def test_the_terms_are_only_the_owners_and_asked_twice_change_nothing(customer):
    job = market.job(customer, n_records=0)
    terms = Terms(blind_ratio=0.2, is_auto_accept=True)
    first = first_pass.change(actor=customer, job_id=job.pk, terms=terms)
    assert first_pass.change(actor=customer, job_id=job.pk, terms=terms).pk == first.pk
    assert RoutingEvent.objects.filter(job=job, kind="first_pass.changed").count() == 1
    with pytest.raises(Exception, match="no such job"):
        first_pass.change(actor=market.customer(), job_id=job.pk, terms=terms)
