"""The vendor's account and the staff's desk: an application from nothing to the review, and its answers."""

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.models import Organization
from portal import uploads
from tests import market
from tests.portal import world
from vendors.models import Appeal, Capability, Vendor, VendorDocument, VendorRule

pytestmark = pytest.mark.django_db(transaction=True)

WORK = {"task_type": "bbox", "modality": "image", "language": "", "domain": "", "data_class": "public"}
TERMS = {
    "accept_window_cost": "30",
    "accept_window_speed": "15",
    "accept_window_accuracy": "30",
    "min_batch": "5",
    "max_concurrent": "2",
    "start_window": "60",
    "base": "0",
    "seconds_per_label": "4.5",
    "signed_by": "Ada",
}
PAPER = {"kind": "insurance", "number": "I-7", "issued_at": "2020-01-01"}
PDF = b"%PDF-1.7 insured until the end of the world"


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    """A folder of its own for papers."""
    settings.DOCUMENT_STORAGE_URL = f"file://{tmp_path}"
    return tmp_path


def pdf(content=PDF):
    return SimpleUploadedFile("i.pdf", content)


def kept(storage):
    return [path for path in storage.rglob("*") if path.is_file()]


def put(client, name, fields):
    """Send one form of the account."""
    return client.post(f"/account/{name}/", {f"{name}-{field}": value for field, value in fields.items()})


@pytest.fixture
def client():
    return world.signed_in(market.actor_of(Organization.objects.create(name="New", kind="vendor")))


@pytest.fixture
def applied(client):
    assert client.post("/account/register/", {"name": "New labels", "languages": "en, fr"}).url == "/account/"
    return client


def test_a_vendor_applies_by_its_account_alone(applied):
    early = put(applied, "submit", {})
    assert (early.status_code, Vendor.objects.get().state) == (422, "draft")
    assert put(applied, "capability", WORK).url == "/account/"
    capability = Capability.objects.get()
    assert put(applied, "price", {"capability": capability.pk, "price": "0.12", "currency": "EUR"}).url == "/account/"
    assert put(applied, "agreement", TERMS).url == "/account/"
    assert put(applied, "document", PAPER | {"file": pdf()}).url == "/account/"
    paper = VendorDocument.objects.get()
    assert (paper.sha256, paper.media_type) == (hashlib.sha256(PDF).hexdigest(), "application/pdf")
    assert put(applied, "submit", {}).url == "/account/"
    vendor = Vendor.objects.get()
    agreement = vendor.agreements.get()
    assert (vendor.state, vendor.languages) == ("submitted", ["en", "fr"])
    assert (agreement.accept_window_speed_s, agreement.base_s, agreement.signed_by) == (900, 0, "Ada")
    text = applied.get("/account/").content.decode()
    assert "0.12 EUR a label" in text
    assert "insurance I-7" in text


@pytest.mark.parametrize(
    ("name", "fields", "field", "words"),
    [
        ("capability", WORK | {"task_type": "opera"}, "task_type", "Select a valid choice"),
        ("price", {"price": "-1"}, "price", "greater than or equal to"),
        ("price", {"capability": "00000000-0000-0000-0000-000000000001", "price": "1"}, "capability", "Select a valid"),
        ("agreement", TERMS | {"min_batch": "0"}, "min_batch", "greater than or equal to 1"),
        ("document", PAPER, "file", "Choose the file of the paper."),
        ("document", PAPER | {"file": b""}, "file", "The file is empty."),
        ("document", PAPER | {"file": b"<html>%PDF-1.7</html>"}, "file", "Choose a PDF, PNG or JPEG file"),
        ("document", PAPER | {"file": b"%PDF"}, "file", "Choose a PDF, PNG or JPEG file"),
        ("document", PAPER | {"file": PDF + b"x" * 2**20}, "file", "A paper has 1 MiB at most"),
        ("document", PAPER | {"file": PDF, "issued_at": "2199-01-01"}, "issued_at", "dated in the future"),
        ("document", PAPER | {"file": PDF, "expires_at": "2019-01-01"}, "expires_at", "ends before it begins"),
        ("appeal", {"text": ""}, "text", "This field is required."),
    ],
)
def test_what_is_wrong_stands_beside_its_field(applied, settings, storage, name, fields, field, words):
    settings.DOCUMENT_MAX_BYTES = 2**20
    if "file" in fields:
        fields = fields | {"file": pdf(fields["file"])}
    answer = put(applied, name, fields)
    text = answer.content.decode()
    beside = text.partition(f'id="id_{name}-{field}_error"')[2].partition("</ul>")[0]
    assert (answer.status_code, words in beside) == (422, True), beside
    assert not VendorDocument.objects.exists()
    assert kept(storage) == []


def test_a_paper_is_read_by_staff_and_its_vendor_alone(applied, storage):
    put(applied, "document", PAPER | {"file": pdf()})
    again = put(applied, "document", PAPER | {"file": pdf()})
    assert (again.status_code, "handed in this very paper before" in again.content.decode()) == (422, True)
    (paper,), (file,) = VendorDocument.objects.all(), kept(storage)
    own, desk = f"/account/papers/{paper.public_id}/", f"/desk/papers/{paper.public_id}/file/"
    staff = world.signed_in(market.staff())
    assert desk in staff.get("/desk/").content.decode()
    for client, url in ((applied, own), (staff, desk)):
        answer = client.get(url)
        assert b"".join(answer.streaming_content) == PDF
        assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
        assert answer["Content-Disposition"] == f'attachment; filename="{paper.public_id}.pdf"'
        assert answer["Content-Security-Policy"].startswith("sandbox;")
    market.gold_set()
    assert world.signed_in(market.seller().actor).get(own).status_code == 404
    assert world.signed_in(market.customer()).get(desk).status_code == 404
    file.unlink()
    assert applied.get(own).status_code == 404


def test_a_page_stops_reading_what_no_form_takes(applied, monkeypatch, storage):
    monkeypatch.setattr(uploads, "MAX_BYTES", 1000)
    answer = put(applied, "document", PAPER | {"file": pdf(PDF * 100)})
    assert answer.status_code == 400
    assert kept(storage) == []


def test_an_objection_without_a_decision_is_told(applied):
    answer = put(applied, "appeal", {"text": "No."})
    assert "There is no suspension, rejection or act of a rule to object to." in answer.content.decode()
    assert applied.post("/account/opera/").status_code == 404


def test_the_desk_answers_papers_and_objections_in_few_queries():
    here = world.make()
    world.add_desk(here)
    staff = world.signed_in(here.staff)
    with CaptureQueriesContext(connection) as queries:
        text = staff.get("/desk/").content.decode()
    assert len(queries) <= 12
    assert "We were not." in text
    assert "Everything has a timer or an owner." in text
    paper, appeal = VendorDocument.objects.get(), Appeal.objects.get()
    silent = staff.post(f"/desk/papers/{paper.public_id}/", {"is_yes": "yes"})
    assert (silent.status_code, "Say why; the vendor reads it." in silent.content.decode()) == (422, True)
    assert staff.post(f"/desk/papers/{paper.public_id}/", {"is_yes": "yes", "reason": "Read."}).url == "/desk/"
    assert staff.post(f"/desk/appeals/{appeal.public_id}/", {"is_yes": "no", "reason": "Late."}).url == "/desk/"
    paper.refresh_from_db()
    appeal.refresh_from_db()
    assert (paper.state, paper.reason, appeal.state, appeal.reason) == ("verified", "Read.", "denied", "Late.")


def test_a_rule_on_vendors_is_tried_and_switched():
    here = world.make()
    world.add_desk(here)
    staff = world.signed_in(here.staff)
    rule = VendorRule.objects.earliest("pk")
    url = f"/desk/rules/{rule.public_id}/"
    assert "Nobody." in staff.get(url).content.decode()
    for fields, is_on in (({"off": "1"}, False), ({"on": "1"}, True)):
        assert staff.post(f"{url}switch/", fields).url == url
        rule.refresh_from_db()
        assert rule.is_enabled is is_on
