"""The Core Rule Set as its authors publish it, read from its folder. No rule of it is copied here.

Left out are the files of exclusions for other people's applications, of reputation and rates by address, of responses, and the one
that switches the engine off for local clients (REQUEST-905). What remains is loaded with four changes, each of which
`tests/gateway/test_crs.py` looks for in the rules that are installed:

* **part headers**: libmodsecurity 3.0.9 leaves the line's end in them, so that rule 922110 would block every part with a charset;
  the rule that reads them out lets it go;
* **901181** of 4.25.1 and 3.3.10 does not parse on engines before 3.0.16 (coreruleset#4709) and is left out: XML attributes
  are then always looked at;
* **tags** that no rule refers to are left out: the engine compares them for each rule and each request;
* **rules above the paranoia level** are left out by `reached`: each file jumps over them, but the engine steps on each of them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strongroom.errors import ConfigError

FOLDER: Final = Path("/usr/share/modsecurity-crs/rules")
_LEFT_OUT: Final = re.compile(r"(?:REQUEST-(?:900|903|905|910|912)|RESPONSE-).*")
_PART_TYPE: Final = r'"@rx ^content-type\s*:\s*(.*)$"'
_PART_TYPE_MENDED: Final = r'"@rx ^content-type\s*:\s*(.*?)\s*$"'
_UNREADABLE: Final = re.compile(r"\bid:901181\b")
_VERSION: Final = re.compile(r"ver:'OWASP_CRS/([0-9]{1,2})\.([0-9]{1,3})\.([0-9]{1,3})")
_CHANGING: Final = re.compile(
    r"^[ \t]*SecRule[ \t]+[^\"\n]*\b(?:TIME(?:_(?:DAY|EPOCH|HOUR|MIN|MON|SEC|WDAY|YEAR))?"
    r"|DURATION|UNIQUE_ID|GLOBAL|IP|SESSION|USER|RESOURCE|ENV)\b(?!_)",
    re.MULTILINE,
)
_KNOWN: Final = re.compile(r"\bid:(?:9014[0-9]{2}|949[01][0-9]{2})\b")
"""Sampling, which is off at 100 per cent, and a flag of counts by address, which are never begun (`rules.CORRECTIONS`)."""
_TAG: Final = re.compile(r"tag:'([^'\n]*)',?\\?\n?[ \t]*")
_BY_TAG: Final = re.compile(r"ByTag=([^;,'\"\s]+)")
_ABOVE: Final = (
    r"^SecRule TX:(?:EXECUTING|DETECTION)_PARANOIA_LEVEL \"@lt {level}\" [^\n]*skipAfter:(END-[A-Z0-9-]+)\"\n"
    r"(?:.*\n)*?(?=SecMarker \"?\1\"?$)"
)
"""From where a file jumps to its end, unless the level is so high, to that end."""
_LATER: Final = re.compile(r"phase:(?:[345]|logging|response)")
_FROM_FILE: Final = re.compile(r"(@(?:pm|ipMatch)FromFile) ([A-Za-z0-9._-]+\.data)")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One file, changed as the module says."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All that is loaded. `version` as in 3.3.4."""

    version: tuple[int, int, int]
    files: tuple[RuleFile, ...]
    steady: bool
    """Whether a request is judged by itself alone: by no clock, no count and no number of its own."""

    @property
    def setup(self) -> str:
        """The version as the rules themselves compare it."""
        return "".join(map(str, self.version))


def read(folder: Path, more: Iterable[str] = ()) -> RuleSet:
    """The rules in `folder`. `more`: our own, whose references to tags count too. Raises ConfigError.

    Where there is no such folder, or nothing in it, there are no files.
    """
    if any(character.isspace() for character in str(folder)):
        raise ConfigError("The folder of the Core Rule Set has a space in its name, which its own rules cannot write.")
    paths = sorted(path for path in folder.glob("*.conf") if not _LEFT_OUT.fullmatch(path.name))
    try:
        texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The Core Rule Set in {folder} cannot be read.") from error
    version = next((found for text in texts.values() if (found := _VERSION.search(text))), None)
    bare = {name: _without_comments(text) for name, text in texts.items()}
    kept = frozenset(tag for text in (*bare.values(), *more) for tag in _BY_TAG.findall(text))
    files = tuple(RuleFile(name, _changed(text, folder, kept)) for name, text in bare.items())
    numbers = (int(version[1]), int(version[2]), int(version[3])) if version else (0, 0, 0)
    changing = [
        one for text in bare.values() for one in _directives(text) if _CHANGING.search(one) and not _KNOWN.search(one)
    ]
    return RuleSet(numbers, files, steady=not changing)


def reached(text: str, level: int) -> str:
    """The rules of a file that can be come to at this paranoia level."""
    above = re.compile(_ABOVE.format(level=level + 1), re.MULTILINE)
    return above.sub(lambda found: found[0] if _LATER.search(found[0]) else "", text)


def _changed(text: str, folder: Path, kept: frozenset[str]) -> str:
    text = "".join(directive for directive in _directives(text) if not _UNREADABLE.search(directive))
    text = text.replace(_PART_TYPE, _PART_TYPE_MENDED)
    text = _TAG.sub(lambda found: found[0] if found[1] in kept else "", text)
    return _FROM_FILE.sub(rf"\1 {folder}/\2", text)


def _without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#"))


def _directives(text: str) -> Iterator[str]:
    """Each rule with the lines that continue it, and the rules that are chained to it."""
    found, goes_on = "", False
    for line in text.splitlines(keepends=True):
        found += line
        if line.rstrip().endswith("\\"):
            continue
        goes_on = re.search(r"[\",\s]chain\b", found.rpartition("SecRule")[2]) is not None
        if not goes_on:
            yield found
            found = ""
    if found:
        yield found
