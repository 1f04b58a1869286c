"""The dialect's addresses below ``/api/``, after everything of the REST API (decision 30).

With and without the final slash: a redirect would lose the form.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, re_path

from deskbell.api.jutda import views

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(rf"^(?P<name>{'|'.join(views.METHODS)})/?\Z", views.call),
    re_path(r"^(?P<name>[a-z_-]+)/?\Z", views.unknown),
    re_path(r"^(?P<path>(?s:.*))\Z", views.nowhere),
]
