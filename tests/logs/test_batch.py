"""Rows as columns."""

from strongroom.logs.batch import table


def test_rows_become_columns_of_their_types() -> None:
    """Whatever is null in them; no rows are no columns less."""
    found = table(("time", "http_response.code", "store"), [(2**63 - 1, 200, None), (0, None, "ü\0")])
    assert [str(field.type) for field in found.schema] == ["int64", "int32", "string"]
    assert found.to_pylist()[1] == {"time": 0, "http_response.code": None, "store": "ü\0"}
