"""The bytes of synthetic documents: PDF, JPEG, text and FHIR, made here, valid, and marked as synthetic.

The JPEG is a small baseline encoder (ITU-T T.81, Annexes A, F and K): greyscale, 8 by 8 blocks of one brightness each.
"""

import json
import math
import random

from strongroom.rehearse.population import Paper, Patient

NOTE = "SYNTHETIC. This document was generated for a demonstration; nobody in it exists."
_WORDS = (
    "reviewed", "stable", "follow-up", "in", "six", "weeks", "no", "change", "blood", "pressure", "within", "range", "advised",
    "rest", "continue", "current", "treatment", "discussed", "with", "whānau", "referred", "for", "assessment", "results",
    "attached", "normal", "mild", "improvement", "noted", "plan", "as", "agreed", "contact", "clinic", "if", "worse",
)  # fmt: skip


def make_content(paper: Paper, patient: Patient) -> bytes:
    """The document's bytes, of about `paper.size`. The same paper always gives the same bytes."""
    rng = random.Random(f"{paper.patient}/{paper.number}")
    if paper.content_type == "image/jpeg":
        return jpeg(rng, paper.size)
    lines = _lines(rng, paper, patient)
    if paper.content_type == "application/pdf":
        return pdf(lines, paper.size, rng)
    if paper.content_type == "application/fhir+json":
        return _fhir(lines, paper, patient)
    return ("\n".join(lines) + "\n").encode()


def _lines(rng: random.Random, paper: Paper, patient: Patient) -> list[str]:
    lines = [paper.title, "", NOTE, "", f"Patient: {patient.name}  ({patient.nhi})", f"Born: {patient.born}",
             f"Date: {paper.written}", f"Author: {paper.author}", ""]  # fmt: skip
    sentences = max(3, min(200, paper.size // 90))
    return lines + [" ".join(rng.choice(_WORDS) for _ in range(12)).capitalize() + "." for _ in range(sentences)]


def _fhir(lines: list[str], paper: Paper, patient: Patient) -> bytes:
    """A document Bundle with what FHIR R4 wants of one (bdl-9, bdl-10, bdl-11): identifier, time, Composition first."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{" ".join(lines[9:])}</div>'
    section = {"title": paper.title, "text": {"status": "generated", "div": div}}
    composition = {
        "resourceType": "Composition", "status": "final", "date": paper.written.isoformat(), "title": NOTE,
        "type": {"coding": [{"system": "http://loinc.org", "code": paper.code}]}, "section": [section],
        "author": [{"display": paper.author}], "subject": {"display": patient.name},
    }  # fmt: skip
    bundle = {
        "resourceType": "Bundle", "type": "document", "timestamp": f"{paper.written}T00:00:00Z",
        "identifier": {"system": "urn:strongroom:synthetic", "value": f"{paper.patient}-{paper.number}"},
        "entry": [{"fullUrl": f"urn:strongroom:synthetic:{paper.patient}-{paper.number}", "resource": composition}],
    }  # fmt: skip
    return json.dumps(bundle, ensure_ascii=False).encode()


def pdf(lines: list[str], size: int, rng: random.Random) -> bytes:
    """A PDF 1.4 of one page for each fifty lines (ISO 32000-1), padded with a comment stream to about `size` bytes."""
    pages = [lines[at : at + 50] for at in range(0, len(lines), 50)]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica"
        b" /Encoding << /BaseEncoding /WinAnsiEncoding /Differences [128 %b] >> >>" % _GLYPHS,
    ]
    for n, page in enumerate(pages):
        text = "\n".join(f"({_escaped(line)}) Tj T*" for line in page)
        stream = f"BT /F1 10 Tf 50 790 Td 14 TL\n{text}\nET".translate(_PLACES).encode("latin-1", "replace")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * n} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream))
    body = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    if len(body) < size:
        body += b"%" + rng.randbytes((size - len(body)) // 2).hex().encode() + b"\n"
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(body)


_MACRONS = "ĀāĒēĪīŌōŪū"
_PLACES = {ord(letter): 128 + place for place, letter in enumerate(_MACRONS)}
_GLYPHS = b" ".join(b"/%cmacron" % letter for letter in b"AaEeIiOoUu")
"""No encoding that PDF knows by name has a long vowel, so ten codes that the text does not use are given to them."""


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


# ---- JPEG -----------------------------------------------------------------------------------------------------------

_DC_COUNTS = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))  # T.81, table K.3
_AC_COUNTS = bytes((1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
"""One code word is enough: every block ends at once (EOB), because it has one brightness."""


def jpeg(rng: random.Random, size: int) -> bytes:
    """A greyscale picture of about `size` bytes: soft waves with noise, as a scan of nothing."""
    side = max(8, int(math.sqrt(max(size - 300, 64) / 1.1)))
    bits = _Bits()
    before = 0
    for row in range(side):
        for column in range(side):
            wave = 40 * math.sin(row / 9) + 40 * math.cos(column / 7)
            level = max(-100, min(100, int(wave + rng.uniform(-12, 12))))
            bits.difference(level - before)
            before = level
            bits.put(0, 1)  # EOB
    edge = (side * 8).to_bytes(2, "big")
    return b"".join((
        b"\xff\xd8",
        b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
        b"\xff\xfe" + (len(NOTE) + 2).to_bytes(2, "big") + NOTE.encode(),
        b"\xff\xdb\x00\x43\x00" + bytes([8] * 64),
        b"\xff\xc0\x00\x0b\x08" + edge + edge + b"\x01\x01\x11\x00",
        b"\xff\xc4\x00\x1f\x00" + _DC_COUNTS + bytes(range(12)),
        b"\xff\xc4\x00\x14\x10" + _AC_COUNTS + b"\x00",
        b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00",
        bits.finish(),
        b"\xff\xd9",
    ))  # fmt: skip


def _dc_codes() -> dict[int, tuple[int, int]]:
    codes, code, symbol = {}, 0, 0
    for length, count in enumerate(_DC_COUNTS, 1):
        for _ in range(count):
            codes[symbol] = (code, length)
            code, symbol = code + 1, symbol + 1
        code <<= 1
    return codes


_DC = _dc_codes()


class _Bits:
    """Entropy-coded bits; a byte of ones is followed by a zero byte (T.81, F.1.2.3)."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._held = 0
        self._count = 0

    def difference(self, value: int) -> None:
        """A DC difference: its category's code, then its low bits (T.81, F.1.2.1)."""
        category = abs(value).bit_length()
        self.put(*_DC[category])
        if category:
            self.put(value if value > 0 else value + (1 << category) - 1, category)

    def put(self, bits: int, length: int) -> None:
        """The low `length` bits of `bits`."""
        self._held = (self._held << length) | bits
        self._count += length
        while self._count >= 8:  # noqa: PLR2004  # bits of a byte
            self._count -= 8
            byte = (self._held >> self._count) & 0xFF
            self._out.append(byte)
            if byte == 0xFF:  # noqa: PLR2004  # a marker's first byte
                self._out.append(0)
            self._held &= (1 << self._count) - 1

    def finish(self) -> bytes:
        """Everything, padded with ones."""
        if self._count:
            self.put((1 << (8 - self._count)) - 1, 8 - self._count)
        return bytes(self._out)
