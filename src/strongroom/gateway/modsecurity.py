"""libmodsecurity through its C interface: one set of rules, loaded once; one transaction a request.

The library is Debian's `libmodsecurity3`, or another file. ctypes lets go of the interpreter's lock in each call, so transactions
run in threads; loading does not, and happens before any thread begins.

Its log lines hold what matched, which is what patients write. Of a line only the rule's number, the name of the part of the request
and the severity are kept, in the callback itself; the line goes nowhere.
"""

import ctypes
import itertools
import re
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from strongroom.errors import ConfigError, Unavailable

LIBRARY: Final = "libmodsecurity.so.3"
INSTALL: Final = "apt-get install -y --no-install-recommends libmodsecurity3 modsecurity-crs"
MAX_HITS: Final = 64
"""Rules of one request that are remembered."""

_RULE: Final = re.compile(rb'\[file "[^"]*"\] \[line "[0-9]+"\] \[id "([0-9]{1,9})"\]')
_PART: Final = re.compile(rb"against variable `([A-Z_]{1,40})(?::([A-Za-z0-9_.-]{1,60})' |[^A-Z_])")
"""A name that has other characters is left out: it may be text of a person's."""
_FOUND: Final = re.compile(
    rb'detected (?:SQLi|XSS) using libinjection[^"]*"[^"]*"\] \[line "[0-9]+"\] \[id "[0-9]+"\] \[rev ""\] \[msg "[^"]*"\] '
    rb'\[data "Matched Data: [^ ]{1,10}(?: data)? found within ([A-Z_]{1,40})(?::([A-Za-z0-9_.-]{1,60}): |[^A-Z_])'
)
"""The same for rules that tell it in words of their own."""
_SEVERITY: Final = re.compile(rb'\[severity "([0-9])"\]')


class _Intervention(ctypes.Structure):
    _fields_ = (("status", c_int), ("pause", c_int), ("url", c_void_p), ("log", c_void_p), ("disruptive", c_int))


_CALLBACK = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)
_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "msc_init": (c_void_p, ()),
    "msc_who_am_i": (c_char_p, (c_void_p,)),
    "msc_set_connector_info": (None, (c_void_p, c_char_p)),
    "msc_set_log_cb": (None, (c_void_p, _CALLBACK)),
    "msc_create_rules_set": (c_void_p, ()),
    "msc_rules_add_file": (c_int, (c_void_p, c_char_p, POINTER(c_void_p))),
    "msc_rules_add": (c_int, (c_void_p, c_char_p, POINTER(c_void_p))),
    "msc_new_transaction_with_id": (c_void_p, (c_void_p, c_void_p, c_char_p, c_void_p)),
    "msc_process_connection": (c_int, (c_void_p, c_char_p, c_int, c_char_p, c_int)),
    "msc_process_uri": (c_int, (c_void_p, c_char_p, c_char_p, c_char_p)),
    "msc_add_n_request_header": (c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    "msc_process_request_headers": (c_int, (c_void_p,)),
    "msc_append_request_body": (c_int, (c_void_p, c_char_p, c_size_t)),
    "msc_process_request_body": (c_int, (c_void_p,)),
    "msc_intervention": (c_int, (c_void_p, POINTER(_Intervention))),
    "msc_process_logging": (c_int, (c_void_p,)),
    "msc_transaction_cleanup": (None, (c_void_p,)),
}
"""What each gives and takes. An undeclared pointer would be cut to 32 bits."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One rule that matched: its number, the part of the request, and how grave (0 emergency to 7 debug; 8 not said)."""

    rule: int
    part: str
    severity: int


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the rules say. `status` is 0 where nothing is blocked."""

    status: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """A request as the rules see it: the target as it is forwarded, header names and values as they came, a whole body."""

    method: str
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]
    client: str
    body: bytes = b""


class Engine:
    """One engine with one set of rules, for the life of the process: nothing is ever freed but transactions."""

    def __init__(self, library: str = LIBRARY) -> None:
        """Raises ConfigError where there is no such library."""
        try:
            self._c = ctypes.CDLL(library)
            for name, (gives, takes) in _FUNCTIONS.items():
                function = getattr(self._c, name)
                function.restype, function.argtypes = gives, list(takes)
        except (OSError, AttributeError) as error:
            raise ConfigError(
                f"WAF engine missing: {library} cannot be loaded.", advice=f"Install it: {INSTALL}"
            ) from error
        self._free = ctypes.CDLL(None).free  # of the process: whatever allocator was loaded before
        self._free.restype, self._free.argtypes = None, [c_void_p]
        self._engine = self._c.msc_init()
        self._c.msc_set_connector_info(self._engine, b"Strongroom gateway")
        self._heard: dict[int, list[Hit]] = {}
        self._callback = _CALLBACK(self._hear)  # held: the engine keeps its address
        self._c.msc_set_log_cb(self._engine, self._callback)
        self._rules = self._c.msc_create_rules_set()
        self._numbers = itertools.count(1)  # one step of the interpreter, whichever thread takes it
        self.loaded = 0

    @property
    def version(self) -> str:
        """As it names itself."""
        return str(self._c.msc_who_am_i(self._engine).decode("ascii", "replace"))

    def add_file(self, path: Path) -> None:
        """Load rules from a file. Raises ConfigError with the engine's own words. Before any thread begins."""
        self._add(self._c.msc_rules_add_file, str(path).encode(), path.name)

    def add(self, text: str, name: str) -> None:
        """Load rules from `text`, called `name` in errors."""
        # Without the end of its last line the engine's parser would read the next text as its continuation.
        self._add(self._c.msc_rules_add, f"{text}\n".encode(), name)

    def inspect(self, subject: Subject) -> Inspected:
        """What the rules say to a request. Raises Unavailable where the engine does not take it: nothing uninspected passes."""
        number = next(self._numbers)
        hits = self._heard[number] = []
        # With a number of ours: its own is random, and asks the system for it each time.
        transaction = self._c.msc_new_transaction_with_id(self._engine, self._rules, b"%d" % number, number)
        if not transaction:
            del self._heard[number]
            raise Unavailable("The WAF engine takes no request.")
        try:
            status = self._run(transaction, subject, number)
            self._c.msc_process_logging(transaction)
        finally:
            self._c.msc_transaction_cleanup(transaction)
            del self._heard[number]
        return Inspected(status, tuple(hits))

    def _run(self, transaction: int, subject: Subject, number: int) -> int:
        c = self._c
        if b"\0" in subject.target or "\0" in subject.method:
            raise Unavailable("The WAF engine would see half of this request.")
        c.msc_process_connection(transaction, subject.client.encode("ascii"), 0, b"127.0.0.1", 0)
        c.msc_process_uri(transaction, subject.target, subject.method.encode("ascii"), b"1.1")
        if status := self._asked(transaction, number):
            return status
        for name, value in subject.headers:
            c.msc_add_n_request_header(transaction, name, len(name), value, len(value))
        c.msc_process_request_headers(transaction)
        if status := self._asked(transaction, number):
            return status
        if subject.body:
            c.msc_append_request_body(transaction, subject.body, len(subject.body))
            if status := self._asked(transaction, number):
                return status
        c.msc_process_request_body(transaction)  # without a body too: there the rules decide
        return self._asked(transaction, number)

    def _asked(self, transaction: int, number: int) -> int:
        """The status to answer with, or 0. The rule that denies tells it here, and not to the callback."""
        found = _Intervention(status=200)
        if not self._c.msc_intervention(transaction, byref(found)):
            return 0
        if found.log and found.disruptive:
            self._hear(number, ctypes.string_at(found.log))
        for text in (found.url, found.log):
            if text:
                self._free(text)
        return int(found.status) if found.disruptive else 0

    def _add(self, function: Any, what: bytes, name: str) -> None:
        words = c_void_p()
        count = function(self._rules, what, byref(words))
        if count < 0:
            said = ctypes.string_at(words.value).decode("utf-8", "replace") if words.value else "no reason given"
            raise ConfigError(
                f"The WAF's rules in {name} do not load: {said[:500]}", advice=f"Install them again: {INSTALL}"
            )
        self.loaded += count

    def _hear(self, number: int | None, line: bytes | None) -> None:
        """Called by the engine, on the thread of the transaction."""
        hits = self._heard.get(number or 0)
        rule = _RULE.search(line or b"")
        if hits is None or rule is None or line is None or len(hits) >= MAX_HITS:
            return
        part, severity = _PART.search(line) or _FOUND.search(line), _SEVERITY.search(line)
        name = ":".join(word.decode("ascii") for word in part.groups() if word) if part else ""
        hits.append(Hit(int(rule[1]), name, int(severity[1]) if severity else 8))
