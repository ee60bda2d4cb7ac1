"""What a quote is made from: the job's terms and the ranked vendors with what is believed of them."""

from dataclasses import dataclass

from vendors.core.posteriors import Duration, Ratio


@dataclass(frozen=True, slots=True)
class Terms:
    """The part of a job that decides its course; durations in seconds, ``gold_ratio`` 0 where no gold is given."""

    n_records: int
    batch_size: int
    n_classes: int
    gold_ratio: float
    min_overlap: int
    max_overlap: int
    target_confidence: float
    wave_size: int
    max_offers: int
    max_rounds: int
    round_pause_s: float
    fee_basis_points: int

    def __post_init__(self) -> None:
        if self.n_records < 1 or self.batch_size < 1:
            raise ValueError(f"records and batch size are 1 at least, got {self.n_records} and {self.batch_size}")
        if not 1 <= self.min_overlap <= self.max_overlap:
            raise ValueError(f"need 1 <= min_overlap <= max_overlap, got {self.min_overlap} and {self.max_overlap}")
        if min(self.wave_size, self.max_offers, self.max_rounds) < 1:
            raise ValueError("wave, offers and rounds are 1 at least")

    @property
    def n_chunks(self) -> int:
        """Batches of one layer."""
        return -(-self.n_records // self.batch_size)


@dataclass(frozen=True, slots=True)
class Bidder:
    """A ranked vendor as the offer process meets it.

    ``warmth`` in (0, 1] is what a recent silence leaves of its acceptance; ``window_s`` its time to accept,
    ``start_window_s`` its time to start; ``base_s`` and ``promised_label_s`` are promises, the rest is learnt.
    """

    price_micro: int
    window_s: float
    slots: int
    in_flight: int
    acceptance: Ratio
    warmth: float
    completion: Ratio
    accuracy: Ratio
    response: Duration
    label: Duration
    base_s: float
    start_window_s: float
    promised_label_s: float
