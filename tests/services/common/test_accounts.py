"""Sign-up, keys and what they may do."""

import datetime

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from common import audit
from common.actors import Actor
from common.clock import Now
from common.errors import (
    NotAuthenticatedError,
    NotFoundError,
    PermissionDeniedError,
    ValidationFailedError,
)
from common.models import ApiKey, AuditEvent, Organization, User
from common.scopes import scopes_of
from common.services import accounts, api_keys

pytestmark = pytest.mark.django_db(transaction=True)


def sign_up(kind="customer", email="a@example.org", **more):
    """Sign an organization up."""
    return accounts.sign_up(name="Acme", kind=kind, email=email, **more)


def actor_of(result):
    """Return who the first key of a sign-up stands for."""
    return api_keys.authenticate(result.issued.token)


def test_sign_up_gives_a_key_with_the_scopes_of_its_kind():
    result = sign_up("vendor")
    actor = actor_of(result)
    assert actor.organization_id == result.organization.pk
    assert actor.scopes == scopes_of("vendor")
    assert result.issued.token not in str(ApiKey.objects.values())
    assert not result.user.has_usable_password()


def test_one_e_mail_address_one_account():
    sign_up(email="A@example.org ")
    with pytest.raises(ValidationFailedError) as caught:
        sign_up(email="a@EXAMPLE.org")
    assert caught.value.errors[0]["code"] == "taken"
    assert (Organization.objects.count(), User.objects.count()) == (1, 1)


def test_a_weak_password_is_refused():
    with pytest.raises(ValidationFailedError):
        sign_up(password="password1234")
    assert sign_up(password="a long enough phrase").user.check_password("a long enough phrase")


def test_nobody_signs_up_as_the_platform():
    with pytest.raises(PermissionDeniedError):
        sign_up("platform")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace("ly_live_", "ly_test_"),
        lambda token: token + "\n",
        lambda token: token[:40],
        lambda token: "ly_live_" + "0" * 26 + token[34:],
        lambda _: "",
        lambda _: "é" * 80,
    ],
)
def test_a_wrong_key_is_nobody(spoil):
    token = sign_up().issued.token
    with pytest.raises(NotAuthenticatedError):
        api_keys.authenticate(spoil(token))


def test_expired_and_revoked_keys_are_nobody():
    result = sign_up()
    actor = actor_of(result)
    second = api_keys.create(actor=actor, name="second")
    ApiKey.objects.filter(pk=second.key.pk).update(expires_at=Now())
    first_revocation = api_keys.revoke(actor=actor, key_id=result.issued.key.pk).revoked_at
    assert api_keys.revoke(actor=actor, key_id=result.issued.key.pk).revoked_at == first_revocation
    for token in (second.token, result.issued.token):
        with pytest.raises(NotAuthenticatedError):
            api_keys.authenticate(token)


def test_a_key_cannot_give_more_than_it_holds():
    actor = actor_of(sign_up())
    weak = api_keys.create(actor=actor, name="keys only", scopes=["api_keys:write"])
    weak_actor = api_keys.authenticate(weak.token)
    with pytest.raises(PermissionDeniedError):
        api_keys.create(actor=weak_actor, name="more", scopes=["jobs:write"])
    assert api_keys.create(actor=weak_actor, name="same").key.scopes == ["api_keys:write"]
    with pytest.raises(ValidationFailedError):
        api_keys.create(actor=actor, name="foreign", scopes=["offers:decide"])


def test_keys_of_others_are_not_found():
    mine, theirs = sign_up(), sign_up(email="b@example.org")
    with pytest.raises(NotFoundError):
        api_keys.revoke(actor=actor_of(mine), key_id=theirs.issued.key.pk)
    assert actor_of(theirs)


def test_the_number_of_live_keys_is_limited():
    actor = actor_of(sign_up())
    keys = [api_keys.create(actor=actor, name=f"{n}").key for n in range(api_keys.MAX_LIVE_KEYS - 1)]
    with pytest.raises(ValidationFailedError):
        api_keys.create(actor=actor, name="one more")
    api_keys.revoke(actor=actor, key_id=keys[0].pk)
    assert api_keys.create(actor=actor, name="in its place")


def test_a_key_that_has_expired_already_is_refused():
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    with pytest.raises(ValidationFailedError):
        api_keys.create(actor=actor_of(sign_up()), name="late", expires_at=past)


def test_the_use_of_a_key_is_noted_sparingly(django_assert_num_queries):
    token = sign_up().issued.token
    with django_assert_num_queries(2):
        api_keys.authenticate(token)
    with django_assert_num_queries(1):
        api_keys.authenticate(token)


def test_the_platform_s_key_comes_from_the_command_line(capsys):
    call_command("create_platform_key")
    call_command("create_platform_key", name="second")
    tokens = capsys.readouterr().out.split()
    actors = [api_keys.authenticate(token) for token in tokens]
    assert all(actor.is_staff for actor in actors)
    assert Organization.objects.filter(kind="platform").count() == 1


def test_what_was_done_is_kept_and_cannot_be_changed():
    actor = actor_of(sign_up())
    accounts.update_organization(actor=actor, name="Acme 2")
    actions = list(AuditEvent.objects.order_by("created_at").values_list("action", flat=True))
    assert actions == ["organization.signed_up", "organization.changed"]
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.update(action="nothing")
    with pytest.raises(transaction.TransactionManagementError):
        audit.record(actor=Actor.system(), action="nothing.done")
