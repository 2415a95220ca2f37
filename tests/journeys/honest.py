"""An honest patient who reads their documents over and over: nothing that officers do may refuse them."""

import hashlib
import sys
import threading
from typing import Self

import httpx2

from tests.journeys.test_processes import Running

PROGRAM = [sys.executable, "-m", "strongroom.cli.main"]


class Reader:
    """An honest patient who reads their documents over and over."""

    def __init__(self, running: Running, name: str) -> None:
        self._running = running
        self._name = name
        self.documents = self._ids()
        self.wrong: list[str] = []
        self.rounds = 0
        self._digests: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ids(self) -> list[str]:
        return [entry["resource"]["id"] for entry in self._running.search(self._name).json()["entry"]]

    def _read(self) -> None:
        token = self._running.token(self._name)
        headers = {"Authorization": f"Bearer {token}"}
        while not self._stop.is_set():
            for one in self.documents:
                answer = httpx2.get(f"{self._running.base}/Binary/{one}", headers=headers, timeout=60)
                digest = hashlib.sha256(answer.content).hexdigest()
                if answer.status_code != 200 or self._digests.setdefault(one, digest) != digest:
                    self.wrong.append(f"{one}: {answer.status_code}")
            listing = httpx2.get(f"{self._running.base}/DocumentReference", headers=headers, timeout=60)
            if listing.status_code != 200 or len(listing.json()["entry"]) != len(self.documents):
                self.wrong.append(f"listing: {listing.status_code}")
            self.rounds += 1
