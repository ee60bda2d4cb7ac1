"""Rules as data: what can be said, and when a rule hits a history."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core import rules
from marketplace.core.rules import Earlier, History, Rule, check, hits, join

GOLD = Rule("annotator", "gold_accuracy", "<", 0.6, 5, "pause_annotator", window_answers=10, duration_s=3600)


def history(n, *, at=None, **columns):
    blank = np.full(n, np.nan)
    filled = {
        name: np.asarray(columns.get(name, blank), float) for name in ("gold_right", "agrees", "copied", "seconds")
    }
    return History(
        at=np.arange(n, dtype=float) * 60 if at is None else np.asarray(at, float),
        label=np.asarray(columns.get("label", np.zeros(n)), float),
        **filled,
    )


def sample(name, rng, n):
    return {"label": rng.integers(-1, 3, n), "seconds": rng.uniform(0, 60, n)}.get(name, rng.integers(0, 2, n))


BAD = [
    ({"collector": "mood"}, "collector", "unknown"),
    ({"comparator": "=="}, "comparator", "unknown"),
    ({"action": "fire"}, "action", "unknown"),
    ({"subject": "job"}, "subject", "unknown"),
    ({"threshold": 1.2}, "threshold", "out_of_range"),
    ({"threshold": float("nan")}, "threshold", "out_of_range"),
    ({"threshold": 0.0}, "threshold", "contradiction"),
    ({"threshold": 1.0, "comparator": "<="}, "threshold", "contradiction"),
    ({"threshold": 1.0, "comparator": ">"}, "threshold", "contradiction"),
    ({"threshold": 0.0, "comparator": ">="}, "threshold", "contradiction"),
    ({"min_n": 0}, "min_n", "out_of_range"),
    ({"min_n": 11}, "min_n", "contradiction"),
    ({"window_answers": 0}, "window_answers", "out_of_range"),
    ({"window_s": 0}, "window_s", "out_of_range"),
    ({"duration_s": 0}, "duration_s", "out_of_range"),
    ({"duration_s": None}, "duration_s", "required"),
    ({"action": "ban_annotator"}, "duration_s", "contradiction"),
    ({"subject": "vendor"}, "action", "contradiction"),
    ({"action": "pause_vendor"}, "action", "contradiction"),
    ({"collector": "n_answers", "threshold": 50, "comparator": ">"}, "window_s", "required"),
]


@pytest.mark.parametrize(("changed", "field", "code"), BAD, ids=str)
def test_what_cannot_be_meant_is_told_by_field(changed, field, code):
    findings = check(replace(GOLD, **changed))
    assert (field, code) in {(f.field, f.code) for f in findings}
    assert all(len(f.detail) > 20 for f in findings)


def test_a_sound_rule_reads_as_a_sentence():
    assert check(GOLD) == []
    assert GOLD.words == (
        "When the share of gold answers that are right of a annotator over the last 10 answers is < 60.0% "
        "(5 answers at least): take no answers of the annotator for a while (3600 s)."
    ).replace("a annotator", "an annotator")


def test_a_rule_hits_at_the_answer_that_fulfils_it_and_not_before():
    right = [1, 1, 1, 0, 0, 0, 0, 0]  # 3/5, 3/6, ...
    (hit,) = hits(GOLD, history(8, gold_right=right))
    assert (hit.position, hit.value, hit.n) == (5, 0.5, 6)


def test_a_count_within_seconds_sees_bursts_only():
    rule = Rule("vendor", "n_answers", ">", 5, 1, "pause_vendor", window_s=10, duration_s=60)
    slow, burst = np.arange(50.0) * 5, np.arange(50.0)
    assert hits(rule, history(50, at=slow)) == []
    first = hits(rule, history(50, at=burst))[0]
    assert (first.position, first.value) == (5, 6.0)


def test_an_expired_effect_asks_for_new_evidence():
    """After the pause the old answers are used up: five new ones are needed before the rule may hit again."""
    at = np.concatenate([np.arange(5.0), 4000 + np.arange(10.0)])
    found = hits(GOLD, history(15, at=at, gold_right=np.zeros(15)))
    assert [hit.position for hit in found] == [4, 9]
    assert hits(GOLD, history(15, at=at, gold_right=np.zeros(15)), earlier=Earlier(4005.0)) == []


def test_what_a_pause_would_have_prevented_cannot_set_it_off_again():
    at = np.arange(100.0)  # all within the hour of the pause
    assert len(hits(GOLD, history(100, at=at, gold_right=np.zeros(100)))) == 1


def test_a_ban_comes_once_and_only_after_the_rule_is_armed():
    ban = replace(GOLD, action="ban_annotator", duration_s=None)
    bad = history(40, gold_right=np.zeros(40))
    assert len(hits(ban, bad)) == 1
    (late,) = hits(ban, bad, armed_at=bad.at[20])
    assert (late.position, late.n) == (20, 10)


@pytest.mark.parametrize("collector", sorted(rules.COLLECTORS))
def test_every_collector_hits_planted_misbehaviour_and_spares_the_honest(collector):
    n, rng = 60, np.random.default_rng(1)
    honest = {
        "gold_right": rng.random(n) < 0.95,
        "agrees": rng.random(n) < 0.95,
        "copied": rng.random(n) < 0.1,
        "seconds": rng.uniform(5, 9, n),
        "label": rng.integers(0, 4, n),
    }
    guilty = {
        "gold_right": rng.random(n) < 0.3,
        "agrees": rng.random(n) < 0.3,
        "copied": np.ones(n),
        "seconds": rng.uniform(0.1, 0.4, n),
        "label": np.where(np.arange(n) < 30, -1, 1),
    }
    limits = {
        "gold_accuracy": ("<", 0.6),
        "consensus_agreement": ("<", 0.6),
        "seconds_per_answer": ("<", 1.0),
        "constant_share": (">", 0.9),
        "copy_share": (">", 0.9),
        "cannot_label_share": (">", 0.5),
        "n_answers": (">", 12),
    }
    comparator, threshold = limits[collector]
    answers = None if collector == "n_answers" else 20
    rule = Rule("annotator", collector, comparator, threshold, 10, "warn", answers, 600)
    assert check(rule) == []
    assert hits(rule, history(n, at=np.arange(n) * 15.0, **guilty))
    assert hits(rule, history(n, at=np.arange(n) * 60.0, **honest)) == []


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), collector=st.sampled_from(sorted(set(rules.COLLECTORS) - {"n_answers"})))
def test_replaying_bit_by_bit_finds_what_replaying_at_once_finds(seed, collector):
    """The live run, answer by answer with what was laid before, equals the dry run over the whole history."""
    rng = np.random.default_rng(seed)
    names = ("gold_right", "agrees", "copied", "seconds", "label")
    whole = history(30, at=np.cumsum(rng.uniform(0, 30, 30)), **{name: sample(name, rng, 30) for name in names})
    threshold = 20.0 if collector == "seconds_per_answer" else 0.5
    rule = Rule("annotator", collector, ">", threshold, 3, "extra_overlap", 6, None, 60)
    live, earlier = [], None
    for end in range(1, 31):
        part = History(**{name: getattr(whole, name)[:end] for name in ("at", "label", *names[:4])})
        for hit in hits(rule, part, earlier=earlier):
            live.append(hit)
            earlier = Earlier(part.at[hit.position] + 60)
    assert live == hits(rule, whole)


def test_histories_join_in_order_of_time_and_refuse_another():
    one, two = history(2, at=[0.0, 10.0], label=[1, 1]), history(2, at=[5.0, 10.0], label=[2, 2])
    assert join([one, two]).label.tolist() == [1, 2, 1, 2]
    with pytest.raises(ValueError, match="oldest first"):
        history(2, at=[1.0, 0.0])
