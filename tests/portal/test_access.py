"""Who may open which page: every route of the portal, every kind of person."""

import pytest
from django.urls import get_resolver, reverse

from common.actors import Actor
from common.clock import database_now
from common.models import Membership, Organization, SignInFailure
from common.services import sign_ins
from marketplace.models import (
    Adjudication,
    Assignment,
    Campaign,
    InvoiceTerms,
    Offer,
    Review,
    Rule,
    RuleEffect,
    Statement,
)
from portal.urls import urlpatterns
from tests import market
from tests.portal import world
from vendors.models import Appeal, VendorDocument, VendorInvitation, VendorRule

pytestmark = pytest.mark.django_db(transaction=True)

OPEN = {"status", "home", "sign-in", "sign-out"}
# name: (method, who of customer/stranger/seller/rival/staff does not get 404)
ROUTES = {
    "money": ("get", {"customer", "stranger", "seller", "rival"}),
    "statement": ("get", {"customer", "staff"}),
    "statement-csv": ("get", {"customer", "staff"}),
    "jobs": ("get", {"customer", "stranger", "staff"}),
    "job-new": ("get", {"customer", "stranger"}),
    "campaigns": ("get", {"customer", "stranger", "staff"}),
    "experiment-new": ("get", {"customer", "stranger"}),
    "campaign-start": ("post", {"customer", "stranger"}),
    "campaign": ("get", {"customer", "staff"}),
    "campaign-control": ("post", {"customer"}),
    "proposal": ("get", {"customer", "staff"}),
    "proposal-veto": ("post", {"customer"}),
    "proposal-add": ("post", {"customer"}),
    "proposal-approve": ("post", {"customer"}),
    "job": ("get", {"customer", "staff"}),
    "labels": ("get", {"customer", "staff"}),
    "job-cancel": ("post", {"customer"}),
    "batch": ("get", {"customer", "staff"}),
    "why": ("get", {"customer", "staff"}),
    "resolve": ("post", {"customer"}),
    "bonus": ("post", {"customer"}),
    "clawback": ("post", {"staff"}),
    "batch-cancel": ("post", {"customer"}),
    "batch-review": ("post", {"customer"}),
    "second-looks": ("get", {"customer", "staff"}),
    "second-looks-draw": ("post", {"customer"}),
    "second-look": ("post", {"customer"}),
    "instructions": ("get", {"customer", "staff"}),
    "instructions-change": ("post", {"customer"}),
    "corrections": ("get", {"customer", "staff"}),
    "paid-later": ("get", {"seller", "rival"}),
    "own-vendors": ("get", {"customer", "stranger"}),
    "invitation-withdraw": ("post", {"customer"}),
    "inbox": ("get", {"seller", "rival"}),
    "availability": ("post", {"seller", "rival"}),
    "account": ("get", {"seller", "rival"}),
    "register": ("post", {"seller", "rival"}),
    "account-paper": ("get", {"seller"}),
    "account-payout": ("post", {"seller", "rival"}),
    "account-step": ("post", {"seller", "rival"}),
    "hours": ("get", {"seller", "rival"}),
    "hours-save": ("post", {"seller", "rival"}),
    "accept": ("post", {"seller"}),
    "decline": ("post", {"seller"}),
    "interest": ("post", {"seller"}),
    "work": ("get", {"seller", "rival"}),
    "assignment": ("get", {"rival"}),
    "answers": ("post", {"rival"}),
    "work-file": ("get", {"rival"}),
    "work-upload": ("post", {"rival"}),
    "release": ("post", {"rival"}),
    "scorecard": ("get", {"seller", "rival"}),
    "board": ("get", {"staff"}),
    "books": ("get", {"staff"}),
    "credit": ("get", {"staff"}),
    "credit-revoke": ("post", {"staff"}),
    "desk": ("get", {"staff"}),
    "paper-file": ("get", {"staff"}),
    "paper-decide": ("post", {"staff"}),
    "appeal-decide": ("post", {"staff"}),
    "vendor-rule": ("get", {"staff"}),
    "vendor-rule-switch": ("post", {"staff"}),
    "vendors": ("get", {"staff"}),
    "vendor": ("get", {"staff"}),
    "review": ("post", {"staff"}),
    "dispute": ("post", {"rival"}),
    "adjudications": ("get", {"staff"}),
    "adjudicate": ("post", {"staff"}),
    "own-adjudications": ("get", {"seller", "rival"}),
    "own-adjudicate": ("post", {"seller"}),
    "rules": ("get", {"customer", "stranger", "staff"}),
    "rule-new": ("get", {"customer", "stranger", "staff"}),
    "rule": ("get", {"customer", "staff"}),
    "rule-change": ("post", {"customer", "staff"}),
    "rule-try": ("post", {"customer", "staff"}),
    "rule-switch": ("post", {"customer", "staff"}),
    "effect-reverse": ("post", {"customer", "staff"}),
}
# pages to look at that only those may see who may act there
FOR_DOERS = {
    "paper-file",
    "job-new",
    "experiment-new",
    "own-vendors",
    "rule-new",
    "adjudications",
    "own-adjudications",
    "credit",
    "desk",
    "vendor-rule",
}


@pytest.fixture
def here(settings, tmp_path):
    settings.DOCUMENT_STORAGE_URL = f"file://{tmp_path}"
    made = world.make()
    world.add_effect(made)
    world.add_dispute(made)
    Adjudication.objects.update(vendor=made.seller.vendor)
    world.add_desk(made)
    world.add_second_look(made)
    world.add_statement(made)
    world.add_campaign(made)
    world.add_proposal()
    return made


def url_of(name: str, here: world.World) -> str:
    ids = {
        "job_id": here.job.pk,
        "batch_id": here.batch.pk,
        "offer_id": here.offer.pk,
        "assignment_id": here.assignment.pk,
        "vendor_id": here.seller.vendor_id,
        "rule_id": Rule.objects.get().pk,
        "adjudication_id": Adjudication.objects.get().pk,
        "document_id": VendorDocument.objects.get().pk,
        "appeal_id": Appeal.objects.get().pk,
        "vendor_rule_id": VendorRule.objects.earliest("pk").pk,
        "name": "submit",
        "form": "csv",
        "review_id": Review.objects.get().pk,
        "invitation_id": VendorInvitation.objects.get().pk,
        "effect_id": RuleEffect.objects.get().pk,
        "invoice_terms_id": InvoiceTerms.objects.get().pk,
        "campaign_id": Campaign.objects.get().pk,
        "verb": "pause",
        "number": 3,
        "statement_id": Statement.objects.get().pk,
    }
    pattern = next(p for p in urlpatterns if p.name == name)
    return reverse(f"portal:{name}", kwargs={key: ids[key] for key in pattern.pattern.converters})


def people(here: world.World) -> dict[str, Actor]:
    actors = {name: getattr(here, name) for name in ("customer", "stranger", "staff")}
    return actors | {name: getattr(here, name).actor for name in ("seller", "rival")}


def state_of_everything() -> list[object]:
    return [*Offer.objects.order_by("pk").values_list("state"), *Assignment.objects.order_by("pk").values_list("state")]


def test_every_route_stands_in_the_table():
    assert {p.name for p in urlpatterns} == OPEN | set(ROUTES)
    assert get_resolver().namespace_dict["portal"]


def test_strangers_sign_in_first(client, here):
    for name, (method, _) in ROUTES.items():
        answer = getattr(client, method)(url_of(name, here))
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/sign-in/"), name


def test_everyone_sees_the_own_and_404_elsewhere(here):
    before = state_of_everything()
    for who, actor in people(here).items():
        client = world.signed_in(actor)
        for name, (method, allowed) in ROUTES.items():
            if who in allowed and method == "post":
                continue
            answer = getattr(client, method)(url_of(name, here))
            assert answer.status_code == (200 if who in allowed else 404), (who, name)
            if who in allowed:
                assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert state_of_everything() == before


def test_a_page_takes_only_its_methods(here):
    for actor in people(here).values():
        client = world.signed_in(actor)
        for name, (method, _) in ROUTES.items():
            other = {"get": client.delete, "post": client.get}[method]
            assert other(url_of(name, here)).status_code == 405, name


def test_a_viewer_looks_and_changes_nothing(here):
    before = state_of_everything()
    for who, actor in people(here).items():
        client = world.signed_in(actor, role="viewer")
        for name, (method, allowed) in ROUTES.items():
            if who in allowed:
                expected = 200 if method == "get" and name not in FOR_DOERS else 403
                assert getattr(client, method)(url_of(name, here)).status_code == expected, (who, name)
    assert state_of_everything() == before


@pytest.mark.parametrize("text", ["off_00000000000000000000000001", "job_1", "nonsense", "off_" + "z" * 26])
def test_ids_that_are_none_are_404(text):
    market.gold_set()
    client = world.signed_in(market.seller().actor)
    assert client.post(f"/offers/{text}/accept/").status_code == 404


def test_signing_in_and_out(client):
    customer = market.customer()
    user = world.person(customer.organization_id)
    wrong = client.post("/sign-in/", {"username": user.email, "password": "wrong"})
    assert "No account has this e-mail address and password." in wrong.content.decode()
    answer = client.post("/sign-in/?next=/jobs/", {"username": user.email, "password": world.PASSWORD})
    assert answer.url == "/jobs/"
    assert client.get("/home/").url == "/jobs/"
    assert client.post("/sign-out/").url == "/sign-in/"
    assert client.get("/jobs/").status_code == 302


@pytest.fixture
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def tries(client, n, **headers):
    return [
        client.post("/sign-in/", {"username": f"{who}@example.org", "password": "wrong"}, **headers).status_code
        for who in n
    ]


@pytest.mark.usefixtures("_quick_passwords")
def test_an_account_can_be_tried_only_so_often(client):
    user = world.person(market.customer().organization_id)
    name = user.email.partition("@")[0]
    assert tries(client, [name] * sign_ins.PER_ACCOUNT) == [200] * sign_ins.PER_ACCOUNT
    right = {"username": user.email.upper(), "password": world.PASSWORD}
    answer = client.post("/sign-in/", right)
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert "Too many tries. Wait 15 minutes" in answer.content.decode()
    SignInFailure.objects.update(created_at=database_now() - sign_ins.WINDOW)
    assert client.post("/sign-in/", right | {"username": user.email}).status_code == 302
    assert sign_ins.purge() == 2 * sign_ins.PER_ACCOUNT


@pytest.mark.usefixtures("_quick_passwords")
def test_an_address_can_try_only_so_many_accounts(client, settings):
    settings.CLIENT_ADDRESS_HEADER = "HTTP_X_REAL_IP"
    names = [f"p{n}" for n in range(sign_ins.PER_ADDRESS)]
    assert set(tries(client, names, HTTP_X_REAL_IP="192.0.2.1")) == {200}
    assert tries(client, ["other"], HTTP_X_REAL_IP="192.0.2.1") == [429]
    assert tries(client, ["other"], HTTP_X_REAL_IP="192.0.2.2") == [200]


def test_signing_in_leads_nowhere_else(client):
    user = world.person(market.customer().organization_id)
    form = {"username": user.email, "password": world.PASSWORD, "next": "https://evil.example/"}
    assert client.post("/sign-in/", form).url == "/home/"


def test_a_person_without_organization_is_told_so(client):
    user = world.person(market.customer().organization_id)
    Membership.objects.all().delete()
    client.force_login(user)
    assert "no organization" in client.get("/home/").content.decode()
    assert client.get("/jobs/").status_code == 404


def test_a_vendor_that_has_not_applied_is_told_how():
    organization = Organization.objects.create(name="New", kind="vendor")
    client = world.signed_in(market.actor_of(organization))
    assert client.get("/inbox/").url == "/home/"
    assert "Register as a vendor first" in client.get("/home/").content.decode()
    assert client.post("/account/register/", {"name": ""}).status_code == 422
    missing = client.get("/scorecard/")
    assert (missing.status_code, "There is no such page" in missing.content.decode()) == (404, True)
