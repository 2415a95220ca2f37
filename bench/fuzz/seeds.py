"""Writes the seeds that the product itself can make into tests/fuzz/seeds: `python -m bench.fuzz.seeds`.

Those that are there stay as they are. Tokens in them are signed with the harness's own keys, which guard nothing. Inputs that
once broke a law lie beside them, named after what they broke.
"""

import json
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec
from joserfc.jwk import ECKey, RSAKey

from bench.fuzz import SEEDS, envelope, gateway, sockets, token
from bench.fuzz.fhir import DOCUMENT, PAGER
from bench.fuzz.lines import FILES
from bench.fuzz.logs import TARGETS as LOGS
from strongroom.identity.fetch import Fetch
from strongroom.identity.officers import compose_act
from strongroom.identity.strict import unbase64url
from strongroom.keeper import acts
from strongroom.keeper import protocol as p
from strongroom.keeper.frame import frame
from strongroom.logs.datagrams import datagrams
from strongroom.tlog import note
from strongroom.tlog.checkpoint import Checkpoint
from strongroom.tlog.cosign import Submission
from strongroom.tlog.entry import Entry, Op
from strongroom.tlog.entry import encode as encode_entry
from strongroom.tlog.proof import Proof
from strongroom.tlog.tile import render_bundle, render_hashes
from strongroom.tlog.tree import consistency_proof, inclusion_proof

_encode = msgspec.json.encode
_FILES = {target.name for target in LOGS}


def _datagrams(stream: bytes) -> bytes:
    """Each behind two bytes of its length."""
    return b"".join(len(unit).to_bytes(2) + unit for _, _, unit in datagrams([stream]) if unit)


def seeds() -> Mapping[str, Sequence[bytes]]:
    """The inputs of each target."""
    return {**_token(), **_sockets(), **_fhir(), **_envelope(), **_logs(), **_gateway()}


def _gateway() -> Mapping[str, Sequence[bytes]]:
    listing = {"items": [{"document": {"id": 17}}, {"document": {"id": "a-1"}}], "next": None}
    return {
        "gateway-target": [
            b"/letters/17?download=true",
            b"/search?q=O%27Neill+%26+S%C3%B6hne",
            b"/scans/17.png",
            b"/a/",
            b"/",
        ],
        "gateway-request": [
            b"GET\n/letters/17?download=true\nhost:portal\ncookie:sid=1; theme=dark",
            b"POST\n/letters\nhost:portal\ncontent-type:application/pdf\ncontent-length:2520",
            b"POST\n/letters\nhost:portal\ncontent-type:application/json\ntransfer-encoding:chunked",
            b"GET\n/file?patient=1&document=17\nhost:portal",
            b"GET\n/static/js/app-1.2.js\nhost:portal",
        ],
        "gateway-body": [_encode(listing), b"name=ann&pass=a%26b+c", b'{"a": "]}\\"", "b": [1e400]}'],
        "gateway-multipart": [
            (
                b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nLetter\r\n--b\r\nContent-Disposition: form-data; '
                b'name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7\r\n--\r\n--b--\r\n'
            ),
        ],
        "gateway-listing": [_encode(listing)],
        "gateway-answer": [
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nabc",
            b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: x\r\n\r\n",
            b"HTTP/1.0 200 OK\r\n\r\nabc",
        ],
        "gateway-settings": [*gateway.SETTINGS, b'[gateway]\nroutes = "learn"\nproxies = ["10.0.0.0/8"]\n'],
    }


def _logs() -> Mapping[str, Sequence[bytes]]:
    line = (
        b'203.0.113.9 - ann [29/Dec/2025:22:00:00 +1300] "GET /documents/4711?x=1 HTTP/1.1" 200 2520 "-" "Mozilla/5.0"'
    )
    web = {
        "time": "2025-12-29T09:00:00Z", "remote_addr": "203.0.113.9", "request_uri": "/documents/4711", "status": 200,
        "request": {"method": "GET", "headers": {"User-Agent": ["x"]}},
    }  # fmt: skip
    bucket = (
        b"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be b [29/Dec/2025:09:00:00 +0000] 192.0.2.3 - 3E5 "
        b'REST.GET.OBJECT a%2520b.pdf "GET /a.pdf HTTP/1.1" 200 - 1 1 1 1 "-" "-" - x= - - - b.s3.amazonaws.com - - -'
    )
    balanced = (
        b"https 2025-12-29T09:00:00.186641Z app/p/5 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 -1 200 200 0 57 "
        b'"GET https://www.example.com:443/d/4711?x=a HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn "Root=1" "w" "-" 1 - "-"'
    )
    allowed = {"Effect": "Allow", "Principal": {"AWS": ["*", "222222222222"]}, "Action": "s3:GetObject"}
    record = {
        "eventName": "PutBucketPolicy", "eventSource": "s3.amazonaws.com", "eventTime": "2025-12-29T09:00:00Z",
        "userIdentity": {"type": "IAMUser", "userName": "ops"}, "recipientAccountId": "111111111111",
        "requestParameters": {"bucketName": "b", "bucketPolicy": {"Statement": [allowed]}},
    }  # fmt: skip
    rule = b"title: t\nlogsource: {category: webserver}\ndetection:\n  s: {cs-uri-stem|contains: [a*, b]}\n  condition: not s\n"
    trail = _encode({"Records": [record, record]})
    return {
        **{f"hunt-{name}": [file] for name, file in FILES.items() if f"hunt-{name}" in _FILES},
        "hunt-access": [line],
        "hunt-access-json": [_encode(web)],
        "hunt-alb": [balanced],
        "hunt-s3": [bucket],
        "hunt-cloudtrail": [_encode(record)],
        "hunt-table": [b"2025-12-29,ann,4711,200,17", b"Get,2025-12-29T09:00:00Z,s3,1.2.3.4,\"{'type': 'x'}\",{}"],
        "hunt-exporter": [_datagrams(FILES["netflow"])],
        "hunt-units": [b"a\r\nb\n\nc", trail, b'[{"a":1},{"a":1}]'],
        "hunt-sample": [line + b"\n" + line, trail],
        "hunt-log-format": [
            b'$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"\n'
            + line,
            b"%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t %a %m %U%q %>s\n2025-12-29T09:00:00.250 203.0.113.9 GET /documents/4711 200",
        ],
        "hunt-guess": [
            b'203.0.113.9 u=ann [29/Dec/2025:22:00:00 +1300] "GET /d/7 HTTP/1.1" 200 5 rt=0.02 "Mozilla/5.0"'
        ],
        "hunt-fields": [_encode({**web, "token": {"sub": "ann"}, "xff": "203.0.113.9", "doc": "7", "sid": "a"})],
        "hunt-forwarded": [b"203.0.113.9, 192.0.2.1", b"10.0.0.1:443,[2001:db8::1]:80, unknown"],
        "hunt-route": [b"/documents/4711?id=7&page=3", b"/2025/12/x%31.pdf"],
        "hunt-rules": [rule],
    }


def _token() -> Mapping[str, Sequence[bytes]]:
    claims, bound = token.CLAIMS, token.BOUND_CLAIMS
    others: tuple[ECKey | RSAKey, ...] = (
        ECKey.generate_key("P-256"),
        ECKey.generate_key("P-384"),
        RSAKey.generate_key(2_048),
    )
    keys: list[dict[str, object]] = [
        {**key.as_dict(private=False), "kid": str(at), "use": "sig"} for at, key in enumerate(others)
    ]
    strangers = token.sealed(_encode(token.HEADER), _encode(claims), token.CLIENTS_KEY)
    head, proof = (token.as_json(part) for part in token.PROOF)
    return {
        "token-text": [*(one.encode() for one in token.TOKENS), strangers.encode()],
        "token-claims": [
            _encode(claims), _encode(bound), _encode({**claims, "aud": ["x", token.AUDIENCE], "nbf": token.AT}),
            _encode({**claims, "aud": "x"}), _encode({**claims, "exp": token.AT - 100}), _encode({**claims, "sid": "", "jti": ""}),
        ],
        "token-header": [
            _encode(token.HEADER), _encode({**token.HEADER, "jwk": token.CLIENTS_KEY.jwk()}),
            _encode({**token.HEADER, "typ": "id+jwt"}), _encode({**token.HEADER, "alg": "ES256"}),
        ],
        "token-proof": [
            token.as_json(token.PROOF), token.sealed(head, proof, token.CLIENTS_KEY).encode(),
        ],
        "token-keys": [token.ISSUERS_KEY.jwks(), _encode({"keys": keys})],
        "token-context": [
            unbase64url(token.CONTEXT.split(".")[1]), token.CONTEXT.encode(),
            token.CONTEXT.rpartition(".")[0].encode() + b"." + b"A" * 43,
        ],
        "token-url": [token.URL.encode(), b"HTTP://Store.Example:80", b"https://[2001:db8::1]:8443/a?b#c"],
        "token-act": [compose_act(token.STORE, "freeze", {"scope": "module", "classes": ["read"]}, token.NOW)],
    }  # fmt: skip


def _sockets() -> Mapping[str, Sequence[bytes]]:
    asking = p.Asking(token="t", context="c", proof="p", purpose="TREAT")  # noqa: S106  # a token of nobody
    requests: list[p.AppRequest] = [
        p.Ping(), p.Release(asking=asking, document="d" * 26, version=1, length=5), p.List(asking=asking, patient="p" * 26),
        p.Deposit(asking=asking, patient="p" * 26, category="normal", content_type="text/plain"), p.WhoAmI(asking=asking),
        p.Withhold(asking=asking, patient="p", party="q", rule_out_glass=True), p.History(asking=asking, patient="p", since=0),
    ]  # fmt: skip
    row = p.Row(
        document="d" * 26, version=1, patient="p" * 26, category="normal", state="available", content_type="text/plain",
        size=1, updated=2, metadata_key=b"k" * 32,
    )  # fmt: skip
    released = p.Released(
        receipt=1, document="d", version=1, patient="p", content_type="text/plain", size=1, sealed_size=73, updated=2,
        key=b"k" * 32,
    )  # fmt: skip
    replies: list[p.Reply] = [
        p.Status(open=True, log_size=3), p.Refused(why="spent", retry=5), p.Listed(receipt=4, rows=(row, row)), p.Done(),
        released, p.Known(account="a", kind="person", own=("p",)),
    ]  # fmt: skip
    act = acts.Act(body=b'{"op":"freeze"}', signatures=(acts.Signature(officer="ann", value=b"s" * 64),))
    others = [act, acts.Health(), acts.ActDone(receipt=1), acts.ActRefused(why="no"), *_moving()]
    unknown = {"type": "Unknown"}
    stream = b"".join(frame(at, request) for at, request in enumerate(requests, 1))
    answers = b"".join(frame(at, reply) for at, reply in enumerate(replies, 1))
    body = b'{"keys":[]}'
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n%b\r\n0\r\n\r\n" % body
    return {
        "socket-stream": [frame(1, requests[0]), stream, answers, frame(1, act)],
        "socket-message": [
            msgspec.msgpack.encode((at, one)) for at, one in enumerate((*requests, *replies, *others, unknown))
        ],
        "socket-server": [frame(1, requests[0]), stream, frame(1, unknown) + frame(2, p.Ping())],
        "socket-client": [frame(1, replies[0]), answers],
        "socket-line": [b"CONNECT op.example:443\n", b"CONNECT other.example:8443\n", b"https://op.example/jwks"],
        "socket-wire": [_hello()],
        "socket-http": [
            b"GET /fhir/metadata?a=b HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
            b"POST /fhir/Binary HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET / HTTP/1.0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ],
        "socket-answer": [
            b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n%b" % body,
            chunked,
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n%b" % body,
        ],
    }


def _moving() -> tuple[object, ...]:
    """What is said when a version is re-encrypted."""
    taken = acts.Taken(
        patient="p", document="d", version=1, edition=1, content_type="text/plain", sealed_size=73, content=b"k" * 32,
        metadata=b"l" * 32, new_content=b"m" * 32, new_metadata=b"n" * 32,
    )  # fmt: skip
    return acts.Take(ticket="t"), acts.Move(ticket="t", document="d", version=1, done=True), taken


def _hello() -> bytes:
    """What a TLS server answers first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server, source = sockets.tls()
    speaking = server.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(Fetch(source).start())
    with suppress(ssl.SSLWantReadError):
        speaking.do_handshake()
    return outgoing.read()


_PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "party", "valueReference": {"reference": "Organization/o"}},
        {"name": "until", "valueInstant": "2026-12-31T00:00:00Z"},
        {"name": "end", "valueBoolean": False},
    ],
}
_FEED = (
    {"resourceType": "Parameters", "parameter": [
        {"name": "organisation", "valueId": "clinic"}, {"name": "sequence", "valueInteger": 1},
        {"name": "created", "valueInstant": "2026-01-31T10:00:00Z"}]},
    {"resourceType": "Organization", "id": "clinic", "name": "A Clinic"},
    {"resourceType": "Practitioner", "id": "d", "name": [{"family": "A", "given": ["B"]}], "active": True,
     "identifier": [{"system": "urn:strongroom:account", "value": "https://op.example|d"}]},
    {"resourceType": "Patient", "id": "p", "name": [{"text": "C"}], "birthDate": "1990-02-03",
     "identifier": [{"system": "urn:a", "value": "1"}, {"system": "urn:strongroom:account", "value": "https://op.example|p"}]},
    {"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "Patient/p"}, "name": [{"text": "D"}],
     "identifier": [{"system": "urn:strongroom:account", "value": "https://op.example|r"}],
     "relationship": [{"coding": [{"code": "MTH"}]}], "period": {"start": "2020-01-01", "end": "2030-01-01T00:00:00Z"}},
)  # fmt: skip
_HEADERS = b'bytes=0-99\napplication/fhir+json;q=0.5, */*\nW/"1"\n"1", W/"2"\nhandling=strict; a="b"\n12\nr-1\n"1"'
_LINKED = (
    b'<div xmlns="http://www.w3.org/1999/xhtml" style="color: red"><a href="https://a.example/b" title="c">d</a>'
    b'<img src="#e" alt="f"/><br/></div>'
)

_ACTIVE = (
    b"<script>x</script>", b'<p onclick="x">y</p>', b'<a href="java&#9;script:x">y</a>', b'<p style="background: url(x)">y</p>',
)  # fmt: skip


def _div(inner: bytes) -> bytes:
    return b'<div xmlns="http://www.w3.org/1999/xhtml">%b</div>' % inner


def _fhir() -> Mapping[str, Sequence[bytes]]:
    document = json.loads(DOCUMENT)
    least = {name: document[name] for name in ("resourceType", "status", "subject", "content")}
    binary = {
        "resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8=",
        "securityContext": {"reference": "Patient/p"},
    }  # fmt: skip
    feed = [_encode(one) for one in _FEED]
    return {
        "fhir-document": [DOCUMENT, _encode(least)],
        "fhir-binary": [_encode(binary)],
        "fhir-parameters": [
            _encode(_PARAMETERS), b'{"party":"Practitioner/a","until":"2027-01-01"}',
            b'{"patient":"Patient/p","start":"2020","on-demand":"true","type":"a|b,c"}',
        ],
        "fhir-search": [
            b"patient=Patient/p&date=ge2026-01-01&type=http://loinc.org|51855-5,x&_sort=-date&_count=5",
            b"_id=a,b&subject:Patient=p&author:Practitioner=a&status=current&contenttype=text/plain&x=y",
            b"entity=Patient/p&date=lt2027&date=sa2020&_count=500",
            b"period=eb2020&related=Observation/o&_page=z",
        ],
        "fhir-date": [b"2026", b"2026-02", b"2024-02-29", b"2026-01-31T10:00Z", b"2026-06-30T23:59:60.123+14:00"],
        "fhir-headers": [_HEADERS, b"bytes=-5\n\n\n*\n\n\n\n\nBearer x\n_format=json"],
        "fhir-mime": [
            b"%PDF-1.7\n",
            b"<!-- a --><!doctype html><html>", b"<html><script>", b"\xef\xbb\xbf<?xml version='1.0'?><svg:svg>", b"text",
            b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.text",
        ],
        "fhir-people": [b"\n".join(feed), b"\n".join((feed[0], feed[4]))],
        "fhir-narrative": [document["text"]["div"].encode(), _LINKED, *map(_div, _ACTIVE)],
        "fhir-page": [PAGER.token("ann", "date=2026", (7, "d" * 26)).encode()],
    }  # fmt: skip


def _envelope() -> Mapping[str, Sequence[bytes]]:
    nodes, checkpoints, sealed = envelope.NODES, envelope.CHECKPOINTS, envelope.sealed
    entries = [
        Entry(t=1, op=Op.STARTED),
        Entry(t=2, op=Op.RELEASED, actor="a", patient="p", document="d", version=1, charged=1, bytes=5),
        Entry(t=3, op=Op.LISTED, actor="a", patient="p", documents=("d.1", "e.2"), details="x"),
    ]
    proofs = [Proof(0, (), checkpoints[1]), Proof(4, inclusion_proof(4, 21, nodes), checkpoints[21], b"entry 4")]
    longer = Checkpoint(envelope.ORIGIN, 7, b"r" * 32, ("more",)).render()
    return {
        "sealed-cipher": [
            sealed(b"", 1)[:-1], sealed(b"a document", 4), envelope.spoiled(sealed(b"a document", 4), b""),
        ],
        "sealed-plain": [b"", b"\1a document", b"\x80" + bytes(range(256))],
        "sealed-small": [b"", b"metadata"],
        "sealed-binding": [b"a\0b\nc", b""],
        "log-entry": [encode_entry(one) for one in entries],
        "log-note": [note.sign(envelope.SIGNED[0], (envelope.LOG,)), envelope.cosigned(envelope.SIGNED[1])],
        "log-key": [envelope.LOG.verifier.vkey().encode(), envelope.COSIGNER.vkey().encode()],
        "log-checkpoint": [text.encode() for text in (*envelope.SIGNED, longer)],
        "log-tile": [
            b"tile/0/x001/234.p/7", b"tile/entries/000", render_hashes(envelope.LEAVES[:3]),
            render_bundle([b"one", b"", b"three"]),
        ],
        "log-proof": [
            *(one.render() for one in proofs), Submission(5, consistency_proof(5, 21, nodes), checkpoints[21]).render(),
        ],
        "log-stranger": [
            *(proof.render() for proof in proofs[1:]), *(text.encode() for text in (*envelope.SIGNED, longer)),
            note.sign(envelope.SIGNED[0], (envelope.LOG,)), envelope.LOG.verifier.vkey().encode(),
        ],
        "log-path": [
            bytes((4, 5, 21)) + b"".join(inclusion_proof(4, 21, nodes)),
            bytes((4, 8, 20)) + b"".join(consistency_proof(8, 20, nodes)),
        ],
    }  # fmt: skip


def write() -> int:
    """How many were written."""
    count = 0
    for name, inputs in seeds().items():
        folder = SEEDS / name
        folder.mkdir(parents=True, exist_ok=True)
        for at, data in enumerate(inputs):
            if not (file := folder / f"product-{at:02}").exists():
                file.write_bytes(data)
                count += 1
    return count


if __name__ == "__main__":
    print(f"{write()} seeds written to {SEEDS}")
