"""Addresses of the workspace."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from deskbell.web.agent import (
    channels,
    entry,
    ignoring,
    incoming,
    lists,
    notifications,
    opening,
    sending,
    texts,
    ticket,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("tickets/", lists.tickets, name="agent-tickets"),
    path("tickets/new/", opening.new, name="agent-new"),
    path("tickets/<int:ticket_id>/", ticket.ticket, name="agent-ticket"),
    path("tickets/<int:ticket_id>/replies/", ticket.create_reply, name="agent-replies"),
    path("tickets/<int:ticket_id>/notes/", ticket.create_note, name="agent-notes"),
    path("tickets/<int:ticket_id>/facts/", ticket.change_facts, name="agent-facts"),
    path("tickets/<int:ticket_id>/owner/", ticket.take, name="agent-take"),
    path(
        "tickets/<int:ticket_id>/entries/<int:article_id>/mail/",
        entry.mail_of,
        name="agent-mail-of",
    ),
    path(
        "tickets/<int:ticket_id>/replies/<int:article_id>/withdrawal/",
        entry.take_back,
        name="agent-take-back",
    ),
    path("tickets/<int:ticket_id>/mails/<int:mail_id>/again/", entry.resend, name="agent-resend"),
    path(
        "tickets/<int:ticket_id>/entries/<int:article_id>/joining/",
        entry.join,
        name="agent-join",
    ),
    path(
        "tickets/<int:ticket_id>/entries/<int:article_id>/split/",
        entry.split,
        name="agent-split",
    ),
    path(
        "tickets/<int:ticket_id>/entries/<int:article_id>/note/",
        entry.keep,
        name="agent-keep",
    ),
    path("notifications/", notifications.notifications, name="agent-notifications"),
    path("notifications/seen/", notifications.see_all, name="agent-notifications-seen"),
    path("admin/mail/", incoming.overview, name="admin-incoming"),
    path("admin/mail/replay/", incoming.replay, name="admin-incoming-replay"),
    path("admin/mail/rules/", ignoring.rules, name="admin-mail-rules"),
    path("admin/mail/ignored/", ignoring.overview, name="admin-ignored"),
    path("admin/mail/ignored/new/", ignoring.new, name="admin-ignored-new"),
    path("admin/mail/ignored/<int:rule_id>/", ignoring.rule, name="admin-ignored-rule"),
    path("admin/mail/ignored/<int:rule_id>/use/", ignoring.switch, name="admin-ignored-use"),
    path(
        "admin/mail/ignored/<int:rule_id>/removal/", ignoring.remove, name="admin-ignored-removal"
    ),
    path("admin/mail/<int:mail_id>/", incoming.mail, name="admin-mail"),
    path("admin/channels/", channels.overview, name="admin-channels"),
    path("admin/channels/new/", channels.new, name="admin-channel-new"),
    path("admin/channels/<int:channel_id>/", channels.channel, name="admin-channel"),
    path(
        "admin/channels/<int:channel_id>/address/",
        channels.renew_address,
        name="admin-channel-address",
    ),
    path("admin/channels/<int:channel_id>/look/", channels.look, name="admin-channel-look"),
    path("admin/channels/<int:channel_id>/removal/", channels.remove, name="admin-channel-removal"),
    path("admin/sending/", sending.overview, name="admin-sending"),
    path("admin/sending/new/", sending.new, name="admin-route-new"),
    path("admin/sending/groups/<int:group_id>/", sending.group, name="admin-sending-group"),
    path("admin/sending/<int:route_id>/", sending.route, name="admin-route"),
    path("admin/sending/<int:route_id>/removal/", sending.remove, name="admin-route-removal"),
    path("admin/texts/", texts.overview, name="admin-texts"),
    path("admin/texts/<slug:name>/", texts.text, name="admin-text"),
    path("admin/texts/<slug:name>/preview/", texts.show, name="admin-text-preview"),
]
