"""Four kinds of data, and the engine sees none of it: only what a model trained elsewhere wrote into its log."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import signal
from scipy.stats import ortho_group
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.scope import languages
from curation.client_log import CurationLog
from curation.core import selection, utilities
from curation.core.arrays import Asked
from curation.core.problem import Problem
from curation.offline import training_log

SEEDS, ROUNDS, N_POOL = range(8), 3, 500
SECRET = b"a secret of the customer"
Made = tuple[np.ndarray, np.ndarray]


def pictures(rng: np.random.Generator) -> Made:
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def texts(rng: np.random.Generator) -> Made:
    """Reviews in two languages, good or bad, as counts of character n-grams."""
    words = [languages.ENGLISH, languages.GERMAN]
    y = rng.integers(0, 4, 1200)
    made = [_review(words[label // 2], "negative" if label % 2 else "positive", rng) for label in y]
    counts = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).fit_transform(made)
    return TruncatedSVD(64, random_state=0).fit_transform(counts), y


def _review(words, mood, rng):
    def one(name):
        return words[name][rng.integers(len(words[name]))]

    return one("frame").format(thing=one("thing"), mood=one(mood), more=one(f"more {mood}"))


def tables(rng: np.random.Generator) -> Made:
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def series(rng: np.random.Generator) -> Made:
    """Five shapes of a wave with speed, phase and noise of their own, as spectra."""
    n, t = 1200, np.arange(128)
    y = rng.integers(0, 5, n)
    turns = 2 * np.pi * (rng.uniform(0.02, 0.12, n)[:, None] * t + rng.random((n, 1)))
    shapes = [np.sin(turns), signal.square(turns), signal.sawtooth(turns), np.sin(turns * (1 + t / 128))]
    shapes.append(np.sin(turns) * (1 + np.sin(turns / 4)) / 2)
    waves = np.array(shapes)[y, np.arange(n)] + rng.normal(size=(n, 128)) * rng.uniform(0.1, 0.8, (n, 1))
    return np.log1p(np.abs(np.fft.rfft(waves))), y


@dataclass
class Customer:
    """Keeps records and model at home; gives labels when asked, and after each training a log and an accuracy."""

    pool: Made
    test: Made
    n_classes: int

    @classmethod
    def of(cls, kind: Callable[[np.random.Generator], Made], seed: int) -> "Customer":
        rng = np.random.default_rng(seed)
        X, y = kind(rng)
        order = rng.permutation(len(X))
        n_pool = min(N_POOL, int(0.6 * len(X)))
        pool, test = order[:n_pool], order[n_pool:]
        return cls((X[pool], y[pool]), (X[test], y[test]), int(y.max()) + 1)

    def trained(self, rows: np.ndarray, folder) -> float:
        X, y = self.pool
        model = LogisticRegression(C=30, max_iter=500).fit(X[rows], y[rows])
        logits = np.full((len(X), self.n_classes), -50.0)
        logits[:, model.classes_] = model.predict_log_proba(X)
        with CurationLog(folder, secret=SECRET) as log:
            log.update(range(len(X)), logits, epoch=0, split="pool")
        return float(model.score(*self.test))

    def embeddings(self, seed: int) -> np.ndarray:
        X = self.pool[0]
        return (X @ ortho_group.rvs(X.shape[1], random_state=seed)).astype(np.float32)


def play(customer: Customer, folder, seed: int, choose) -> float:
    """Return the accuracy after three rounds from two labels of each class, a round asking for as many again."""
    size, y = 2 * customer.n_classes, customer.pool[1]
    order = np.random.default_rng(seed).permutation(len(y))
    rows = np.concatenate([order[y[order] == label][:2] for label in range(customer.n_classes)])
    log = CurationLog(folder, secret=SECRET)
    row_of = {log.key(row): row for row in range(len(y))}
    embeddings = customer.embeddings(seed)
    for number in range(ROUNDS):
        customer.trained(rows, folder / str(number))
        said = training_log.last_said(training_log.load(folder / str(number), "pool", is_labeled=False))
        own = np.array([row_of[key] for key in said.keys])
        asked = np.flatnonzero(np.isin(own, rows))
        labels = Asked(asked, y[own[asked]].astype(np.int64), np.ones(len(asked)))
        picked = choose(said, embeddings[own], labels, customer.n_classes, size, seed)
        rows = np.concatenate([rows, own[picked]])
    assert len(np.unique(rows)) == (ROUNDS + 1) * size
    return customer.trained(rows, folder / "end")


def by_log(said, embeddings, labels, n_classes, size, seed):
    """Choose from the log alone: what the model is unsure of, spread over what it says."""
    X = utilities.sketch(said.top1, said.top1_p, said.top2, said.top2_p, n_classes)
    return chosen(X, said, labels, n_classes, size, seed)


def by_embeddings(said, embeddings, labels, n_classes, size, seed):
    """Choose from the log and the customer's embeddings, turned by a rotation that it keeps to itself."""
    return chosen(embeddings, said, labels, n_classes, size, seed)


def chosen(X, said, labels, n_classes, size, seed):
    utility = utilities.from_log(said.top1_p, said.top2_p)
    problem = Problem(X=X, asked=labels, n_classes=n_classes, utility=utility, seed=seed)
    return [pick.row for pick in selection.select(problem, name="auto", n_picks=size, control_ratio=0.0, seed=seed)]


def at_random(said, embeddings, labels, n_classes, size, seed):
    free = np.setdiff1d(np.arange(len(said.keys)), labels.rows)
    return np.random.default_rng([seed, len(labels.rows)]).choice(free, size, replace=False)


def gains(kind, folder, rule, seeds=SEEDS):
    """Return by how much a choice beats chance, seed by seed."""
    found = []
    for seed in seeds:
        customer = Customer.of(kind, seed)
        ours, chance = (
            play(customer, folder / f"{choose.__name__}-{seed}", seed, choose) for choose in (rule, at_random)
        )
        found.append(ours - chance)
    return np.array(found)


@pytest.mark.parametrize("kind", [pictures, texts, tables, series])
def test_the_same_loop_beats_chance_though_it_sees_no_record(kind, tmp_path):
    assert gains(kind, tmp_path, by_embeddings).mean() > 0


@pytest.mark.parametrize("kind", [pictures, texts, tables, series])
def test_a_log_alone_is_enough_to_choose_by(kind, tmp_path):
    """The contract holds: each round full, no record twice; what it gains depends on the data."""
    assert play(Customer.of(kind, 0), tmp_path, 0, by_log) > 1.5 / Customer.of(kind, 0).n_classes
