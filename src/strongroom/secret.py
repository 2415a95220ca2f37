"""A secret is a type that does not print."""

import hmac


class Secret:
    """Key bytes. `repr`, `str` and formatting show nothing; comparison is constant-time; pickling is refused."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes. Call it at the last moment, and only where they are used."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return "Secret(**redacted**)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a secret is no dictionary key: hashes leak through timing and dumps

    def __reduce__(self) -> str:
        msg = "A secret is not pickled."
        raise TypeError(msg)
