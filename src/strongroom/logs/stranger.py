"""What a file that is no log that is known looks like, in a sentence that says what to do.

Names in it are the file's own: whoever prints the sentence makes them harmless.
"""

import re
from typing import Final

from strongroom.logs import members, suggest
from strongroom.logs.record import Unreadable, text

_MAGIC: Final = (
    (b"PK\x03\x04", "a zip archive (or an office document): unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    (b"Rar!", "a rar archive: unpack it"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "a database of SQLite: export its table as CSV"),
    (b"ElfFile", "an event log of Windows: export it as CSV"),
    (b"LPKSHHRH", "a journal of systemd: journalctl --file=… -o json"),
    (b"\xd4\xc3\xb2\xa1", "a capture of packets: let Zeek or softflowd make flows of it"),
    (b"\x0a\x0d\x0d\x0a", "a capture of packets: let Zeek or softflowd make flows of it"),
)
_NAME: Final = re.compile(r'\s*"?[A-Za-z_@$][\w .@$()/-]{0,60}"?\s*')
_SHOWN: Final = 12
_TABLE = "name them under [columns] in a --mapping (docs/hunt.md)"


def looks(sample: bytes) -> str:
    """What a file begins like that has this sample at its beginning."""
    if not sample.strip(b"\xef\xbb\xbf \t\r\n"):
        return "it is empty"
    for magic, said in _MAGIC:
        if sample.startswith(magic):
            return f"it is {said}"
    if b"\0" in sample[:4_096]:
        return "it is binary, or UTF-16 without a mark of byte order: no text"
    first = sample.lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0].rstrip(b"\r")
    if first.startswith(b"{"):
        entry = members.decode(first)
        if not isinstance(entry, Unreadable):
            return f"it is JSON with the members {_some(list(entry))}: {_table(sample)}"
    for delimiter in (",", "\t", ";", "|"):
        cells = text(first[:4_096]).split(delimiter)
        if len(cells) >= 3 and all(_NAME.fullmatch(cell) for cell in cells):  # noqa: PLR2004  # fewer are a sentence
            return f"it is a table with the columns {_some([cell.strip(' ' + chr(34)) for cell in cells])}: {_table(sample)}"
    return "an access log in a format of its own is read by --log-format, the string that configures it (docs/hunt.md)"


def _table(sample: bytes) -> str:
    """What to do with a table."""
    told = suggest.columns(sample)
    if not told:
        return _TABLE
    return (
        f"it is read by a --mapping with the line {suggest.written(told)} (a guess: look it over; docs/hunt.md has all)"
    )


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(name[:60] for name in names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
