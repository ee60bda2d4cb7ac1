"""Units of money: micro-units inside, a currency's minor units where money enters or leaves."""

from decimal import Decimal
from typing import Final

MICRO_PER_UNIT: Final = 1_000_000
_ZERO_DECIMAL: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THREE_DECIMAL: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def decimals(currency: str) -> int:
    """Return how many decimals a currency's amounts have (ISO 4217).

    >>> decimals("USD"), decimals("JPY"), decimals("KWD")
    (2, 0, 3)
    """
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def micro_per_minor(currency: str) -> int:
    """Return how many micro-units one minor unit of a currency holds.

    >>> micro_per_minor("USD"), micro_per_minor("JPY")
    (10000, 1000000)
    """
    return MICRO_PER_UNIT // int(10 ** decimals(currency))


def whole_minor(micro: int, currency: str) -> int:
    """Return the whole minor units in an amount >= 0; what is left over stays where it is.

    >>> whole_minor(1_019_999, "USD")
    101
    """
    if micro < 0:
        raise ValueError(f"an amount to pay out must not be negative, got {micro}")
    return micro // micro_per_minor(currency)


def to_micro(minor: int, currency: str) -> int:
    """Return minor units as micro-units.

    >>> to_micro(5, "USD")
    50000
    """
    return minor * micro_per_minor(currency)


def text(micro: int, currency: str) -> str:
    """Return an amount as people read it, with the decimals of its currency, or more where it has more.

    >>> text(1_500_000, "USD"), text(1_234_500, "USD"), text(5_000_000, "JPY"), text(-42_500, "USD")
    ('1.50 USD', '1.2345 USD', '5 JPY', '-0.0425 USD')
    """
    sign, (units, rest) = "-" if micro < 0 else "", divmod(abs(micro), MICRO_PER_UNIT)
    digits = f"{rest:06d}".rstrip("0").ljust(decimals(currency), "0")
    return f"{sign}{units}{'.' if digits else ''}{digits} {currency}"


def exact(micro: int) -> Decimal:
    """Return micro-units in units, all six places.

    >>> print(exact(-1500000), exact(7))
    -1.500000 0.000007
    """
    return Decimal(micro).scaleb(-6)
