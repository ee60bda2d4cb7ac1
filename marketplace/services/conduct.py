"""How the work in some evidence was done: times, constant answers, copies."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from marketplace.core.acceptance import Equal, is_constant
from marketplace.core.checks import shortest_plausible_s
from marketplace.core.states import AnnotationState
from marketplace.services.beliefs import Given, Seen


def code_of(given: Given) -> str:
    """Return an answer as a text, equal for equal answers only."""
    return json.dumps([given.label, given.value], sort_keys=True)


def seen(given: Sequence[Given], equal: Sequence[Equal]) -> Seen:
    """Return how the work was done; of an annotator who copies several, the pair with most in common counts."""
    accepted = [g.seconds for g in given if g.seconds is not None and g.state == AnnotationState.ACCEPTED]
    copied = {pair.later: pair for pair in sorted(equal, key=lambda pair: pair.n_equal)}
    return Seen(shortest_plausible_s(accepted), _constant(given), copied)


def _constant(given: Sequence[Given]) -> frozenset[int]:
    """Return who says the same of every record, though the others do not."""
    codes: dict[int, list[str]] = defaultdict(list)
    for answer in given:
        if answer.record_id is not None:
            codes[answer.annotator].append(code_of(answer))
    said = Counter(code for own in codes.values() for code in own)
    found = set()
    for annotator, own in codes.items():
        others = said[own[0]] - own.count(own[0]), said.total() - len(own)
        prior = np.array([(others[0] + 1) / (others[1] + 2)])
        if is_constant([0] * len(own), prior) and len(set(own)) == 1:
            found.add(annotator)
    return frozenset(found)
