"""Taking a dataset in: read and checked whole, then written, then named in the database."""

from django.conf import settings
from django.db import IntegrityError, transaction

from common.actors import CUSTOMER, Actor
from common.errors import ConflictError, PermissionDeniedError, TooLargeError, ValidationFailedError
from common.ids import uuid7
from curation.models import Dataset
from curation.services import ingest, storage


def create(
    *,
    actor: Actor,
    name: str,
    modality: str,
    file_name: str,
    data: bytes,
    embeddings: bytes | None = None,
    classes: list[str] | None = None,
) -> Dataset:
    """Take in a dataset from a file's bytes (see `curation.services.ingest.read` for the formats).

    Raises
    ------
    MalformedDatasetError
        When the file breaks a rule; nothing is written.
    ConflictError
        When the organization has a dataset of that name.
    TooLargeError
        When the file is larger than ``DATASET_MAX_BYTES``.
    """
    actor.require("datasets:write")
    if actor.organization_kind != CUSTOMER or actor.organization_id is None:
        raise PermissionDeniedError("Only a customer organization has datasets.")
    if len(data) > settings.DATASET_MAX_BYTES:
        raise TooLargeError(f"The file has {len(data)} bytes; at most {settings.DATASET_MAX_BYTES} are taken.")
    if Dataset.objects.filter(organization_id=actor.organization_id, name=name).exists():
        raise ConflictError("You already have a dataset of this name; choose another name.")
    contents = ingest.read(file_name, data, embeddings=embeddings, max_bytes=settings.DATASET_MAX_BYTES)
    names = _classes(contents.classes, classes or [])
    identifier = uuid7()
    url = f"{settings.DATASET_STORAGE_URL.rstrip('/')}/{identifier}"
    fingerprint = storage.save(url, contents)
    try:
        with transaction.atomic(durable=True):
            return Dataset.objects.create(
                id=identifier,
                organization_id=actor.organization_id,
                name=name,
                modality=modality,
                storage_url=url,
                fingerprint=fingerprint,
                n_records=len(contents.pool),
                n_features=0 if contents.features is None else contents.features.shape[1],
                n_anchor=0 if contents.anchor is None else len(contents.anchor),
                n_test=0 if contents.test_labels is None else len(contents.test_labels),
                classes=names,
            )
    except BaseException as error:
        storage.remove(url)
        if isinstance(error, IntegrityError):
            raise ConflictError("You already have a dataset of this name; choose another name.") from None
        raise


def _classes(in_file: list[str], stated: list[str]) -> list[str]:
    if in_file and stated and in_file != stated:
        detail = f"The file names {len(in_file)} classes, the request {len(stated)}; leave one out or make them equal."
        raise ValidationFailedError.of("classes", "classes_differ", detail)
    return in_file or stated
