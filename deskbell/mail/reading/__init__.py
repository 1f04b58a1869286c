"""The reading of mail: bytes in, one frozen :class:`~deskbell.mail.reading.facts.Facts` out.

Pure: no database, no clock, no network. Bounded in time and memory, and it never fails: what
cannot be read is left out and named in ``problems``, and the raw message is kept by whoever calls.

    structure    where headers end, which parts there are
    transfer     base64, quoted-printable, uuencode
    charsets     bytes to text, whatever the label says
    words        encoded words and raw bytes in headers
    parameters   parameters of types and dispositions
    addresses    mailboxes, legal and illegal
    fields       dates, message ids, subjects
    contents     which parts are the text, which are files
    quotes       quotations in HTML
    replies      the new text apart from history and signature
    machines     automatic, list and bulk mail, loops
    bounces      delivery reports
    senders      who wrote, and whose ticket it becomes
    references   which ticket it belongs to
"""

from deskbell.mail.reading.facts import Facts, File
from deskbell.mail.reading.message import read

__all__ = ["Facts", "File", "read"]
