import hashlib
from collections.abc import Iterator

import pytest

from strongroom.authz import published


@pytest.fixture(autouse=True)
def unread() -> Iterator[None]:
    """The hash is read once in a process; each test here reads it anew, and leaves nothing behind."""
    published.policy_hash.cache_clear()
    yield
    published.policy_hash.cache_clear()


def test_both_texts_are_there() -> None:
    """And are not empty."""
    assert "permit" in published.text(published.POLICY)
    assert "entity Person" in published.text(published.SCHEMA)


def test_the_hash_can_be_recomputed_by_anybody() -> None:
    """SHA-256 of the policy, a zero byte and the schema."""
    texts = f"{published.text('policy.cedar')}\0{published.text('policy.cedarschema')}"
    assert published.policy_hash() == hashlib.sha256(texts.encode()).hexdigest()


@pytest.mark.parametrize("changed", [published.POLICY, published.SCHEMA])
def test_the_hash_changes_with_either_text(changed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment counts too: what officers read is what the log names."""
    before, read = published.policy_hash(), published.text
    published.policy_hash.cache_clear()
    monkeypatch.setattr(published, "text", lambda name: read(name) + ("// and\n" if name == changed else ""))
    assert published.policy_hash() != before


def test_text_does_not_move_between_the_two_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The zero byte holds them apart."""
    hashes = set()
    for texts in ({"policy.cedar": "ab", "policy.cedarschema": "c"}, {"policy.cedar": "a", "policy.cedarschema": "bc"}):
        monkeypatch.setattr(published, "text", texts.__getitem__)
        published.policy_hash.cache_clear()
        hashes.add(published.policy_hash())
    assert len(hashes) == 2
