"""The client sends a write again under the same key until it knows the answer."""

import httpx
import pytest

from embedded.demo.client import ApiError, Client


class Server:
    """Answers from a list; an exception in it breaks the connection."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_of(server: Server, patience_s: float = 60.0) -> Client:
    transport = httpx.MockTransport(server)
    return Client("http://api", "ly_live_x_y", transport=transport, patience_s=patience_s, sleep=lambda _: None)


def test_a_write_is_sent_again_under_the_same_key_after_a_broken_connection() -> None:
    server = Server(
        httpx.ReadError("reset"),
        httpx.ConnectError("refused"),
        httpx.Response(503),
        httpx.Response(201, json={"id": 1}),
    )
    client = client_of(server)
    assert client.post("/jobs/", {"title": "x"}) == {"id": 1}
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 1
    assert {request.content for request in server.requests} == {b'{"title":"x"}'}
    assert client.n_resent == 3


def test_two_writes_have_two_keys() -> None:
    server = Server(httpx.Response(200, json={}), httpx.Response(204))
    client = client_of(server)
    assert (client.post("/a/"), client.put("/a/", {})) == ({}, None)
    assert server.requests[0].headers["Idempotency-Key"] != server.requests[1].headers["Idempotency-Key"]


def test_an_answer_still_in_the_making_is_waited_for() -> None:
    busy = httpx.Response(409, json={"code": "idempotency_in_progress"})
    assert client_of(Server(busy, httpx.Response(200, json=[1]))).post("/a/") == [1]


def test_a_problem_is_final_and_names_the_fields() -> None:
    problem = {"code": "validation_failed", "detail": "No.", "errors": [{"field": "label", "detail": "Unknown."}]}
    server = Server(httpx.Response(422, json=problem))
    with pytest.raises(ApiError, match=r"PUT /x/ -> 422 validation_failed: No\. label: Unknown\.") as caught:
        client_of(server).put("/x/", {})
    assert (caught.value.status, caught.value.code, len(server.requests)) == (422, "validation_failed", 1)


@pytest.mark.parametrize("body", [b"<html>", b'"text"'])
def test_an_answer_that_is_no_problem_document_is_told_all_the_same(body: bytes) -> None:
    with pytest.raises(ApiError, match="500"):
        client_of(Server(httpx.Response(500, content=body))).get("/x/")


def test_patience_ends() -> None:
    with pytest.raises(httpx.ConnectError):
        client_of(Server(httpx.ConnectError("refused")), patience_s=-1).get("/x/")


def test_pages_are_followed_to_the_end_with_the_key() -> None:
    first = {"results": [{"n": 1}], "next": "http://api/api/v1/x/?cursor=c"}
    server = Server(httpx.Response(200, json=first), httpx.Response(200, json={"results": [{"n": 2}], "next": None}))
    assert [row["n"] for row in client_of(server).pages("/x/", state="live")] == [1, 2]
    assert server.requests[0].url.params["state"] == "live"
    assert str(server.requests[1].url) == "http://api/api/v1/x/?cursor=c"
    assert all(request.headers["Authorization"] == "Bearer ly_live_x_y" for request in server.requests)


def test_a_file_is_sent_with_its_fields() -> None:
    server = Server(httpx.Response(201, json={"id": "dat_1"}))
    with client_of(server) as client:
        assert client.upload("/datasets/", "pool.npz", b"PK", {"name": "digits"}) == {"id": "dat_1"}
    assert b'filename="pool.npz"' in server.requests[0].content
    assert b'name="name"' in server.requests[0].content
