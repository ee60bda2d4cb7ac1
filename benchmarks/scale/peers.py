"""Run by the peers' own interpreter: ``python peers.py FEATURES.npy N_ASKED N_PICKS`` prints CPU seconds as JSON."""

import json
import sys
import time

import numpy as np
from skactiveml.pool import CoreSet, TypiClust


def main() -> None:
    """Time each method once on an unscaled pool in memory."""
    X = np.load(sys.argv[1]).astype(np.float32)
    n_asked, n_picks = int(sys.argv[2]), int(sys.argv[3])
    y = np.full(len(X), np.nan)
    y[np.random.default_rng(0).choice(len(X), n_asked, replace=False)] = 0
    found = {}
    for name, method in (("CoreSet", CoreSet(random_state=0)), ("TypiClust", TypiClust(random_state=0))):
        started = time.process_time()
        method.query(X, y, batch_size=n_picks)
        found[name] = time.process_time() - started
        print(json.dumps(found), flush=True)


main()
