"""What `strongroom doctor` says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`state`: ok, warn, bad. `said` is a sentence, `advice` what to do about it."""

    what: str
    state: str
    said: str
    advice: str = ""
