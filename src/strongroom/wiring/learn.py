"""Drafting gateway.toml: logs and descriptions are read here, and learned from in `gateway`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.errors import Malformed, OperationError, UsageError
from strongroom.gateway.draft import draft
from strongroom.gateway.learned import Asked, Drafted, Learner
from strongroom.gateway.live import LEAST, WORD, restored
from strongroom.gateway.openapi import MAX_OPENAPI, Described
from strongroom.gateway.sqlite_learned import Learned as Kept
from strongroom.logs import files, formats, guess, read
from strongroom.wiring.gateway import counts_of, learned_of, read_settings


@dataclass(frozen=True, slots=True)
class Learned:
    """A draft. `person_unknown`: whether it asks how people are known. `left_out`: why -> how many."""

    text: str
    routes: list[Drafted]
    left_out: dict[str, int]
    person_unknown: bool


def learn_logs(paths: tuple[str, ...], least: int) -> Learned:
    """From access logs. Raises UsageError, OperationError."""
    learner = Learner(least)
    sources = files.expand(paths)
    for source in sources:
        for asked in _asked(source, learner.left_out):
            learner.add(asked)
    routes = learner.routes()
    said = f"{sum(one.asked for one in routes)} requests in {len(sources)} files"
    return Learned(draft(routes, (), learner.left_out, said), routes, learner.left_out, person_unknown=True)


def learn_live(settings: Path, least: int) -> Learned:
    """From what passed the gateway of these settings, undescribed. Raises ConfigError where nothing was learned."""
    checked = read_settings(settings)
    kept = Kept(learned_of(counts_of(checked, settings)))
    words, learner = kept.words(), Learner(least)
    for path, leaf in kept.leaves():
        leaf.query = {words[name]: values for name, values in leaf.query.items() if name in words}
        leaf.twice = {words[name] for name in leaf.twice if name in words}
        learner.put(restored(path, words), leaf)
    routes = [one for one in learner.routes() if not WORD.search(one.path)]
    asked, left_out = sum(one.asked for one in routes), dict(learner.left_out)
    unknown = learner.asked - asked - sum(left_out.values())
    if unknown:
        left_out[f"with words that fewer than {LEAST} asked for"] = unknown
    if kept.left_out():
        left_out["beyond what is kept"] = kept.left_out()
    kept.close()
    text = draft(routes, checked.settings.people, left_out, f"{asked} requests that passed the gateway")
    return Learned(text, routes, left_out, person_unknown=not checked.settings.people)


def learn_description(path: Path) -> Learned:
    """From an OpenAPI document. Raises OperationError, UsageError."""
    try:
        with path.open("rb") as file:
            found = Described(file.read(MAX_OPENAPI + 1))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}."
        raise OperationError(msg) from error
    except Malformed as error:
        raise UsageError(
            error.message, advice="Give a description of OpenAPI 3 or Swagger 2, in JSON or YAML."
        ) from error
    text = draft(found.routes, found.people, found.left_out, path.name)
    return Learned(text, found.routes, found.left_out, person_unknown=not found.people)


def _asked(source: files.Source, left_out: dict[str, int]) -> Iterator[Asked]:
    """The web requests of one file. Raises UsageError for one that holds none."""
    sample = next(files.blocks(source, formats.SAMPLE), b"")
    format_ = guess.recognise(sample)
    if format_ is None or "http_request.url.path" not in format_.fields:
        msg = f"{source.name} is not a log of web requests that is read."
        raise UsageError(msg, advice="See docs/hunt.md for the formats.")
    account = read.Account()
    names = (*read.RECORD, *format_.fields)
    for batch in read.rows(files.blocks(source), format_, 0, account):
        for row in batch:
            one = _one(dict(zip(names, row, strict=True)))
            if one is not None:
                yield one
    for why, count in account.unreadable.items():
        left_out[f"lines not read ({why})"] = left_out.get(f"lines not read ({why})", 0) + count


def _one(row: dict[str, Any]) -> Asked | None:
    path, query = row["http_request.url.path"], row["http_request.url.query_string"]
    if not path:
        return None
    target = path if query is None else f"{path}?{query}"
    method, status = row["http_request.http_method"], row["http_response.code"]
    return Asked(method or "", target.encode(errors="replace"), status or 0, row["principal"] or "")
