"""The text a vendor signs, made from its numbers, and the hash that shows later what exactly was signed."""

import hashlib
from collections.abc import Mapping
from typing import Final

_CLAUSES: Final = (
    "An offer is answered within {accept_window_cost_s} s where cost matters most, {accept_window_speed_s} s where "
    "speed does, {accept_window_accuracy_s} s where accuracy does; after that it goes to the next vendor.",
    "Batches are small and frequent; the smallest taken holds {min_batch} records, at most {max_concurrent} are in "
    "hand at once.",
    "Work begins within {start_window_s} s of acceptance, or is given back within another {start_grace_s} s.",
    "A batch is delivered within {base_s} s and {seconds_per_label} s a label; what is late goes to another vendor, "
    "what was delivered is kept and paid if it passes.",
    "Labels are vetted as they come in; the first rework of a batch is the vendor's duty.",
    "Lists of prices bind the vendor from their start; an offer holds the price at which it was made.",
)


def text_of(terms: Mapping[str, object]) -> str:
    """Return the agreement as text, a clause a line.

    Raises
    ------
    ValueError
        When a number of a clause is missing.
    """
    try:
        return "\n".join(f"{n}. {clause.format(**terms)}" for n, clause in enumerate(_CLAUSES, 1))
    except KeyError as error:
        raise ValueError(f"the terms lack {error}") from None


def hash_of(text: str) -> str:
    """Return the SHA-256 of a text, hexadecimal.

    >>> hash_of("")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(text.encode()).hexdigest()
