"""Models of the curation side."""

from curation.models.datasets import Dataset
from curation.models.experiments import Experiment, Observation, Pick, Round

__all__ = ["Dataset", "Experiment", "Observation", "Pick", "Round"]
