"""Alerts by mail, one each. STRONGROOM_SMTP_USER and STRONGROOM_SMTP_PASSWORD are used where they are set, and only over TLS."""

import os
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Final

TIMEOUT: Final = 30.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One server and one address. `tls`: from the first byte; without it STARTTLS is used where the server offers it."""

    host: str
    port: int
    sender: str
    to: str
    tls: bool = False

    def tell(self, body: dict[str, Any]) -> None:
        """Send one. Raises OSError."""
        message = EmailMessage()
        message["From"], message["To"] = self.sender, self.to
        message["Subject"] = f"[strongroom] {body['level'].upper()}: {body['title']}"
        message["Message-ID"] = (
            f"<{body['id']}.alert@strongroom.invalid>"  # the same alert twice is one in most readers
        )
        message.set_content("\n".join(body["sentences"]), cte="quoted-printable")  # ASCII: every server takes it
        context = ssl.create_default_context()
        kind: Any = smtplib.SMTP_SSL if self.tls else smtplib.SMTP
        more = {"context": context} if self.tls else {}
        try:
            with kind(self.host, self.port, timeout=TIMEOUT, **more) as server:
                safe = self.tls
                server.ehlo()
                if not safe and server.has_extn("starttls"):
                    server.starttls(context=context)
                    safe = True
                user, word = os.environ.get("STRONGROOM_SMTP_USER"), os.environ.get("STRONGROOM_SMTP_PASSWORD")
                if user and word:
                    if not safe:
                        raise OSError("the server offers no TLS, and a password is not sent without")
                    server.login(user, word)
                server.send_message(message)
        except smtplib.SMTPException as error:
            raise OSError(f"the mail server refused ({type(error).__name__})") from error
