"""Datasets: a file comes in, its arrays go to storage."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import TextField, texts
from api.parsers import CheckedMultiPartParser
from api.serializers import Body, Resource, own_id
from curation.selectors import datasets as selectors
from curation.services import datasets


class DatasetIn(Body):
    """A file: ``.npz``, ``.parquet`` or ``.csv``; an ``.npy`` of embeddings beside the latter two."""

    file = serializers.FileField(allow_empty_file=True, max_length=200)
    embeddings = serializers.FileField(required=False, allow_empty_file=True, max_length=200)
    name = TextField()
    modality = TextField(max_length=32)
    classes = texts(max_items=1000, required=False)


class DatasetOut(Resource):
    """A dataset."""

    id = own_id("dat")
    name = serializers.CharField()
    modality = serializers.CharField()
    fingerprint = serializers.CharField(help_text="SHA-256 of the stored files.")
    n_records = serializers.IntegerField()
    n_features = serializers.IntegerField()
    n_anchor = serializers.IntegerField()
    n_test = serializers.IntegerField()
    classes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()


class DatasetsView(views.Resource):
    """The caller's datasets."""

    action_scopes = {"list": "datasets:read", "create": "datasets:write", "retrieve": "datasets:read"}
    parser_classes = (CheckedMultiPartParser,)

    @extend_schema(responses=DatasetOut(many=True))
    def list(self, request: Request) -> Response:
        """List datasets, newest first."""
        return self.page(selectors.for_actor(self.actor), DatasetOut)

    @extend_schema(request={"multipart/form-data": DatasetIn}, responses={201: DatasetOut})
    def create(self, request: Request) -> Response:
        """Take in a dataset whole; when anything is wrong with it, nothing is kept."""
        given = self.given(DatasetIn)
        embeddings = given.pop("embeddings", None)
        file = given.pop("file")
        made = datasets.create(
            actor=self.actor,
            file_name=file.name,
            data=file.read(),
            embeddings=embeddings.read() if embeddings is not None else None,
            **given,
        )
        return self.answer(made, DatasetOut, 201)

    @extend_schema(responses=DatasetOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return a dataset."""
        return self.answer(selectors.get(self.actor, views.id_in_path("dat", public_id)), DatasetOut)
