"""A small JSON client over Django's test client."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

PREFIX = "/api/v1"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        """The error code of a problem."""
        return self.body["code"]

    @property
    def fields(self) -> set[tuple[str, str]]:
        """The fields marked by a problem, with their codes."""
        return {(error["field"], error["code"]) for error in self.body["errors"]}


@dataclass(frozen=True)
class Api:
    """A caller with or without a key."""

    client: Client
    token: str | None
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **extra: Any) -> Answer:
        """Send a request and check what every answer must be: JSON, and a problem when it is an error."""
        if self.token is not None:
            extra.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.token}")
        address = path if path.startswith("/api/") else PREFIX + path
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        content_type = extra.pop("content_type", "application/json")
        response = self.client.generic(method, address, data, content_type=content_type, **extra)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        is_json = "json" in response.headers.get("Content-Type", "json")
        value = json.loads(content or b"null") if is_json else content.decode()
        answer = Answer(response.status_code, value, response.headers)
        if answer.status >= 400:
            assert response.headers["Content-Type"] == "application/problem+json", content[:300]
            assert answer.body["request_id"].startswith("req_")
        return answer

    def get(self, path: str, **extra: Any) -> Answer:
        """Send a GET."""
        return self.send("GET", path, **extra)

    def post(self, path: str, body: Any = None, **extra: Any) -> Answer:
        """Send a POST."""
        return self.send("POST", path, body, **extra)

    def put(self, path: str, body: Any = None, **extra: Any) -> Answer:
        """Send a PUT."""
        return self.send("PUT", path, body, **extra)

    def patch(self, path: str, body: Any = None, **extra: Any) -> Answer:
        """Send a PATCH."""
        return self.send("PATCH", path, body, **extra)

    def made(self, path: str, body: Any = None, **extra: Any) -> Any:
        """Send a POST that must succeed and return its body."""
        answer = self.post(path, body, **extra)
        assert answer.status in {200, 201}, answer.body
        return answer.body
