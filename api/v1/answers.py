"""The one form of an answer everywhere: a class name, or ``cannot_label`` with the reason why not."""

from typing import Any

from api.fields import TextField, choice
from api.serializers import Body
from common.errors import ValidationFailedError
from marketplace.services.annotations import CANNOT_LABEL, CANNOT_LABEL_REASONS


class AnswerIn(Body):
    """Exactly one of ``label`` and ``cannot_label``."""

    key = TextField()
    label = TextField(required=False, allow_null=True)  # type: ignore[assignment]
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
        raise ValidationFailedError.of(f"{place}.label", "unknown_class", f"{label!r} is not one of {known}.")
    return classes.index(label)


def check_one(answer: dict[str, Any], place: str) -> str | None:
    """Return an answer's class name, or None for one that cannot be labeled; refuse neither and both."""
    label: str | None = answer.get("label")
    if (label is None) == (answer.get("cannot_label") is None):
        detail = "Give either a label or cannot_label with a reason."
        raise ValidationFailedError.of(f"{place}.label", "one_of", detail)
    return label
