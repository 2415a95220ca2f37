"""Documents as another program's reader sees them: a decoder of our own, written from the standards, not from the encoder."""

import random
import zlib
from collections.abc import Iterator

import pytest

from strongroom.rehearse.content import _Bits, jpeg, pdf


def segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, payload) up to the scan, whose payload is everything up to the end marker (T.81, Annex B)."""
    at = 2
    while True:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:
            yield marker, content[at + 2 + length : -2]
            return
        yield marker, content[at + 4 : at + 2 + length]
        at += 2 + length


def words(table: bytes) -> dict[str, int]:
    """Code words to symbols of a DHT segment (T.81, Annex C)."""
    found, code, at = {}, 0, 17
    for length in range(1, 17):
        for _ in range(table[length]):
            found[format(code, f"0{length}b")] = table[at]
            code, at = code + 1, at + 1
        code *= 2
    return found


def decode(content: bytes) -> tuple[int, int, list[int]]:
    """(width, height, DC level of each block). Fails on whatever a baseline decoder would not take."""
    parts = list(segments(content))
    frame = next(payload for marker, payload in parts if marker == 0xC0)
    tables = {payload[0]: words(payload) for marker, payload in parts if marker == 0xC4}
    scan = parts[-1][1].replace(b"\xff\x00", b"\xff")
    bits = "".join(format(byte, "08b") for byte in scan)
    at, level, levels = 0, 0, []

    def symbol(table: dict[str, int]) -> int:
        nonlocal at
        for length in range(1, 17):
            if (found := table.get(bits[at : at + length])) is not None:
                at += length
                return found
        raise AssertionError("no such code word")

    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    for _ in range((width // 8) * (height // 8)):
        size = symbol(tables[0x00])
        raw = bits[at : at + size]
        assert len(raw) == size
        at += size
        level += (int(raw, 2) if raw[0] == "1" else int(raw, 2) - (1 << size) + 1) if size else 0
        levels.append(level)
        assert symbol(tables[0x10]) == 0  # EOB
    assert set(bits[at:]) <= {"1"}
    assert len(bits) - at < 8
    return width, height, levels


@pytest.mark.parametrize("size", [0, 300, 2_000, 20_000])
def test_the_picture_decodes_to_its_last_bit(size: int) -> None:
    """Every block has a brightness that eight bits hold, and nothing but padding is left over."""
    content = jpeg(random.Random(7), size)
    width, height, levels = decode(content)
    assert width == height
    assert len(levels) == (width // 8) ** 2
    assert all(-128 <= level <= 127 for level in levels)
    if size >= 2_000:
        assert 0.75 * size <= len(content) <= 1.1 * size
        assert max(levels) - min(levels) > 60  # a picture, no flat grey


def test_two_pictures_differ() -> None:
    """A haul of equal pictures would count as one."""
    assert zlib.crc32(jpeg(random.Random(1), 3_000)) != zlib.crc32(jpeg(random.Random(2), 3_000))


def test_the_pdf_keeps_macrons_and_brackets() -> None:
    """Long vowels have codes of their own, named in the font's encoding; what means something to PDF is escaped."""
    content = pdf(["Tāne (Ōpua) \\ Zoë", "ĀāĒēĪīŌōŪū"], 0, random.Random(1))
    assert b"(T\x81ne \\(\x86pua\\) \\\\ Zo\xeb) Tj" in content
    assert bytes(range(128, 138)) in content
    names = b"/Amacron /amacron /Emacron /emacron /Imacron /imacron /Omacron /omacron /Umacron /umacron"
    assert b"/Differences [128 " + names + b"]" in content
    assert b"?" not in content


def test_the_pdf_says_how_long_its_pages_are() -> None:
    """Each stream has its declared length, and a page for each fifty lines."""
    content = pdf([f"line {n}" for n in range(120)], 9_000, random.Random(1))
    assert content.count(b"/Type /Page ") == 3
    assert b"/Count 3" in content
    for part in content.split(b"/Length ")[1:]:
        length, rest = part.split(b" >>\nstream\n", 1)
        assert rest[int(length) :].startswith(b"\nendstream")
    assert 9_000 <= len(content) <= 9_500


def test_a_byte_of_ones_is_stuffed_and_the_rest_padded_with_ones() -> None:
    """T.81, F.1.2.3: else a decoder would take it for a marker. Today's pictures hold none, by luck of their codes."""
    bits = _Bits()
    bits.put(0x3FF, 10)
    bits.put(0, 3)
    assert bits.finish() == b"\xff\x00\xc7"
