"""All addresses. Order matters below ``/api/`` (decision 30).

First ``v1``, then the REST names, ``help``, and at last Jutda's, who answers for all other names.

The three API trees also answer below ``/helpdesk/``, where old installations had them.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from deskbell.api import openapi
from deskbell.api.helpdesk.reference import REFERENCE as HELPDESK
from deskbell.api.helpdesk.urls import root as helpdesk_root
from deskbell.api.zammad.reference import REFERENCE as ZAMMAD
from deskbell.kernel.reference import Reference
from deskbell.web.shared import help, hooks

REFERENCES = (HELPDESK, ZAMMAD)


def _apis(mount: str) -> list[URLPattern | URLResolver]:
    return [
        path(f"{mount}api/v1/", include("deskbell.api.zammad.urls")),
        path(f"{mount}api/", include("deskbell.api.helpdesk.urls")),
        re_path(rf"^{mount}api\Z", helpdesk_root),
        re_path(rf"^{mount}api/help/?\Z", help.form_api, {"mount": mount}),
        path(f"{mount}api/", include("deskbell.api.jutda.urls")),
        re_path(rf"^{mount}help/api/?\Z", help.form_api, {"mount": mount}),
        *(page for reference in REFERENCES for page in _documentation(mount, reference)),
    ]


def _documentation(mount: str, reference: Reference) -> list[URLPattern | URLResolver]:
    """The pages about a REST dialect, outside of its own tree."""
    place = rf"^{mount}help/api/{reference.name}"
    given = {"mount": mount, "reference": reference}
    return [
        re_path(rf"{place}/?\Z", help.rest_api, given),
        re_path(rf"{place}/openapi\.json\Z", openapi.openapi, given),
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    *_apis(""),
    *_apis("helpdesk/"),
    # Mailgun posts whole messages to addresses that end in "mime".
    re_path(r"^mail/in/(?P<place>[\w-]{1,100})/?(?:mime/?)?\Z", hooks.mail_in),
    re_path(r"^mail/events/(?P<key>[\w-]{1,100})/?\Z", hooks.mail_events),
    re_path(r"^mail/(?:in|events)/", hooks.nobody),
    path("", include("deskbell.web.shared.urls")),
    path("", include("deskbell.web.portal.urls")),
    path("", include("deskbell.web.agent.urls")),
]

handler400 = "deskbell.web.shared.errors.bad_request"
handler403 = "deskbell.web.shared.errors.forbidden"
handler404 = "deskbell.web.shared.errors.not_found"
handler500 = "deskbell.web.shared.errors.server_error"
