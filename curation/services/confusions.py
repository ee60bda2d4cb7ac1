"""Why an experiment's model is confused: what the causes are of the records it is least sure of."""

from collections import Counter
from typing import Any, Final

from curation.core import causes
from curation.core.arrays import IntArray
from curation.core.problem import Problem
from curation.models import Dataset
from curation.services import storage

N_LOOKED_AT: Final = 100
_N_EXAMPLES, _N_NEIGHBOURS = 12, 5


def told(dataset: Dataset, problem: Problem, pool_rows: IntArray) -> dict[str, Any]:
    """Return how often each cause was found among the most confusing records, and examples, surest first.

    ``pool_rows`` says which rows of the pool the problem's rows are.
    """
    found = causes.explain(problem, causes.most_confusing(problem, N_LOOKED_AT))
    keys = storage.load_table(dataset.storage_url).keys
    surest = sorted(found, key=lambda one: -one.probability)[:_N_EXAMPLES]
    return {
        "n_looked_at": len(found),
        "by_cause": dict(Counter(one.cause.value for one in found).most_common()),
        "examples": [
            {
                "key": keys[pool_rows[one.row]],
                "cause": one.cause.value,
                "probability": round(one.probability, 3),
                "words": one.words,
                "action": one.action,
                "neighbours": [keys[pool_rows[row]] for row in one.neighbours[:_N_NEIGHBOURS]],
            }
            for one in surest
        ],
    }
