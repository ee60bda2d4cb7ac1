"""Errors of the curation side."""

from common.errors import ConflictError, ValidationFailedError


class MalformedDatasetError(ValidationFailedError):
    """The file cannot be read as a dataset; the errors say where and what to change."""

    code = "malformed_dataset"


class NoEmbeddingsError(ConflictError):
    """The dataset has no embeddings; add them, or use the strategy `random`."""

    code = "no_embeddings"


class RoundOrderError(ConflictError):
    """Rounds follow each other: the one before has to be evaluated first."""

    code = "round_order"


class ComputeCapError(ConflictError):
    """The next round is forecast to use more compute than the experiment may; raise its `max_cpu_s`, or end here."""

    code = "compute_cap"


def sentence(problem: object) -> str:
    """Return what the core said as a sentence.

    >>> sentence(ValueError("3 rows hold NaN"))
    '3 rows hold NaN.'
    """
    text = str(problem)
    return f"{text[:1].upper()}{text[1:]}."
