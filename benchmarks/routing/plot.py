"""The loss of each rule over the days of a market."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

SHOWN = ("weighted sum of claims", "production", "knows every parameter", "clairvoyant bound")


def draw(days: dict[str, list[list[float]]], path: Path) -> None:
    """Draw the mean over worlds of each day's loss with its standard error; ``days`` by rule, world and day."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for rule in SHOWN:
        losses = np.asarray(days[rule])
        mean = losses.mean(axis=0)
        error = losses.std(axis=0, ddof=1) / np.sqrt(len(losses)) if len(losses) > 1 else np.zeros_like(mean)
        day = np.arange(1, len(mean) + 1)
        axes.plot(day, mean, label=rule)
        axes.fill_between(day, mean - error, mean + error, alpha=0.2)
    axes.set(xlabel="day", ylabel="mean loss of an order", ylim=(0, None))
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
