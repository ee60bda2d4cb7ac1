"""What a router has learnt of one vendor: the production posteriors, fed as the production services feed them."""

import math
import uuid
from dataclasses import dataclass, field
from typing import Final

from benchmarks.routing.fates import START_WINDOW_S
from benchmarks.routing.world import Order, Vendor
from marketplace.core.routing import CandidateFacts
from vendors.core.posteriors import ACCURACY_FORGETTING, DECLINE_WEIGHT, FORGETTING, Acceptance, Duration, Ratio

ACCURACY_PRIOR: Final = Ratio(4.5, 0.5)
ACCEPTANCE_PRIOR: Final = Ratio(3.0, 1.0)
COMPLETION_PRIOR: Final = Ratio(9.0, 0.5)
RESPONSE_PRIOR_S: Final = 120.0
PEER_WEIGHT: Final = 0.55
"""Gold-equivalents of a record in a vendor's record: a tenth gold in full, the rest judged by peers at half."""
N_QUALIFICATION: Final = 40


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that happened to a vendor: an answer, an ending, or a verdict on labels."""

    vendor: int
    kind: str
    at_s: float
    seconds: float = 0.0
    n_right: float = 0.0
    n_labels: int = 0


@dataclass(frozen=True, slots=True)
class Learning:
    """How posteriors are fed; the defaults are production's."""

    forgetting: float = FORGETTING
    accuracy_forgetting: float = ACCURACY_FORGETTING
    decline_weight: float = DECLINE_WEIGHT


@dataclass
class Sums:
    """Decayed counts of a ratio, or decayed sums of log-seconds."""

    values: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    def duration(self, prior_s: float) -> Duration:
        """Return decayed sums of log-seconds as a belief."""
        weight, log_sum, log_sum_sq = self.values
        return Duration(weight, log_sum, log_sum_sq, prior_s)

    def add(self, keep: float, *new: float) -> None:
        """Let the old fade, add the new."""
        for place, value in enumerate(new):
            self.values[place] = self.values[place] * keep + value

    def add_seconds(self, keep: float, seconds: float) -> None:
        """Add one duration."""
        log = math.log(max(seconds, 1e-3))
        self.add(keep, 1.0, log, log * log)


@dataclass
class Beliefs:
    """The five posteriors of one vendor."""

    vendor: Vendor
    learning: Learning
    accuracy: Sums = field(default_factory=Sums)
    acceptance: Acceptance = field(default_factory=Acceptance)
    completion: Sums = field(default_factory=Sums)
    response: Sums = field(default_factory=Sums)
    label: Sums = field(default_factory=Sums)
    told_at_s: float | None = None

    @classmethod
    def of(cls, vendor: Vendor, learning: Learning) -> "Beliefs":
        """Return what is believed after the qualification."""
        beliefs = cls(vendor, learning)
        n_right = round(N_QUALIFICATION * (1 - vendor.regimes[0].error))
        beliefs.accuracy.add(1.0, n_right, N_QUALIFICATION - n_right)
        return beliefs

    def learn(self, seen: Seen) -> None:
        """Update what the event is evidence of."""
        keep = self.learning.forgetting
        match seen.kind:
            case "accepted" | "declined" | "silent":
                self._learn_answer(seen)
            case "delivered":
                self.completion.add(keep, 1.0, 0.0)
            case "not_started" | "past_due":
                self.completion.add(keep, 0.0, 1.0)
            case "labels":
                self._learn_labels(seen)

    def _learn_answer(self, seen: Seen) -> None:
        keep, before = self.learning.forgetting, self._acceptance_at(seen.at_s)
        self.told_at_s = seen.at_s
        if seen.kind == "silent":
            self.acceptance = before.silent(keep=keep)
            return
        self.response.add_seconds(keep, seen.seconds)
        if seen.kind == "accepted":
            self.acceptance = before.accepted(keep)
        else:
            self.acceptance = before.declined(keep, self.learning.decline_weight)

    def _acceptance_at(self, now_s: float) -> Acceptance:
        return self.acceptance if self.told_at_s is None else self.acceptance.after(now_s - self.told_at_s)

    def _learn_labels(self, seen: Seen) -> None:
        self.label.add_seconds(self.learning.forgetting, seen.seconds)
        right, wrong = PEER_WEIGHT * seen.n_right, PEER_WEIGHT * (seen.n_labels - seen.n_right)
        self.accuracy.add(self.learning.accuracy_forgetting**seen.n_labels, right, wrong)

    def facts(self, vendor_id: uuid.UUID, now_s: float, order: Order, load: float) -> CandidateFacts:
        """Return what the ranker is told."""
        accuracy = ACCURACY_PRIOR.with_counts(*self.accuracy.values[:2])
        return CandidateFacts(
            vendor_id=vendor_id,
            exclusion=None,
            price_micro=self.vendor.price_micro,
            currency="USD",
            min_batch=1,
            accuracy_mean=accuracy.mean,
            accuracy_low=accuracy.lower(),
            p_accept=self._acceptance_at(now_s).p_accept(ACCEPTANCE_PRIOR),
            p_complete=COMPLETION_PRIOR.with_counts(*self.completion.values[:2]).mean,
            response_s=self.response.duration(RESPONSE_PRIOR_S).mean_s,
            label_s=self.label.duration(self.vendor.claims.label_s).mean_s,
            base_s=self.vendor.claims.start_s,
            start_window_s=START_WINDOW_S,
            load=load,
        )
