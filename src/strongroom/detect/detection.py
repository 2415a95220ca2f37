"""What a detection is: what it says to people, and the SQL that says which events are hits."""

from dataclasses import dataclass
from typing import Final, Literal

from strongroom.sigma.rule import Head

SERVED: Final = (
    "(act = 'read' AND status_id = 1 AND document IS NOT NULL "
    """AND coalesce("http_response.code", 200) BETWEEN 200 AND 299)"""
)
"""A document left. Not a redirection, and not an answer that the client's copy is still good."""

ABOUT: Final = """("principal.kind" || ' ' || principal)"""
"""Whom a finding is about when a detection does not say otherwise."""

AGENT: Final = """regexp_replace("http_request.user_agent", '[0-9]+([._][0-9]+)*', '#', 'g')"""
"""What somebody reads with, without its numbers: a new version is no new program."""

Shape = Literal["rule", "walk", "wide", "egress", "foreign"]


@dataclass(frozen=True, slots=True)
class Detection:
    """One detection. `hits` selects (about, fired, event): about whom, when it would first have fired, an event's rowid.

    `quiet` is the level when nothing left: trying is not taking.
    """

    head: Head
    hits: str
    shape: Shape = "rule"
    quiet: bool = False
    note: str = ""  # the thresholds, in words
