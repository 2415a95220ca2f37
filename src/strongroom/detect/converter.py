"""A program of its own: rules into the language of another system, by pySigma's backends.

These follow an older pySigma than the hunt's, so that it runs under the interpreter of an environment in which they are
installed, and imports nothing of ours. It reads one JSON object: the backend, the files, and for each kind of log what our fields
are called there; and prints one object a rule: its queries, or the reason why there are none.
"""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import (
    FieldMappingTransformation,
    MapStringTransformation,
    SetCustomAttributeTransformation,
)

Document = dict[str, Any]


def main() -> None:
    """Answer what is asked on the standard input."""
    asked = json.load(sys.stdin)
    for file in asked["files"]:
        for answer in of_file(Path(file), asked):
            print(json.dumps({"file": file, **answer}), flush=True)  # noqa: T201  # its answer


def of_file(path: Path, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An answer for each rule of a file that is a rule of its own: what a correlation is made of is a part of it."""
    try:
        documents = [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if isinstance(one, dict)]
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        yield {"title": "", "id": "", "queries": [], "reason": "This is not YAML.", "correlation": ""}
        return
    keys = {str(key): one for one in documents for key in (one.get("name"), one.get("id")) if key}
    parts = {str(key) for one in documents for key in _made_of(one) if not one["correlation"].get("generate")}
    for one in documents:
        if not {str(one.get("name")), str(one.get("id"))} & parts:
            yield {"title": str(one.get("title", "")), "id": str(one.get("id", "")), **_answer(one, keys, asked)}


def _made_of(document: Document) -> list[Any]:
    correlation = document.get("correlation")
    rules = correlation.get("rules", []) if isinstance(correlation, dict) else []
    return rules if isinstance(rules, list) else [rules]


def _answer(document: Document, keys: dict[str, Document], asked: dict[str, Any]) -> dict[str, Any]:
    parts = [keys[str(key)] for key in _made_of(document) if str(key) in keys]
    kind = str(document["correlation"].get("type", "")) if isinstance(document.get("correlation"), dict) else ""
    logs = _logs([one.get("logsource") or {} for one in (document, *parts)])
    names: dict[str, Any] | None = asked["fields"].get(logs)
    if names is None:
        reason = f"What logs of the kind {logs} call their fields there is not known: say it in targets.toml."
        return {"queries": [], "reason": reason, "correlation": kind}
    try:
        collection = SigmaCollection.from_dicts([*parts, document])
        nowhere = sorted(field for field in _fields(collection) if names.get(field, "-") == "")
        if nowhere:
            reason = f"It asks for {', '.join(nowhere)}: computed by the hunt, and no field there."
            return {"queries": [], "reason": reason, "correlation": kind}
        queries = _backend(asked["backend"], names, asked["attributes"]).convert(collection)
    except (SigmaError, NotImplementedError) as error:
        return {"queries": [], "reason": str(error).split(" (while")[0].split(" in ")[0], "correlation": kind}
    except Exception as error:  # noqa: BLE001  # a backend's own mistake must not take the other rules with it
        return {"queries": [], "reason": f"The backend fails: {type(error).__name__}.", "correlation": kind}
    before = names.get("before", "")
    return {"queries": [before + str(query).strip() for query in queries], "reason": "", "correlation": kind}


def _logs(sources: list[dict[str, Any]]) -> str:
    """Which kind of log rules are about: the kinds have sections in targets.toml."""
    said = {str(one.get(part)) for one in sources for part in ("category", "product", "service")}
    if said & {"firewall", "vpcflow"}:
        return "flow"
    if "aws" in said:
        return "aws"
    return "web" if said & {"webserver", "proxy"} else "other"


def _backend(name: str, names: dict[str, Any], attributes: dict[str, str]) -> Any:
    module, _, made = name.partition(":")
    mapping: dict[str | None, str | list[str]] = {
        field: there for field, there in names.items() if there and field not in {"before", "values"}
    }
    items = [ProcessingItem(FieldMappingTransformation(mapping))]
    if "values" in names:
        items.insert(0, ProcessingItem(MapStringTransformation(names["values"])))
    items += [ProcessingItem(SetCustomAttributeTransformation(name, value)) for name, value in attributes.items()]
    return getattr(importlib.import_module(module), made)(processing_pipeline=ProcessingPipeline(items))


def _fields(collection: Any) -> set[str]:
    """Every field that the rules ask for, group by, or count."""
    found: set[str] = set()
    ahead = [detection for rule in collection.rules for detection in _detections(rule)]
    while ahead:
        item = ahead.pop()
        if hasattr(item, "detection_items"):
            ahead += item.detection_items
        elif item.field:
            found.add(item.field)
    for rule in collection.rules:
        found |= {str(field) for field in getattr(rule, "group_by", None) or ()}
        counted = getattr(getattr(rule, "condition", None), "fieldref", None)
        found |= set(counted if isinstance(counted, list) else [counted] if counted else [])
    return found


def _detections(rule: Any) -> list[Any]:
    return list(rule.detection.detections.values()) if hasattr(rule, "detection") else []


if __name__ == "__main__":
    main()
