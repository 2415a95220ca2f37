"""Why a request was refused, in words for whoever looks after the portal: which rule, which part of the request, how to exempt it.

From what is kept of it: numbers of rules and names of parts. No word of what stood in them is known here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from strongroom.gateway.orders import Match, Refused
from strongroom.gateway.rule import DEFAULTS

SUMS: Final = frozenset({949, 959, 980})
"""Rules that only add up what others found."""
POINTS: Final = {3: 4, 4: 3, 5: 2, 6: 0, 7: 0}
"""What the Core Rule Set adds up, by severity; what is graver counts `BLOCKS`."""
BLOCKS: Final = 5
OURS: Final = 9_000_000
"""Where the numbers of our own rules begin: they have a digit more."""
_LOOKS_FOR: Final = {
    911: "methods that are unusual", 913: "programs that search for holes", 920: "requests that are not as HTTP wants them",
    921: "requests within requests", 922: "odd parts of an upload", 930: "paths to files of the server",
    931: "addresses of files elsewhere", 932: "commands to the server", 933: "PHP", 934: "code for Node.js and other engines",
    941: "scripts in pages", 942: "commands to a database", 943: "sessions that were made elsewhere", 944: "Java",
    940: "what our own rules look for",
}  # fmt: skip
_PARTS: Final = {
    "ARGS": "the parameter or field", "ARGS_GET": "the parameter", "ARGS_POST": "the field", "REQUEST_HEADERS": "the header",
    "REQUEST_COOKIES": "the cookie", "FILES": "the file name of the part", "MULTIPART_PART_HEADERS": "the header of the part",
}  # fmt: skip
_WHOLE: Final = {
    "ARGS": "a parameter or field", "ARGS_NAMES": "the name of a parameter or field", "REQUEST_URI": "the address",
    "REQUEST_URI_RAW": "the address", "REQUEST_FILENAME": "the path", "REQUEST_BASENAME": "the end of the path",
    "REQUEST_LINE": "the request line", "REQUEST_BODY": "the body", "REQUEST_HEADERS": "a header",
    "REQUEST_HEADERS_NAMES": "the name of a header", "REQUEST_COOKIES": "a cookie", "REQUEST_COOKIES_NAMES": "the name of a cookie",
    "FILES": "the name of a file", "FILES_NAMES": "the name of a part", "QUERY_STRING": "the query", "REQUEST_METHOD": "the method",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explained:
    """`said`: lines for people; `exempt`: for `[waf] exempt`; `allow`: what follows `strongroom gateway allow`."""

    said: tuple[str, ...]
    exempt: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


def explained(one: Refused) -> Explained:
    """Why, and what to do if it was honest."""
    if one.rule.startswith("waf-"):
        return _waf(one)
    if one.rule.startswith("guard-"):
        return _guard(one)
    return Explained(
        (f"The rule {one.rule} of the contract: docs/gateway.md says when. Describe the request to let it pass.",)
    )


def snippet(before: Iterable[str], exempt: Iterable[str]) -> str:
    """What to write in gateway.toml: what is exempt already, and this."""
    lines = "".join(f'    "{part}",\n' for part in dict.fromkeys((*before, *exempt)))
    return f"[waf]\nexempt = [\n{lines}]\n"


def _waf(one: Refused) -> Explained:
    matches = [match for match in dict.fromkeys(one.matches) if match.rule // 1_000 not in SUMS]
    said = [
        f"Rule {match.rule} looks for {looks_for(match.rule)}; it found some in {part(match.part)}."
        for match in matches
    ]
    exempt = tuple(f"{match.rule} {match.part}" for match in _blocking(matches) if _is_part(match))
    nameless = [match.rule for match in matches if not _is_part(match)]
    if nameless:
        said.append(
            f"No part can be exempt from {', '.join(map(str, dict.fromkeys(nameless)))}: it has no name, or none that is plain."
        )
    if any(":" not in name for name in exempt):
        said.append("Where a part is a whole (the address, the body), the rule looks at none of any request then.")
    return Explained(tuple(said), exempt)


def _guard(one: Refused) -> Explained:
    name = one.rule.removeprefix("guard-")
    rule = next((rule for rule in DEFAULTS if rule.name == name), None)
    why = f" {rule.why}" if rule is not None else ""
    whose = f"person:{one.person}" if one.person else f"network:{one.network}"
    said = (f"The guard's rule {name}, not the WAF.{why}", f"It was asked for by {whose}.")
    return Explained(said, (), (whose, "--rule", name) if name != "by-hand" else ())


def _blocking(matches: list[Match]) -> list[Match]:
    """Those without which it would have passed: what is mild stays, as long as what stays does not block by itself."""
    found, stays = [], 0
    for match in sorted(matches, key=lambda match: -match.severity):
        points = POINTS.get(match.severity, BLOCKS)
        if stays + points < BLOCKS:
            stays += points
        else:
            found.append(match)
    return [match for match in matches if match in found]


def looks_for(rule: int) -> str:
    """In plain words, by the family of the rule's number."""
    return _LOOKS_FOR.get(rule // 1_000 if rule < OURS else rule // 10_000, "something unwanted")


def part(name: str) -> str:
    """A part of a request, in plain words."""
    whole, _, single = name.partition(":")
    if single:
        return f"{_PARTS.get(whole, whole)} `{single}`"
    return _WHOLE.get(whole, f"`{whole}`" if whole else "a part whose name is not told")


def _is_part(match: Match) -> bool:
    whole, _, single = match.part.partition(":")
    return (
        bool(whole)
        and whole != "TX"
        and (bool(single) or whole not in {"ARGS", "REQUEST_HEADERS", "REQUEST_COOKIES", "FILES"})
    )
