"""Whatever bytes come, there is one object or a fault; never another error, never a second reading."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.fhir.fault import Faulty, Unacceptable, Unreadable
from strongroom.fhir.grammar import MAX_STRING, read_object

HOSTILE = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"{}x",
    b'{"a":1,"a":2}',
    b'{"a":{"b":1,"b":1}}',
    b'{"a":NaN}',
    b'{"a":-Infinity}',
    b'{"a":' + b"9" * 5_000 + b"}",
    b'{"a":"\xff"}',
    '{"a":1}'.encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a":"raw \n newline"}',
]


@pytest.mark.parametrize("raw", HOSTILE)
def test_what_is_no_json_object_is_unreadable(raw: bytes) -> None:
    """Broken, doubled, foreign or bottomless JSON is a 400 and nothing else."""
    with pytest.raises(Unreadable) as caught:
        read_object(raw)
    assert caught.value.faults[0].code == "structure"


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (None, "structure"),
        ({}, "structure"),
        ([], "structure"),
        ("", "structure"),
        ("  ", "structure"),
        ("a\x00b", "structure"),
        ("\ud800", "structure"),
        ("x" * (MAX_STRING + 1), "too-long"),
        ({"extension": [{"valueString": "no url"}]}, "required"),
        ({"div": "<div xmlns='http://www.w3.org/1999/xhtml'><script/></div>"}, "invalid"),
    ],
)
def test_what_fhir_would_not_have_is_refused_where_it_is(member: object, code: str) -> None:
    """Nulls, empties, control characters, halves of characters and too long texts are faults with a place."""
    with pytest.raises(Unacceptable) as caught:
        read_object(json.dumps({"resourceType": "Thing", "a": [{"b": member}]}).encode())
    fault = caught.value.faults[0]
    assert fault.code == code
    assert fault.expression.startswith("Thing.a[0].b")


@pytest.mark.parametrize("name", ["a\ud800", "\x00", "", "a" * (MAX_STRING + 1)])
def test_a_name_is_a_string_like_others(name: str) -> None:
    """What no string may hold, no member's name may hold: nobody could write it again."""
    with pytest.raises(Unacceptable):
        read_object(json.dumps({"resourceType": "Thing", "a": {name: 1}}).encode())


@pytest.mark.parametrize("name", ["a]", "]", "extension]", "a[0]", "a[0].extension[0]"])
def test_a_name_with_brackets_is_no_list(name: str) -> None:
    """It is read as any name, and what it holds is no extension."""
    assert read_object(json.dumps({name: {"b": 1}}).encode()) == {name: {"b": 1}}


def test_depth_is_bounded() -> None:
    """Forty levels parse as JSON and are still refused."""
    with pytest.raises(Unacceptable):
        read_object(b'{"a":' * 40 + b"1" + b"}" * 40)


def test_base64_may_be_long() -> None:
    """`data` is the one string that may be longer than the bound of all metadata."""
    assert read_object(json.dumps({"data": "A" * (MAX_STRING + 4)}).encode())


def test_at_most_ten_faults_are_told() -> None:
    """A body made of faults does not make an answer without end."""
    with pytest.raises(Unacceptable) as caught:
        read_object(json.dumps({"a": [None] * 1_000}).encode())
    assert len(caught.value.faults) == 10


def test_a_hostile_member_name_does_not_come_back() -> None:
    """What a client calls a member is not repeated unless it could be a path."""
    with pytest.raises(Unacceptable) as caught:
        read_object(json.dumps({"<script>": None}).encode())
    assert caught.value.faults[0].expression == ""


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No input makes another error than ours."""
    with suppress(Faulty):
        assert isinstance(read_object(raw), dict)


def test_every_beginning_of_a_body_is_refused(valid: dict[str, object]) -> None:
    """A body cut anywhere is unreadable; with a tail too."""
    raw = json.dumps(valid).encode()
    for cut in range(len(raw)):
        with pytest.raises(Unreadable):
            read_object(raw[:cut])
    with pytest.raises(Unreadable):
        read_object(raw + b"]")
    assert read_object(raw) == valid


@pytest.mark.parametrize("mark", [b"[1],", b'{"a":1},', b"1,"])
def test_a_body_that_grows_when_it_is_parsed_is_not_parsed(mark: bytes) -> None:
    """Ten megabytes of tiny members took seconds and hundreds of megabytes; base64 of any length is one member."""
    began = time.process_time()
    with pytest.raises(Unreadable):
        read_object(b'{"resourceType":"X","x":[' + mark * 1_500_000 + b"1]}")
    assert time.process_time() - began < 2.0
    assert read_object(b'{"a":{"data":"' + b"A" * 10_000_000 + b'"}}')


def test_a_number_that_nobody_could_write_back() -> None:
    """JSON allows 1e999; it would be stored as null."""
    with pytest.raises(Unreadable):
        read_object(b'{"a": 1e999}')
    assert read_object(b'{"a": 1.5e3}') == {"a": 1_500.0}
