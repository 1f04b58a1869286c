"""The collections: sign in, decode, find through the door, call, encode.

The framework parses, negotiates, words errors and draws the browsable API. What is read most
(tickets, entries, as JSON) takes a shorter way to the same bytes, see :mod:`~.doors`.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deskbell.api.helpdesk import decode, encode, errors, people, reading, writing
from deskbell.api.helpdesk.auth import DeskAuthentication, IsStaff, MayAddUsers, OwnTickets
from deskbell.api.helpdesk.encode import Encoded
from deskbell.api.helpdesk.formats import (
    FormParser,
    JsonParser,
    JsonRenderer,
    MultiPartParser,
    Negotiation,
    PageRenderer,
)
from deskbell.api.helpdesk.metadata import Metadata
from deskbell.api.helpdesk.names import COLLECTIONS
from deskbell.api.helpdesk.paging import Page, PageControls
from deskbell.api.helpdesk.reading import Place
from deskbell.kernel.actor import Actor
from deskbell.kernel.clock import now
from deskbell.tickets import attachments, fields, operations
from deskbell.tickets.models import CustomField

#: For bytes that are not ours: nothing loads, nothing runs, whichever way a browser shows them.
SEALED = "default-src 'none'; sandbox"


class DeskView(APIView):
    """What all of them share. ``name`` and ``description`` are what OPTIONS and pages say."""

    authentication_classes = [DeskAuthentication]
    permission_classes = [IsStaff]
    parser_classes = [JsonParser, FormParser, MultiPartParser]
    renderer_classes = [JsonRenderer, PageRenderer]
    content_negotiation_class = Negotiation
    metadata_class = Metadata
    throttle_classes = []

    name: str = ""
    description: str = ""
    #: Set by a list for the page numbers of the browsable API.
    paginator: PageControls | None = None

    def get_exception_handler(self) -> Any:
        return errors.handle

    @property
    def actor(self) -> Actor:
        caller: Any = self.request.user
        actor: Actor = caller.actor
        return actor

    @cached_property
    def at(self) -> datetime:
        """The moment of this request."""
        return now()

    @property
    def place(self) -> Place:
        return Place(self.request._request)

    @property
    def id(self) -> int:
        """The id in the address. Raises :class:`NotFound`."""
        return reading.ident(self.kwargs["pk"])

    def listed(self, body: Encoded, page: Page) -> Response:
        self.paginator = PageControls(self.request, page)
        return Response(body)

    def shown(self, body: Encoded, *, status: int = 200) -> Response:
        """An object; on a page of the browsable API with the form that offers to change it."""
        view: Any = self
        if isinstance(view.request.accepted_renderer, PageRenderer):
            body.serializer = view.get_serializer(encode.decoded(body))
        return Response(body, status=status)

    def check_writable(self) -> None:
        """Raise what writing to this address would raise, whatever is sent."""


class Root(DeskView):
    """The addresses of the collections; nobody needs to sign in for them."""

    permission_classes = []
    name = "Api Root"
    description = "The collections of this API."

    def get(self, request: Request, format: str | None = None) -> Response:
        root = self.place.root
        ending = f".{format}" if format else "/"
        return Response({name: f"{root}{name}{ending}" for name in COLLECTIONS})


# --- tickets -------------------------------------------------------------------------------------

_TICKETS = (
    "Tickets with their entries and files.\n\n"
    "`?status=1,3` lists those whose status is one of these numbers. `?search=` takes words and"
    " the query language of the desk's search, `?ordering=-modified,id` an order by id, queue,"
    " title, assigned_to, status, priority, due_date, created or modified."
)


class TicketView(DeskView):
    """What a list of tickets and one ticket share."""

    description = _TICKETS

    @cached_property
    def custom_fields(self) -> list[CustomField]:
        found = fields.definitions(staff=True)
        prefetch_related_objects(found, "groups")
        return found

    def get_serializer(self, *args: Any, **kwargs: Any) -> decode.TicketSerializer:
        return decode.TicketSerializer(*args, custom_fields=self.custom_fields, **kwargs)


class Tickets(TicketView):
    name = "Ticket List"

    def get(self, request: Request, **_: Any) -> Response:
        return self.listed(*reading.tickets(self.actor, request.query_params, self.place))

    def post(self, request: Request, **_: Any) -> Response:
        serializer = self.get_serializer(
            data=request.data, opening=True, lookups=writing.lookups_for_opening(self.actor)
        )
        serializer.is_valid(raise_exception=True)
        ticket = writing.open_ticket(
            serializer.validated_data, self.custom_fields, actor=self.actor, at=self.at
        )
        body = reading.written_ticket(self.actor, ticket.pk, self.place)
        return self.shown(body, status=201)


class Ticket(TicketView):
    name = "Ticket Instance"

    def get(self, request: Request, **_: Any) -> Response:
        body = reading.ticket(self.actor, self.id, self.place)
        return self.shown(body)

    def put(self, request: Request, **_: Any) -> Response:
        return self._write(request, partial=False)

    def patch(self, request: Request, **_: Any) -> Response:
        return self._write(request, partial=True)

    def _write(self, request: Request, *, partial: bool) -> Response:
        data = request.data
        with transaction.atomic():
            ticket = writing.changeable(self.actor, self.id)
            serializer = self.get_serializer(
                data=data,
                partial=partial,
                group_id=ticket.group_id,
                reading=reading.ticket_values(self.actor, ticket.pk),
                lookups=writing.lookups_for_changing(self.actor),
            )
            serializer.is_valid(raise_exception=True)
            if "attachment" in serializer.validated_data:
                # It would belong to an entry, and a change of a ticket makes none.
                raise ValidationError({"attachment": ["Send files with a new followup."]})
            writing.change_ticket(
                ticket,
                serializer.validated_data,
                serializer.unchanged,
                self.custom_fields,
                actor=self.actor,
                at=self.at,
            )
        body = reading.written_ticket(self.actor, ticket.pk, self.place)
        return self.shown(body)

    def delete(self, request: Request, **_: Any) -> Response:
        writing.delete_ticket(self.actor, self.id, at=self.at)
        return Response(status=204)

    def check_writable(self) -> None:
        with transaction.atomic():
            writing.changeable(self.actor, self.id)


class OwnTicketList(DeskView):
    permission_classes = [OwnTickets]
    name = "User Ticket List"
    description = "The tickets you asked for, newest first."

    def get(self, request: Request, **_: Any) -> Response:
        return self.listed(
            *reading.own_tickets(self.actor, request.query_params, self.place, at=self.at)
        )


class OwnTicket(DeskView):
    permission_classes = [OwnTickets]
    name = "User Ticket Instance"
    description = OwnTicketList.description

    def get(self, request: Request, **_: Any) -> Response:
        return Response(reading.own_ticket(self.actor, self.id, at=self.at))


# --- entries -------------------------------------------------------------------------------------


class FollowUpView(DeskView):
    """What a list of entries and one entry share."""

    def get_serializer(self, *args: Any, **kwargs: Any) -> decode.FollowUpSerializer:
        return decode.FollowUpSerializer(*args, **kwargs)


class FollowUps(FollowUpView):
    name = "Follow Up List"

    def get(self, request: Request, **_: Any) -> Response:
        return self.listed(*reading.followups(self.actor, request.query_params, self.place))

    def post(self, request: Request, **_: Any) -> Response:
        serializer = self.get_serializer(
            data=request.data, lookups={"ticket": writing.readable_tickets(self.actor)}
        )
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        added = writing.add_followup(values["ticket"], values, actor=self.actor, at=self.at)
        body = reading.written_followup(added.pk, self.place)
        return self.shown(body, status=201)


class FollowUp(FollowUpView):
    name = "Follow Up Instance"

    def get(self, request: Request, **_: Any) -> Response:
        body = reading.followup(self.actor, self.id, self.place)
        return self.shown(body)

    def put(self, request: Request, **_: Any) -> Response:
        return self._write(request, partial=False)

    def patch(self, request: Request, **_: Any) -> Response:
        return self._write(request, partial=True)

    def _write(self, request: Request, *, partial: bool) -> Response:
        data = request.data
        with transaction.atomic():
            article = writing.editable_article(self.actor, self.id)
            serializer = self.get_serializer(
                data=data,
                partial=partial,
                reading=reading.followup_values(article.pk),
                lookups={"ticket": writing.readable_tickets(self.actor)},
            )
            serializer.is_valid(raise_exception=True)
            if serializer.validated_data.get("ticket", article.ticket_id) != article.ticket_id:
                raise ValidationError({"ticket": ["A followup stays with its ticket."]})
            writing.change_followup(
                article, serializer.validated_data, actor=self.actor, at=self.at
            )
        body = reading.written_followup(article.pk, self.place)
        return self.shown(body)

    def delete(self, request: Request, **_: Any) -> Response:
        with transaction.atomic():
            article = writing.editable_article(self.actor, self.id)
            operations.remove_article(article.pk, actor=self.actor, at=self.at)
        return Response(status=204)

    def check_writable(self) -> None:
        with transaction.atomic():
            writing.editable_article(self.actor, self.id)


# --- files ---------------------------------------------------------------------------------------


class FileView(DeskView):
    """What a list of files and one file share."""

    def get_serializer(self, *args: Any, **kwargs: Any) -> decode.AttachmentSerializer:
        return decode.AttachmentSerializer(*args, **kwargs)

    def lookups(self) -> dict[str, decode.Exists]:
        return {"followup": writing.readable_articles(self.actor)}


def _declared_type(given: str | None, filename: str) -> str:
    """The type a client names, else what the ending of the name suggests."""
    return given or mimetypes.guess_type(filename, strict=False)[0] or "application/octet-stream"


class Files(FileView):
    name = "Follow Up Attachment List"

    def get(self, request: Request, **_: Any) -> Response:
        return self.listed(*reading.files(self.actor, request.query_params, self.place))

    def post(self, request: Request, **_: Any) -> Response:
        serializer = self.get_serializer(data=request.data, lookups=self.lookups())
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        file: attachments.NewFile = values["file"]
        file.filename = attachments.clean_filename(values.get("filename") or file.filename)
        file.content_type = _declared_type(values.get("mime_type"), file.filename)
        with transaction.atomic():
            article = writing.editable_article(self.actor, values["followup"])
            operations.edit_article(article.pk, {}, files=[file], actor=self.actor, at=self.at)
            # The ticket is locked, so the newest file of the entry is this one.
            added = article.attachments.order_by("-id").values_list("id", flat=True)[0]
        body = reading.file(self.actor, added, self.place)
        return self.shown(body, status=201)


class File(FileView):
    name = "Follow Up Attachment Instance"

    def get(self, request: Request, **_: Any) -> Response:
        body = reading.file(self.actor, self.id, self.place)
        return self.shown(body)

    def put(self, request: Request, **_: Any) -> Response:
        return self._write(request, partial=False)

    def patch(self, request: Request, **_: Any) -> Response:
        return self._write(request, partial=True)

    def _write(self, request: Request, *, partial: bool) -> Response:
        data = request.data
        with transaction.atomic():
            attachment = writing.editable_attachment(self.actor, self.id)
            present = encode.decoded(reading.file(self.actor, attachment.pk, self.place))
            serializer = self.get_serializer(
                data=data, partial=partial, reading=present, lookups=self.lookups()
            )
            serializer.is_valid(raise_exception=True)
            values = serializer.validated_data
            if values.get("followup", attachment.article_id) != attachment.article_id:
                raise ValidationError({"followup": ["A file stays with its followup."]})
            columns: dict[str, Any] = {}
            if values.get("filename"):
                columns["filename"] = values["filename"]
            if values.get("mime_type"):
                columns["content_type"] = values["mime_type"][:250]
            operations.rename_attachment(
                attachment,
                columns,
                content=values["file"].content if "file" in values else None,
                actor=self.actor,
                at=self.at,
            )
        body = reading.file(self.actor, attachment.pk, self.place)
        return self.shown(body)

    def delete(self, request: Request, **_: Any) -> Response:
        with transaction.atomic():
            attachment = writing.editable_attachment(self.actor, self.id)
            operations.remove_attachment(attachment, actor=self.actor, at=self.at)
        return Response(status=204)

    def check_writable(self) -> None:
        with transaction.atomic():
            writing.editable_attachment(self.actor, self.id)


class FileBytes(DeskView):
    """The bytes of a file, under the address that its description names (decision 44)."""

    name = "Follow Up Attachment File"

    def get(self, request: Request, **_: Any) -> HttpResponseBase:
        found = attachments.attachment_for(self.actor, self.id)
        try:
            file = attachments.open_blob(found.blob_id)
        except FileNotFoundError as error:
            raise errors.NoSuchRow("attachment") from error
        response: HttpResponseBase
        if request.method == "HEAD":
            file.close()
            response = HttpResponse()
        else:
            response = StreamingHttpResponse(encode.pieces(file))
        response["Content-Type"] = attachments.served_type(found.content_type)
        response["Content-Length"] = str(found.size)
        response["Content-Disposition"] = (
            content_disposition_header(True, found.filename) or "attachment"
        )
        response["Content-Security-Policy"] = SEALED
        response["Cache-Control"] = "private, no-cache"
        return response


# --- people --------------------------------------------------------------------------------------


class Users(DeskView):
    permission_classes = [MayAddUsers]
    name = "Create User List"
    description = "Adds a customer account, or gives one to somebody known by address only."

    def get_serializer(self, *args: Any, **kwargs: Any) -> decode.UserSerializer:
        return decode.UserSerializer(*args, **kwargs)

    def post(self, request: Request, **_: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        user = people.add_user(serializer, actor=self.actor, at=self.at)
        body: Mapping[str, Any] = {
            "first_name": user.firstname,
            "last_name": user.lastname,
            "username": user.login,
            "email": user.email,
        }
        return Response(body, status=201)
