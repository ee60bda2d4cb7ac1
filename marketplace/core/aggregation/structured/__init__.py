"""Consensus for task types whose labels are structures, one module each.

Each takes the canonical values of the arrival checks, one per annotator, with the annotators' skills (accuracies in
(0, 1), None for equal ones), and returns the consensus with a confidence.
"""

from marketplace.core.aggregation.structured import (
    boxes,
    cuboids,
    keypoints,
    masks,
    multilabel,
    polygons,
    ranking,
    spans,
    transcription,
)

__all__ = ["boxes", "cuboids", "keypoints", "masks", "multilabel", "polygons", "ranking", "spans", "transcription"]
