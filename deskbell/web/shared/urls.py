"""Addresses that agents and customers share."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from deskbell.web.shared import signing_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("", signing_in.home, name="home"),
    path("sign-out/", signing_in.sign_out, name="sign-out"),
    path("favicon.ico", RedirectView.as_view(url="/static/shared/favicon.svg", permanent=True)),
]
