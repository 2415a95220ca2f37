from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import HOUR, MINUTE, SECOND, Millis
from strongroom.signin.throttle import EVERYBODY, LOGIN, PAIR, Throttle

NOW = Millis(1_767_225_600_000)


def test_a_pair() -> None:
    """Five failures of a login from one network, then a wait that ends by itself."""
    throttle = Throttle()
    waits = [throttle.begin("ann", "n", NOW, known=True) for _ in range(PAIR.count + 1)]
    assert waits == [0] * PAIR.count + [PAIR.window // SECOND]
    assert throttle.begin("ann", "n", Millis(NOW + PAIR.window - 1), known=True) == 1
    assert throttle.begin("ann", "n", Millis(NOW + PAIR.window), known=True) == 0


def test_asking_while_waiting_does_not_prolong() -> None:
    """A refused attempt does not count."""
    throttle = Throttle()
    for _ in range(100):
        throttle.begin("ann", "n", NOW, known=True)
    assert throttle.begin("ann", "n", Millis(NOW + PAIR.window), known=True) == 0


def test_a_login_from_anywhere() -> None:
    """Twenty failures an hour from networks that the login does not know."""
    throttle = Throttle()
    waits = [throttle.begin("ann", f"n{number}", NOW, known=False) for number in range(LOGIN.count + 1)]
    assert waits == [0] * LOGIN.count + [HOUR // SECOND]
    assert throttle.begin("ann", "home", NOW, known=True) == 0
    assert throttle.begin("ben", "n0", NOW, known=False) == 0


def test_everybody() -> None:
    """A flood over many logins stops strangers, and nobody where they signed in before."""
    throttle = Throttle()
    for number in range(EVERYBODY.count):
        assert throttle.begin(f"u{number}", f"n{number}", NOW, known=False) == 0
    assert throttle.begin("new", "new", NOW, known=False) == EVERYBODY.window // SECOND
    assert throttle.begin("ann", "home", NOW, known=True) == 0


def test_success_is_forgiven() -> None:
    """An attempt that succeeded does not count anywhere, and clears its own place."""
    throttle = Throttle()
    for number in range(1_000):
        now = Millis(NOW + number)
        assert throttle.begin("ann", "n", now, known=False) == 0
        throttle.forgive("ann", "n", now, known=False)


def test_memory_is_bounded() -> None:
    """However many logins are tried, the counters kept are as many as were said."""
    throttle = Throttle(max_keys=10)
    for number in range(200):
        throttle.begin(f"u{number}", "n", NOW, known=False)
    assert len(throttle._failures) <= 10


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 10 * MINUTE)), max_size=80))
def test_never_more_than_allowed(attempts: list[tuple[str, str, int]]) -> None:
    """In no quarter of an hour does a login fail more than five times from one network."""
    throttle, admitted, now = Throttle(), dict[tuple[str, str], list[int]](), int(NOW)
    for login, network, by in attempts:
        now += by
        if throttle.begin(login, network, Millis(now), known=False) == 0:
            times = admitted.setdefault((login, network), [])
            times.append(now)
            assert len([at for at in times if at > now - PAIR.window]) <= PAIR.count
