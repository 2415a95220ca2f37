import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from strongroom.clock import SECOND
from strongroom.identity.context import hash_token
from strongroom.identity.jwk import parse_jwks
from strongroom.identity.jws import read_jws
from strongroom.signin import http
from strongroom.signin.grants import Asked, Denied
from strongroom.signin.http import HASHES, MAX_FORM, WAITING, create_app


@pytest.fixture
def web(desk: Any) -> Iterator[TestClient]:
    """A client at 203.0.113.7."""
    with TestClient(create_app(desk.grants, desk.key), client=("203.0.113.7", 1), raise_server_exceptions=False) as one:
        yield one


def test_metadata_leads_to_everything(web: TestClient, desk: Any) -> None:
    """From the issuer's address alone a client finds keys and the token address; both well-known places agree."""
    found = web.get("/.well-known/openid-configuration").json()
    assert found == web.get("/.well-known/oauth-authorization-server").json()
    assert (found["issuer"], found["token_endpoint"]) == (desk.settings.issuer, f"{desk.settings.issuer}/token")
    keys = web.get(found["jwks_uri"].removeprefix(desk.settings.issuer))
    assert parse_jwks(keys.content) == (desk.key.public,)
    assert "none" not in found["token_endpoint_auth_signing_alg_values_supported"]


def test_a_day(web: TestClient, desk: Any) -> None:
    """Sign in, step up, log out, over HTTP."""
    answer = web.post("/token", data=desk.form())
    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 600)
    assert answer.headers["cache-control"] == "no-store"
    desk.clock.advance(30 * SECOND)
    signed_in = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    stepped = web.post("/step-up", data={"otp": desk.code()}, headers=signed_in)
    assert stepped.status_code == 200
    out = web.post("/logout", headers={"Authorization": f"bearer {stepped.json()['access_token']}"})
    assert (out.status_code, out.content) == (204, b"")
    again = web.post("/logout", headers=signed_in)
    assert again.status_code == 401
    assert again.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert again.json()["error"] == "invalid_token"


def test_bound(web: TestClient, desk: Any) -> None:
    """With a DPoP header the token is bound, and is shown with the scheme of that name."""
    answer = web.post("/token", data=desk.form(), headers={"DPoP": desk.proof()})
    assert answer.json()["token_type"] == "DPoP"
    token = answer.json()["access_token"]
    assert "cnf" in read_jws(token).claims
    headers = {"Authorization": f"DPoP {token}", "DPoP": desk.proof("/logout", ath=hash_token(token))}
    assert web.post("/logout", headers=headers).status_code == 204


def test_two_proofs(web: TestClient, desk: Any) -> None:
    """More than one DPoP header is refused (RFC 9449, section 4.3, check 1)."""
    answer = web.post("/token", data=desk.form(), headers=[("DPoP", desk.proof()), ("DPoP", desk.proof())])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_waiting_is_told(web: TestClient, desk: Any) -> None:
    """Who failed too often is told for how long to wait."""
    answers = [web.post("/token", data=desk.form(password="wrong")) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "900"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x" * (MAX_FORM + 1), "application/x-www-form-urlencoded"),
        (b"grant_type=password&grant_type=password", "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % number for number in range(20)), "application/x-www-form-urlencoded"),
        (b"username=%ff", "application/x-www-form-urlencoded"),
        (b"username=\xff", "application/x-www-form-urlencoded"),
        (b'{"grant_type":"password"}', "application/json"),
        (b"grant_type=password", "text/plain"),
    ],
)
def test_forms_not_taken(web: TestClient, body: bytes, kind: str) -> None:
    """Too long, double, too many, in another encoding or of another type: a clear error."""
    answer = web.post("/token", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/token", 405), ("GET", "/", 404), ("POST", "/jwks.json", 405), ("GET", "/token/../x", 404)],
)
def test_other_ways(web: TestClient, method: str, path: str, status: int) -> None:
    """What is not there is said in JSON too."""
    answer = web.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"] == "invalid_request"


def test_the_database_is_gone(web: TestClient, desk: Any) -> None:
    """Without its database nobody is signed in, and the answer says to come again."""
    desk.people.close()
    answer = web.post("/token", data=desk.form())
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "5"


def test_a_mistake_of_ours(web: TestClient, desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw shows nothing of itself."""

    def fail(_: Asked) -> Denied:
        msg = "secret"
        raise RuntimeError(msg)

    monkeypatch.setattr(desk.grants, "token", fail)
    answer = web.post("/token", data=desk.form())
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    assert "secret" not in answer.text


def test_few_at_once(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are served at once, thirty-two wait or are served; more are turned away at once."""
    gate, lock, inside, most = threading.Event(), threading.Lock(), 0, 0

    def slow(_: Asked) -> Denied:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        gate.wait(60)
        with lock:
            inside -= 1
        return Denied("invalid_grant", "No.")

    monkeypatch.setattr(desk.grants, "token", slow)
    app = create_app(desk.grants, desk.key)

    async def one() -> int:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/token", "headers": [], "query_string": b"",
            "client": ("203.0.113.7", 1),
        }  # fmt: skip
        await app(scope, receive, send)
        status: int = sent[0]["status"]
        return status

    async def all_of_them() -> list[int]:
        tasks = [asyncio.create_task(one()) for _ in range(WAITING + 8)]
        async with asyncio.timeout(60):
            while sum(task.done() for task in tasks) < 8 or inside < HASHES:  # noqa: ASYNC110  # threads tell nobody
                await asyncio.sleep(0.001)
        gate.set()
        return list(await asyncio.gather(*tasks))

    statuses = asyncio.run(all_of_them())
    assert (statuses.count(400), statuses.count(503)) == (WAITING, 8)
    assert most == HASHES


@given(
    body=st.binary(max_size=100)
    | st.dictionaries(
        st.sampled_from(["grant_type", "username", "password", "otp", "client_id", "client_assertion"]),
        st.sampled_from(["password", "client_credentials", "cli", "ann", "\x00", "é", ""]),
    ),
    authorization=st.text(alphabet="BearerDPoP .=x", max_size=40),
)
def test_garbage_is_answered(web: TestClient, body: Any, authorization: str) -> None:
    """Whatever is posted, the answer is an error in JSON with a status below 500."""
    headers = {"Authorization": authorization.strip(), "Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/token", "/step-up", "/logout"):
        sent = {"content": body} if isinstance(body, bytes) else {"data": body}
        answer = web.post(path, headers=headers, **sent)
        assert 400 <= answer.status_code < 500
        assert answer.json()["error"]


def test_a_form_that_does_not_come(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte at a time is as good as nothing: it is not waited for."""
    monkeypatch.setattr(http, "FORM", 0.1)
    app, status = create_app(desk.grants, desk.key), []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    scope = {
        "type": "http", "method": "POST", "path": "/token", "raw_path": b"/token", "query_string": b"", "root_path": "",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")], "client": ("203.0.113.7", 1),
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 60))
    assert status == [400]
