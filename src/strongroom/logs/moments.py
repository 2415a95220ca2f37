"""Times of many records at once: what `moment.any_of` says of each."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.logs.batch import one
from strongroom.logs.moment import any_of
from strongroom.logs.web_columns import cut

_LENGTHS: Final = {len("2025-12-29T09:00:00Z"), len("2025-12-29T09:00:00.000Z")}
_YEAR_1: Final = -62_135_596_800_000
"""Before there are no times for Python, and for Arrow there are."""


def moments(written: Sequence[str]) -> pa.Array:
    """Milliseconds since 1970 UTC, null for what is no time."""
    texts = pa.array(written, pa.string())
    if len(set(map(len, written))) == 1 and len(written[0]) in _LENGTHS and all(map(str.isascii, written)):
        end = len(written[0])
        forms = (pc.equal(cut(texts, 10, 11), one("T")), pc.equal(cut(texts, end - 1, end), one("Z")))
        if all(form.true_count == len(written) for form in forms):
            try:
                found = texts.cast(pa.timestamp("ms", "UTC")).cast(pa.int64())
            except pa.ArrowInvalid:
                found = None
            if found is not None and pc.min(found).as_py() >= _YEAR_1:
                return found
    return pa.array(map(any_of, written), pa.int64())
