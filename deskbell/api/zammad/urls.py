"""Addresses of the Zammad dialect, below ``/api/v1/``. The most frequent come first.

A final slash is tolerated everywhere; what is not here answers a 404 in the dialect's shape.
"""

from __future__ import annotations

import re

from django.urls import URLPattern, re_path

from deskbell.api.zammad.views import (
    addresses,
    around,
    articles,
    attributes,
    bulk,
    companies,
    credentials,
    monitoring,
    notifications,
    search,
    tag_list,
    tickets,
    ties,
    times,
    users,
    vocabulary,
)
from deskbell.api.zammad.views.base import View, no_route

_PLACE = re.compile(r"<(\w+)>")
_ONE_PART = r"(?P<\1>[^/]+)"


def _at(address: str, view: View) -> URLPattern:
    """``tickets/<ticket_id>``: what stands in angle brackets is one part of the path."""
    return re_path(f"^{_PLACE.sub(_ONE_PART, address)}/?$", view)


urlpatterns = [
    _at("tickets", tickets.collection),
    _at("tickets/search", search.tickets),
    _at("tickets/mass_update", bulk.collection),
    _at("tickets/<ticket_id>", tickets.member),
    _at("ticket_articles/by_ticket/<ticket_id>", articles.of_ticket),
    _at("ticket_articles", articles.collection),
    _at("ticket_articles/<article_id>", articles.member),
    _at("ticket_attachment/<ticket_id>/<article_id>/<attachment_id>", articles.file),
    _at("tickets/<ticket_id>/update_title", tickets.title),
    _at("tickets/<ticket_id>/update_customer", tickets.customer),
    _at("tickets/<ticket_id>/time_accountings", times.collection),
    _at("tickets/<ticket_id>/time_accountings/<time_id>", times.member),
    _at("ticket_article_plain/<article_id>", articles.raw),
    _at("attachments", articles.files),
    _at("attachments/<upload_id>", articles.waiting_file),
    _at("users/me", users.myself),
    _at("users/search", users.found),
    _at("users/history/<user_id>", users.past),
    _at("users", users.collection),
    _at("users/<user_id>", users.member),
    _at("groups", companies.groups),
    _at("groups/search", companies.found_groups),
    _at("groups/<group_id>", companies.group),
    _at("organizations", companies.organizations),
    _at("organizations/search", companies.found_organizations),
    _at("organizations/<organization_id>", companies.organization),
    _at("roles", companies.roles),
    _at("roles/search", companies.found_roles),
    _at("roles/<role_id>", companies.role),
    _at("ticket_states", vocabulary.states),
    _at("ticket_states/<state_id>", vocabulary.state),
    _at("ticket_priorities", vocabulary.priorities),
    _at("ticket_priorities/<priority_id>", vocabulary.priority),
    _at("tags", ties.tags),
    _at("tags/add", ties.tag_add),
    _at("tags/remove", ties.tag_remove),
    _at("tag_search", ties.tag_search),
    _at("tag_list", tag_list.collection),
    _at("tag_list/<tag_id>", tag_list.member),
    _at("links", ties.links),
    _at("links/add", ties.link_add),
    _at("links/remove", ties.link_remove),
    _at("mentions", ties.mentions),
    _at("mentions/<mention_id>", ties.mention),
    _at("ticket_merge/<source_id>/<target_number>", ties.merging),
    _at("ticket_history/<ticket_id>", ties.history),
    _at("email_addresses", addresses.collection),
    _at("email_addresses/<address_id>", addresses.member),
    _at("monitoring/health_check", monitoring.health_check),
    _at("monitoring/status", monitoring.figures),
    _at("monitoring/amount_check", monitoring.amount_check),
    _at("monitoring/token", monitoring.token),
    _at("monitoring/restart_failed_jobs", monitoring.failed_jobs),
    _at("object_manager_attributes", attributes.collection),
    _at("object_manager_attributes/<attribute_id>", attributes.member),
    _at("object_manager_attributes_discard_changes", attributes.migrations),
    _at("object_manager_attributes_execute_migrations", attributes.migrations),
    _at("online_notifications", notifications.collection),
    _at("online_notifications/mark_all_as_read", notifications.all_read),
    _at("online_notifications/<notification_id>", notifications.member),
    _at("ticket_customer", around.customer),
    _at("ticket_related/<ticket_id>", around.relations),
    _at("ticket_recent", around.latest),
    _at("ticket_stats", around.figures),
    _at("ticket_split", around.splitting),
    _at("recent_view", around.recent_views),
    _at("time_accountings", times.collection),
    _at("time_accountings/<time_id>", times.member),
    _at("time_accounting/types", times.types),
    _at("time_accounting/types/<type_id>", times.type_),
    _at("time_accounting/log/by_ticket/<year>/<month>", times.ticket_log),
    _at("time_accounting/log/by_activity/<year>/<month>", times.activity_log),
    _at("time_accounting/log/by_customer/<year>/<month>", times.customer_log),
    _at("time_accounting/log/by_organization/<year>/<month>", times.organization_log),
    _at("search", search.everything),
    _at("search/<classes>", search.everything),
    _at("user_access_token", credentials.tokens),
    _at("user_access_token/<token_id>", credentials.token),
    _at("signin", credentials.signin),
    _at("signshow", credentials.signshow),
    _at("signout", credentials.signout),
    _at("version", vocabulary.version),
    re_path(r"", no_route),
]
