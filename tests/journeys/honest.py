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
        self._base = running.base
        self.documents = [entry["resource"]["id"] for entry in running.search(name).json()["entry"]]
        self._token = running.token(name)  # by one thread: it is read from a standard output that all threads share
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

    def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        while not self._stop.is_set():
            for one in self.documents:
                answer = httpx2.get(f"{self._base}/Binary/{one}", headers=headers, timeout=60)
                digest = hashlib.sha256(answer.content).hexdigest()
                if answer.status_code != 200 or self._digests.setdefault(one, digest) != digest:
                    self.wrong.append(f"{one}: {answer.status_code}")
            listing = httpx2.get(f"{self._base}/DocumentReference", headers=headers, timeout=60)
            if listing.status_code != 200 or len(listing.json()["entry"]) != len(self.documents):
                self.wrong.append(f"listing: {listing.status_code}")
            self.rounds += 1
