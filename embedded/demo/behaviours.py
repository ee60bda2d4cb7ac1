"""The cast: nine vendors with different prices, speeds, error rates and vices."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a simulated vendor acts.

    Attributes
    ----------
    price_micro
        Asked per label, micro-units of the currency.
    test_error_ratio, error_ratio
        Share of wrong answers in the qualification test, and in the market afterwards.
    response_s, label_s
        Seconds until an offer is answered, and seconds a label takes (compressed: a demo has minutes, not days).
    accepts_ratio
        Share of offers accepted; the others are declined. A silent vendor answers none.
    delivers_ratio
        Share of an accepted batch that is delivered; 0 means that the work is never started.
    """

    key: str
    name: str
    vice: str
    price_micro: int
    test_error_ratio: float = 0.01
    error_ratio: float = 0.03
    response_s: float = 0.3
    label_s: float = 0.03
    accepts_ratio: float = 1.0
    delivers_ratio: float = 1.0
    is_silent: bool = False
    is_spammer: bool = False
    slots: int = 3
    min_batch: int = 1


CAST: Final = (
    Behaviour("silent", "Nightjar Data", "never answers an offer", 22_000, is_silent=True),
    Behaviour("decliner", "Picky Pixels", "declines most offers", 27_000, accepts_ratio=0.15),
    Behaviour("staller", "Mañana Marks", "accepts and never starts", 30_000, delivers_ratio=0.0, slots=1),
    Behaviour("half", "Halfway Labels", "delivers half, then stops", 34_000, delivers_ratio=0.5),
    Behaviour("spammer", "Quickbuck", "clicks at random once qualified", 20_000, is_spammer=True, label_s=0.005),
    Behaviour("sloppy", "Bulk & Sons", "cheap and sloppy", 25_000, 0.02, 0.12, label_s=0.015),
    Behaviour("careful", "Careful & Co", "careful and dear", 90_000, 0.0, 0.008, response_s=0.8, label_s=0.05),
    Behaviour("steady", "Steady Hands", "ordinary", 45_000, 0.01, 0.03),
    Behaviour("northern", "Northlight", "ordinary", 52_000, 0.01, 0.02, response_s=0.5),
)


def behaviour_of(key: str) -> Behaviour:
    """Return the behaviour of a member of the cast."""
    return next(behaviour for behaviour in CAST if behaviour.key == key)
