"""``Idempotency-Key``: a write sent again under the same key gets the first answer and is not run again."""

import hashlib
import json
import logging
import uuid
from typing import Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import MalformedRequestError
from common import idempotency
from common.actors import Actor

logger = logging.getLogger(__name__)
HEADER: Final = "HTTP_IDEMPOTENCY_KEY"
METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
REPLAYED: Final = "Idempotent-Replayed"
_LONGEST: Final = 255


class Replay(Exception):  # noqa: N818 (not an error: the answer is already known)
    """The request has been answered before."""

    def __init__(self, stored: idempotency.Stored) -> None:
        super().__init__()
        self.stored = stored


class IdempotentMixin:
    """Give a view's writes the header; put it before the view class."""

    secret_fields: tuple[str, ...] = ()
    """Top-level fields of answers that are not kept: a replay holds null in their place."""

    _ticket: idempotency.Ticket | None = None

    def initial(self, request: Request, *arguments: Any, **parameters: Any) -> None:
        """After authentication and permission: find out whether the request has run."""
        super().initial(request, *arguments, **parameters)  # type: ignore[misc]
        key = request.META.get(HEADER)
        organization_id = request.auth.organization_id if isinstance(request.auth, Actor) else None
        if key is None or organization_id is None or request.method not in METHODS:
            return
        begun = _begin(request, organization_id, key)
        if isinstance(begun, idempotency.Stored):
            raise Replay(begun)
        self._ticket = begun

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a replay from memory."""
        if isinstance(exc, Replay):
            return Response(exc.stored.body, status=exc.stored.status, headers={REPLAYED: "true"})
        response: Response = super().handle_exception(exc)  # type: ignore[misc]
        return response

    def finalize_response(self, request: Request, response: Response, *arguments: Any, **parameters: Any) -> Response:
        """Keep the answer of a success, free the key of a failure."""
        final: Response = super().finalize_response(  # type: ignore[misc]
            request, response, *arguments, **parameters
        )
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._close(ticket, final)
        return final

    def _close(self, ticket: idempotency.Ticket, final: Response) -> None:
        try:
            if final.status_code < 300:
                idempotency.finish(ticket, status=final.status_code, body=self._kept(final.data))
            else:
                idempotency.abandon(ticket)
        except DatabaseError:
            # The answer stands; with the connection the lock is gone too, so the key is not stuck.
            logger.exception("the answer under an Idempotency-Key was not kept")

    def _kept(self, data: Any) -> Any:
        body = json.loads(JSONRenderer().render(data) or b"null")
        if isinstance(body, dict):
            body |= {name: None for name in self.secret_fields if name in body}
        return body


def _begin(request: Request, organization_id: uuid.UUID, key: str) -> idempotency.Ticket | idempotency.Stored:
    if not 0 < len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        raise MalformedRequestError(f"An Idempotency-Key is 1 to {_LONGEST} printable ASCII characters.")
    match = request.resolver_match
    return idempotency.begin(
        organization_id=organization_id,
        key=key,
        route=f"{request.method} {match.route if match else request.path}"[:200],
        fingerprint=idempotency.fingerprint(
            method=str(request.method), path=request.path, body=_comparable(request.data)
        ),
    )


def _comparable(data: Any) -> Any:
    """Return a body as plain JSON, each file by its hash."""
    if not hasattr(data, "lists"):
        return data
    return {name: [_hash(v) if isinstance(v, UploadedFile) else v for v in values] for name, values in data.lists()}


def _hash(file: "UploadedFile[Any]") -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
