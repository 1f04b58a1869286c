"""Addresses of the portal."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from deskbell.web.portal import opening, public, tickets

urlpatterns: list[URLPattern | URLResolver] = [
    path("my/tickets/", tickets.own, name="portal-tickets"),
    path("my/tickets/new/", opening.new, name="portal-new"),
    path("my/tickets/<int:ticket_id>/", tickets.ticket, name="portal-ticket"),
    path("my/tickets/<int:ticket_id>/replies/", tickets.create_reply, name="portal-replies"),
    path("tickets/view/", public.ticket, name="portal-public-ticket"),
]
