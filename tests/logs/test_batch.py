"""Rows as columns."""

from strongroom.logs.batch import spread, table


def test_rows_become_columns_of_their_types() -> None:
    """Whatever is null in them; no rows are no columns less."""
    found = table(("time", "http_response.code", "store"), [(2**63 - 1, 200, None), (0, None, "ü\0")])
    assert [str(field.type) for field in found.schema] == ["int64", "int32", "string"]
    assert found.to_pylist()[1] == {"time": 0, "http_response.code": None, "store": "ü\0"}


def test_of_keys_that_are_the_same_is_told_once() -> None:
    """And each has its own in its place; of none there are columns all the same."""
    asked: list[str] = []

    def told(key: str) -> tuple[str, int]:
        asked.append(key)
        return key * 2, len(key)

    names = ("store", "time")
    assert [column.to_pylist() for column in spread(names, told, [("a",), ("bb",), ("a",)])] == [
        ["aa", "bbbb", "aa"],
        [1, 2, 1],
    ]
    assert asked == ["a", "bb"]
    assert [len(column) for column in spread(names, told, [])] == [0, 0]
