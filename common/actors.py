"""Who acts: every service and selector takes one."""

import uuid
from dataclasses import dataclass, field

from common.errors import PermissionDeniedError

CUSTOMER, VENDOR, PLATFORM = "customer", "vendor", "platform"


@dataclass(frozen=True, slots=True)
class Actor:
    """A user or key acting for one organization, or the system itself.

    Attributes
    ----------
    organization_id
        Whose data may be touched; None only for the system.
    scopes
        What may be done (``jobs:write`` ...); ``*`` stands for everything the organization may do.
    """

    organization_id: uuid.UUID | None = None
    organization_kind: str = ""
    user_id: uuid.UUID | None = None
    api_key_id: uuid.UUID | None = None
    role: str = ""
    scopes: frozenset[str] = field(default_factory=frozenset)

    @staticmethod
    def system() -> "Actor":
        """Return the actor of background tasks, which see every organization."""
        return Actor(organization_kind=PLATFORM, role="system", scopes=frozenset({"*"}))

    @property
    def is_system(self) -> bool:
        """Whether this is a background task of the platform."""
        return self.organization_id is None and self.role == "system"

    @property
    def is_staff(self) -> bool:
        """Whether the actor runs the market (platform staff or the system)."""
        return self.organization_kind == PLATFORM

    def may(self, scope: str) -> bool:
        """Return whether the actor holds a scope."""
        return "*" in self.scopes or scope in self.scopes

    def require(self, scope: str) -> None:
        """Raise PermissionDeniedError unless the actor holds the scope."""
        if not self.may(scope):
            raise PermissionDeniedError(f"This needs the scope {scope}.", needed=scope)
