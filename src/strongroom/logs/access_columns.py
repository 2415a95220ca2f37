"""Access logs as columns: what `access.parse` says of each line, said of a whole piece at once.

Every `"` ends a field, so that what is quoted needs no parser of its own: a combined line has seven fields, which are the text
before the request, the request, status and size, referrer, a blank, agent, and the rest. Escaped quotes are put out of sight
before. A line is taken only where it has exactly the usual form; whatever else it is, it is left to `access.parse`, which knows
all forms. That both say the same is held by a property test: this file may be fast, and the other one is right.
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.logs import web
from strongroom.logs.batch import Columns, always, one, split
from strongroom.logs.moment import clf
from strongroom.logs.units import MAX_LINE
from strongroom.logs.web_columns import aims, cut

_COMMON, _COMBINED, _MOST = 3, 7, 41
"""Fields that quotes make of a line without and with referrer and agent; at most."""
_BEFORE, _REQUEST, _ANSWER, _REFERRER, _BETWEEN, _AGENT, _REST = range(_COMBINED)

_BACKSLASH, _QUOTE = b"\x01", b"\x02"
"""In place of the backslash that escapes and of the backslash or quote that is escaped, while fields are told apart."""
_SHOWN: Final = bytes.maketrans(_BACKSLASH + _QUOTE, b'\\"')
_STRANGE: Final = (b"\r", _BACKSLASH, _QUOTE)
"""What no web server writes, and what would be mistaken for the end of a line or for one of these."""

_WHEN: Final = len(" [29/Dec/2025:22:00:00 +1300] ")
_USUAL: Final = (
    r"(?:[!-+\--9;-Z\\-~]+|[!-+\--9;-Z\\-~]*:[!-+\--9;-Z\\-~]*:[!-+\--Z\\-~]*) - [!-~][ -~]* "
    r"\[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}\] $"
)
_HOST: Final = "^[!-9;-~]+:[0-9]{1,5} "
_NO_NUMBER: Final = pa.scalar(None, pa.int64())
_GOOD, _BAD = (pa.scalar(status, pa.int32()) for status in (1, 2))
_STATUS_AND_SIZE: Final = "^ [0-9]{3} (?:-|[0-9]{1,18})"


def columns(piece: bytes) -> Columns:
    """The lines of a piece that have the usual form."""
    lines = _fields(piece if piece.endswith(b"\n") else piece + b"\n")
    told, hosted = len(lines.fields) >= _COMBINED, _hosted(lines.fields[_BEFORE])
    lines = lines.where(_usual(lines, told=told, hosted=hosted))
    times = _times(cut(lines.fields[_BEFORE], 2 - _WHEN, -2))
    if times.null_count:
        lines, times = lines.where(times.is_valid()), times.drop_null()
    return Columns(_values(lines, times, told=told, hosted=hosted), *lines.places())


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines told apart into fields. `starts` and `lengths` are of all lines of the piece, `numbers` says which these are."""

    fields: tuple[pa.Array, ...]
    starts: pa.Array
    lengths: pa.Array
    numbers: pa.Array | None  # None: all

    def where(self, fits: pa.Array) -> "_Lines":
        """Those of them where it is true."""
        if fits.true_count == len(fits):
            return self
        numbers = pc.indices_nonzero(fits) if self.numbers is None else self.numbers.filter(fits)
        return _Lines(tuple(field.filter(fits) for field in self.fields), self.starts, self.lengths, numbers)

    def places(self) -> tuple[pa.Array, pa.Array, tuple[tuple[int, int], ...]]:
        """Where these begin, their lengths, and the places of all others."""
        if self.numbers is None:
            return self.starts, self.lengths, ()
        every = pa.array(range(len(self.starts)), self.numbers.type)
        others = every.filter(pc.invert(pc.is_in(every, value_set=self.numbers)))
        rest = zip(self.starts.take(others).to_pylist(), self.lengths.take(others).to_pylist(), strict=True)
        return self.starts.take(self.numbers), self.lengths.take(self.numbers), tuple(rest)


def _fields(whole: bytes) -> _Lines:
    """Lines told apart by quotes; none that is blank or strange, or has another number of quotes than the first."""
    if _sound(whole):
        text, kept = whole, None
    else:
        lines = whole.split(b"\n")[:-1]
        kept = [number for number, line in enumerate(lines) if _sound(line)]
        text = b"".join(lines[number] + b"\n" for number in kept)
    escaped = b"\\" in text
    if escaped:
        text = _hidden(text)
    width = text[: text.find(b"\n") + 1].count(b'"') + 1
    width = width if _COMMON <= width <= _MOST else _COMBINED
    fields, others = split(text, [str(place) for place in range(width)], '"')
    # A blank line is a row without quotes here: its length would be wrong, and those of all others with it.
    if kept is None and not others and pc.all(pc.not_equal(fields[_BEFORE], one(""))).as_py():
        lengths, numbers = pc.add(_sum(list(map(pc.binary_length, fields))), one(width - 1)).cast(pa.int32()), None
    else:
        lengths = pa.array(map(len, whole.split(b"\n")[:-1]), pa.int32())
        given = kept if kept is not None else range(len(lengths))
        numbers = pa.array([number for place, number in enumerate(given) if place not in others], pa.uint64())
    ends = pc.cumulative_sum(pc.add(lengths, one(1)))
    starts = pc.subtract(ends, pc.add(lengths, one(1)))
    shown = tuple(map(_restored, fields)) if escaped else tuple(fields)
    return _Lines(shown, starts, lengths, numbers)


def _hidden(text: bytes) -> bytes:
    """The text without an escaped quote in it. Backslashes that are escaped themselves are rarer, and to look for them is dear."""
    hidden = text.replace(b'\\"', _BACKSLASH + _QUOTE)
    if b"\\" not in hidden:
        return hidden
    return text.replace(b"\\\\", _BACKSLASH * 2).replace(b'\\"', _BACKSLASH + _QUOTE)


def _sound(line: bytes) -> bool:
    """Whether it is UTF-8 without strange bytes."""
    if any(byte in line for byte in _STRANGE):
        return False
    try:
        return line.isascii() or line.decode() is not None
    except UnicodeDecodeError:
        return False


def _restored(field: pa.Array) -> pa.Array:
    _, offsets, data = field.buffers()
    raw = data.to_pybytes() if data is not None else b""
    if _BACKSLASH not in raw:
        return field
    return pa.StringArray.from_buffers(len(field), offsets, pa.py_buffer(raw.translate(_SHOWN)), None, 0, field.offset)


def _hosted(before: pa.Array) -> bool:
    """Whether the first line names its virtual host."""
    return len(before) > 0 and bool(pc.match_substring_regex(before[:1], _HOST)[0].as_py())


def _usual(lines: _Lines, *, told: bool, hosted: bool) -> pa.Array:
    """Whether lines have the usual form: no regular expression of `access` could read one of them in another way."""
    fields = lines.fields
    fits = pc.match_substring_regex(fields[_BEFORE], (_HOST if hosted else "^") + _USUAL)
    end = " $" if told else "(?: .*)?$" if len(fields) == _COMMON else " .*$"  # where quotes follow, not at once
    fits = pc.and_(fits, pc.match_substring_regex(fields[_ANSWER], _STATUS_AND_SIZE + end))
    if told:
        fits = pc.and_(fits, pc.equal(fields[_BETWEEN], one(" ")))
        ended = pc.starts_with(fields[_REST], " ")
        fits = pc.and_(fits, pc.or_(ended, pc.equal(fields[_REST], one(""))) if len(fields) == _COMBINED else ended)
    lengths = lines.lengths if lines.numbers is None else lines.lengths.take(lines.numbers)
    return pc.and_(fits, pc.less_equal(lengths, one(MAX_LINE)))


def _times(written: pa.Array) -> pa.Array:
    """Times in the form of `clf`, null for those that are none: a day and its zone once, and clocks by arithmetic."""
    days = pc.binary_join_element_wise(
        cut(written, 0, 11), one(":00:00:00"), cut(written, 20, 26), one("")
    ).dictionary_encode()
    begins = pa.array(map(clf, days.dictionary.to_pylist()), pa.int64()).take(days.indices)
    hour, minute, second = (cut(written, place, place + 2).cast(pa.int64()) for place in (12, 15, 18))
    told = pc.and_(pc.less(hour, one(24)), pc.and_(pc.less(minute, one(60)), pc.less_equal(second, one(60))))
    clock = pc.add(pc.multiply(pc.add(pc.multiply(hour, one(60)), minute), one(60)), second)
    return pc.if_else(told, pc.add(begins, pc.multiply(clock, one(1_000))), _NO_NUMBER)


def _values(lines: _Lines, times: pa.Array, *, told: bool, hosted: bool) -> tuple[pa.Array, ...]:
    """The columns, in the order of `web.FIELDS`."""
    fields, many = lines.fields, len(times)
    nothing = always(None, many)
    named = pc.split_pattern(cut(fields[_BEFORE], 0, -_WHEN), " ", max_splits=3 if hosted else 2)
    address, user = (pc.list_element(named, place + hosted) for place in (0, 2))
    said = _said(fields)
    user, address = _unless(user, "-"), _clients(address, said)
    status = cut(fields[_ANSWER], 1, 4).cast(pa.int32())
    answer = fields[_ANSWER]
    size = cut(answer, 5, -1) if told else pc.list_element(pc.split_pattern(answer, " ", max_splits=3), 2)
    aimed = aims(fields[_REQUEST])
    return (
        times,
        always(web.WEB, many),
        pc.if_else(pc.and_(pc.greater_equal(status, one(200)), pc.less(status, one(400))), _GOOD, _BAD),
        aimed.act,
        pc.coalesce(user, address),
        pc.if_else(pc.is_valid(user), one(web.LOGIN), one(web.ADDRESS)),
        user,
        address,
        aimed.method,
        aimed.path,
        aimed.query,
        pc.if_else(pc.equal(fields[_AGENT], one("-")), one(""), fields[_AGENT]) if told else nothing,
        _unless(_unless(fields[_REFERRER], "-"), "") if told else nothing,
        status,
        pc.if_else(pc.equal(size, one("-")), one("0"), size).cast(pa.int64()),
        aimed.route,
        aimed.document,
        aimed.number,
        nothing,
        nothing if said is None else said,
    )


def _said(fields: tuple[pa.Array, ...]) -> pa.Array | None:
    """For whom a proxy says that it asks, in quotes behind the agent; None where no line tells."""
    if len(fields) < _COMBINED + 2:
        return None
    blank, said, after = fields[_REST : _REST + 3]
    told = pc.and_(pc.equal(blank, one(" ")), pc.match_substring_regex(said, f"^(?:{web.FORWARDED})$"))
    told = pc.and_(told, pc.or_(pc.equal(after, one("")), pc.starts_with(after, " ")))
    told = pc.and_(told, pc.not_equal(said, one("-")))
    return pc.if_else(told, said, one(None)) if told.true_count else None


def _clients(address: pa.Array, said: pa.Array | None) -> pa.Array:
    """Who asked through a proxy of one's own (`web.client`)."""
    if said is None:
        return address
    private = pc.match_substring_regex(address, f"^(?:{web.PRIVATE.pattern})$")
    told = pc.and_(said.is_valid(), private)
    if not told.true_count:
        return address
    pairs = zip(address.filter(told).to_pylist(), said.filter(told).to_pylist(), strict=True)
    return pc.replace_with_mask(address, told, pa.array([web.client(*pair) for pair in pairs], pa.string()))


def _unless(values: pa.Array, nothing: str) -> pa.Array:
    """The values, null where they are this."""
    return pc.if_else(pc.equal(values, one(nothing)), one(None), values)


def _sum(parts: list[pa.Array]) -> pa.Array:
    total = parts[0]
    for part in parts[1:]:
        total = pc.add(total, part)
    return total
