"""Which addresses are lists."""

import pytest

from strongroom.logs import lists


@pytest.mark.parametrize(
    ("segment", "before", "expected"),
    [("4711", "patients", True), ("4711", "Patient", True), ("Patients(4711)", "odata", True), ("4711", "documents", False),
     ("Documents(4711)", "patients", False)],
)  # fmt: skip
def test_ids_of_people_stand_behind_a_word_for_them(segment: str, before: str, expected: bool) -> None:
    """Or are its key."""
    assert lists.of_people(segment, before) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/documents", True),
        ("/Observation", True),
        ("/d/letters.json", True),
        ("/letters.zip", False),
        ("/content", False),
    ],
)
def test_collections_are_lists_of_somebodys(path: str, expected: bool) -> None:
    """And of nobody's else."""
    assert lists.collects(path, whose=True) is expected
    assert lists.collects(path, whose=False) is False


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/list", True), ("/a/_search", True), ("/document.list", True), ("/LoadDocumentList", True), ("/doclist.php", True),
     ("/checklist", False), ("/research", False), ("/listing/4", False)],
)  # fmt: skip
def test_words_for_lists_are_enough(path: str, expected: bool) -> None:
    """By themselves, behind what they are of, or as the last of several."""
    assert lists.collects(path, whose=False) is expected
