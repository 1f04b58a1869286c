"""A real Dovecot on this machine, for IMAP and POP3, with mailboxes that a test fills and reads."""

from __future__ import annotations

import base64
import grp
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from imapclient import IMAPClient

from tests.live import free_port
from tests.mail.sink import certificate

DOVECOT = Path("/usr/sbin/dovecot")
PASSWORD = 'schlüssel & "bund"'
START_SECONDS = 20.0
USERS = 500

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap pop3
listen = 127.0.0.1
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 100
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
auth_username_format = %Lu
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
imap_idle_notify_interval = 10 mins
maildir_very_dirty_syncs = no
mailbox_idle_check_interval = 1 secs
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
service anvil {{
  chroot =
  # No ever longer pauses after wrong passwords.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
"""


class Dovecot:
    """The server: its ports, its folder, and the token server that it asks."""

    def __init__(self) -> None:
        # Short and open to the user that the server runs as, which pytest's own folder is not.
        self.folder = Path(tempfile.mkdtemp(prefix="deskbell-dovecot-"))
        self.tokens = TokenServer()
        self.imap, self.imaps, self.pop3, self.pop3s = (free_port() for _ in range(4))
        entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._owner = (entry.pw_uid, entry.pw_gid)
        self._users = 0
        _, self.certificate = certificate(self.folder)
        secret = base64.b64encode(PASSWORD.encode()).decode()
        settings = {
            "folder": self.folder,
            "user": entry.pw_name,
            "group": grp.getgrgid(entry.pw_gid).gr_name,
            "imap": self.imap,
            "imaps": self.imaps,
            "pop3": self.pop3,
            "pop3s": self.pop3s,
        }
        (self.folder / "dovecot.conf").write_text(_CONFIG.format(**settings))
        (self.folder / "oauth2.conf").write_text(
            f"tokeninfo_url = {self.tokens.address}tokeninfo?access_token=\n"
            "username_attribute = email\n"
        )
        # All at once: the server sees changes of this file only from one second to the next.
        (self.folder / "users").write_text(
            # Quotation marks and colons have a meaning there, in base64 there are none.
            "".join(f"user{n}:{{PLAIN.b64}}{secret}\n" for n in range(1, USERS + 1))
        )
        (self.folder / "mail").mkdir()
        os.chmod(self.folder, 0o755)
        os.chown(self.folder / "mail", *self._owner)
        with (self.folder / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(
                [DOVECOT, "-F", "-c", self.folder / "dovecot.conf"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.imap), timeout=1).close()
                socket.create_connection(("127.0.0.1", self.pop3), timeout=1).close()
                return
            except OSError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
        log = self.folder / "log"
        said = (self.folder / "stderr").read_text() + (log.read_text() if log.exists() else "")
        self.stop()
        raise RuntimeError(f"Dovecot does not start: {said}")

    def stop(self) -> None:
        """Stop what was started, and remove its folder."""
        self.tokens.stop()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def mailbox(self) -> Mailbox:
        """A new, empty mailbox of a new user."""
        self._users += 1
        assert self._users <= USERS
        return Mailbox(self, f"user{self._users}")


class Mailbox:
    """One user's mailbox, filled and read through IMAP, as other programs would."""

    def __init__(self, server: Dovecot, login: str) -> None:
        self.server = server
        self.login = login
        self.folder = server.folder / "mail" / login

    @contextmanager
    def client(self, folder: str = "INBOX") -> Iterator[IMAPClient]:
        """A signed-in client with the folder open."""
        with IMAPClient("127.0.0.1", self.server.imap, ssl=False, timeout=20) as client:
            client.plain_login(self.login, PASSWORD)
            if not client.folder_exists(folder):
                client.create_folder(folder)
            client.select_folder(folder)
            yield client

    def put(
        self,
        *messages: bytes,
        folder: str = "INBOX",
        flags: Any = (),
        at: datetime | None = None,
    ) -> None:
        """Deliver messages, now or as if it had been then."""
        with self.client(folder) as client:
            for message in messages:
                client.append(folder, message, flags=flags, msg_time=at)

    def flags(self, folder: str = "INBOX") -> dict[int, set[bytes]]:
        """UID to flags of what is there."""
        with self.client(folder) as client:
            found = client.fetch(client.search(), ["FLAGS"])
            return {uid: set(each[b"FLAGS"]) - {b"\\Recent"} for uid, each in found.items()}

    def number_anew(self) -> None:
        """Lose all UIDs, as a restored or moved mailbox does."""
        (self.folder / "dovecot-uidlist").unlink()
        for name in self.folder.glob("dovecot.index*"):
            name.unlink()
        time.sleep(1.1)  # UIDVALIDITY is the time in seconds

    def settings(self, **changes: Any) -> dict[str, Any]:
        """What an IMAP channel needs to know."""
        return {
            "host": "127.0.0.1",
            "port": self.server.imap,
            "security": "none",
            "login": self.login,
            **changes,
        }

    def pop3(self, **changes: Any) -> dict[str, Any]:
        """What a POP3 channel needs to know."""
        return self.settings(**{"port": self.server.pop3, **changes})


class TokenServer:
    """OAuth2 as mail providers have it: refresh tokens are used up, and exchanged for new ones."""

    def __init__(self) -> None:
        self.refresh_token = "refresh-0"
        self.login = ""
        self.access: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self.expires_in = 3600
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.answer(*outer.exchange({k: v[0] for k, v in parse_qs(body).items()}))

            def do_GET(self) -> None:
                token = parse_qs(urlsplit(self.path).query).get("access_token", [""])[0]
                if token in outer.access:
                    self.answer(200, {"email": outer.login, "expires_in": 600})
                else:
                    self.answer(400, {"error": "invalid_token"})

            def answer(self, status: int, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/"

    def exchange(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append(asked)
        if asked.get("refresh_token") != self.refresh_token:
            return 400, {"error": "invalid_grant", "error_description": "The token was revoked."}
        self.refresh_token = f"refresh-{len(self.asked)}"
        token = f"access-{len(self.asked)}"
        self.access = {token}
        return 200, {
            "access_token": token,
            "refresh_token": self.refresh_token,
            "expires_in": self.expires_in,
        }

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
