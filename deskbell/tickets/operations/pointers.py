"""``merged_to``: tickets point to tickets, and no chain of them bites its tail."""

from __future__ import annotations

from django.db import connection

#: Any number, as long as nobody else takes this lock for something else.
_POINTERS = 4_718_001


def lock() -> None:
    """Let the running transaction alone point tickets to tickets, until it ends.

    Two people may point two tickets to one another at the same moment; each would see only his
    own. SQLite has one writer anyway. Taken after the rows of the tickets, by everybody.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_POINTERS])


def leads_to(start_id: int, end_id: int) -> bool:
    """Whether following the pointers from one ticket comes to the other. One query."""
    sql = """
WITH RECURSIVE chain(id) AS (
  SELECT merged_to_id FROM tickets_ticket WHERE id = %s AND merged_to_id IS NOT NULL
  UNION
  SELECT t.merged_to_id FROM tickets_ticket t JOIN chain c ON t.id = c.id
   WHERE t.merged_to_id IS NOT NULL
)
SELECT 1 FROM chain WHERE id = %s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [start_id, end_id])
        return cursor.fetchone() is not None
