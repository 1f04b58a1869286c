"""What only this dialect knows: files sent before the article they belong to."""

from __future__ import annotations

from django.db import models

from deskbell.people.models import User
from deskbell.tickets.models import Blob


class Upload(models.Model):
    """A file waiting for the article that names its form. Only its uploader can use it.

    Its bytes are swept up after a day like all that no article refers to, and the row with them.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    form_id = models.CharField(max_length=250)
    blob = models.ForeignKey(Blob, models.CASCADE, related_name="+", db_column="digest")
    filename = models.CharField(max_length=250)
    content_type = models.CharField(max_length=250)
    size = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "form_id", "id"], name="upload_of_form")]

    def __str__(self) -> str:
        return self.filename
