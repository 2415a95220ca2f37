"""The columns, and that every format fills columns that there are."""

from strongroom.logs.formats import FORMATS
from strongroom.logs.read import RECORD
from strongroom.logs.record import COLUMNS, text


def test_formats_fill_columns_that_there_are() -> None:
    """Each once, and none that a reader fills itself."""
    for format_ in FORMATS:
        assert len(set(format_.fields)) == len(format_.fields)
        assert set(format_.fields) <= set(COLUMNS) - set(RECORD)


def test_bytes_that_are_no_text_are_shown() -> None:
    """Nothing is lost, and nothing raises."""
    assert text(b"a\xffb") == "a\\xffb"
