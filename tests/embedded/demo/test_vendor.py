"""Each simulated vendor has its vice, and answers the same record the same way every time."""

import json
import random
from typing import Any

import httpx
import pytest

from embedded.demo import answers, onboarding
from embedded.demo.answers import Truth
from embedded.demo.behaviours import CAST, behaviour_of
from embedded.demo.client import Client
from embedded.demo.setting import Setting
from embedded.demo.vendor import LOOK_FOR_REWORK_EVERY, VendorProgram

RUN = Setting("http://api", "/nowhere", seed=0, n_rounds=2, n_per_round=10, domain="d")
TRUTH = {f"uri-{i}": Truth(i % 10) if i % 5 else Truth(-1, "out_of_scope") for i in range(200)}


class Market:
    """Offers one batch and takes what comes."""

    def __init__(self, n_records: int = 20, refusal: int | None = None, code: str = "offer_expired") -> None:
        self.n_records = n_records
        self.refusal = refusal
        self.code = code
        self.offer = "live"
        self.work = ""
        self.given: dict[str, dict[str, Any]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        match request.method, path.strip("/").split("/"):
            case "GET", ["offers"]:
                return _page([{"id": "off_1"}] if self.offer == "live" else [])
            case "POST", ["offers", _, decision]:
                return self._decide(decision)
            case "GET", ["assignments"]:
                return _page([{"id": "asg_1"}] if self.work == request.url.params["state"] else [])
            case "GET", ["assignments", _]:
                return httpx.Response(200, json={"records": self._records()})
            case _:
                return self._take(json.loads(request.content)["annotations"])

    def _decide(self, decision: str) -> httpx.Response:
        if self.refusal and decision == "accept":
            self.offer = "live" if self.code == "capacity_exhausted" else "expired"
            return httpx.Response(self.refusal, json={"code": self.code})
        self.offer, self.work = decision, "reserved" if decision == "accept" else ""
        return httpx.Response(200, json={"id": "asg_1" if decision == "accept" else "off_1"})

    def _records(self) -> list[dict[str, Any]]:
        return [{"key": f"k{i}", "uri": f"uri-{i}", "is_done": f"k{i}" in self.given} for i in range(self.n_records)]

    def _take(self, annotations: list[dict[str, Any]]) -> httpx.Response:
        self.given |= {annotation["key"]: annotation for annotation in annotations}
        self.work = "submitted" if len(self.given) == self.n_records else "started"
        return httpx.Response(200, json={})


def _page(rows: list[dict[str, Any]]) -> httpx.Response:
    return httpx.Response(200, json={"results": rows, "next": None})


def worked(key: str, market: Market, turns: int = 3) -> Market:
    client = Client("http://api", "k", transport=httpx.MockTransport(market))
    program = VendorProgram(client, behaviour_of(key), RUN, TRUTH, sleep=lambda _: None)
    for _ in range(turns):
        program.turn()
    return market


def test_the_silent_one_never_answers() -> None:
    assert worked("silent", Market()).offer == "live"


def test_the_staller_accepts_and_never_starts() -> None:
    market = worked("staller", Market())
    assert (market.work, market.given) == ("reserved", {})


def test_the_half_deliverer_stops_in_the_middle() -> None:
    assert len(worked("half", Market()).given) == 10


def test_the_ordinary_one_delivers_everything() -> None:
    market = worked("steady", Market())
    assert (market.work, len(market.given)) == ("submitted", 20)


def test_rework_is_done_again() -> None:
    market = worked("steady", Market())
    market.work, first = "rework", market.given.pop("k3")
    client = Client("http://api", "k", transport=httpx.MockTransport(market))
    program = VendorProgram(client, behaviour_of("steady"), RUN, TRUTH, sleep=lambda _: None)
    for _ in range(LOOK_FOR_REWORK_EVERY):
        program.turn()
    assert (market.work, market.given["k3"]) == ("submitted", first)


def test_the_decliner_declines_most_offers() -> None:
    behaviour = behaviour_of("decliner")
    assert behaviour.accepts_ratio < 0.5


@pytest.mark.parametrize("refusal", [404, 409])
def test_an_offer_that_ran_out_is_no_error(refusal: int) -> None:
    assert worked("steady", Market(refusal=refusal)).given == {}


def test_a_vendor_without_a_free_slot_declines_instead_of_keeping_the_customer_waiting() -> None:
    assert worked("steady", Market(refusal=409, code="capacity_exhausted")).offer == "decline"


def test_any_other_refusal_is_an_error() -> None:
    with pytest.raises(Exception, match="403"):
        worked("steady", Market(refusal=403))


def error_ratio(key: str) -> float:
    market = worked(key, Market(n_records=200))
    wrong = 0
    for i in range(200):
        truth, given = TRUTH[f"uri-{i}"], market.given[f"k{i}"]
        wrong += given.get("label") != str(truth.label) if truth.label >= 0 else "cannot_label" not in given
    return wrong / 200


def test_prices_and_care_differ_as_told() -> None:
    assert error_ratio("careful") < error_ratio("sloppy") < error_ratio("spammer")
    assert behaviour_of("careful").price_micro > behaviour_of("steady").price_micro > behaviour_of("sloppy").price_micro


def test_the_cast_is_at_least_seven_and_holds_every_vice() -> None:
    assert len(CAST) == len({b.key for b in CAST}) == len({b.name for b in CAST}) >= 7
    assert {b.key for b in CAST} >= {"silent", "decliner", "staller", "half", "spammer", "careful", "sloppy"}


def test_the_same_record_gets_the_same_answer() -> None:
    assert worked("sloppy", Market()).given == worked("sloppy", Market()).given


def test_mistakes_are_lookalikes_mostly_and_never_the_truth() -> None:
    rng = random.Random(0)
    given = [answers.answer(Truth(4), 1.0, 10, rng).label for _ in range(500)]
    assert 4 not in given
    assert given.count(9) > 3 * given.count(5)
    assert answers.answer(Truth(-1, "corrupted"), 1.0, 10, rng).label >= 0


class SignUps:
    """Refuses the first address as taken."""

    def __init__(self) -> None:
        self.emails: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.emails.append(json.loads(request.content)["email"])
        if len(self.emails) == 1:
            return httpx.Response(409, json={"code": "conflict"})
        return httpx.Response(201, json={"organization": {"id": "org_1"}, "api_key": {"secret": "ly_live_a_b"}})


def test_a_sign_up_whose_answer_was_lost_takes_another_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = SignUps()
    monkeypatch.setattr(
        onboarding, "Client", lambda url, key="": Client(url, key, transport=httpx.MockTransport(server))
    )
    folder = tmp_path_factory.mktemp("run")
    run = Setting("http://api", str(folder), seed=0, n_rounds=1, n_per_round=1, domain="d")
    onboarding.sign_up(run, name="N", kind="vendor", key="steady")
    assert len(set(server.emails)) == 2
    assert json.loads((folder / "keys" / "steady.json").read_text())["token"] == "ly_live_a_b"
