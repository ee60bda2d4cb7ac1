"""Organizations and their first user."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from common import audit, locks
from common.actors import PLATFORM, Actor
from common.errors import FieldError, NotFoundError, PermissionDeniedError, ValidationFailedError
from common.models import Membership, Organization, User
from common.scopes import scopes_of
from common.selectors import accounts as selectors
from common.services import api_keys
from common.services.api_keys import IssuedKey

OPEN_KINDS = (Organization.Kind.CUSTOMER, Organization.Kind.VENDOR)


@dataclass(frozen=True, slots=True)
class SignUp:
    """A new organization with its owner and first key; the key's token is seen only here."""

    organization: Organization
    user: User
    issued: IssuedKey


def sign_up(*, name: str, kind: str, email: str, password: str | None = None, region: str = "") -> SignUp:
    """Make an organization, its owner, and a key that may do everything an organization of that kind may.

    Without a password the owner has keys only, and no way to sign in to pages. Of two sign-ups with one e-mail
    address, the database lets one through. Emits ``organization.signed_up`` to the audit trail.

    Raises
    ------
    PermissionDeniedError
        When the kind is not open to everyone.
    ValidationFailedError
        When the e-mail address is taken or the password is too weak.
    """
    if kind not in OPEN_KINDS:
        raise PermissionDeniedError(f"Sign up as one of {', '.join(OPEN_KINDS)}.")
    address = email.strip().lower()
    _check_password(password)
    try:
        with transaction.atomic(durable=True):
            return _create(name=name, kind=kind, address=address, password=password, region=region)
    except IntegrityError as error:
        if "common_user" not in str(error):
            raise
        detail = "This e-mail address has an account; ask its organization for a key."
        raise ValidationFailedError.of("email", "taken", detail) from None


def _check_password(password: str | None) -> None:
    if password is None:
        return
    try:
        validate_password(password)
    except ValidationError as error:
        errors: list[FieldError] = [
            {"field": "password", "code": "too_weak", "detail": message} for message in error.messages
        ]
        raise ValidationFailedError("The password is too weak.", errors=errors) from None


def _create(*, name: str, kind: str, address: str, password: str | None, region: str) -> SignUp:
    user = User.objects.create(username=address, email=address, password=make_password(password))
    organization = Organization.objects.create(name=name, kind=kind, region=region)
    Membership.objects.create(user=user, organization=organization, role=Membership.Role.OWNER)
    issued = api_keys.issue(organization=organization, user_id=user.pk, name="first key", scopes=scopes_of(kind))
    actor = api_keys.actor_of(issued.key)
    audit.record(actor=actor, action="organization.signed_up", target=organization, kind=kind, user=user.public_id)
    return SignUp(organization, user, issued)


def update_organization(*, actor: Actor, name: str | None = None, region: str | None = None) -> Organization:
    """Change the actor's organization; what is None stays. Locks the organization. Safe to repeat."""
    actor.require("organization:write")
    with transaction.atomic(durable=True):
        organization = locks.row(selectors.organizations(actor))
        if organization is None:
            raise NotFoundError("There is no such organization.")
        changes = {"name": name, "region": region}
        for field, value in changes.items():
            if value is not None:
                setattr(organization, field, value)
        organization.save(update_fields=list(changes))
        audit.record(actor=actor, action="organization.changed", target=organization, **changes)
        return organization


def create_platform_key(*, name: str) -> IssuedKey:
    """Make a staff key, and the platform's organization if there is none; for whoever runs the installation.

    Locks by name, so that two at once make one organization.
    """
    with transaction.atomic(durable=True):
        locks.advisory("platform-organization")
        organization = Organization.objects.filter(kind=PLATFORM).order_by("pk").first()
        if organization is None:
            organization = Organization.objects.create(name="Platform", kind=PLATFORM)
        issued = api_keys.issue(organization=organization, user_id=None, name=name, scopes=scopes_of(PLATFORM))
        audit.record(actor=Actor.system(), action="api_key.created", target=issued.key, name=name)
        return issued
