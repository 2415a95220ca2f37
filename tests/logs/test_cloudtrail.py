"""CloudTrail records."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import cloudtrail
from strongroom.logs.record import BEYOND_64_BITS, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable

ROLE = "arn:aws:sts::111111111111:assumed-role/portal/i-0123456789abcdef0"
RECORD: dict[str, Any] = {
    "eventVersion": "1.09", "eventTime": "2025-12-29T09:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
    "userIdentity": {"type": "AssumedRole", "arn": ROLE, "accountId": "111111111111", "accessKeyId": "ASIAEXAMPLE",
                     "principalId": "AROAEXAMPLE:i-0123456789abcdef0"},
    "sourceIPAddress": "198.51.100.4", "userAgent": "aws-cli/2.15", "eventID": "e-1", "readOnly": True,
    "requestParameters": {"bucketName": "letters", "key": "2025/letter-00417.pdf"},
    "additionalEventData": {"bytesTransferredOut": 252_000.0}, "recipientAccountId": "111111111111",
}  # fmt: skip


def row(**change: Any) -> dict[str, Any]:
    """A readable record, by column."""
    found = cloudtrail.parse(json.dumps({**RECORD, **change}).encode())
    assert not isinstance(found, Unreadable), found
    return dict(zip(cloudtrail.FIELDS, found, strict=True))


def test_a_record() -> None:
    """Every field that is kept lands in its column, and the record is kept whole for rules that name others."""
    found = row()
    assert json.loads(found.pop("raw_data")) == RECORD
    assert found == {
        "time": 1_766_998_800_000, "metadata.log_name": "cloudtrail", "metadata.uid": "e-1", "status_id": 1, "act": "read",
        "principal": ROLE, "principal.kind": "role", "actor.user.name": None, "actor.user.type": "AssumedRole",
        "actor.session.uid": "ASIAEXAMPLE", "src_endpoint.ip": "198.51.100.4", "http_request.user_agent": "aws-cli/2.15",
        "traffic.bytes_out": 252_000, "api.operation": "GetObject", "api.service.name": "s3.amazonaws.com",
        "api.response.error": None, "cloud.account.uid": "111111111111", "store": "letters",
        "route": "letters/{int}/letter-{int}.pdf", "document": "letters/2025/letter-00417.pdf", "number": 417, "meaning": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("identity", "kind", "user"),
    [
        (RECORD["userIdentity"], "address", ROLE),
        ({"type": "IAMUser", "userName": "portal"}, "address", "portal"),
        ({"type": "AWSAccount", "principalId": "AIDAX", "accountId": "222222222222"}, "foreign", None),
    ],
)
def test_who_follows_a_signed_link_is_not_who_signed_it(identity: object, kind: str, user: str | None) -> None:
    """An application signs links, and its people follow them: a reader is an address. Another account's are that account's."""
    found = row(userIdentity=identity, additionalEventData={"AuthenticationMethod": "QueryString"})
    assert (found["principal.kind"], found["actor.user.name"], found["src_endpoint.ip"]) == (kind, user, "198.51.100.4")
    assert kind != "address" or found["principal"] == "198.51.100.4"
    assert row(additionalEventData={"AuthenticationMethod": "AuthHeader"})["principal"] == ROLE


@pytest.mark.parametrize(
    ("identity", "principal", "kind"),
    [
        ({"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}, "198.51.100.4", "anonymous"),
        (
            {"type": "AWSAccount", "principalId": "AIDAX", "accountId": "222222222222"},
            "account 222222222222",
            "foreign",
        ),
        ({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, "ec2.amazonaws.com", "service"),
        ({"type": "IAMUser", "userName": "ann"}, "ann", "login"),
        ({"type": "Root", "arn": "arn:aws:iam::111111111111:root"}, "arn:aws:iam::111111111111:root", "login"),
        ({}, "198.51.100.4", "address"),
        (None, "198.51.100.4", "address"),
        ("odd", "198.51.100.4", "address"),
    ],
)
def test_who_did_it(identity: object, principal: str, kind: str) -> None:
    """Anonymous, another account, a service, a user, the root, and nobody that is named."""
    found = row(userIdentity=identity)
    assert (found["principal"], found["principal.kind"]) == (principal, kind)


@pytest.mark.parametrize(
    ("change", "act"),
    [
        ({"eventName": "ListObjects"}, "list"),
        ({"eventName": "PutObject", "readOnly": False}, "write"),
        ({"eventName": "DeleteObject", "readOnly": False}, "delete"),
        ({"eventName": "DescribeInstances"}, "other"),
    ],
)
def test_what_was_done(change: dict[str, Any], act: str) -> None:
    """One word for each kind of act."""
    assert row(**change)["act"] == act


def test_an_export_names_its_time_otherwise() -> None:
    """`@timestamp` takes the place of a missing eventTime."""
    record = {name: value for name, value in RECORD.items() if name != "eventTime"}
    found = cloudtrail.parse(json.dumps({**record, "@timestamp": "2025-12-29T09:00:00.000Z"}).encode())
    assert not isinstance(found, Unreadable)
    assert found[0] == 1_766_998_800_000


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", NO_JSON),
        (b"7", NOT_THIS_FORMAT),
        (b"{}", NOT_THIS_FORMAT),
        (json.dumps({**RECORD, "eventName": 7}).encode(), NOT_THIS_FORMAT),
        (json.dumps({**RECORD, "eventTime": "soon"}).encode(), NO_TIME),
        (json.dumps({**RECORD, "additionalEventData": {"bytesTransferredOut": 1e30}}).encode(), BEYOND_64_BITS),
        (b'{"eventName":' * 50_000, NO_JSON),
    ],
)
def test_what_cannot_be_read_has_a_reason(raw: bytes, reason: Unreadable) -> None:
    """No JSON, another object, no time, numbers beyond 64 bits, depth without end."""
    assert cloudtrail.parse(raw) == reason


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(RECORD)), JSON))
def test_nothing_raises_for_values_of_other_kinds(change: dict[str, Any]) -> None:
    """Whatever stands in the fields; what is read can be stored."""
    found = cloudtrail.parse(json.dumps({**RECORD, **change}).encode())
    if not isinstance(found, Unreadable):
        for value in found:
            assert not isinstance(value, str) or value.encode()


WORDS = st.sampled_from(
    ["", "AssumedRole", "AWSService", "AWSAccount", "IAMUser", "s3.amazonaws.com", "anonymous", "é", "a😀", "GetObject",
     "DeleteTrail", "2025-12-29T09:00:00Z", "arn:aws:sts::1:assumed-role/r/i-1", "documents/4711/x.pdf"]
)  # fmt: skip
VALUES = st.one_of(
    WORDS,
    st.none(),
    st.booleans(),
    st.integers(-1, 2**64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.just([]),
    st.just({}),
)


def some(*names: str, of: st.SearchStrategy[object] = VALUES) -> st.SearchStrategy[dict[str, object]]:
    """Objects with some of these members."""
    return st.dictionaries(st.sampled_from(names), of, max_size=len(names))


@given(
    usual=st.fixed_dictionaries(
        {"eventName": WORDS, "eventSource": WORDS, "eventTime": WORDS, "readOnly": st.booleans()}
    ),
    more=some("eventName", "sourceIPAddress", "userAgent", "errorCode", "eventID", "recipientAccountId", "readOnly",
              "x", "@timestamp"),
    identity=some("type", "arn", "userName", "principalId", "invokedBy", "accountId", "accessKeyId") | VALUES,
    asked=some("bucketName", "key", "policy") | VALUES,
    sent=some("bytesTransferredOut", "AuthenticationMethod", of=VALUES | st.just("QueryString")) | VALUES,
    escaped=st.booleans(),
)  # fmt: skip
def test_a_usual_record_says_what_it_says_taken_apart(
    usual: dict[str, object], more: dict[str, object], identity: object, asked: object, sent: object, *, escaped: bool
) -> None:
    """Whatever is in it, and in whatever form."""
    record = {**usual, "userIdentity": identity, "requestParameters": asked, "additionalEventData": sent, **more}
    unit = json.dumps(record, ensure_ascii=escaped).encode()
    decoded = msgspec.json.decode(unit)
    assert cloudtrail.parse(unit) == cloudtrail.row(decoded, unit)
