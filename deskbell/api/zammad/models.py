"""What only this dialect knows: waiting files, how attributes are shown, the monitoring token."""

from __future__ import annotations

from django.db import models

from deskbell.people.models import User
from deskbell.tickets.models import Blob, CustomField


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


class AttributeForm(models.Model):
    """What a client said about a custom field beyond what the desk knows of it.

    The widget (``data_type``), the options of that widget, and the screens; given back as they
    came, where the field has not been changed otherwise since.
    """

    field = models.OneToOneField(CustomField, models.CASCADE, related_name="+")
    data_type = models.CharField(max_length=40)
    data_option = models.JSONField(default=dict)
    screens = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.field_id}: {self.data_type}"


class MonitoringKey(models.Model):
    """What the token of the monitoring routes is made of, with the desk's secret: one row.

    The token itself is nowhere; a new salt makes a new one.
    """

    salt = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.made_at)
