"""Keys of programs: made, checked, revoked."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Q

from common import audit, locks
from common.actors import Actor
from common.clock import Now, database_now
from common.errors import NotAuthenticatedError, NotFoundError, PermissionDeniedError, ValidationFailedError
from common.ids import uuid7
from common.models import ApiKey, Organization
from common.scopes import scopes_of
from common.selectors import accounts
from common.services import credentials

MAX_LIVE_KEYS: Final = 20
_SEEN_EVERY: Final = datetime.timedelta(minutes=1)
_NO_HASH: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key with the text to present; the text is not stored anywhere."""

    key: ApiKey
    token: str


def issue(
    *,
    organization: Organization,
    user_id: uuid.UUID | None,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime.datetime | None = None,
) -> IssuedKey:
    """Make a key inside the caller's transaction; the caller has checked that the scopes may be given."""
    key_id, secret = uuid7(), credentials.new_secret()
    key = ApiKey.objects.create(
        id=key_id,
        organization=organization,
        created_by_id=user_id,
        name=name,
        public_part=credentials.public_part_of(key_id),
        secret_sha256=credentials.digest(secret),
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    return IssuedKey(key, credentials.render(key.public_part, secret))


def create(
    *, actor: Actor, name: str, scopes: list[str] | None = None, expires_at: datetime.datetime | None = None
) -> IssuedKey:
    """Make a further key of the actor's organization, with all or some of the actor's own scopes.

    Locks the organization, so that the number of live keys stays within its limit. Not safe to repeat: each call
    makes a key, so send an Idempotency-Key.

    Raises
    ------
    PermissionDeniedError
        When the actor does not hold a scope it wants to give.
    ValidationFailedError
        When there are too many live keys, a scope is unknown, or the expiry has passed.
    """
    actor.require("api_keys:write")
    with transaction.atomic(durable=True):
        organization = locks.row(accounts.organizations(actor))
        if organization is None:
            raise NotFoundError("There is no such organization.")
        granted = _granted(actor, scopes)
        _check_room(organization, expires_at)
        issued = issue(
            organization=organization, user_id=actor.user_id, name=name, scopes=granted, expires_at=expires_at
        )
        audit.record(actor=actor, action="api_key.created", target=issued.key, name=name, scopes=sorted(granted))
        return issued


def _granted(actor: Actor, scopes: list[str] | None) -> frozenset[str]:
    possible = scopes_of(actor.organization_kind)
    if scopes is None:
        return possible if "*" in actor.scopes else actor.scopes
    unknown = sorted(set(scopes) - possible)
    if unknown:
        detail = f"{unknown[0]!r} is not a scope of a {actor.organization_kind}; there are {', '.join(possible)}."
        raise ValidationFailedError.of("scopes", "unknown_scope", detail)
    missing = sorted(scope for scope in scopes if not actor.may(scope))
    if missing:
        raise PermissionDeniedError(f"A key cannot give what it does not hold: {missing[0]}.", needed=missing[0])
    return frozenset(scopes)


def _check_room(organization: Organization, expires_at: datetime.datetime | None) -> None:
    now = database_now()
    if expires_at is not None and expires_at <= now:
        raise ValidationFailedError.of("expires_at", "in_the_past", "The key would have expired already.")
    alive = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), organization=organization)
    if alive.filter(revoked_at=None).count() >= MAX_LIVE_KEYS:
        detail = f"There are {MAX_LIVE_KEYS} live keys already; revoke one first."
        raise ValidationFailedError.of("name", "too_many_keys", detail)


def revoke(*, actor: Actor, key_id: uuid.UUID) -> ApiKey:
    """Revoke a key from the next request on; a revoked key stays as it is. Locks the organization."""
    actor.require("api_keys:write")
    with transaction.atomic(durable=True):
        locks.row(accounts.organizations(actor))
        key = accounts.api_keys(actor).filter(pk=key_id).first()
        if key is None:
            raise NotFoundError("There is no such key.")
        if key.revoked_at is None:
            key.revoked_at = database_now()
            key.save(update_fields=["revoked_at"])
            audit.record(actor=actor, action="api_key.revoked", target=key)
        return key


def authenticate(text: str) -> Actor:
    """Return whom a presented key stands for (one query; a second at most once a minute notes the use).

    The hash is computed and compared in constant time whether or not the key exists.

    Raises
    ------
    NotAuthenticatedError
        When the key is malformed, unknown, revoked or expired; which of these is not told.
    """
    token = credentials.parse(text)
    if token is None:
        raise NotAuthenticatedError
    rows = ApiKey.objects.select_related("organization").annotate(now=Now())
    key = rows.filter(public_part=token.public_part).first()
    is_right = credentials.matches(token.secret, key.secret_sha256 if key else _NO_HASH)
    if key is None or not is_right or key.revoked_at is not None:
        raise NotAuthenticatedError
    if key.expires_at is not None and key.expires_at <= key.now:
        raise NotAuthenticatedError
    if key.last_used_at is None or key.last_used_at < key.now - _SEEN_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=Now())
    return actor_of(key)


def actor_of(key: ApiKey) -> Actor:
    """Return the actor a key stands for; scopes its kind of organization no longer has are void."""
    kind = key.organization.kind
    return Actor(
        organization_id=key.organization_id,
        organization_kind=kind,
        user_id=key.created_by_id,
        api_key_id=key.pk,
        role="key",
        scopes=frozenset(key.scopes) & scopes_of(kind),
    )
