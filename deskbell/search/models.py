"""The index: one row per part of an entry, the words that occur, and who there is.

Neither row is ever read for display. Full-text structures over ``Entry.words`` are made by the
migration: an FTS5 table kept by triggers on SQLite, a GIN index over an expression on PostgreSQL.
"""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """The words of one part of a ticket, as :mod:`deskbell.search.index` lays them out.

    The id says it all, so that a hit needs no look at its row: ticket id, ordinal within the
    ticket (0 is the ticket itself), part, and whether only staff may find it.
    ``article_id`` is null for the ticket's own entries.
    """

    id = models.BigAutoField(primary_key=True)
    article_id = models.BigIntegerField(null=True)
    words = models.TextField()

    class Meta:
        indexes = [
            models.Index(
                fields=["article_id"],
                name="search_entry_of_article",
                condition=models.Q(article_id__isnull=False),
            )
        ]


class Word(models.Model):
    """A word that occurs, and its stem: what stems and wildcards are spelled out with.

    Not unique: two transactions that meet the same new word at once must not wait for each
    other. A word outlives its last entry; then it is spelled out and finds nothing.
    """

    word = models.CharField(max_length=200)
    stem = models.CharField(max_length=200)


class Person(models.Model):
    """The words of a user (kind 0) or an organization (kind 1).

    See :mod:`deskbell.search.people`.
    """

    kind = models.SmallIntegerField()
    object_id = models.BigIntegerField()
    words = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "object_id"], name="search_person_once")
        ]
