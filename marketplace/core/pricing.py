"""Money without floats: micro-unit prices, one rounding per settlement, nothing lost between the parts."""

from dataclasses import dataclass
from typing import Final

MICRO_PER_UNIT: Final = 1_000_000
BASIS_POINTS: Final = 10_000
_MINOR_PER_UNIT: Final = 100
_ZERO_DECIMAL: Final = frozenset({"JPY", "KRW", "VND", "CLP", "XAF", "XOF", "XPF", "UGX", "RWF", "PYG"})


@dataclass(frozen=True, slots=True)
class Split:
    """A settlement in minor units: what the customer pays is what vendor and platform get together."""

    total_minor: int
    vendor_minor: int
    fee_minor: int


def micro_per_minor(currency: str) -> int:
    """Return how many micro-units one minor unit of a currency holds.

    >>> micro_per_minor("USD"), micro_per_minor("JPY")
    (10000, 1000000)
    """
    return MICRO_PER_UNIT // (1 if currency in _ZERO_DECIMAL else _MINOR_PER_UNIT)


def round_half_even(numerator: int, denominator: int) -> int:
    """Return ``numerator / denominator`` rounded to the nearest integer, ties to even; both >= 0.

    >>> round_half_even(5, 2), round_half_even(7, 2)
    (2, 4)
    """
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))


def settle(n_labels: int, price_micro: int, fee_basis_points: int, currency: str) -> Split:
    """Return what a delivery costs and how it is split, rounded once.

    Parameters
    ----------
    n_labels
        Labels that passed vetting, >= 0.
    price_micro
        The vendor's price per label from the accepted offer, micro-units > 0.
    fee_basis_points
        The platform's fee on top of the vendor's price, >= 0.
    currency
        ISO 4217 code; decides the minor unit.

    Raises
    ------
    ValueError
        On a negative count, price or fee.

    Notes
    -----
    Total and vendor part are each rounded to the nearest minor unit and the fee is their difference, so
    vendor + fee = total exactly, whatever the numbers.

    Examples
    --------
    >>> settle(20, 42_500, 1000, "USD")
    Split(total_minor=94, vendor_minor=85, fee_minor=9)
    """
    if n_labels < 0 or price_micro < 0 or fee_basis_points < 0:
        raise ValueError(f"labels {n_labels}, price {price_micro} and fee {fee_basis_points} must not be negative")
    unit = micro_per_minor(currency)
    vendor_micro = n_labels * price_micro
    vendor = round_half_even(vendor_micro, unit)
    total = max(round_half_even(vendor_micro * (BASIS_POINTS + fee_basis_points), unit * BASIS_POINTS), vendor)
    return Split(total, vendor, total - vendor)


def cost_micro(n_labels: int, price_micro: int, fee_basis_points: int) -> int:
    """Return the most a delivery can cost the customer, micro-units, rounded up.

    >>> cost_micro(3, 10, 1000)
    33
    """
    return -(-n_labels * price_micro * (BASIS_POINTS + fee_basis_points) // BASIS_POINTS)
