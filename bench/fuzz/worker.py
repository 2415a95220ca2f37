"""One target under the fuzzer, in a process of its own: `python -m bench.fuzz.worker MODULE NAME SECONDS CORPUS RESULT`.

The product is imported through the fuzzer's instrumentation, so that inputs which reach new code are kept and varied. What a
target finds does not end the run: each finding is written down once by its kind and place, and the search goes on. What ends
the process all the same (a crash of native code, a hang that no signal reaches) is the parent's to count (`bench.fuzz`).

MODULE holds `TARGETS`; CORPUS is a directory with seeds, which grows; RESULT is where the outcome goes, as JSON (`Outcome`).
"""

import hashlib
import importlib
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # it brings no types
import msgspec

from bench.fuzz import Finding, Outcome
from bench.fuzz.target import Hang, Target, Watch
from bench.fuzz.trees import mutate_json, mutate_msgpack

LOOK = 64
"""Inputs between two looks at the clock."""
STUCK = 300
"""Seconds of wall time after which the fuzzer itself gives up on an input: the last resort, for what no signal interrupts."""
MEMORY = 2_048
"""MiB that the process may hold."""


def main(module: str, name: str, seconds: float, corpus: Path, result: Path) -> None:
    """Does not return: the fuzzer ends the process."""
    with atheris.instrument_imports(include=["strongroom", "joserfc", "h11"]):
        found = importlib.import_module(module)
    target: Target = next(one for one in found.TARGETS if one.name == name)
    watch, outcome, began = Watch(), Outcome(target=name), time.process_time()
    seen: set[str] = set()

    def one(data: bytes) -> None:
        outcome.executions += 1
        look = outcome.executions % LOOK == 0
        try:
            watch.attempt(target, data)
        except (Exception, Hang) as error:  # noqa: BLE001  # whatever a target lets out is a finding
            _found(error, data)
            look = True  # it may have taken long
        if look and (spent := time.process_time() - began) > seconds:
            outcome.cpu = spent
            result.write_bytes(msgspec.json.encode(outcome))
            os.kill(os.getpid(), signal.SIGUSR1)  # the fuzzer ends in good order after this input

    def _found(error: BaseException, data: bytes) -> None:
        place = _place(error)
        if place in seen:
            return
        seen.add(place)
        file = result.with_name(f"{name}-{hashlib.sha256(data).hexdigest()[:12]}")
        file.write_bytes(data)
        outcome.findings.append(Finding("hang" if isinstance(error, Hang) else "crash", place, str(file)))

    def mutator(data: bytes, longest: int, seed: int) -> bytes:
        dice = random.Random(seed)
        mutate = {"json": mutate_json, "msgpack": mutate_msgpack}.get(target.form)
        if mutate is not None and dice.random() < 0.6:
            try:
                changed = mutate(data, dice)
            except Exception:  # noqa: BLE001  # no tree: then as bytes
                changed = data
            if changed != data and len(changed) <= longest:
                return changed
        return bytes(atheris.Mutate(data, longest))

    words = result.with_suffix(".words")  # libFuzzer refuses an empty one
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words or ("0",)))
    options = (
        f"-max_len={target.limit}", f"-timeout={STUCK}", f"-rss_limit_mb={MEMORY}", f"-dict={words}", "-len_control=0",
        f"-artifact_prefix={result.with_suffix('')}-", "-print_final_stats=1", "-reload=0",
    )  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=mutator)
    with watch.on():
        atheris.Fuzz()


def _place(error: BaseException) -> str:
    """Kind and place of a finding: the law that was broken, or where in the product it came from."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "/bench/fuzz/worker" not in frame.filename
    ]
    told = str(error) if isinstance(error, AssertionError) else ""
    last = frames[-1] if frames else None
    return (
        f"{type(error).__name__} {told} at {Path(last.filename).name}:{last.lineno}" if last else type(error).__name__
    )


def _escaped(word: str) -> str:
    """As libFuzzer's dictionaries spell bytes."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
