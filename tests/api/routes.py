"""Every route of the API, read from the URL resolver, so that none can be forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass

from api.permissions import OPEN
from api.v1.urls import urlpatterns
from common.scopes import SCOPES


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    template: str
    method: str
    action: str
    scope: str
    secret_free: bool = True

    @property
    def noun(self) -> str:
        """The address up to its id, or the whole address when it has none."""
        return self.template.split("/<", maxsplit=1)[0].rstrip("/")

    @property
    def has_id(self) -> bool:
        """Whether the address names a thing."""
        return "<str:public_id>" in self.template

    @property
    def is_write(self) -> bool:
        """Whether the method changes something."""
        return self.method != "GET"

    @property
    def kinds(self) -> set[str]:
        """The kinds of organization that can hold the scope."""
        return {kind for kind, scopes in SCOPES.items() if self.scope in scopes}

    def path(self, public_id: str = "", number: int = 1) -> str:
        """Return the address of a thing."""
        return "/" + self.template.replace("<str:public_id>", public_id).replace("<int:number>", str(number))

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


def all_routes() -> Iterator[Route]:
    """Yield every method of every address."""
    for pattern in urlpatterns:
        view = pattern.callback
        for method, action in view.actions.items():
            yield Route(str(pattern.pattern), method.upper(), action, view.cls.action_scopes.get(action, ""))


ALL = list(all_routes())
KEYED = [route for route in ALL if route.scope != OPEN]
