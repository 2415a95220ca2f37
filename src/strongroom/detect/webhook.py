"""Alerts to an HTTP address: one POST each, JSON."""

from typing import Any, Final

import httpx2

TIMEOUT: Final = 10.0
"""Seconds."""


class Webhook:
    """One address. Redirections are not followed."""

    def __init__(self, url: str) -> None:
        self._url = url

    def tell(self, body: dict[str, Any]) -> None:
        """Send one. Raises OSError when it does not arrive or the answer is not 200 to 299."""
        try:
            answer = httpx2.post(self._url, json=body, timeout=TIMEOUT)
        except httpx2.HTTPError as error:
            raise OSError(f"no answer ({type(error).__name__})") from error
        if not answer.is_success:
            raise OSError(f"the answer was {answer.status_code}")
