"""Work with files, and what a model suggests: records out, answers in, every fault told before anything is kept."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.core.first_pass import Role
from marketplace.models import Annotation, PreLabel
from marketplace.services import answer_files, offers, prelabels
from marketplace.services.prelabels import PreLabelInput
from tests import kinds, market
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here():
    return world.make()


@pytest.fixture
def client(here):
    return world.signed_in(here.rival.actor)


@pytest.fixture
def url(here):
    return f"/work/{here.assignment.public_id}/"


def records(client, url, form):
    text = client.get(f"{url}records.{form}").content.decode()
    return (
        [json.loads(line) for line in text.splitlines()] if form == "jsonl" else list(csv.DictReader(io.StringIO(text)))
    )


def written(rows, form):
    if form == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows)
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def send(client, url, text, **fields):
    return client.post(f"{url}file/", {"file": SimpleUploadedFile("a.txt", text.encode())} | fields)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_records_go_out_and_come_back_labeled(here, client, url, form):
    rows = records(client, url, form)
    assert [row["key"] for row in rows] == [
        (item.record or item.gold).key for item in here.assignment.items.order_by("position")
    ]
    first = written([row | {"label": market.truth(row["key"])} for row in rows[:2]] + rows[2:], form)
    checked = send(client, url, first, only="check")
    assert (checked.status_code, "2 answers would be taken" in checked.content.decode()) == (200, True)
    assert not Annotation.objects.exists()
    text = client.get(send(client, url, first).url).content.decode()
    assert f"Saved 2 from the file. {len(rows) - 2} to go." in text
    rest = records(client, url, form)
    assert len(rest) == len(rows) - 2
    send(client, url, written([row | {"label": market.truth(row["key"])} for row in rest], form))
    here.assignment.refresh_from_db()
    assert here.assignment.state == "submitted"
    assert set(Annotation.objects.values_list("annotator", flat=True)) != {""}


def test_every_fault_is_told_by_its_line_and_nothing_is_kept(here, client, url):
    rows = records(client, url, "jsonl")
    bad = [
        rows[0] | {"label": "cat"},
        rows[1] | {"label": "horse"},
        {"key": "nobody", "label": "cat"},
        rows[2] | {"cannot_label": "tired"},
    ]
    answer = send(client, url, written(bad, "jsonl") + "nonsense\n" + written([rows[0] | {"label": "dog"}], "jsonl"))
    text = answer.content.decode()
    assert answer.status_code == 422
    for line, words in [(2, "horse"), (3, "not part of the work"), (5, "not JSON"), (6, "2 times in this delivery")]:
        assert f'<th scope="row">{line}</th>' in text
        assert words in text
    assert "0 answers would be taken, 6 lines are wrong." in text
    assert "6 lines to mend; nothing was saved." in text
    assert not Annotation.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"key,label\n", "No line has an answer"),
        (b"a,b\n", "name the columns"),
    ],
)
def test_a_file_that_is_none_is_told_beside_its_field(client, url, content, words):
    answer = client.post(f"{url}file/", {"file": SimpleUploadedFile("a.csv", content)})
    beside = answer.content.decode().partition('id="id_file_error"')[2].partition("</ul>")[0]
    assert (answer.status_code, words in beside) == (422, True), beside


def test_a_missing_or_huge_file_is_told(client, url, monkeypatch):
    assert "Choose the file to send." in client.post(f"{url}file/").content.decode()
    monkeypatch.setattr(answer_files, "MAX_BYTES", 10)
    assert "Send it in parts." in send(client, url, "key,label\na,cat\n").content.decode()


def test_a_download_has_two_forms_and_no_formulas(here, client, url):
    assert client.get(f"{url}records.xlsx").status_code == 404
    answer = client.get(f"{url}records.csv")
    assert "attachment" in answer["Content-Disposition"]
    here.assignment.items.exclude(record=None).first().record.__class__.objects.update(uri="=1+1")
    assert ",'=1+1," in client.get(f"{url}records.csv").content.decode()


def test_what_a_model_suggests_is_shown_where_it_may_be(here, client, url):
    keys = [row["key"] for row in records(client, url, "jsonl")]
    PreLabel.objects.bulk_create(
        PreLabel(job=here.job, key=key, model="m", label=n % 3, confidence=0.93, role=role, blind_chance=0.1)
        for n, (key, role) in enumerate(zip(keys[:3], [Role.SHOWN, Role.BLIND, Role.SHOWN], strict=True))
    )
    with CaptureQueriesContext(connection) as queries:
        text = client.get(url).content.decode()
    assert len(queries) <= 13
    assert text.count("a model suggests") == 2
    assert "93.0 % sure" in text
    rows = {row["key"]: row["suggestion"] for row in records(client, url, "jsonl")}
    assert [rows[key] for key in keys[:3]] == ["cat", None, "bird"]


def test_a_suggested_box_is_taken_by_a_tick_or_left():
    example, one, customer = kinds.EXAMPLES["bbox"], kinds.seller("bbox"), market.customer()
    job = kinds.job(customer, example, n_records=3, n_gold=0)
    rows = [PreLabelInput(f"record-{n}", example.truth(n), 0.9) for n in range(3)]
    prelabels.put(actor=customer, job_id=job.pk, model="m", rows=rows)
    PreLabel.objects.update(role=Role.SHOWN)
    assignment = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
    client, url = world.signed_in(one.actor), f"/work/{assignment.public_id}/"
    first, second, _ = assignment.items.order_by("position")
    assert client.get(url).content.decode().count("The suggestion is right as it stands") == 3
    both = {f"{first.public_id}-agree": "on", first.public_id: "[]"}
    assert "not both." in client.post(f"{url}answers/", both).content.decode()
    assert client.post(f"{url}answers/", {f"{first.public_id}-agree": "on"}).status_code == 302
    assert client.post(f"{url}answers/", {second.public_id: "[]"}).status_code == 302
    answers = {row.item_id: row for row in Annotation.objects.all()}
    shown = job.label_schema.shown(None, answers[first.pk].value, example.record)
    assert shown == job.label_schema.shown(None, PreLabel.objects.get(key=first.record.key).value, example.record)
    assert answers[second.pk].value != answers[first.pk].value
