"""A small honest file in every format that hunts read, written by us by the format's own documentation. Fuzzing begins with them,
and the tests hold every reader's promises on them.
"""

from collections.abc import Mapping
from typing import Final

import msgspec


def _json(*entries: object) -> bytes:
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)


def _zeek(path: str, *columns: tuple[str, str]) -> bytes:
    names, cells = ("\t".join(part) for part in zip(*columns, strict=True))
    return (
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
        f"#path\t{path}\n#fields\t{names}\n{cells}\n#close\t2025-12-29-10-00-00\n"
    ).encode()


_IDS: Final = (("id.orig_h", "203.0.113.9"), ("id.orig_p", "50000"), ("id.resp_h", "192.0.2.10"), ("id.resp_p", "443"))
_FIRST: Final = (("ts", "1766998800.250000"), ("uid", "CHhAvVGS1DHFjwGM9"))

FILES: Final[Mapping[str, bytes]] = {
    "access": b'203.0.113.9 - ann [29/Dec/2025:22:00:00 +1300] "GET /documents/4711?x=1 HTTP/1.1" 200 2520 "-" "Mozilla/5.0"\n',
    "access-json": _json({
        "time": "2025-12-29T09:00:00Z", "remote_addr": "203.0.113.9", "request_uri": "/documents/4711", "status": 200,
        "request": {"method": "GET", "headers": {"User-Agent": ["x"]}},
    }),
    "alb": (
        b"https 2025-12-29T09:00:00.186641Z app/p/5 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 -1 200 200 0 57 "
        b'"GET https://www.example.com:443/d/4711?x=a HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn "Root=1" "w" "-" 1 - "-"\n'
    ),
    "s3-access": (
        b"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be b [29/Dec/2025:09:00:00 +0000] 192.0.2.3 - 3E5 "
        b'REST.GET.OBJECT a%2520b.pdf "GET /a.pdf HTTP/1.1" 200 - 1 1 1 1 "-" "-" - x= - - - b.s3.amazonaws.com - - -\n'
    ),
    "cloudtrail": _json({"Records": [
        {"eventName": "GetObject", "eventSource": "s3.amazonaws.com", "eventTime": "2025-12-29T09:00:00Z"},
    ]}),
    "cloudtrail-lines": _json(
        {"eventName": "GetObject", "eventSource": "s3.amazonaws.com", "eventTime": "2025-12-29T09:00:00Z"}
    ),
    "cloudtrail-table": (
        b"Event name,Event time,Event source,Source IP address\nGetObject,2025-12-29T09:00:00Z,s3.amazonaws.com,192.0.2.3\n"
    ),
    "vpc-flow": (
        b"version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end flow-direction action log-status\n"
        b"5 eni-1235b8ca 10.0.1.5 203.0.113.9 443 50000 6 20 24928 1766998800 1766998860 egress ACCEPT OK\n"
        b"5 eni-1235b8ca - - - - - - - 1766998860 1766998920 - - NODATA\n"
    ),
    "zeek-conn": _zeek(
        "conn", *_FIRST, *_IDS, ("proto", "tcp"), ("duration", "1.500000"), ("resp_bytes", "2076543210"), ("conn_state", "SF"),
        ("local_orig", "F"), ("local_resp", "T"), ("orig_pkts", "9"), ("orig_ip_bytes", "980"), ("resp_pkts", "12"),
        ("resp_ip_bytes", "9104"),
    ),
    "zeek-http": _zeek(
        "http", *_FIRST, *_IDS, ("trans_depth", "1"), ("method", "GET"), ("host", "portal.example"), ("uri", "/documents/4711?x=1"),
        ("user_agent", "a\\x09b"), ("response_body_len", "252000"), ("status_code", "200"), ("username", "-"),
        ("proxied", "X-FORWARDED-FOR -> 198.51.100.7"),
    ),
    "zeek-files": _zeek(
        "files", _FIRST[0], ("fuid", "FwSVkw2xz3avAxsa"), ("uid", _FIRST[1][1]), *_IDS, ("source", "HTTP"),
        ("mime_type", "application/pdf"), ("filename", "letter-00417.pdf"), ("is_orig", "F"), ("seen_bytes", "252000"),
    ),
}  # fmt: skip
"""Format's name -> a file that holds at least one event, and nothing that cannot be read."""
