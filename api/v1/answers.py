"""The one form of an answer everywhere: a label, or ``cannot_label`` with the reason why not."""

from typing import Any

from api.fields import LabelField, TextField, choice
from api.serializers import Body
from common.errors import ValidationFailedError
from marketplace.services.annotations import CANNOT_LABEL, CANNOT_LABEL_REASONS


class AnswerIn(Body):
    """Exactly one of ``label`` and ``cannot_label``."""

    key = TextField()
    label = LabelField(required=False, allow_null=True)  # type: ignore[assignment]
    cannot_label = choice(*CANNOT_LABEL_REASONS, required=False, allow_null=True)


def class_index(answer: dict[str, Any], classes: list[str], place: str) -> int:
    """Return an answer as the position of its class, or -1 for one that cannot be labeled.

    Raises
    ------
    ValidationFailedError
        When there is neither or both, or the class is unknown.
    """
    label = check_one(answer, place)
    if label is None:
        return CANNOT_LABEL
    if label not in classes:
        known = ", ".join(classes[:20])
        raise ValidationFailedError.of(f"{place}.label", "unknown_class", f"{str(label)[:60]!r} is not one of {known}.")
    return classes.index(label)


def check_one(answer: dict[str, Any], place: str) -> Any:
    """Return an answer's label, or None for one that cannot be labeled; refuse neither and both."""
    label: Any = answer.get("label")
    if (label is None) == (answer.get("cannot_label") is None):
        detail = "Give either a label or cannot_label with a reason."
        raise ValidationFailedError.of(f"{place}.label", "one_of", detail)
    return label
