"""The stand-in payment provider as a process of the embedded run, where ``LABELYARD_PAYMENTS=stand-in`` asks for it."""

import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from embedded import ports
from embedded.home import PROJECT
from embedded.service import Service

VARIABLE: Final = "LABELYARD_PAYMENTS"
CHOICES: Final = ("none", "stand-in")


@dataclass(frozen=True, slots=True)
class StandIn:
    """A provider on a loopback port, with a key and a webhook secret made anew for each run."""

    port: int
    api_key: str
    webhook_secret: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "StandIn | None":
        """Return the provider, or None when the run has none.

        Raises
        ------
        ValueError
            For an unknown choice, and when a real provider's key is given as well.
        """
        choice = environment.get(VARIABLE) or "none"
        if choice not in CHOICES:
            raise ValueError(f"{VARIABLE} is {' or '.join(CHOICES)}, got {choice!r}")
        if choice == "none":
            return None
        if environment.get("STRIPE_SECRET_KEY"):
            raise ValueError(f"Unset STRIPE_SECRET_KEY or {VARIABLE}: money goes to one provider.")
        return cls(ports.choose(0), f"sk_test_{secrets.token_hex(16)}", f"whsec_{secrets.token_hex(16)}")

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point the service at it."""
        return {
            "STRIPE_SECRET_KEY": self.api_key,
            "STRIPE_API_BASE": f"http://{ports.LOOPBACK}:{self.port}",
            "STRIPE_WEBHOOK_SECRETS": self.webhook_secret,
        }

    def service(self, environment: Mapping[str, str], web_url: str) -> Service:
        """Return the provider as the supervisor runs it; it tells the web server what happens."""
        arguments = ["--port", str(self.port), "--tell", f"{web_url}/api/provider-events/"]
        command = [sys.executable, "-m", "embedded.payments", *arguments]
        return Service("payments", command, environment, PROJECT, is_well=lambda: ports.speaks_http(self.port))
