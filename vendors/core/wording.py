"""Kinds of work as people say them."""

from typing import Final

_TASKS: Final = {
    "classification": "one class",
    "multilabel": "several classes",
    "bbox": "boxes",
    "polygon": "outlines",
    "mask": "painted areas",
    "keypoints": "points",
    "cuboid": "cuboids",
    "spans": "marked stretches",
    "transcription": "transcription",
    "ranking": "ranking",
}
_MODALITIES: Final = {"image": "images", "text": "texts", "video": "videos", "document": "documents"}


def kind_of_work(task_type: str, modality: str, language: str = "", domain: str = "", data_class: str = "") -> str:
    """Return a kind of work in words; what is not known stands as it is.

    Examples
    --------
    >>> kind_of_work("bbox", "image", "", "cars", "personal")
    'boxes on images, cars, personal data'
    >>> kind_of_work("transcription", "audio", "fr>ja")
    'transcription of audio, fr>ja'
    >>> kind_of_work("classification", "image")
    'one class for images'
    """
    place = {"classification": "for", "multilabel": "for", "transcription": "of", "ranking": "of"}.get(task_type, "on")
    work = f"{_TASKS.get(task_type, task_type)} {place} {_MODALITIES.get(modality, modality)}"
    sensitive = "" if data_class in {"", "public"} else f"{data_class} data"
    return ", ".join(part for part in (work, language, domain, sensitive) if part)
