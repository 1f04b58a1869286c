"""Addresses of the workspace."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from deskbell.web.agent import channels, incoming, lists, notifications, opening, ticket

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
    path("admin/mail/", incoming.overview, name="admin-incoming"),
    path("admin/mail/replay/", incoming.replay, name="admin-incoming-replay"),
    path("admin/mail/<int:mail_id>/", incoming.mail, name="admin-mail"),
    path("admin/channels/", channels.overview, name="admin-channels"),
    path("admin/channels/new/", channels.new, name="admin-channel-new"),
    path("admin/channels/<int:channel_id>/", channels.channel, name="admin-channel"),
    path("admin/channels/<int:channel_id>/look/", channels.look, name="admin-channel-look"),
    path("admin/channels/<int:channel_id>/removal/", channels.remove, name="admin-channel-removal"),
]
