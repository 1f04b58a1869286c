"""Addresses of the workspace."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from deskbell.web.agent import lists, notifications, opening, ticket

urlpatterns: list[URLPattern | URLResolver] = [
    path("tickets/", lists.tickets, name="agent-tickets"),
    path("tickets/new/", opening.new, name="agent-new"),
    path("tickets/<int:ticket_id>/", ticket.ticket, name="agent-ticket"),
    path("tickets/<int:ticket_id>/replies/", ticket.create_reply, name="agent-replies"),
    path("tickets/<int:ticket_id>/notes/", ticket.create_note, name="agent-notes"),
    path("tickets/<int:ticket_id>/facts/", ticket.change_facts, name="agent-facts"),
    path("tickets/<int:ticket_id>/owner/", ticket.take, name="agent-take"),
    path("notifications/", notifications.notifications, name="agent-notifications"),
    path("notifications/seen/", notifications.see_all, name="agent-notifications-seen"),
]
