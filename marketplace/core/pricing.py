"""What work costs, exactly: whole labels at a price in micro-units, the platform's fee on top."""

from typing import Final

BASIS_POINTS: Final = 10_000


def cost_micro(n_labels: int, price_micro: int, fee_basis_points: int) -> int:
    """Return what labels cost the customer, micro-units, the fee rounded up to a micro-unit.

    Raises
    ------
    ValueError
        On a negative count, price or fee.

    Examples
    --------
    >>> cost_micro(3, 10, 1000), cost_micro(20, 42_500, 1000)
    (33, 935000)
    """
    if n_labels < 0 or price_micro < 0 or fee_basis_points < 0:
        raise ValueError(f"labels {n_labels}, price {price_micro} and fee {fee_basis_points} must not be negative")
    return -(-n_labels * price_micro * (BASIS_POINTS + fee_basis_points) // BASIS_POINTS)


def share(total_micro: int, before: int, after: int, n: int) -> int:
    """Return what the labels from ``before`` to ``after`` of ``n`` are of a total; all shares sum to it exactly.

    >>> [share(100, i, i + 1, 3) for i in range(3)]
    [33, 33, 34]
    """
    return total_micro * after // n - total_micro * before // n
