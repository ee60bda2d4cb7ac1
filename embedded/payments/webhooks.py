"""Events told to whoever asked: signed as Stripe signs them, retried, and lost, doubled or late on demand."""

import hashlib
import hmac
import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections import deque

from embedded.payments.books import Books, Thing
from embedded.payments.faults import FaultSource

logger = logging.getLogger(__name__)
MOST_TRIES, PAUSE_S = 5, 0.2


def signature(payload: str, secret: str, timestamp: int) -> str:
    """Return the header that proves who sent a payload.

    >>> signature("{}", "whsec_x", 1).startswith("t=1,v1=")
    True
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def add_endpoint(books: Books, url: str, events: list[str], secret: str) -> Thing:
    """Make an endpoint that is told of events ("*" for all), signed with a secret."""
    fields = {"url": url, "enabled_events": events, "secret": secret, "status": "enabled"}
    return books.make("we", "webhook_endpoint", **fields)


class Messenger(threading.Thread):
    """Sends events to the endpoints registered, from a thread of its own."""

    def __init__(self, books: Books, faults: FaultSource) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._books = books
        self._faults = faults
        self._next = 0
        self._queue: deque[tuple[Thing, Thing, int]] = deque()
        self._is_stopping = threading.Event()

    def stop(self) -> None:
        """End after the delivery in hand."""
        self._is_stopping.set()

    def run(self) -> None:
        """Deliver until told to stop."""
        while not self._is_stopping.wait(0.02):
            self._collect()
            for _ in range(len(self._queue)):
                self._deliver(*self._queue.popleft())

    def _collect(self) -> None:
        with self._books.lock:
            fresh = self._books.events[self._next :]
            self._next = len(self._books.events)
            endpoints = self._books.all("webhook_endpoint")
        for event in fresh:
            for endpoint in endpoints:
                wanted = endpoint["enabled_events"]
                if ("*" in wanted or event["type"] in wanted) and not self._faults.strikes("webhook_lost"):
                    self._queue.append((event, endpoint, 0))
                    if self._faults.strikes("webhook_doubled"):
                        self._queue.append((event, endpoint, 0))
        if len(self._queue) > 1 and self._faults.strikes("webhook_late"):
            self._queue.rotate(-1)

    def _deliver(self, event: Thing, endpoint: Thing, tries: int) -> None:
        payload = json.dumps(event)
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": signature(payload, endpoint["secret"], int(time.time())),
        }
        request = urllib.request.Request(endpoint["url"], payload.encode(), headers)  # noqa: S310 (registered by us)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                response.read()
        except (urllib.error.URLError, OSError) as error:
            logger.info("%s was not taken: %s", event["type"], error)
            if tries + 1 < MOST_TRIES:
                self._is_stopping.wait(PAUSE_S)
                self._queue.append((event, endpoint, tries + 1))
