"""What goes wrong with a mail server, in one sentence for the person who has to put it right."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

SENTENCE_LIMIT = 500


class Trouble(Exception):
    """A server cannot be used; the text is one sentence for people."""


def words_of(said: object) -> str:
    """What a server said, fit to stand in our sentence: one short printable line."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    if text.startswith(("b'", 'b"')) and text.endswith(text[1]):
        # imaplib prints the server's bytes like this.
        text = text[2:-1]
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text[:200].rstrip(".")


@contextmanager
def told(*, host: str, port: int) -> Iterator[None]:
    """Say in a sentence why a server is not reached. Raises :class:`Trouble`."""
    try:
        yield
    except OSError as error:
        raise of_connection(error, host=host, port=port) from error
    except UnicodeError as error:
        raise of_letters(host=host) from error


def of_login(said: str, *, host: str, login: str) -> Trouble:
    """The sentence for a login that the server refuses, in the words it ``said``."""
    return Trouble(f"{host} refuses the login “{login}”: {said}.")


def of_letters(*, host: str) -> Trouble:
    """The sentence for names and passwords with letters that cannot be said to a server."""
    return Trouble(f"{host} cannot be reached under that name, login or password.")


def of_starttls(*, host: str, port: int) -> Trouble:
    """The sentence for a server that does not encrypt where it should."""
    return Trouble(f"{host} offers no STARTTLS on port {port}.")


def of_connection(error: OSError, *, host: str, port: int) -> Trouble:
    """The sentence for a connection that could not be made or broke off."""
    match error:
        case ssl.SSLCertVerificationError():
            text = f"The certificate of {host} is not trusted: {words_of(error.verify_message)}."
        case ssl.SSLError():
            text = (
                f"TLS with {host} on port {port} failed ({words_of(error.reason or error)}): "
                "perhaps that port expects another kind of encryption."
            )
        case socket.gaierror():
            text = f"The host name {host} is not known: check its spelling, and the name server."
        case ConnectionRefusedError():
            text = f"{host} refuses connections on port {port}: check the port."
        case TimeoutError():
            text = f"{host} did not answer on port {port} in time."
        case OSError(errno=errno.ENETUNREACH | errno.EHOSTUNREACH):
            text = f"There is no way through the network to {host}."
        case _:
            text = f"The connection to {host} on port {port} broke off ({words_of(error)})."
    return Trouble(text)


def of_store(error: OSError) -> Trouble:
    """The sentence for a message that could not be written down."""
    if error.errno in {None, errno.ENOSPC, errno.EDQUOT}:
        return Trouble("The disk is full: no mail is taken in until there is room again.")
    return Trouble(f"A message cannot be stored ({words_of(error.strerror or error)}).")
