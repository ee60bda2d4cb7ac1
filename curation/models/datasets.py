"""A pool of records: its arrays lie in storage, the database knows where, how many, and what they were."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from common.models import BaseModel, Organization


class Dataset(BaseModel):
    """Records to choose from. Keys, URIs, metadata and embeddings are array files under ``storage_url``, never rows.

    A dataset is written whole before its row exists, and never changed afterwards.
    """

    public_prefix = "dat"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="datasets")
    name = models.CharField(max_length=200)
    modality = models.CharField(max_length=32)
    storage_url = models.CharField(max_length=2000)
    fingerprint = models.CharField(max_length=64)
    n_records = models.PositiveIntegerField()
    n_features = models.PositiveIntegerField(default=0)
    n_anchor = models.PositiveIntegerField(default=0)
    n_test = models.PositiveIntegerField(default=0)
    classes = ArrayField(models.CharField(max_length=200), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="dataset_name_once"),
            models.CheckConstraint(condition=Q(n_records__gt=0), name="dataset_not_empty"),
        ]
