"""What a watch over logs may ask of the keeper: one login of a person frozen, for some hours.

Its words come from logs, and what stands in a log others have written: nobody need have checked the user's name there. So this
fails towards freezing nobody:

1. The watch signs, as an officer whose role lets it do this and nothing else; nobody has that role until it is given.
2. It is about one login of a person. A program is not frozen: it has no second factor to lift that with.
3. So many in an hour and at once, each for so many hours, whatever is asked: the keeper counts (`FreezeList.ask`).
4. Whoever it is lifts it with a fresh second factor, and an officer does; then it is not asked for again for a week.

What is frozen is in the log, with the watch's name and its reason.
"""

from functools import partial

from strongroom.audit import event
from strongroom.audit.pseudonym import month_at
from strongroom.budget.freeze import Upon
from strongroom.clock import DAY
from strongroom.errors import UsageError
from strongroom.identity.officers import Signed
from strongroom.keeper.arguments import Outcome, by, optional, text
from strongroom.keeper.door import Door

KINDS = frozenset({"person", "clinician"})


async def watch_freeze(door: Door, signed: Signed, _attachment: bytes) -> Outcome:
    """The login `name` of `issuer`; without one, whom our own log calls by this name. Raises UsageError where it is not frozen."""
    args, parts = signed.args, door.parts
    now, reason, name, issuer = (
        parts.clock.now(),
        text(args, "reason"),
        text(args, "name"),
        optional(args, "issuer", str),
    )
    if issuer is None:
        account = parts.catalog.account_shown(name, (month_at(now), month_at(now - DAY)))
    else:
        account = parts.catalog.account(parts.veil.login(issuer, name)).id
    if account is None or parts.catalog.kind_of(account) not in KINDS:
        raise UsageError("It is no login of a person whom the keeper knows.")
    freeze = parts.freezes.ask(account, now, parts.settings.watch)
    if isinstance(freeze, str):
        raise UsageError(freeze)
    target = event.Target(Upon.ACCOUNT.value, account)
    draft = event.frozen(now, target, freeze.why, by=by(signed), until=freeze.until, details=reason)
    # Held before it is written, as every freeze; one that cannot be written is none: nobody could say who asked for it.
    back = partial(parts.freezes.forget, freeze)
    return (await parts.log.append(draft, [door.freezes()], on_failure=back)).index, {}
