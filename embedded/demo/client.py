"""A small client of the HTTP API that a server dying in mid-request cannot confuse.

Every write carries an Idempotency-Key, so it may be sent again until an answer comes: the service runs it once.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx

PATIENCE_S: Final = 60.0
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
_LATER: Final = frozenset({502, 503, 504})
_IN_PROGRESS: Final = "idempotency_in_progress"


class ApiError(Exception):
    """The service answered with a problem; ``code`` is what a program acts on."""

    def __init__(self, status: int, problem: Mapping[str, Any], request: str = "") -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.problem = problem
        fields = "; ".join(f"{e.get('field')}: {e.get('detail')}" for e in problem.get("errors") or [])
        super().__init__(f"{request} -> {status} {self.code}: {problem.get('detail', '')} {fields}".strip())


class Client:
    """One organization's view of the API."""

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        *,
        transport: httpx.BaseTransport | None = None,
        patience_s: float = PATIENCE_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx.Client(
            base_url=f"{base_url}/api/v1", headers=headers, timeout=30.0, transport=transport, trust_env=False
        )
        self._patience_s = patience_s
        self._sleep = sleep
        self.n_resent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """Return what is at an address."""
        return self._send("GET", path, params=parameters)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a write; it takes effect once, however often the connection breaks."""
        return self._send("POST", path, json=dict(body or {}), headers=_key())

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send a write that replaces."""
        return self._send("PUT", path, json=dict(body), headers=_key())

    def upload(self, path: str, file_name: str, content: bytes, fields: Mapping[str, str]) -> Any:
        """Send a file."""
        return self._send("POST", path, files={"file": (file_name, content)}, data=dict(fields), headers=_key())

    def pages(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Return the rows of a list, page after page."""
        page = self.get(path, page_size=500, **parameters)
        while True:
            yield from page["results"]
            if not page.get("next"):
                return
            page = self._send("GET", page["next"])

    def _send(self, method: str, path: str, **options: Any) -> Any:
        """Send until an answer comes that is final, or patience ends."""
        deadline, pause = time.monotonic() + self._patience_s, FIRST_PAUSE_S
        while True:
            outcome = self._try(method, path, options)
            if not isinstance(outcome, Exception):
                return outcome
            if time.monotonic() > deadline:
                raise outcome
            self.n_resent += 1
            self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _try(self, method: str, path: str, options: Mapping[str, Any]) -> Any:
        """Return the answer, or the reason to try again; raise what is final."""
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            return error
        if response.is_success:
            return response.json() if response.content else None
        problem = ApiError(response.status_code, _problem(response), f"{method} {path}")
        if response.status_code in _LATER or problem.code == _IN_PROGRESS:
            return problem
        raise problem


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        return {"detail": response.text[:200]}
    return problem if isinstance(problem, dict) else {"detail": str(problem)[:200]}
