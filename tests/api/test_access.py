"""Who asks reaches the door in their own words, and nothing else does."""

import json

import pytest

from strongroom.api.access import NOBODY, as_version, ours, tagged_versions
from strongroom.clock import Millis
from strongroom.envelope import small
from strongroom.identity.context import ContextKey, ContextVerifier, Signer, hash_token, sign_context
from strongroom.ids import is_ours, new_id
from strongroom.keeper import protocol as p
from tests.api.conftest import BASE, OWNER, PATIENT, House, issue


def _asking(house: House) -> p.Asking:
    asked: p.Asking = house.door.asked[-1].asking
    return asked


def test_the_token_and_the_signed_circumstances(house: House) -> None:
    """The token as it came; method, address without query, client, device, proof and purpose."""
    headers = {"Authorization": "DPoP owner", "DPoP": "proof", "X-Request-Id": "r-1", "X-Device-Id": "phone",
               "X-Purpose-Of-Use": "TREAT"}  # fmt: skip
    house.get(f"DocumentReference?patient={PATIENT}", headers)
    asking = _asking(house)
    assert (asking.token, asking.proof, asking.purpose) == ("owner", "proof", "TREAT")
    signed = json.loads(asking.context)
    assert is_ours(signed.pop("request"))
    assert signed == {
        "token": "owner",
        "address": "testclient",
        "method": "GET",
        "url": f"{BASE}/DocumentReference",
        "device": "phone",
        "told": "",
    }


@pytest.mark.parametrize(("sent", "told"), [("gateway.YQ.b-_9", "gateway.YQ.b-_9"), ("a b", ""), ("a" * 8_193, "")])
def test_what_a_gateway_told_is_handed_on(house: House, sent: str, told: str) -> None:
    """In the form that contexts have, or not at all; whether it is a gateway's the keeper finds out."""
    house.get("DocumentReference", {"Authorization": "Bearer owner", "Strongroom-Context": sent})
    assert json.loads(_asking(house).context)["told"] == told


def test_an_occasion_is_named_by_us(house: House) -> None:
    """One name for all that one request asks, another for the next, and never the client's: proofs count once by it."""
    house.get("DocumentReference", **{"X-Request-Id": "mine"})
    house.get("DocumentReference", **{"X-Request-Id": "mine"})
    names = [json.loads(asked.asking.context)["request"] for asked in house.door.asked]
    assert [type(asked) for asked in house.door.asked] == [p.WhoAmI, p.List] * 2
    assert names[0] == names[1] != names[2] == names[3]
    assert "mine" not in names


def test_the_real_signer_fits() -> None:
    """What identity signs with these arguments, identity believes."""
    key, now = ContextKey(small.new_key(), Signer.LOCAL), Millis(1_767_225_600_000)
    context = sign_context(
        key,
        token="t",
        address="192.0.2.1",
        now=now,
        method="GET",
        url=f"{BASE}/Binary/x",
        device="phone",
        request="r-1",
    )
    verified = ContextVerifier([key]).verify(context, now)
    assert not hasattr(verified, "why")
    assert (verified.token_hash, verified.method) == (hash_token("t"), "GET")


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic b3duZXI=", "owner", "Bearer a b", "Bearer <owner>",
     "Bearer " + "a" * 8_193, "Bearer owner,Bearer owner"],
)  # fmt: skip
def test_without_a_credential_nobody_is_asked(house: House, header: str | None) -> None:
    """401, both schemes offered, no error code for what was not presented (RFC 6750)."""
    answer = house.get("DocumentReference", {} if header is None else {"Authorization": header})
    assert (answer.status_code, issue(answer)["code"]) == (401, "login")
    assert answer.headers["www-authenticate"] == 'Bearer realm="strongroom", DPoP realm="strongroom"'
    assert house.door.asked == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "DPoP owner"}, 401),
        ({"Authorization": "DPoP owner", "DPoP": "x" * 8_193}, 401),
        ({**OWNER, "X-Purpose-Of-Use": "treat me"}, 400),
        ({**OWNER, "X-Device-Id": "a b"}, 200),
        ({"Authorization": "bearer owner"}, 200),
    ],
)
def test_the_headers_beside_it(house: House, headers: dict[str, str], status: int) -> None:
    """DPoP needs a proof; a purpose is a code; a device name that is none is left out."""
    assert house.get("DocumentReference", headers).status_code == status
    if status == 200:
        assert json.loads(_asking(house).context)["device"] == ""


@pytest.mark.parametrize("text", ["", "1", "A" * 26, "a" * 25, "a" * 27, "a" * 25 + "1", "a" * 25 + "\n", "../../x"])
def test_ids_that_are_not_ours_are_nobodys(text: str) -> None:
    """They are asked for under one id that nobody has."""
    assert ours(text) == NOBODY
    assert is_ours(NOBODY)
    assert ours(one := new_id()) == one


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("2147483647", 2**31 - 1), ("2147483648", 0), ("9" * 10, 0), ("0", 0), ("01", 0), ("-1", 0), ("1\n", 0),
     ("", 0), ("٣", 0)],
)  # fmt: skip
def test_versions(text: str, number: int) -> None:
    """A number, or the version that no document has."""
    assert as_version(text) == number


def test_entity_tags() -> None:
    """Weak and strong, one and many; what is none is version 0."""
    assert tagged_versions('W/"1", "2" ,W/"x"') == {1, 2, 0}
    assert tagged_versions("1") == {0}


class _Odd:
    """A door that answers another question."""

    async def ask(self, request: p.AppRequest) -> p.Reply:
        """Always the same."""
        return p.Done()


def test_an_answer_to_another_question_is_no_answer(house: House) -> None:
    """503, closed."""
    object.__setattr__(house.app.parts.access, "door", _Odd())
    assert house.get("DocumentReference").status_code == 503
