"""What comes next for a thing, as the API says it."""

from typing import Any

from rest_framework import serializers

from api.serializers import Resource
from marketplace.core import fates


class NextOut(Resource):
    """Who acts next and how; at an end, what ended it and the call that mends it."""

    by = serializers.ChoiceField(choices=[(owner, owner) for owner in fates.OWNERS])
    words = serializers.CharField()
    action = serializers.CharField(help_text="A call such as `POST /batches/{id}/resolve/`; empty when there is none.")

    def __init__(self, *arguments: Any, kind: str = "batch", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.kind = kind

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Look the state and its reason up."""
        shown: dict[str, Any] = super().to_representation(fates.fate(self.kind, instance.state, instance.reason))
        return shown
