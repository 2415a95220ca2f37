"""Signatures as Amazon's own examples have them."""

from strongroom.clock import Millis
from strongroom.courier.sigv4 import Request, signed
from strongroom.secret import Secret

ACCESS, SECRET = "AKIAIOSFODNN7EXAMPLE", Secret(b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
NOW = Millis(1_369_353_600_000)
"""2013-05-24T00:00:00Z."""
HOST = "examplebucket.s3.amazonaws.com"


def signature(request: Request) -> str:
    """What stands behind `Signature=`."""
    return signed(request, ACCESS, SECRET, "us-east-1", NOW)["authorization"].rpartition("=")[2]


def test_the_published_examples() -> None:
    """Three of the S3 API reference (a lifecycle, a listing, a part of an object): the same bytes come out."""
    lifecycle = Request("GET", "/", {"lifecycle": ""}, {"host": HOST})
    assert signature(lifecycle) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    listing = Request("GET", "/", {"prefix": "J", "max-keys": "2"}, {"host": HOST})
    assert signature(listing) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    ranged = Request("GET", "/test.txt", {}, {"host": HOST, "range": "bytes=0-9"})
    assert signature(ranged) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


def test_names_are_encoded_once_and_in_order() -> None:
    """As they are signed they are sent."""
    assert Request("GET", "/a b/ü", {"z": "1", "key marker": "x/y"}).target == "/a%20b/%C3%BC?key%20marker=x%2Fy&z=1"
