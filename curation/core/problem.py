"""A selection problem: pool, answers so far, and everything strategies share, each worked out once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from curation.core import class_search, crowd, duplicates, proxy, relevance, spreading
from curation.core.arrays import (
    Asked,
    BoolArray,
    Float32Array,
    FloatArray,
    IntArray,
    Scaler,
    check_features,
    check_proba,
    check_utility,
    scaled_to_one,
    squared_distances,
)
from curation.core.composition import Composition
from curation.core.portfolio import Turn


@dataclass(frozen=True, eq=False)
class Said:
    """Who said what of the asked rows (``answers.record`` is a place in ``asked``), and each vendor's answers on gold.

    ``gold`` counts [vendor, true class, answer], shape (V, k, k).
    """

    answers: crowd.Answers
    gold: FloatArray


@dataclass(frozen=True, eq=False)
class Problem:
    """A pool, what was asked of it, and the classes; everything strategies share is worked out once.

    Attributes
    ----------
    X
        Features as given, shape (n, d).
    asked
        Rows asked before, with their answers.
    n_classes
        Classes of the label schema.
    anchor, anchor_labels
        Trusted in-scope records, shape (m, d), and their classes, shape (m,); both optional.
    seed
        Makes landmarks, folds and groups repeatable.
    given_proba
        The customer's own class probabilities, shape (n, n_classes); they stand in for the proxy model's.
    utility
        A utility per record worked out elsewhere (`curation.core.utilities`), shape (n,), higher = more worth labeling.
    metadata
        Columns that a composition may read, each of length n.
    composition
        What `metadata_weighted` shall do; None: its default.
    class_names
        Names of the classes, for balances and words.
    said
        Who said what, where that is known: labels then come from vendors and a model together.
    turns
        Rounds in which `portfolio` drew the arm, in order; their rows are among the asked ones.
    trusts_anchor
        The anchor shows every kind of record that is wanted, says the customer: it steers however clean the pool looks.
    """

    X: Float32Array
    asked: Asked
    n_classes: int
    anchor: Float32Array | None = None
    anchor_labels: IntArray | None = None
    seed: int = 0
    given_proba: FloatArray | None = None
    utility: FloatArray | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    composition: Composition | None = None
    class_names: Sequence[str] = ()
    said: Said | None = None
    turns: Sequence[Turn] = ()
    trusts_anchor: bool = False

    def __post_init__(self) -> None:
        check_features(self.X)
        self._check_given()
        if len(self.asked.rows) and not 0 <= self.asked.rows.min() <= self.asked.rows.max() < len(self.X):
            raise ValueError(f"asked rows reach {self.asked.rows.max()}, the pool has {len(self.X)} rows")
        if len(self.asked.labels) and self.asked.labels.max() >= self.n_classes:
            raise ValueError(f"label {self.asked.labels.max()} is outside the {self.n_classes} classes")
        if self.anchor is not None:
            check_features(self.anchor)
        drawn = np.concatenate([turn.rows for turn in self.turns]) if self.turns else np.empty(0, np.int64)
        if not np.isin(drawn, self.asked.rows).all() or len(np.unique(drawn)) < len(drawn):
            raise ValueError(f"{len(drawn)} rows were drawn in turns; each must have been asked, and in one turn only")

    def _check_given(self) -> None:
        n = len(self.X)
        if self.given_proba is not None:
            check_proba(self.given_proba, n, self.n_classes)
        if self.utility is not None:
            check_utility(self.utility, n)
        for name, values in self.metadata.items():
            if len(values) != n:
                raise ValueError(f"metadata {name!r} has {len(values)} values, the pool {n} rows")

    def rng(self, purpose: int) -> np.random.Generator:
        """Return the generator of one purpose; the same one each time."""
        return np.random.default_rng([self.seed, purpose])

    @cached_property
    def scale(self) -> Scaler:
        """The pool's scale."""
        return Scaler.of(self.X)

    @cached_property
    def scaled(self) -> Float32Array:
        """Scaled pool, shape (n, d)."""
        return self.scale(self.X)

    @cached_property
    def scaled_anchor(self) -> Float32Array | None:
        """Scaled anchor, shape (m, d)."""
        return None if self.anchor is None else self.scale(self.anchor)

    @cached_property
    def median_distance(self) -> float:
        """Median squared distance between random rows, > 0."""
        rng = self.rng(1)
        rows = self.scaled[rng.choice(len(self.X), size=min(1000, len(self.X)), replace=False)]
        distances = squared_distances(rows, rows)[np.triu_indices(len(rows), 1)]
        return float(np.median(distances)) if len(distances) and np.median(distances) > 0 else 1.0

    @cached_property
    def group(self) -> IntArray:
        """Near-duplicate groups, shape (n,)."""
        return duplicates.groups(self.scaled, self.rng(2))

    @cached_property
    def allowed(self) -> BoolArray:
        """Rows that may be picked, shape (n,): not asked, and no near copy of an asked one."""
        return np.asarray(~np.isin(self.group, self.group[self.asked.rows]))

    @cached_property
    def model(self) -> proxy.Model:
        """The proxy model fitted on cleaned labels and labeled anchors."""
        model, _ = proxy.fit_cleaned(*self.training_set, self.n_classes)
        return model

    @cached_property
    def inferred(self) -> crowd.Crowd | None:
        """What vendors and a model together make of the asked rows, shape (a, k); None where no answers are known.

        Rows without an answer are believed to be any class.
        """
        if self.said is None or not len(self.said.answers.record):
            return None
        told, record = np.unique(self.said.answers.record, return_inverse=True)
        answers = crowd.Answers(record, self.said.answers.vendor, self.said.answers.label)
        found = crowd.infer(self.scaled[self.asked.rows[told]], answers, self.said.gold)
        posterior = np.full((len(self.asked.rows), self.n_classes), 1 / self.n_classes)
        posterior[told] = found.posterior
        return crowd.Crowd(posterior, found.confusion)

    @cached_property
    def training_set(self) -> tuple[Float32Array, IntArray, FloatArray]:
        """Scaled features, labels and weights of everything with a label.

        Where it is known who said what, label and weight are what :attr:`inferred` believes most, and how far.
        """
        labels, weights = self.asked.labels.copy(), self.asked.weights.copy()
        if self.inferred is not None and self.said is not None:
            told = np.intersect1d(self.said.answers.record, np.flatnonzero(self.asked.is_labeled))
            labels[told] = self.inferred.posterior[told].argmax(axis=1)
            weights[told] = self.inferred.posterior[told].max(axis=1)
        labeled = self.asked.is_labeled
        X, y, w = self.scaled[self.asked.rows[labeled]], labels[labeled], weights[labeled]
        if self.scaled_anchor is None or self.anchor_labels is None:
            return X, y, w
        known = self.anchor_labels >= 0
        return (
            np.concatenate([self.scaled_anchor[known], X]),
            np.concatenate([self.anchor_labels[known], y]),
            np.concatenate([np.ones(int(known.sum())), w]),
        )

    @cached_property
    def proba(self) -> FloatArray:
        """Class probabilities of the pool, shape (n, n_classes): the customer's own where given."""
        return self.model.proba(self.scaled) if self.given_proba is None else self.given_proba

    @cached_property
    def has_model(self) -> bool:
        """Whether there is anything to be unsure about: a model of two classes, or the customer's probabilities."""
        return self.is_told or self.model.estimator is not None

    @property
    def is_told(self) -> bool:
        """Whether the customer's own numbers say what is worth labeling."""
        return self.utility is not None or self.given_proba is not None

    @property
    def known_labels(self) -> IntArray:
        """Answers so far (-1 = could not be labeled) and classes of anchors; none before the first answer."""
        return class_search.known(self.asked, self.anchor_labels)

    @cached_property
    def labels_per_class(self) -> IntArray:
        """How many records of each class are labeled, shape (n_classes,)."""
        return np.bincount(self.asked.labels[self.asked.is_labeled], minlength=self.n_classes)

    @cached_property
    def uncertainty(self) -> FloatArray:
        """Margin uncertainty, shape (n,), in [0, 1]; 1 everywhere before a model exists.

        A utility given from outside stands in for it, scaled to [0, 1].
        """
        if self.utility is not None:
            return scaled_to_one(self.utility)
        if not self.has_model:
            return np.ones(len(self.X))
        return proxy.margin_uncertainty(self.proba)

    @cached_property
    def prior(self) -> relevance.Prior | None:
        """What the anchor alone says of the pool; None where there is none, or too small a one."""
        anchor = self.scaled_anchor
        if anchor is None or len(anchor) < relevance.MIN_ANCHOR:
            return None
        return relevance.from_anchor(self.scaled, anchor, self.rng(3))

    @property
    def is_steered(self) -> bool:
        """Whether the anchor's word counts in choosing."""
        return self.prior is not None and (self.trusts_anchor or self.prior.in_scope < relevance.ANCHOR_BELOW)

    @cached_property
    def relevance(self) -> relevance.Relevance:
        """P(labelable) of the pool."""
        prior = self.prior.proba if self.prior is not None and self.is_steered else None
        answered = self.asked.answered
        if (answered.labels >= 0).all():  # only rejections make neighbourhoods matter
            return relevance.estimate(self.scaled, answered, prior, np.zeros(0), self.median_distance)
        return relevance.estimate(self.scaled, answered, prior, self.unusual, self.median_distance, self.graph)

    @cached_property
    def graph(self) -> Any:
        """How near records are to each other and how alike in being unusual, sparse, shape (n, n)."""
        Z = relevance.extended(self.scaled, self.unusual, self.median_distance)
        return spreading.neighbourhood(Z, self.rng(5))

    @cached_property
    def unusual(self) -> FloatArray:
        """How far each row is from its neighbours against the usual, shape (n,), a robust z-score."""
        return relevance.atypicality(self.scaled, self.rng(4))
