"""How an experiment chooses: by the engine, one strategy, a mix with shares, or the customer's own hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from common.errors import FieldError, ValidationFailedError
from curation.core import composition, selection
from curation.core.arrays import BoolArray
from curation.core.composition import CompositionError
from curation.core.problem import Problem
from curation.core.reasons import Pick
from curation.core.selection import Rule
from curation.errors import sentence
from curation.models import Dataset, Experiment
from curation.models.experiments import ExperimentKind
from curation.services import storage

ENGINE: Final = "auto"
WISHED: Final = "metadata_weighted"
_MOST_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Design:
    """A checked way to choose; `config` is what the experiment stores beside its strategy."""

    kind: str
    strategy: str
    config: dict[str, Any] = field(default_factory=dict)


def resolve(
    *,
    kind: str = "",
    strategy: str = "",
    rules: Sequence[Mapping[str, Any]] = (),
    wishes: Mapping[str, Any] | None = None,
) -> Design:
    """Return the design that is meant.

    Parameters
    ----------
    kind
        auto, single, rule_based or manual; empty: single when a strategy is named, rule_based when rules are given,
        auto otherwise.
    strategy
        For single.
    rules
        For rule_based: objects with ``strategy`` and ``share``; the shares sum to one.
    wishes
        The configuration of `metadata_weighted` (`curation.core.composition`).

    Raises
    ------
    ValidationFailedError
        Naming the field that is unknown, missing or does not go with the kind.
    """
    kind = kind or _usual_kind(strategy, rules)
    _check_fields(kind, strategy, rules)
    names = [strategy] if kind == ExperimentKind.SINGLE else [str(rule.get("strategy")) for rule in rules]
    config: dict[str, Any] = {}
    if kind == ExperimentKind.RULE_BASED:
        config["rules"] = [{"strategy": rule.strategy, "share": rule.share} for rule in _rules(rules)]
    if wishes is not None:
        if WISHED not in names:
            raise ValidationFailedError.of("wishes", "not_used", f"Wishes belong to the strategy {WISHED}.")
        _check_wishes(wishes)
        config["wishes"] = dict(wishes)
    named = {str(ExperimentKind.SINGLE): strategy, str(ExperimentKind.AUTO): ENGINE}
    return Design(kind, named.get(kind, kind), config)


def _usual_kind(strategy: str, rules: Sequence[Mapping[str, Any]]) -> ExperimentKind:
    if strategy:
        return ExperimentKind.SINGLE
    return ExperimentKind.RULE_BASED if rules else ExperimentKind.AUTO


def _check_fields(kind: str, strategy: str, rules: Sequence[Mapping[str, Any]]) -> None:
    if kind not in ExperimentKind.values:
        raise ValidationFailedError.of("type", "unknown", f"Choose one of {', '.join(ExperimentKind.values)}.")
    if (kind == ExperimentKind.SINGLE) != bool(strategy):
        detail = (
            "Name the strategy." if not strategy else f"An experiment of type {kind} takes no strategy; leave it out."
        )
        raise ValidationFailedError.of("strategy", "wrong_for_type", detail)
    if strategy and strategy not in selection.names():
        raise ValidationFailedError.of("strategy", "unknown", f"Choose one of {', '.join(selection.names())}.")
    if (kind == ExperimentKind.RULE_BASED) != bool(rules):
        detail = "Give rules with strategy and share." if not rules else f"Type {kind} takes no rules; leave them out."
        raise ValidationFailedError.of("rules", "wrong_for_type", detail)


def _rules(given: Sequence[Mapping[str, Any]]) -> list[Rule]:
    rules = [Rule(rule["strategy"], float(rule["share"])) for rule in given]
    try:
        selection.check_rules(rules)
    except ValueError as error:
        raise ValidationFailedError.of("rules", "not_a_mix", sentence(error)) from error
    return rules


def _check_wishes(wishes: Mapping[str, Any]) -> None:
    try:
        composition.parse(wishes)
    except CompositionError as error:
        errors = [
            FieldError(field=f"wishes.{path}", code=_code(words), detail=sentence(words))
            for path, words in error.problems
        ]
        raise ValidationFailedError(str(error), errors=errors) from error


def check_fits(design: Design, dataset: Dataset) -> None:
    """Refuse wishes for what a dataset does not have: every round would fail of it.

    Raises
    ------
    ValidationFailedError
        Naming the part that asks for an anchor or for metadata that is not there.
    """
    wanted = composition.parse(design.config["wishes"]) if "wishes" in design.config else composition.DEFAULT
    metadata = storage.load_table(dataset.storage_url).metadata if wanted.columns else []
    present = {name for row in metadata for name in row}
    for at, part in enumerate(wanted.parts):
        detail = ""
        if part.strategy == "similarity" and not dataset.n_anchor:
            detail = "The dataset has no anchor to be similar to; upload it with one, or leave this part out."
        elif part.column is not None and part.column not in present:
            known = ", ".join(sorted(present)[:_MOST_NAMED]) or "none"
            detail = f"The dataset has no metadata {part.column[:60]!r}; there are {known[:500]}."
        if detail:
            raise ValidationFailedError.of(f"wishes.parts[{at}].input", "not_there", detail)


def _code(words: str) -> str:
    return "unknown_field" if words.startswith(composition.UNKNOWN_FIELD) else "invalid"


def wishes_of(experiment: Experiment) -> composition.Composition | None:
    """Return the configuration of `metadata_weighted` that an experiment stores, or None."""
    stored = experiment.config.get("wishes")
    return None if stored is None else composition.parse(stored)


def choose(
    experiment: Experiment,
    problem: Problem,
    rows: Sequence[int] | None,
    within: BoolArray | None,
    control: selection.Control | None = None,
    *,
    told_of: str = "wishes",
) -> list[Pick]:
    """Return the picks of an experiment's next round.

    Parameters
    ----------
    rows
        The customer's own choice, for an experiment of type manual and for no other.
    within
        Rows to choose among, shape (n,); None: all. Control picks are drawn from all rows all the same.
    control
        Control picks drawn already, where the problem is a part of a large pool.
    told_of
        The field that an error names when it is not the keys.

    Raises
    ------
    ValidationFailedError
        When rows are missing or not wanted, or were asked before.
    """
    if (experiment.kind == ExperimentKind.MANUAL) != (rows is not None):
        detail = (
            "Only an experiment of type manual takes keys; leave them out."
            if rows is not None
            else "Name the records of the round by their keys: the experiment is of type manual."
        )
        raise ValidationFailedError.of("keys", "wrong_for_type", detail)
    try:
        if rows is not None:
            return selection.by_hand(problem, rows)
        return selection.mix(
            problem,
            rules=rules_of(experiment),
            n_picks=experiment.batch_size,
            control_ratio=experiment.control_ratio,
            seed=experiment.seed,
            within=within,
            control=control,
        )
    except ValueError as error:
        field_name = "keys" if rows is not None else told_of
        raise ValidationFailedError.of(field_name, "impossible", sentence(error)) from error


def rules_of(experiment: Experiment) -> list[Rule]:
    """Return which strategies choose which shares of an experiment's batches."""
    stored = experiment.config.get("rules") or [{"strategy": experiment.strategy, "share": 1.0}]
    return [Rule(rule["strategy"], rule["share"]) for rule in stored]


def columns_of(wanted: composition.Composition, metadata: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the metadata columns that a configuration reads; a record without one has None."""
    present = [name for name in wanted.columns if any(name in row for row in metadata)]
    return {name: np.array([row.get(name) for row in metadata], dtype=object) for name in present}
