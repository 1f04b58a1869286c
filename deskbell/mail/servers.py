"""Mail servers and providers as settings describe them, whichever way the mail goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

Security = Literal["tls", "starttls", "none"]
Authentication = Literal["password", "oauth2"]
#: Providers that post what comes in, as django-anymail names them; all of them send as well.
InboundProvider = Literal[
    "amazon_ses",
    "brevo",
    "mailersend",
    "mailgun",
    "mailjet",
    "mailtrap",
    "mandrill",
    "postal",
    "postmark",
    "resend",
    "sendgrid",
    "sparkpost",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A mail server. Port 0 is the usual one; without ``login`` nobody signs in."""

    #: Where it listens by how the conversation is encrypted, unless somebody said a port.
    USUAL_PORTS: ClassVar[Mapping[Security, int]]

    host: str
    port: int = 0
    security: Security = "tls"
    verify: bool = True
    login: str = ""

    @property
    def usual_port(self) -> int:
        return self.port or self.USUAL_PORTS[self.security]
