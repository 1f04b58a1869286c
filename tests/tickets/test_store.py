"""The store of bytes: whole or not there, and swept without taking what somebody is using."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from deskbell.kernel.clock import now
from deskbell.tickets import attachments
from deskbell.tickets.models import Blob
from tests.cast import MONDAY_9AM

pytestmark = pytest.mark.django_db


def path_of(blob: Blob) -> Path:
    return Path(attachments.store().path(attachments._place(blob.digest)))


def age(path: Path) -> None:
    old = (now() - timedelta(days=3)).timestamp()
    os.utime(path, (old, old))


class TestKeeping:
    def test_mends_a_broken_copy_in_its_place(self) -> None:
        blob = attachments.keep(b"whole", at=MONDAY_9AM)
        path_of(blob).write_bytes(b"who")
        attachments.keep(b"whole", at=MONDAY_9AM)
        assert attachments.read_blob(blob.digest) == b"whole"
        assert [p.name for p in path_of(blob).parent.iterdir()] == [blob.digest]

    def test_stores_anew_what_no_row_vouches_for(self) -> None:
        blob = attachments.keep(b"left behind", at=MONDAY_9AM)
        age(path_of(blob))
        Blob.objects.all().delete()
        attachments.keep(b"left behind", at=MONDAY_9AM)
        assert path_of(blob).stat().st_mtime > (now() - timedelta(hours=1)).timestamp()

    def test_makes_it_young_again(self) -> None:
        blob = attachments.keep(b"used again", at=MONDAY_9AM)
        age(path_of(blob))
        attachments.keep(b"used again", at=MONDAY_9AM)
        assert attachments.sweep(at=now()) == 0
        assert attachments.read_blob(blob.digest) == b"used again"


class TestSweeping:
    def test_takes_old_files_without_a_row(self) -> None:
        kept, lost = (attachments.keep(text, at=MONDAY_9AM) for text in (b"kept", b"lost"))
        young = attachments.keep(b"young", at=MONDAY_9AM)
        half = path_of(lost).with_name(".new-abc")
        half.write_bytes(b"ha")
        for path in (path_of(kept), path_of(lost), half):
            age(path)
        Blob.objects.filter(pk__in=[lost.pk, young.pk]).delete()
        paths = [path_of(kept), path_of(lost), path_of(young)]

        removed = sum(attachments.sweep_files(at=now(), part=part) for part in range(16))

        assert removed >= 2
        assert [path.exists() for path in paths] == [True, False, True]
        assert not half.exists()

    def test_leaves_what_an_open_transaction_holds(self) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has one writer: nothing is held beside the sweeper")
        other = connection.copy()
        other.connect()
        blob_id = hashlib.sha256(b"held").hexdigest()
        try:
            with other.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO tickets_blob (digest, size, created_at) VALUES (%s, 4, %s)",
                    [blob_id, MONDAY_9AM],
                )
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute(
                    "SELECT 1 FROM tickets_blob WHERE digest = %s FOR KEY SHARE", [blob_id]
                )
            assert attachments.sweep(at=now()) == 0
            other.rollback()
        finally:
            other.set_autocommit(True)
            with other.cursor() as cursor:
                cursor.execute("DELETE FROM tickets_blob WHERE digest = %s", [blob_id])
            other.close()
