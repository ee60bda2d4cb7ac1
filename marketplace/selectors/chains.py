"""The chain of offers of batches: round by round, who was asked, what became of it, and who comes next."""

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from common.actors import Actor
from marketplace.core import passing
from marketplace.core.states import AssignmentState, BatchState, OfferState
from marketplace.models import Assignment, Batch, Candidate, Offer
from marketplace.selectors import jobs

_ASKING: Final = frozenset({BatchState.OFFERING, BatchState.ASSIGNED})
_TAKEN: Final = (OfferState.LIVE, OfferState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Step:
    """An offer, and what became of it in words; ``is_live`` while it waits for its answer."""

    offer: Offer
    words: str
    is_live: bool
    is_stalled: bool


@dataclass(frozen=True, slots=True)
class Round:
    """The offers of one walk down the ranking, in the order they were made; ``is_over`` when another one followed."""

    number: int
    steps: tuple[Step, ...]
    is_over: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """The rounds of a batch, and the candidate that is asked when the batch moves on (None when there is none)."""

    rounds: tuple[Round, ...] = ()
    next: Candidate | None = None
    live: tuple[Step, ...] = field(default=())

    @property
    def n_offers(self) -> int:
        """How many offers were made."""
        return sum(len(one.steps) for one in self.rounds)

    @property
    def last(self) -> Step | None:
        """The newest offer."""
        return self.rounds[-1].steps[-1] if self.rounds else None


def of_batch(actor: Actor, batch_id: uuid.UUID) -> Chain:
    """Return the chain of one batch of the actor's jobs."""
    return of_batches(actor, [jobs.batch(actor, batch_id)])[batch_id]


def of_batches(actor: Actor, batches: Sequence[Batch]) -> dict[uuid.UUID, Chain]:
    """Return the chains of batches of the actor's jobs by id, in three queries whatever their number."""
    mine = jobs.batches(actor).filter(pk__in=[batch.pk for batch in batches])
    offers: dict[uuid.UUID, list[Offer]] = {batch.pk: [] for batch in batches}
    rows = Offer.objects.filter(batch__in=mine.values("pk")).select_related("vendor", "candidate", "assignment")
    for offer in rows.order_by("batch_id", "round", "pk"):
        offers[offer.batch_id].append(offer)
    following = _following(mine.filter(state__in=_ASKING))
    return {batch.pk: _chain(batch, offers[batch.pk], following.get(batch.pk)) for batch in batches}


def _following(batches: QuerySet[Batch]) -> dict[uuid.UUID, Candidate]:
    """Return for each batch the first of its ranking whom this round has not asked, and who has no other layer."""
    asked = Offer.objects.filter(
        batch=OuterRef(OuterRef("pk")), round=OuterRef(OuterRef("round")), vendor=OuterRef("vendor")
    )
    held = Offer.objects.filter(
        lot=OuterRef(OuterRef("lot")),
        chunk=OuterRef(OuterRef("chunk")),
        vendor=OuterRef("vendor"),
        state__in=_TAKEN,
    )
    first = (
        Candidate.objects.filter(run=OuterRef("ranking"), sequence__isnull=False)
        .filter(~Exists(asked), ~Exists(held))
        .order_by("sequence")
        .values("pk")[:1]
    )
    chosen = dict(
        batches.filter(ranking__isnull=False).annotate(following=Subquery(first)).values_list("pk", "following")
    )
    rows = Candidate.objects.select_related("vendor").in_bulk([pk for pk in chosen.values() if pk is not None])
    return {batch: rows[pk] for batch, pk in chosen.items() if pk is not None}


def _chain(batch: Batch, offers: Sequence[Offer], following: Candidate | None) -> Chain:
    rounds = []
    for number, made in itertools.groupby(offers, key=lambda offer: offer.round):
        is_over = number < batch.round or batch.state in {BatchState.WAITING, BatchState.ESCALATED}
        rounds.append(Round(number, tuple(map(_step, made)), is_over))
    live = tuple(step for one in rounds for step in one.steps if step.is_live)
    return Chain(tuple(rounds), following, live)


def _step(offer: Offer) -> Step:
    work: Assignment | None = getattr(offer, "assignment", None)
    state, reason = (work.state, work.reason) if work is not None else ("", "")
    return Step(
        offer=offer,
        words=passing.told(offer.state, offer.reason, state, reason),
        is_live=offer.state == OfferState.LIVE,
        is_stalled=state in {AssignmentState.FAILED, AssignmentState.REJECTED},
    )
