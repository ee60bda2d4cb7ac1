"""Outside ids in paths: what is no id of the right kind matches no route, and so is 404."""

import uuid
from typing import ClassVar, Final

from django.urls import register_converter

from common.ids import from_public, to_public

_KINDS: Final = {
    "job": "job",
    "bat": "batch",
    "off": "offer",
    "asg": "assignment",
    "ven": "vendor",
    "rul": "rule",
    "eff": "effect",
    "adj": "adjudication",
    "doc": "document",
    "apl": "appeal",
    "vrl": "vendor_rule",
    "inv": "invitation",
    "rev": "review",
    "stm": "statement",
    "itm": "invoice_terms",
    "cmp": "campaign",
}


class PublicId:
    """An id of one kind in its outside form."""

    prefix: ClassVar[str]
    regex: ClassVar[str]

    def to_python(self, value: str) -> uuid.UUID:
        """Return the id inside; a ValueError is 404."""
        return from_public(self.prefix, value)

    def to_url(self, value: uuid.UUID) -> str:
        """Return the id as the outside sees it."""
        return to_public(self.prefix, value)


def register() -> None:
    """Make ``<job:...>`` and its like known to the URL table."""
    for prefix, name in _KINDS.items():
        kind = type(f"{name.title()}Id", (PublicId,), {"prefix": prefix, "regex": prefix + "_[0-9a-z]{26}"})
        register_converter(kind, name)
