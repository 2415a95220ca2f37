"""Who the officers are, changed by officers: one more, one less, the list.

Two sign, at least one of them a privacy or security officer: with one stolen key nobody makes officers, or is rid of them. Where
the other is an operator, a new privacy or security officer waits for `WAIT`, and one signature is enough to dismiss them
meanwhile: two such officers must stay two people, and yet one whose key is lost can be replaced. No dismissal takes away the last
hands for an act that the first three officers of a store can do. A change is an entry in the log; a dismissal holds at once.
"""

import asyncio
from collections.abc import Collection

from strongroom.audit import event
from strongroom.clock import HOUR, Millis
from strongroom.errors import UsageError
from strongroom.identity.officers import Officer, Officers, Role, Signed, check_name, write_officers
from strongroom.keeper import effects
from strongroom.keeper.acts import RULES
from strongroom.keeper.arguments import Arguments, Outcome, by, signers, text
from strongroom.keeper.door import Parts

STATE = "officers"
"""Under which the database has the list, once it was changed (`identity.officers.write_officers`)."""
WAIT = 72 * HOUR
_KEY = 32
_HUMAN = frozenset(Role) - {Role.WATCH}
_JUDGES = frozenset({Role.PRIVACY, Role.SECURITY})
_FIRST = tuple(Officer(role.value, b"", frozenset({role})) for role in sorted(_HUMAN, key=lambda role: role.value))
"""As `init` makes them: one of each."""


class Registering:
    """The acts of one store."""

    def __init__(self, parts: Parts, officers: Officers) -> None:
        self._parts = parts
        self._officers = officers
        self._changing = (
            asyncio.Lock()
        )  # what is written is the whole list: two changes at once could each lose the other

    async def add(self, signed: Signed, _attachment: bytes) -> Outcome:
        """Register an officer. Raises UsageError for what cannot be one, Conflict where the name or the key is taken."""
        if not signed.has(_JUDGES):
            raise UsageError("One of the two who sign is a privacy or security officer.")
        name, key, reason = (text(signed.args, one) for one in ("name", "key", "reason"))
        check_name(name)
        if len(key) != 2 * _KEY:
            raise UsageError("An officer's key is an Ed25519 public key: 32 bytes in hex.")
        roles, now = _roles(signed.args), self._parts.clock.now()
        since = now if roles.isdisjoint(_JUDGES) or signed.has(_JUDGES, 2) else Millis(now + WAIT)
        officer = Officer(name, bytes.fromhex(key), roles, since)
        async with self._changing:
            self._officers.check_new(officer)
            told = f"{reason}\n{', '.join(sorted(role.value for role in officer.roles))}"
            index = await self._write(signed, name, told, (*self._officers.listed(), officer))
            self._officers.put(officer)
        return index, {"since": since}

    async def dismiss(self, signed: Signed, _attachment: bytes) -> Outcome:
        """From now on nothing that this officer signs counts. Raises UsageError where nobody could act in their place."""
        name, reason, now = text(signed.args, "name"), text(signed.args, "reason"), self._parts.clock.now()
        async with self._changing:
            whom = next((one for one in self._officers.listed() if one.name == name and one.roles), None)
            if whom is None:
                raise UsageError("There is no such officer.", advice="`strongroom officer ls` shows them.")
            if whom.since <= now and not signed.has(_HUMAN, 2):
                raise UsageError("It takes two officers to dismiss one.", advice="Name both key files with --officer.")
            there = [one for one in self._officers.listed() if one.since <= now]
            left = [one for one in there if one.name != name]
            if lost := [op for op in RULES if _possible(op, there) > _possible(op, left) and _possible(op, _FIRST)]:
                said = ", ".join(lost)
                raise UsageError(f"Nobody would be left to do this: {said}.", advice="Register a successor first.")
            # Held before it is written, as a freeze is, and kept if it cannot be: this may be the answer to a stolen key.
            self._officers.put(Officer(whom.name, whom.key, frozenset()))
            index = await self._write(signed, name, reason, self._officers.listed())
        return index, {}

    async def listing(self, _signed: Signed, _attachment: bytes) -> Outcome:
        """Names, keys and roles of all, and since when these hold; no roles: was dismissed."""
        rows = [
            {
                "name": one.name,
                "key": one.key.hex(),
                "roles": sorted(role.value for role in one.roles),
                "since": one.since,
            }
            for one in self._officers.listed()
        ]
        return None, {"officers": rows}

    async def _write(self, signed: Signed, name: str, told: str, officers: Collection[Officer]) -> int:
        draft = event.officer(
            self._parts.clock.now(), by(signed), signed.op, target=event.Target("officer", name),
            details=f"{told}\n{signers(signed)}",
        )  # fmt: skip
        return (await self._parts.log.append(draft, [effects.keep_state(STATE, write_officers(officers))])).index


def _roles(args: Arguments) -> frozenset[Role]:
    given = args.get("roles")
    try:
        roles = frozenset(Role(one) for one in given) if isinstance(given, list) else frozenset[Role]()
    except ValueError:
        roles = frozenset()
    if not roles:
        raise UsageError(f"An officer has at least one role of {', '.join(role.value for role in Role)}.")
    if Role.WATCH in roles and len(roles) > 1:
        raise UsageError("A watch is no person: its key lies on a server, and has no other role.")
    return roles


def _possible(op: str, officers: Collection[Officer]) -> bool:
    rule = RULES[op]
    return sum(1 for one in officers if not one.roles.isdisjoint(rule.roles)) >= rule.signatures
