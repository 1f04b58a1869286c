"""Mailboxes that speak IMAP (RFC 3501).

The truth is the cursor: which UIDs were seen under which UIDVALIDITY, and which of them are still
wanted. Flags decide nothing after the first look, so a person who reads the mailbox, or marks its
messages unread, changes nothing.

``cursor``: ``uidvalidity``; ``uid``, up to which the mailbox is known; ``wanted``, the UIDs up to
there still to be fetched, as an IMAP set; ``since``, the moment of the first look (seconds since
1970); ``stuck``, how often the server failed to hand over a UID; ``moved`` while UIDs of another
UIDVALIDITY are compared with what was taken under the last.
"""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import imaplib
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError

from deskbell.kernel import clock
from deskbell.mail import oauth
from deskbell.mail.intake import taking
from deskbell.mail.intake.channels import ImapSettings
from deskbell.mail.intake.store import digest_of
from deskbell.mail.intake.visit import Visit, batches, numbers_in, ranges, tag_of, too_large
from deskbell.mail.models import IncomingMail
from deskbell.mail.oauth import Access
from deskbell.mail.trouble import Trouble, of_login, of_starttls, told, words_of

CONNECT_SECONDS = 15.0
READ_SECONDS = 60.0
#: Messages whose sizes are asked for at once.
BATCH = 100
#: Bytes of messages that are fetched with one command.
TOGETHER = 1024 * 1024
HEADERS_BATCH = 500
#: The longest line imaplib reads; the answer to a search is one line.
_LINE = imaplib._MAXLINE  # type: ignore[attr-defined]

# At this level it prints what is said to servers.
logging.getLogger("imapclient").setLevel(logging.WARNING)


@contextmanager
def opened(access: Access) -> Iterator[IMAPClient]:
    """A mailbox after the sign-in. Raises :class:`Trouble`, for what happens inside, too."""
    settings: ImapSettings = access.settings
    host, port = settings.host, settings.usual_port
    with told(host=host, port=port):
        client = None
        try:
            client = _signed_in(access)
            yield client
        except LoginError as error:
            raise of_login(words_of(error), host=host, login=settings.login) from error
        except IMAPClient.AbortError as error:
            raise Trouble(f"{host} broke the conversation off ({words_of(error)}).") from error
        except IMAPClientError as error:
            raise Trouble(f"{host} refuses: {words_of(error)}.") from error
        finally:
            if client is not None:
                _leave(client)


def _signed_in(access: Access) -> IMAPClient:
    if access.settings.authentication != "oauth2":
        return _closed_on_failure(access, lambda client: _sign_in(client, access))

    def say(token: str) -> IMAPClient:
        login = access.settings.login
        return _closed_on_failure(access, lambda client: client.oauth2_login(login, token))

    return oauth.sign_in(access, say, refusal=LoginError)


def _closed_on_failure(access: Access, sign_in: Any) -> IMAPClient:
    client = _connected(access.settings)
    try:
        sign_in(client)
    except BaseException:
        _leave(client)
        raise
    return client


def _connected(settings: ImapSettings) -> IMAPClient:
    context = oauth.tls_context(verify=settings.verify)
    client = IMAPClient(
        settings.host,
        settings.usual_port,
        ssl=settings.security == "tls",
        ssl_context=context if settings.security == "tls" else None,
        timeout=SocketTimeout(CONNECT_SECONDS, READ_SECONDS),
    )
    # It prepares every line for a log that nobody reads.
    client._imap.debug = 0
    if settings.security == "starttls":
        try:
            if not client.has_capability("STARTTLS"):
                raise of_starttls(host=settings.host, port=settings.usual_port)
            client.starttls(context)
        except BaseException:
            _leave(client)
            raise
    return client


def _sign_in(client: IMAPClient, access: Access) -> None:
    password = access.password()
    login = access.settings.login
    if client.has_capability("AUTH=PLAIN"):
        # Takes any letters, where LOGIN knows ASCII only.
        client.plain_login(login, password)
    else:
        client.login(login, password)


def _leave(client: IMAPClient) -> None:
    """End the conversation; what was said is said, however this ends."""
    with contextlib.suppress(OSError, IMAPClientError, IMAPClient.AbortError, IMAPClient.Error):
        client.socket().settimeout(5.0)
        client.logout()
        return
    with contextlib.suppress(OSError):
        client.shutdown()


def select(client: IMAPClient, folder: str, *, readonly: bool = False) -> dict[bytes, Any]:
    """Open the folder; what the server says of it. Raises :class:`Trouble` where there is none."""
    try:
        found: dict[bytes, Any] = client.select_folder(folder, readonly=readonly)
    except IMAPClient.AbortError:
        raise
    except IMAPClientError as error:
        raise Trouble(f"The folder “{folder}” cannot be opened: {words_of(error)}.") from error
    return found


def probe(access: Access) -> str:
    """Open the mailbox and change nothing; one sentence on what is there."""
    settings: ImapSettings = access.settings
    with opened(access) as client:
        found = select(client, settings.folder, readonly=True)
        if settings.after == "move" and not client.folder_exists(settings.move_to):
            return (
                f"{_wait(found)} in {settings.folder}; the folder {settings.move_to} will be made."
            )
        return f"{_wait(found)} in {settings.folder}."


def _wait(found: dict[bytes, Any]) -> str:
    number = int(found.get(b"EXISTS", 0))
    return "1 message waits" if number == 1 else f"{number} messages wait"


def look(visit: Visit) -> bool:
    """Fetch what is new, tell the mailbox; whether more waits. Raises :class:`Trouble`."""
    with opened(visit.access) as client:
        return _Look(client, visit).run()


class _Look:
    def __init__(self, client: IMAPClient, visit: Visit) -> None:
        self.client = client
        self.visit = visit
        self.settings: ImapSettings = visit.settings
        self.cursor = visit.cursor
        self.validity = 0
        self.prefix = ""

    def run(self) -> bool:
        readonly = self.settings.after == "keep"
        found = select(self.client, self.settings.folder, readonly=readonly)
        if self.settings.after == "move" and not self.client.folder_exists(self.settings.move_to):
            self.client.create_folder(self.settings.move_to)
        self.validity = int(found.get(b"UIDVALIDITY", 0))
        place = (self.settings.host, self.settings.login, self.settings.folder)
        self.prefix = f"{tag_of(*place)}.{self.validity}:"
        self._search(found)
        self.visit.save_cursor()
        # What a crash kept us from saying the last time.
        self._tell([self._uid(key) for key in self.visit.untold(self.prefix)])
        wanted = numbers_in(self.cursor["wanted"])
        # The sound ones first, whatever the server does at the others.
        wanted.sort(key=lambda uid: (self.cursor["stuck"].get(str(uid), 0), uid))
        left = self._fetch_all(wanted)
        if left:
            return True
        if self.cursor.pop("moved", None) is not None:
            self.visit.save_cursor()
        return False

    # -- which messages ---------------------------------------------------------------------

    def _search(self, found: dict[bytes, Any]) -> None:
        cursor = self.cursor
        exists, coming = int(found.get(b"EXISTS", 0)), int(found.get(b"UIDNEXT", 0))
        if "uidvalidity" not in cursor:
            cursor |= {
                "uidvalidity": self.validity,
                "since": int(clock.now().timestamp()),
                "stuck": {},
            }
            uids: list[int] = []
            if self.settings.start != "now":
                unseen = ["UNSEEN"] if self.settings.start == "unseen" else []
                uids = self._uids(exists, coming, 0, *unseen)
            newest = [coming - 1] if coming else self._newest(exists)
            cursor |= {"uid": max([0, *newest, *uids]), "wanted": ranges(uids)}
        elif cursor["uidvalidity"] != self.validity:
            uids = self._uids(exists, coming, 0)
            cursor |= {
                "uidvalidity": self.validity,
                "uid": max([coming - 1, *uids]),
                "wanted": ranges(self._not_taken(uids)),
                "stuck": {},
                "moved": True,
            }
        elif exists:
            uids = self._uids(exists, coming, cursor["uid"])
            if uids:
                cursor["uid"] = max(uids)
                cursor["wanted"] = ranges({*numbers_in(cursor["wanted"]), *uids})

    def _uids(self, exists: int, coming: int, after: int, *criteria: str) -> list[int]:
        """UIDs above ``after``: one search, unless its answer would not fit into a line."""
        if coming and coming <= after + 1:
            return []
        window = (_LINE - 1000) // (len(str(coming or 2**32)) + 1)
        uids: list[int] = []
        for first in range(1, exists + 1, window):
            asked = [f"UID {after + 1}:*", *criteria]
            if exists > window:
                asked.insert(0, f"{first}:{min(first + window - 1, exists)}")
            uids += self.client.search(" ".join(asked))
        # "n:*" always means the newest message, too.
        return sorted({uid for uid in uids if uid > after})

    def _newest(self, exists: int) -> list[int]:
        return list(self.client.search("UID *")) if exists else []

    def _not_taken(self, uids: Sequence[int]) -> list[int]:
        """Of a mailbox whose UIDs are all new, what was not taken before, by its header and size.

        Known messages get their new name. What is older than our first look was there at it.
        """
        rows: dict[tuple[str, int], list[int]] = {}
        known = IncomingMail.objects.filter(channel=self.visit.channel).exclude(message_id="")
        for pk, message_id, size in known.order_by("id").values_list("pk", "message_id", "size"):
            rows.setdefault((_bare(message_id), size), []).append(pk)
        wanted = []
        since = self.cursor.get("since", 0)
        asked = [
            "RFC822.SIZE",
            "INTERNALDATE",
            "FLAGS",
            "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]",
        ]
        for batch in batches(uids, HEADERS_BATCH):
            renamed: dict[int, str] = {}
            for uid, found in sorted(self.client.fetch(batch, asked).items()):
                same = rows.get((_message_id(found), int(found.get(b"RFC822.SIZE", 0))))
                if same:
                    renamed[same.pop(0)] = self._key(uid)
                elif self._was_unwanted(found, since):
                    continue
                else:
                    wanted.append(uid)
            for pk, key in renamed.items():
                IncomingMail.objects.filter(pk=pk).update(key=key)
        return wanted

    def _was_unwanted(self, found: dict[bytes, Any], since: int) -> bool:
        """Whether the first look passed a message over that it did not take."""
        arrived = found.get(b"INTERNALDATE")
        if arrived is None or arrived.timestamp() >= since or self.settings.start == "all":
            return False
        return self.settings.start == "now" or b"\\Seen" in found.get(b"FLAGS", ())

    # -- fetching them ----------------------------------------------------------------------

    def _fetch_all(self, wanted: Sequence[int]) -> bool:
        """Take the messages, batch by batch; whether some were left for the next look."""
        remaining = set(wanted)
        for batch in batches(wanted, BATCH):
            if self.visit.budget.is_spent:
                return True
            known = {self._uid(k) for k in self.visit.known([self._key(uid) for uid in batch])}
            try:
                done = self._fetch_batch([uid for uid in batch if uid not in known])
            finally:
                # Also where the connection broke: how often a message broke it is part of it.
                self.visit.save_cursor()
            remaining -= known | done
            for uid in known | done:
                self.cursor["stuck"].pop(str(uid), None)
            self.cursor["wanted"] = ranges(remaining)
            self._tell(sorted(known | done))
            self.visit.save_cursor()
        return any(str(uid) not in self.cursor["stuck"] for uid in remaining)

    def _fetch_batch(self, uids: Sequence[int]) -> set[int]:
        """Take these; those that need no second look."""
        sizes = self._sizes(uids)
        done = set(uids) - set(sizes)  # expunged meanwhile
        fitting: list[int] = []
        for uid, size in sizes.items():
            if size > taking.SIZE_LIMIT:
                self.visit.pass_over(self._key(uid), size=size, reason=too_large(size))
                done.add(uid)
            else:
                fitting.append(uid)
        alone = {uid for uid in fitting if str(uid) in self.cursor["stuck"] or not sizes[uid]}
        for together in _together(fitting, sizes, alone):
            if self.visit.budget.is_spent:
                break
            done |= self._fetch_together(together, sizes)
        return done

    def _sizes(self, uids: Sequence[int]) -> dict[int, int]:
        if not uids:
            return {}
        try:
            found = self.client.fetch(uids, ["RFC822.SIZE"])
        except IMAPClient.AbortError:
            raise
        except IMAPClientError:
            # One of them is broken; which, the messages themselves will tell.
            return dict.fromkeys(uids, 0)
        return {uid: int(each.get(b"RFC822.SIZE", 0)) for uid, each in found.items() if uid in uids}

    def _fetch_together(self, uids: Sequence[int], sizes: dict[int, int]) -> set[int]:
        try:
            found = self.client.fetch(uids, ["BODY.PEEK[]"])
        except IMAPClient.AbortError as error:
            if len(uids) == 1:
                self._stuck(uids[0], words_of(error), sizes)
            else:
                # The next look meets each of them alone.
                self.cursor["stuck"] |= {str(uid): 1 for uid in uids}
            raise
        except IMAPClientError as error:
            if len(uids) > 1:
                done: set[int] = set()
                for uid in uids:
                    done |= self._fetch_together([uid], sizes)
                return done
            return self._stuck(uids[0], words_of(error), sizes)
        done = set()
        for uid in uids:
            content = found.get(uid, {}).get(b"BODY[]")
            if content is not None:
                self._take(uid, content)
                done.add(uid)
            elif uid not in found:
                done.add(uid)
            else:
                done |= self._stuck(uid, "it answers without the message", sizes)
        return done

    def _stuck(self, uid: int, words: str, sizes: dict[int, int]) -> set[int]:
        if "EXPUNGEISSUED" in words:
            # RFC 5530: somebody has removed it just now.
            return {uid}
        given_up = self.visit.stuck(
            str(uid), key=self._key(uid), words=words, size=sizes.get(uid, 0)
        )
        return {uid} if given_up else set()

    def _take(self, uid: int, content: bytes) -> None:
        key = self._key(uid)
        if self.cursor.get("moved"):
            # The same bytes under a UID of before: the mailbox was counted anew, that is all.
            same = IncomingMail.objects.filter(
                channel=self.visit.channel, digest=digest_of(content), key__isnull=False
            ).exclude(key__startswith=self.prefix)
            first = same.order_by("id").first()
            if first is not None and not self.visit.known([key]):
                IncomingMail.objects.filter(pk=first.pk).update(key=key)
                return
        self.visit.take(content, key=key)

    # -- telling ----------------------------------------------------------------------------

    def _tell(self, uids: Sequence[int]) -> None:
        """Say to the mailbox that these are ours; refused ones stay as they are."""
        if not uids:
            return
        keys = {self._key(uid): uid for uid in uids}
        told = IncomingMail.objects.filter(
            channel=self.visit.channel, key__in=list(keys), told_at=None
        )
        ours = [keys[key] for key in told.values_list("key", flat=True) if key is not None]
        for batch in batches(sorted(ours), BATCH):
            match self.settings.after:
                case "seen":
                    self.client.add_flags(batch, [b"\\Seen"], silent=True)
                case "delete":
                    self._expunge(batch)
                case "move":
                    self._move(batch)
                case "keep":
                    pass
            self.visit.told([self._key(uid) for uid in batch])

    def _move(self, uids: Sequence[int]) -> None:
        if self.client.has_capability("MOVE"):
            self.client.move(uids, self.settings.move_to)
        else:
            self.client.copy(uids, self.settings.move_to)
            self._expunge(uids)

    def _expunge(self, uids: Sequence[int]) -> None:
        """Remove these, and nothing that somebody else has marked as deleted."""
        self.client.add_flags(uids, [b"\\Deleted"], silent=True)
        if self.client.has_capability("UIDPLUS"):
            self.client.uid_expunge(uids)
        elif set(self.client.search("DELETED")) <= set(uids):
            self.client.expunge()

    def _key(self, uid: int) -> str:
        return f"{self.prefix}{uid}"

    @staticmethod
    def _uid(key: str) -> int:
        return int(key.rpartition(":")[2])


def _together(
    uids: Sequence[int], sizes: dict[int, int], alone: Collection[int]
) -> Iterator[list[int]]:
    """The UIDs in groups of small messages."""
    group: list[int] = []
    size = 0
    for uid in uids:
        if uid in alone:
            yield [uid]
            continue
        if group and size + sizes[uid] > TOGETHER:
            yield group
            group, size = [], 0
        group.append(uid)
        size += sizes[uid]
    if group:
        yield group


def _message_id(found: dict[bytes, Any]) -> str:
    header = next((v for k, v in found.items() if k.startswith(b"BODY[HEADER")), b"") or b""
    parser = email.parser.BytesHeaderParser(policy=email.policy.compat32)
    return _bare(str(parser.parsebytes(header).get("Message-ID", "")))


def _bare(message_id: str) -> str:
    return "".join(message_id.split()).strip("<>")
