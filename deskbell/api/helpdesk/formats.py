"""What is parsed and rendered, and how it is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.template.backends.django import DjangoTemplates
from django.utils.html import conditional_escape
from rest_framework import parsers, renderers
from rest_framework.exceptions import NotAcceptable, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from deskbell.api.helpdesk.encode import Encoded, decoded

#: Everything comes from our own address; the one inline script is data, which no policy concerns.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class _Careful:
    """What a body makes a parser stumble over is the sender's mistake, not the server's.

    JSON nested deeper than Python follows, and charsets whose codecs are no plain tables.
    """

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)  # type: ignore[misc]
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error
        except (UnicodeError, LookupError) as error:
            raise ParseError(f"Malformed request body - {error}") from error


class JsonParser(_Careful, parsers.JSONParser):
    """JSON in UTF-8, or in what the Content-Type names."""


class FormParser(_Careful, parsers.FormParser):
    """A form without files."""


class MultiPartParser(_Careful, parsers.MultiPartParser):
    """A form with files."""


class JsonRenderer(renderers.JSONRenderer):
    """JSON, without work where it is ready already."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if isinstance(data, Encoded):
            if self.get_indent(accepted_media_type or "", renderer_context or {}) is None:
                return data
            data = decoded(data)
        try:
            return super().render(data, accepted_media_type, renderer_context)
        except UnicodeEncodeError:
            # An error that quotes half a surrogate pair; escaped, it is still JSON.
            return _AsciiRenderer().render(data, accepted_media_type, renderer_context)


class _AsciiRenderer(renderers.JSONRenderer):
    ensure_ascii = True


class FormRenderer(renderers.HTMLFormRenderer):
    """The forms of the browsable API; help texts are ours or an administrator's, never markup."""

    def render_field(self, field: Any, parent_style: Mapping[str, Any]) -> str:
        # The framework's templates print help texts unescaped.
        field._field.help_text = conditional_escape(field._field.help_text or "")
        rendered: str = super().render_field(field, parent_style)
        return rendered


class PageRenderer(renderers.BrowsableAPIRenderer):
    """The browsable API, with a face of its own and nothing from elsewhere."""

    template = "helpdesk/browsable.html"
    form_renderer_class = FormRenderer

    def get_context(
        self,
        data: Any,
        accepted_media_type: str | None,
        renderer_context: Mapping[str, Any],
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(data, accepted_media_type, renderer_context)
        # It would be an inline style sheet, which our policy forbids.
        context["code_style"] = None
        # The papers lie beside the API, below the same mount.
        context["papers"] = f"{context['request'].path.partition('/api')[0]}/help/api/helpdesk/"
        return context

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        context = dict(renderer_context or {})
        self.accepted_media_type = accepted_media_type or ""
        self.renderer_context = context
        values = self.get_context(data, self.accepted_media_type, context)
        page = _templates().get_template(self.template).render(values, request=context["request"])
        if context["response"].status_code == HTTPStatus.NO_CONTENT:
            # Said on the page; as the answer's own status it would forbid a page.
            context["response"].status_code = HTTPStatus.OK
        return page.encode("utf-8", "replace").decode()


@cache
def _templates() -> DjangoTemplates:
    """Templates of this dialect, which is no application, and of the framework's."""
    return DjangoTemplates(
        {
            "NAME": "helpdesk",
            "DIRS": [Path(__file__).parent / "templates"],
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    )


class Negotiation(DefaultContentNegotiation):
    """The framework's rules, except that a format in the address beats the Accept header."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        wanted = format_suffix or request.query_params.get("format")
        try:
            chosen: Any = super().select_renderer(request, renderers, format_suffix)
            return chosen[0], chosen[1]
        except NotAcceptable:
            if not wanted:
                raise
            chosen = self.filter_renderers(renderers, wanted)[0]
            return chosen, chosen.media_type
