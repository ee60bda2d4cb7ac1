"""Models of the curation side."""

from curation.models.compute import ComputeEntry, ComputeStage
from curation.models.datasets import Dataset
from curation.models.experiments import Experiment, Observation, Pick, Round

__all__ = ["ComputeEntry", "ComputeStage", "Dataset", "Experiment", "Observation", "Pick", "Round"]
