"""What is said to whoever is refused by a rung of the ladder: a status, and a sentence that a person can act upon."""

from typing import Final

from strongroom.gateway.refusal import Refusal
from strongroom.gateway.rule import Rung

_CHALLENGE: Final = ((b"www-authenticate", b'StepUp realm="documents"'),)


def refusal(rung: Rung, rule: str) -> Refusal:
    """By that rung, for that rule."""
    name = f"guard-{rule}"
    match rung:
        case Rung.SLOW:
            return Refusal(429, name, "Too much at once. Try again in some seconds.", extra=((b"retry-after", b"10"),))
        case Rung.STEP_UP:
            return Refusal(
                401,
                name,
                "No page has shown you this. Open it from the list of your documents, or sign in again.",
                extra=_CHALLENGE,
            )
        case Rung.SESSION:
            return Refusal(401, name, "This session has been ended. Sign in again.")
        case Rung.ACCOUNT:
            return Refusal(
                403, name, "Documents cannot be opened with this account for now. Ask the portal's help desk."
            )
        case Rung.NEWCOMERS:
            return Refusal(
                401,
                name,
                "Too many people are new here at once. Open it on a device that you used here before, prove again who you are,"
                " or ask the portal's help desk.",
                extra=_CHALLENGE,
            )
        case _:
            return Refusal(403, name, "For now only documents that a page of yours shows can be opened.")
