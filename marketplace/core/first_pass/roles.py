"""What becomes of a pre-label: shown to annotators, kept from them, or taken as the label."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a pre-label is for."""

    SHOWN = "shown"
    BLIND = "blind"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Turn:
    """A role, and the chance with which the record was to be labeled by people who do not see the pre-label."""

    role: Role
    blind_chance: float


def unit_of(seed: int, key: str) -> float:
    """Return a number in [0, 1) that is drawn once for a record: asked again, the same.

    >>> unit_of(1, "a") == unit_of(1, "a"), unit_of(1, "a") == unit_of(1, "b")
    (True, False)
    """
    digest = hashlib.sha256(f"{seed}/{key}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def role_of(unit: float, *, blind_ratio: float, audit_ratio: float = 0.0, is_trusted: bool = False) -> Turn:
    """Return what becomes of a record's pre-label.

    Parameters
    ----------
    unit
        The record's draw, in [0, 1).
    blind_ratio
        Share of all records labeled blind, in [0, 1].
    audit_ratio
        Share of the others among the trusted that is labeled blind as well, in [0, 1].
    is_trusted
        Whether the model's confidence clears a calibrated threshold.

    Raises
    ------
    ValueError
        When a number is out of range.

    Examples
    --------
    >>> role_of(0.05, blind_ratio=0.1).role, role_of(0.5, blind_ratio=0.1).role
    (<Role.BLIND: 'blind'>, <Role.SHOWN: 'shown'>)
    >>> role_of(0.5, blind_ratio=0.1, audit_ratio=0.1, is_trusted=True)
    Turn(role=<Role.ACCEPTED: 'accepted'>, blind_chance=0.19)
    """
    if not (0 <= unit < 1 and 0 <= blind_ratio <= 1 and 0 <= audit_ratio <= 1):
        raise ValueError(f"need 0 <= unit < 1 and ratios in 0..1, got {unit}, {blind_ratio} and {audit_ratio}")
    chance = blind_ratio + (1 - blind_ratio) * audit_ratio if is_trusted else blind_ratio
    if unit < chance:
        return Turn(Role.BLIND, chance)
    return Turn(Role.ACCEPTED if is_trusted else Role.SHOWN, chance)
