"""The pipelines compared: what each buys in a round, and what it makes of the answers."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.joint.market import Market
from benchmarks.selection.mess import Messy
from curation.core import crowd, herding, joint, opinions, proxy, softmax
from curation.core.arrays import Asked, BoolArray, Float32Array, FloatArray, IntArray, Scaler, squared_distances
from curation.core.problem import Problem, Said

PENALTY = 30.0
OURS = ("joint", "herding, crowd truth")
CAMPAIGNS = ("campaign", "campaign, no further opinions", "campaign, consensus alone")
ARMS = (
    "herding, cleaned, any vendor",
    "herding, cleaned, best vendor",
    "herding, majority of 3",
    "herding, Dawid-Skene of 2",
    *OURS,
    *CAMPAIGNS,
    "true labels",
)


@dataclass
class Run:
    """One pipeline on one pool in one market."""

    arm: str
    pool: Messy
    market: Market
    rng: np.random.Generator
    rows: list[int] = field(default_factory=list)
    answers: list[list[tuple[int, int]]] = field(default_factory=list)
    money: float = 0.0
    n_again: int = 0

    def __post_init__(self) -> None:
        self.scale = Scaler.of(self.pool.X)
        self.X = self.scale(self.pool.X)
        self.k, self.V = self.pool.n_classes, len(self.market.prices)
        some = self.X[:1000]
        self.median = float(np.median(squared_distances(some, some)[np.triu_indices(len(some), 1)]))
        self.model: softmax.Softmax | proxy.Model | None = None
        self.crowd: crowd.Crowd | None = None

    def round(self, budget: float) -> None:
        """Buy for a budget (what is left of earlier ones is added), then train."""
        self.money += budget
        if self.arm == "joint":
            self._buy_jointly()
        elif self.arm in CAMPAIGNS:
            self._buy_as_a_campaign(budget)
        else:
            self._buy_new()
        self._train()

    @property
    def proba(self) -> FloatArray:
        """The model's belief about the pool, shape (n, k)."""
        return np.full((len(self.X), self.k), 1 / self.k) if self.model is None else self.model.proba(self.X)

    def _asked(self) -> IntArray:
        return np.array(self.rows, dtype=np.int64)

    def _weights(self) -> FloatArray:
        u = np.ones(len(self.X)) if self.model is None else proxy.margin_uncertainty(self.proba)
        u[self._asked()] = 0.0
        return u

    def _allowed(self) -> BoolArray:
        allowed = np.ones(len(self.X), dtype=np.bool_)
        allowed[self._asked()] = False
        return allowed

    def _width(self) -> float:
        return herding.kernel_width(self.X, self._asked(), self.median)

    def _buy_new(self) -> None:
        n_most = int(self.money / self.market.prices.min()) + 1
        herd = herding.herd(
            self.X,
            weights=self._weights(),
            multiplier=np.ones(len(self.X)),
            covered_by=self._asked(),
            allowed=self._allowed(),
            group=np.arange(len(self.X)),
            width=self._width(),
            n_picks=n_most,
            rng=self.rng,
        )
        for row in herd.rows:
            vendors = self._vendors()
            cost = float(self.market.prices[vendors].sum())
            if cost > self.money + 1e-9:
                break
            self.money -= cost
            self.rows.append(int(row))
            self.answers.append([(int(v), self._ask(int(row), int(v))) for v in vendors])

    def _vendors(self) -> IntArray:
        if self.arm == "herding, cleaned, best vendor":
            accuracy = (np.trace(self.market.gold, axis1=1, axis2=2) + 4.5) / (self.market.gold.sum(axis=(1, 2)) + 5)
            sure = np.maximum((self.k * accuracy - 1) / (self.k - 1), 0) ** 2
            return np.array([(sure / self.market.prices).argmax()])
        count = {"herding, majority of 3": 3, "herding, Dawid-Skene of 2": 2}.get(self.arm, 1)
        return self.rng.permutation(self.V)[:count]

    def _ask(self, row: int, vendor: int) -> int:
        truth = int(self.pool.answer[row])
        return truth if self.arm == "true labels" else self.market.ask(truth, vendor, self.rng)

    def _buy_jointly(self) -> None:
        labeled = self._labeled()
        belief = np.full((len(self.rows), self.k), 1 / self.k)
        confusion = crowd.normalised(crowd.prior_confusion(self.market.gold))
        if self.crowd is not None:
            belief[labeled], confusion = self.crowd.posterior, self.crowd.confusion
        asked_of = np.zeros((len(self.rows), self.V), dtype=np.bool_)
        for place, given in enumerate(self.answers):
            asked_of[place, [v for v, _ in given]] = True
        is_open = np.zeros(len(self.rows), dtype=np.bool_)
        is_open[labeled] = True
        state = joint.State(
            self.X, self._weights(), self.proba, self._asked(), belief, is_open, asked_of, confusion, self.market.prices
        )
        actions = joint.decide(
            state,
            allowed=self._allowed(),
            group=np.arange(len(self.X)),
            width=self._width(),
            budget=self.money,
            rng=self.rng,
        )
        place_of = {row: place for place, row in enumerate(self.rows)}
        for action in actions:
            self.money -= float(self.market.prices[action.vendor])
            answer = (action.vendor, self._ask(action.row, action.vendor))
            if action.is_new:
                self.rows.append(action.row)
                self.answers.append([answer])
            else:
                self.answers[place_of[action.row]].append(answer)
                self.n_again += 1

    def _labeled(self) -> IntArray:
        return np.array([i for i, given in enumerate(self.answers) if given[0][1] >= 0], dtype=np.int64)

    def _problem(self) -> Problem:
        """Return what an experiment of a campaign knows: consensus labels, and who said what."""
        said = [(i, v, label) for i, given in enumerate(self.answers) for v, label in given if label >= 0]
        answers = crowd.Answers(*np.array(said, dtype=np.int64).reshape(-1, 3).T)
        told = np.unique(answers.record)
        labels, weights = np.full(len(self.rows), -1), np.ones(len(self.rows))
        if len(told):
            here = crowd.Answers(np.searchsorted(told, answers.record), answers.vendor, answers.label)
            consensus = crowd.infer(self.X[self._asked()[told]][:, :0], here, self.market.gold).posterior
            labels[told], weights[told] = consensus.argmax(axis=1), consensus.max(axis=1)
        asked = Asked(self._asked(), labels.astype(np.int64), weights)
        known = None if self.arm == CAMPAIGNS[2] else Said(answers, self.market.gold)
        return Problem(np.asarray(self.pool.X, dtype=np.float32), asked, self.k, said=known)

    def _buy_as_a_campaign(self, budget: float) -> None:
        problem = self._problem()
        prices = self.market.prices
        n_records = max(1, round(budget / float(np.median(prices))))
        is_open = np.array([given[0][1] >= 0 and len(given) < 4 for given in self.answers], dtype=np.bool_)
        who = np.full(self.V, self.arm == CAMPAIGNS[0])
        planned = opinions.plan(problem, prices=prices, is_open=is_open, may_answer=who, overlap=1, n_records=n_records)
        for place, vendor in zip(planned.places, planned.vendors, strict=True):
            self.answers[place].append((int(vendor), self._ask(self.rows[place], int(vendor))))
            self.money -= float(prices[vendor])
            self.n_again += 1
        self._buy_new()

    def _train(self) -> None:
        labeled = self._labeled()
        if self.arm in CAMPAIGNS:
            self.model = self._problem().model
            return
        if not len(labeled):
            return
        X = self.X[self._asked()[labeled]]
        given = [(place, v, label) for place, i in enumerate(labeled) for v, label in self.answers[i] if label >= 0]
        answers = crowd.Answers(*(np.array(column, dtype=np.int64) for column in zip(*given, strict=True)))
        Q = self._belief(X, answers)
        y = Q.argmax(axis=1).astype(np.int64)
        if self.arm != "true labels":
            Q = Q * ~proxy.suspicious(X, y, np.ones(len(y)), self.k)[:, None]
        self.model = softmax.fit(X, Q, inverse_penalty=PENALTY)

    def _belief(self, X: Float32Array, answers: crowd.Answers) -> FloatArray:
        if self.arm in OURS:
            self.crowd = crowd.infer(X, answers, self.market.gold)
            return self.crowd.posterior
        if self.arm == "herding, Dawid-Skene of 2":
            return crowd.infer(X[:, :0], answers, self.market.gold).posterior
        votes = np.zeros((len(X), self.k))
        np.add.at(votes, (answers.record, answers.label), 1.0)
        return np.eye(self.k)[votes.argmax(axis=1)]
