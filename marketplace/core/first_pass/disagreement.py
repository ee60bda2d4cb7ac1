"""Whether an answer flies in the face of a model: a reason to look again, never to refuse."""

SURE = 0.9
"""Confidence from which a model's word against an answer is worth a look."""
UNLIKELY = 0.05
"""Probability that the model gives to the answer, at most."""


def disagrees(confidence: float, proba_of_answer: float | None, *, is_same: bool) -> bool:
    """Return whether a model is sure of something else.

    Parameters
    ----------
    confidence
        The model's, in its own label.
    proba_of_answer
        The model's probability of what was answered; None where it gave its label and confidence only.
    is_same
        Whether the answer says what the model says.

    Examples
    --------
    >>> disagrees(0.97, 0.01, is_same=False), disagrees(0.6, 0.01, is_same=False), disagrees(0.97, None, is_same=True)
    (True, False, False)
    """
    if is_same or confidence < SURE:
        return False
    return (1 - confidence if proba_of_answer is None else proba_of_answer) <= max(UNLIKELY, 1 - SURE)
