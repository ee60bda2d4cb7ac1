"""When a campaign stops and who has the last word on its rounds, as its customer says at the start."""

from dataclasses import dataclass
from typing import Final

from common.errors import ConflictError, ValidationFailedError
from curation.models import Observation, Pick, Round
from curation.models.experiments import Experiment, ExperimentKind
from marketplace.core.states import CampaignMode
from marketplace.models import Job
from marketplace.services import readings

USUAL_REVIEW_S: Final = 86_400
MAX_REVIEW_S: Final = 90 * 86_400


@dataclass(frozen=True, slots=True)
class CampaignTerms:
    """When a campaign stops: after so many rounds, or earlier at a test accuracy, or when labels no longer pay.

    ``value_of_point_micro`` is what a point (.01) of accuracy is worth to the customer, in micro-units of the job's
    currency; without it a campaign never stops for its cost alone. With ``value_of_day_micro``, what finishing a day
    earlier is worth, rounds are as large as the market's speed makes best, up to ``max_rounds`` usual ones in all.
    ``mode``: whether each round's records are ordered at once, unless vetoed within ``review_s`` (default a day), or
    not before the customer approves.
    ``asks_again``: the campaign decides on further opinions, beside new records and on one scale of worth per price;
    the job's ``target_confidence`` asks for none then. ``max_cpu_s``: a round forecast to exceed so many CPU seconds
    in all is not begun.
    """

    max_rounds: int
    target_accuracy: float | None = None
    value_of_point_micro: int | None = None
    value_of_day_micro: int | None = None
    asks_again: bool = False
    max_cpu_s: int | None = None
    mode: CampaignMode = CampaignMode.AUTO
    review_s: int | None = None

    def __post_init__(self) -> None:
        if self.mode == CampaignMode.VETO and self.review_s is None:
            object.__setattr__(self, "review_s", USUAL_REVIEW_S)


def check(job: Job, experiment: Experiment, terms: CampaignTerms) -> None:
    """Refuse a pair or terms that cannot be meant.

    Raises
    ------
    ValidationFailedError
        When the classes or the task type do not fit, or accuracy is asked for and there is no test set to measure it.
    """
    if job.label_schema.task_type != readings.CLASSIFICATION:
        detail = f"A campaign buys classes; the job's task type is {job.label_schema.task_type}."
        raise ValidationFailedError.of("job", "task_type", detail)
    if list(experiment.classes) != list(job.label_schema.classes):
        detail = "The experiment's classes and the job's label schema differ; make them equal, in the same order."
        raise ValidationFailedError.of("experiment", "classes_differ", detail)
    if experiment.kind == ExperimentKind.MANUAL:
        detail = "A campaign chooses by itself; an experiment of type manual takes your keys round by round."
        raise ValidationFailedError.of("experiment", "is_manual", detail)
    if terms.review_s is not None and terms.mode != CampaignMode.VETO:
        detail = "A time to veto goes with the mode veto; leave it out, or choose that mode."
        raise ValidationFailedError.of("review_s", "wrong_for_mode", detail)
    if not experiment.dataset.n_test:
        detail = "The dataset has no test set to measure accuracy on; add one, or leave this out."
        for name in ("target_accuracy", "value_of_point_micro"):
            if getattr(terms, name) is not None:
                raise ValidationFailedError.of(name, "no_test_set", detail)


def first_round(experiment: Experiment) -> int:
    """Return the round a campaign begins with: the first not evaluated by hand; what was is not bought again.

    Raises
    ------
    ConflictError
        When that round is open and some of its records are labeled already: they would be bought all the same.
    """
    rounds = Round.objects.filter(experiment=experiment)
    number = rounds.filter(evaluated_at__isnull=False).count() + 1
    rows = Pick.objects.filter(experiment=experiment, round__number=number).values("row")
    if Observation.objects.filter(experiment=experiment, row__in=rows).exists():
        raise ConflictError(
            f"Round {number} of the experiment is open and partly labeled; evaluate it first, then start the campaign."
        )
    return number
