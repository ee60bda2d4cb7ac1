"""How often signing in may fail: per account and per address, counted in the database that all processes share."""

import datetime
import hashlib
from typing import Final

from common.clock import Now
from common.models import SignInFailure

WINDOW: Final = datetime.timedelta(minutes=15)
PER_ACCOUNT: Final = 8
PER_ADDRESS: Final = 40


def _subjects(email: str, address: str) -> dict[str, int]:
    named = {f"account/{email.strip().lower()}": PER_ACCOUNT, f"address/{address}": PER_ADDRESS}
    return {hashlib.sha256(name.encode("utf-8", "replace")).hexdigest(): limit for name, limit in named.items()}


def may_try(*, email: str, address: str) -> bool:
    """Return whether another try is allowed, for the account named and from this address (two index counts)."""
    recent = SignInFailure.objects.filter(created_at__gt=Now() - WINDOW)
    return all(recent.filter(subject=name).count() < limit for name, limit in _subjects(email, address).items())


def failed(*, email: str, address: str) -> None:
    """Count a failed try. Twice is two tries; whether the account exists makes no difference."""
    SignInFailure.objects.bulk_create(SignInFailure(subject=name) for name in _subjects(email, address))


def purge() -> int:
    """Forget the tries that no longer count; return how many."""
    removed, _ = SignInFailure.objects.filter(created_at__lt=Now() - WINDOW).delete()
    return removed
