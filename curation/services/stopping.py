"""Whether an experiment's next labels are worth their price, from its rounds so far."""

import uuid

from curation.core import stopping
from curation.models import Round


def advise(*, experiment_id: uuid.UUID, value_of_point: float, price: float) -> stopping.Advice | None:
    """Return the advice after the rounds evaluated so far; None where no accuracy is known.

    ``value_of_point`` is what a point (.01) of accuracy is worth, ``price`` what a record costs, in one currency. Reads
    stored figures alone, so that asking again after a crash gives the same advice. Rounds that brought nothing new are
    left out: they tell the curve nothing.
    """
    evaluated = Round.objects.filter(experiment_id=experiment_id, evaluated_at__isnull=False).order_by("number")
    n_asked: list[float] = []
    accuracies: list[float] = []
    kappa: float | None = None
    for metrics in evaluated.values_list("metrics", flat=True):
        if not metrics or metrics["accuracy"] is None:
            continue
        if not n_asked or metrics["n_asked"] > n_asked[-1]:
            n_asked.append(metrics["n_asked"])
            accuracies.append(metrics["accuracy"])
            kappa = metrics.get("kappa")
    if not n_asked:
        return None
    batch = round(n_asked[-1] / len(n_asked)) or 1
    return stopping.advise(n_asked, accuracies, batch, stopping.Terms(value_of_point, price), kappa)
