"""Pages on disputes: the vendor objects, staff labels anew without knowing whose answer it was."""

import pytest

from marketplace.models import Adjudication, Annotation, Dispute
from tests import market
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here():
    made = world.make()
    world.add_effect(made)
    return made


def test_a_vendor_disputes_and_reads_what_was_found(here):
    world.add_dispute(here)
    Dispute.objects.all().delete()
    vendor, staff = world.signed_in(here.rival.actor), world.signed_in(here.staff)
    page = f"/work/{here.assignment.public_id}/"
    assert "Dispute it" in vendor.get(page).content.decode()
    vendor.post(f"{page}dispute/", {"text": "It is right, look!"})
    row = Adjudication.objects.get()
    shown = staff.get("/adjudications/").content.decode()
    for secret in ("look!", here.rival.vendor.name, str(row.annotation_id)):
        assert secret not in shown
    answer = Annotation.objects.select_related("record", "gold").get(pk=row.annotation_id)
    label = market.truth((answer.record or answer.gold).key)
    done = staff.post(f"/adjudications/{row.public_id}/decide/", {"label": label, "note": "Seen anew."}, follow=True)
    assert "The vendor was right." in done.content.decode()
    text = vendor.get(page).content.decode()
    assert "You were right: Seen anew." in text
    assert "Dispute it" not in text


def test_a_decision_without_a_reason_is_not_taken(here):
    world.add_dispute(here)
    row = Adjudication.objects.get()
    answer = world.signed_in(here.staff).post(f"/adjudications/{row.public_id}/decide/", {"label": "cat"})
    assert answer.status_code == 422
    assert "Give a label, and say why." in answer.content.decode()
    assert Adjudication.objects.get().decided_at is None


def test_work_without_refused_answers_offers_no_dispute(here):
    page = world.signed_in(here.rival.actor).get(f"/work/{here.assignment.public_id}/").content.decode()
    assert "Dispute it" not in page


def test_a_vendor_it_is_handed_to_labels_it_anew_and_sees_what_that_earns(here):
    world.add_dispute(here)
    row = Adjudication.objects.get()
    judge, rival = world.signed_in(here.seller.actor), world.signed_in(here.rival.actor)
    assert "Nothing is handed to you" in judge.get("/second-opinions/").content.decode()
    Adjudication.objects.update(vendor=here.seller.vendor, fee_micro=50_000)
    text = judge.get("/second-opinions/").content.decode()
    assert "Deciding it earns <strong>0.05 USD</strong>" in text
    assert here.rival.vendor.name not in text
    url = f"/second-opinions/{row.public_id}/decide/"
    assert rival.post(url, {"label": "dog", "note": "Mine."}).status_code == 404
    answer = Annotation.objects.select_related("record", "gold").get(pk=row.annotation_id)
    label = market.truth((answer.record or answer.gold).key)
    done = judge.post(url, {"label": label, "note": "Seen anew."}, follow=True).content.decode()
    assert "Decided. Thank you." in done
    assert "was right" not in done
    row.refresh_from_db()
    assert (row.is_upheld, row.fee_due_at is not None) == (True, True)
