"""Classes that turn up while an experiment runs: appended, so that every label, pick and model so far stays."""

import uuid
from collections.abc import Sequence

from django.db import connection

from common import locks
from common.errors import NotFoundError, ValidationFailedError
from curation.models import Experiment

MAX_CLASSES = 1000
MAX_LENGTH = 200


def check(names: Sequence[str]) -> None:
    """Refuse class names that are too many, blank or too long: the database would cut these silently.

    Raises
    ------
    ValidationFailedError
        Naming the first such class.
    """
    if len(names) > MAX_CLASSES:
        raise ValidationFailedError.of("classes", "too_many", f"There can be {MAX_CLASSES} classes, not {len(names)}.")
    for at, name in enumerate(names):
        if not name.strip() or len(name) > MAX_LENGTH:
            detail = f"A class has a name of 1 to {MAX_LENGTH} characters; {name[:60]!r} has {len(name.strip())}."
            raise ValidationFailedError.of(f"classes[{at}]", "length", detail)


def append(*, experiment_id: uuid.UUID, classes: Sequence[str]) -> Experiment:
    """Append classes to an experiment; asked again for those it ends with already, return it. Locks the experiment.

    Labels are places in the list of classes, so that names are never taken away, changed or put elsewhere.

    Raises
    ------
    ValidationFailedError
        When there is no new class, a name is given twice or exists, or there would be too many.
    RuntimeError
        When called outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("classes are appended inside the transaction of the deed")
    experiment = locks.row(Experiment.objects.filter(pk=experiment_id))
    if experiment is None:
        raise NotFoundError("There is no such experiment.")
    if classes and experiment.classes[-len(classes) :] == list(classes):
        return experiment
    names = [*experiment.classes, *classes]
    if not classes or len(set(names)) < len(names) or not all(name.strip() for name in classes):
        raise ValidationFailedError.of("classes", "repeated", "Name new classes only, each once.")
    check(names)
    experiment.classes = names
    experiment.save(update_fields=["classes"])
    return experiment
