"""Receipts: only the log's own seal makes them, and only as they stand."""

import pytest
from msgspec.structs import replace

from strongroom.audit.receipt import Receipt, ReceiptSeal
from strongroom.errors import Tampered
from strongroom.ids import DocumentId, PatientId
from strongroom.tlog.entry import Op

COVERS = frozenset({(DocumentId("a"), 1), (DocumentId("b"), 2)})


def issued(seal: ReceiptSeal) -> Receipt:
    """A receipt for two versions."""
    return seal.issue(7, bytes(32), Op.RELEASED, PatientId("pat"), COVERS)


def test_a_receipt_passes_its_own_seal() -> None:
    """What was issued holds, with a patient and without."""
    seal = ReceiptSeal()
    seal.check(issued(seal))
    seal.check(seal.issue(8, bytes(32), Op.STARTED, None, frozenset()))


def test_another_keepers_receipt_is_refused() -> None:
    """A receipt of another process, or one made up, opens nothing."""
    with pytest.raises(Tampered):
        ReceiptSeal().check(issued(ReceiptSeal()))


@pytest.mark.parametrize(
    "change",
    [
        {"index": 8}, {"leaf": b"\x01" * 32}, {"op": Op.LISTED}, {"patient": PatientId("other")}, {"patient": None},
        {"covers": frozenset({(DocumentId("a"), 1)})}, {"covers": COVERS | {(DocumentId("c"), 1)}},
        {"covers": frozenset({(DocumentId("a"), 2), (DocumentId("b"), 1)})}, {"tag": bytes(32)},
    ],
    ids=range(9),
)  # fmt: skip
def test_a_changed_receipt_is_refused(change: dict[str, object]) -> None:
    """No field can be exchanged, added or taken away."""
    seal = ReceiptSeal()
    with pytest.raises(Tampered):
        seal.check(replace(issued(seal), **change))
