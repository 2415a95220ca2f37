"""What is wrong with something a client sent: where, and in a sentence. Never repeats the client's values."""

from dataclasses import dataclass

from strongroom.errors import Malformed


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `code` is of FHIR's issue-type, `expression` the FHIRPath of the element, or empty."""

    code: str
    text: str
    expression: str = ""


class Faulty(Malformed):
    """The input is not acceptable. `faults` has at least one entry; the first names the first thing to mend."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(" ".join(fault.text for fault in faults))
        self.faults = faults


class Unreadable(Faulty):
    """Not JSON, not form data, or not a request that we understand. HTTP 400."""


class Unacceptable(Faulty):
    """Readable, and not a resource that we can keep. HTTP 422."""
