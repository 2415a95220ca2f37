"""A port for a program that is started in a moment."""

import socket

import pytest

from strongroom.wiring.port import HIGH, LOW, free_port


def test_a_port_is_free_and_no_outgoing_connection_takes_it() -> None:
    """It can be listened on, and lies below those that the system gives to connections."""
    number = free_port()
    assert LOW <= number <= HIGH
    with socket.create_server(("127.0.0.1", number)):
        pass


def test_a_taken_port_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one is; and where none is free, it is said."""
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        number = taken.getsockname()[1]
        drawn = iter([number, number, number + 1])
        monkeypatch.setattr("random.randint", lambda _low, _high: next(drawn))
        assert free_port() == number + 1
        monkeypatch.setattr("random.randint", lambda _low, _high: number)
        with pytest.raises(OSError, match="No port"):
            free_port()
