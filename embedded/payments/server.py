"""The stand-in provider over HTTP."""

import hashlib
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from embedded.payments import pages, routes
from embedded.payments.books import Books, Thing
from embedded.payments.errors import ProviderError
from embedded.payments.faults import NAMES, Faults, FaultSource
from embedded.payments.forms import Params, decode
from embedded.payments.payments_in import close_dispute, fail_refund, open_dispute
from embedded.payments.payments_out import fail_payout
from embedded.payments.replies import Replies, Reply, in_flight
from embedded.payments.routes import Call
from embedded.payments.webhooks import Messenger

MOST_BYTES = 1_000_000


_ON_DEMAND: Final[dict[str, Callable[[Books, Params], Thing]]] = {
    "dispute": open_dispute,
    "close_dispute": close_dispute,
    "fail_refund": fail_refund,
    "fail_payout": fail_payout,
}
"""What banks do, and no API of the provider."""


class LostError(Exception):
    """The connection goes away without an answer."""


class Provider(ThreadingHTTPServer):
    """The server with its books; ``port`` 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, api_key: str, host: str = "127.0.0.1") -> None:
        super().__init__((host, port), _Handler)
        self.api_key = api_key
        self.books = Books()
        self.replies = Replies()
        self.faults = FaultSource()
        self.messenger = Messenger(self.books, self.faults)
        self.messenger.start()

    @property
    def url(self) -> str:
        """Where the provider is found."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def forget_all(self) -> None:
        """Start again with empty books and no faults."""
        with self.books.lock:
            self.books.clear()
            self.replies = Replies()
            self.faults.faults = Faults()

    def server_close(self) -> None:
        """Stop telling events, and close."""
        self.messenger.stop()
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"
    # One packet an answer, sent at once: otherwise each waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
        """Say nothing: requests carry keys."""

    def do_GET(self) -> None:
        """Answer a GET."""
        self._handle("GET")

    def do_POST(self) -> None:
        """Answer a POST."""
        self._handle("POST")

    def do_DELETE(self) -> None:
        """Refuse: nothing is deleted here."""
        self._handle("DELETE")

    def _handle(self, method: str) -> None:
        try:
            body = self._body()
            address = urlsplit(self.path)
            if address.path.startswith("/onboarding/"):
                pages.serve(self, method, address.path, self.server.books)
                return
            reply = self._guarded(lambda: self._dispatch(method, address.path, address.query, body))
        except LostError:
            self.close_connection = True
            return
        self.send_json(reply)

    def _guarded(self, run: Callable[[], Reply]) -> Reply:
        try:
            return run()
        except ProviderError as error:
            return Reply(error.status, error.body)

    def _body(self) -> str:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(min(length, MOST_BYTES))
        if len(data) < length:
            raise LostError
        return data.decode()

    def _dispatch(self, method: str, path: str, query: str, body: str) -> Reply:
        if self.headers.get("Authorization") != f"Bearer {self.server.api_key}":
            raise ProviderError(401, "invalid_request_error", "Invalid API Key provided.")
        if path.startswith("/_stand_in/"):
            return self._control(path, body)
        params = decode(body if method == "POST" else query)
        if method != "POST":
            return self._run(method, path, params)
        return self._once(path, params)

    def _run(self, method: str, path: str, params: Params) -> Reply:
        books, account = self.server.books, self.headers.get("Stripe-Account") or ""
        with books.lock:
            url = self.server.url
            return Reply(200, routes.answer(method, path, lambda i: Call(books, params, i, account, url, path)))

    def _once(self, path: str, params: Params) -> Reply:
        """Carry a change out once per key, on good days and bad."""
        faults, books, replies = self.server.faults, self.server.books, self.server.replies
        key = self.headers.get("Idempotency-Key") or ""
        if faults.strikes("busy"):
            raise ProviderError(429, "invalid_request_error", "Request rate limit exceeded.", "rate_limit")
        if faults.strikes("lost_request"):
            raise LostError
        if key and faults.strikes("in_flight"):
            raise in_flight(key)
        if not key:
            return self._run("POST", path, params)
        fingerprint = hashlib.sha256(json.dumps([path, params], sort_keys=True).encode()).hexdigest()
        with books.lock:
            kept = replies.begin(key, fingerprint, books.now())
        if kept is None:
            kept = self._first(path, params)
            with books.lock:
                replies.end(key, fingerprint, kept, books.now())
            if faults.strikes("lost_answer"):
                raise LostError
        return kept

    def _first(self, path: str, params: Params) -> Reply:
        faults = self.server.faults
        is_broken = faults.strikes("saved_500")
        if is_broken and faults.even():
            return _BROKEN
        reply = self._guarded(lambda: self._run("POST", path, params))
        return _BROKEN if is_broken else reply

    def _control(self, path: str, body: str) -> Reply:
        """Set faults and the clock, open disputes, show the books: for tests and benchmarks."""
        server, given = self.server, json.loads(body or "{}")
        with server.books.lock:
            match path.removeprefix("/_stand_in/"):
                case "faults":
                    server.faults.faults = Faults(**{name: float(given[name]) for name in NAMES & given.keys()})
                case "clock":
                    server.books.clock_offset_s += float(given["advance_s"])
                case name if name in _ON_DEMAND:
                    return self._guarded(lambda: Reply(200, _ON_DEMAND[name](server.books, given)))
                case "books":
                    return Reply(200, server.books.snapshot())
                case _:
                    raise ProviderError(
                        404, "invalid_request_error", f"Use faults, clock, books, {', '.join(_ON_DEMAND)}."
                    )
        return Reply(200, {"ok": True})

    def send_json(self, reply: Reply) -> None:
        """Send an answer."""
        data = json.dumps(reply.body).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Request-Id", "req_" + hashlib.sha256(data).hexdigest()[:14])
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()


_BROKEN = Reply(500, {"error": {"type": "api_error", "message": "An unknown error occurred."}})
