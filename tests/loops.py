"""A campaign on handwritten digits with the people who work for it, driven step by step in one process."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from curation.models import Observation, Pick, Round
from curation.services import datasets, experiments
from marketplace.models import Annotation, Campaign, JobRecord, Lot, Offer
from marketplace.services import annotations, campaigns, jobs, offers, sweeper, vetting
from marketplace.services.annotations import Answer
from marketplace.services.campaigns import CampaignTerms
from marketplace.services.jobs import GoldInput, JobTerms
from tests import market
from tests.market import Seller

CLASSES = [str(digit) for digit in range(10)]
N_POOL = 200
BATCH = 12
N_GOLD = 20


@cache
def digits() -> Any:
    """Return the digits, read once."""
    return load_digits()


def right(seller: int, truth: int) -> int:
    """Answer as a seller that knows every digit."""
    return truth


class Loop:
    """A campaign and its sellers; ``terms`` are the campaign's, ``answer`` says what a seller (by number) answers."""

    def __init__(
        self,
        answer: Callable[[int, int], int] = right,
        job_terms: dict[str, Any] | None = None,
        **terms: Any,
    ) -> None:
        market.gold_set()
        self.sellers = [market.seller(price) for price in (30_000, 40_000, 50_000, 60_000)]
        self.actor, self.answer = market.customer(), answer
        X, self.y = digits().data, digits().target
        buffer = io.BytesIO()
        np.savez(
            buffer,
            X=X[:N_POOL],
            key=np.array([f"digit-{i}" for i in range(N_POOL)]),
            X_test=X[-300:],
            y_test=self.y[-300:],
            classes=np.array(CLASSES),
        )
        actor = self.actor
        dataset = datasets.create(actor=actor, name="d", modality="image", file_name="d.npz", data=buffer.getvalue())
        experiment = experiments.create(actor=actor, dataset_id=dataset.pk, name="e", batch_size=BATCH, seed=5)
        schema = jobs.create_schema(actor=actor, name="s", task_type="classification", classes=CLASSES)
        usual = {"budget_micro": 10**10, "weights": market.Weights.of("cost"), "batch_size": BATCH}
        job = jobs.create(
            actor=actor,
            label_schema_id=schema.pk,
            terms=JobTerms(
                title="Digits",
                instructions="Name the digit.",
                modality="image",
                round_pause_s=0.0,
                **usual | (job_terms or {}),
            ),
            gold=[GoldInput(f"digit-{i}", str(self.y[i])) for i in range(N_POOL, N_POOL + N_GOLD)],
        )
        self.campaign = campaigns.start(
            actor=actor, experiment_id=experiment.pk, job_id=job.pk, terms=CampaignTerms(**terms)
        )

    def tick(self) -> None:
        """Let everyone do what is to be done once."""
        campaigns.advance(campaign_id=self.campaign.pk)
        sweeper.sweep()
        for number, one in enumerate(self.sellers):
            offer = market.live_offer(one)
            if offer is not None:
                self.work(number, one, offer)
        for lot in Lot.objects.filter(state="open"):
            vetting.vet_lot(lot_id=lot.pk)

    def work(self, number: int, one: Seller, offer: Offer) -> None:
        """Accept an offer and answer all of it."""
        assignment = offers.accept(actor=one.actor, offer_id=offer.pk)
        items = assignment.items.select_related("record", "gold")
        answers = [Answer(item.pk, str(self.answer(number, self.truth(item)))) for item in items]
        annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=answers)

    def truth(self, item: Any) -> int:
        """Return the digit of a record or gold record."""
        return int(self.y[int((item.record or item.gold).key.split("-")[1])])

    def run(self) -> None:
        """Go on until the campaign is finished."""
        self.until(lambda: Campaign.objects.get().state == "finished")

    def until(self, is_there: Callable[[], bool]) -> None:
        """Go on until something is there."""
        for _ in range(60):
            self.tick()
            if is_there():
                return
        raise AssertionError(Campaign.objects.values())

    def check(self, n_rounds: int) -> None:
        """Every pick was ordered, labeled and observed exactly once."""
        words = "The only round is done." if n_rounds == 1 else f"All {n_rounds} rounds are done."
        assert Campaign.objects.get().reason == words
        assert Round.objects.filter(evaluated_at__isnull=False).count() == n_rounds
        assert Lot.objects.filter(state="closed").count() == n_rounds
        keys = sorted(Pick.objects.values_list("key", flat=True))
        assert len(keys) == len(set(keys)) == n_rounds * BATCH
        assert sorted(JobRecord.objects.values_list("key", flat=True)) == keys
        assert Observation.objects.count() == n_rounds * BATCH
        doubled = Annotation.objects.filter(is_current=True, record__isnull=False).values_list("record_id", "vendor_id")
        assert len(set(doubled)) == len(doubled) >= 2 * n_rounds * BATCH
        for record in JobRecord.objects.all():
            assert record.label == self.y[int(record.key.split("-")[1])]
