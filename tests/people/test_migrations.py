"""What migrations of people do to rows that were there before."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@pytest.mark.django_db(transaction=True)
def test_addresses_of_groups_become_rows_of_their_own() -> None:
    def at(*targets: tuple[str, str]) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate(list(targets))
        return executor.loader.project_state(list(targets)).apps

    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        before: Any = at(("people", "0003_email_addresses")).get_model("people", "Group")
        for name, email, sender in (
            ("One", "Shop@desk.example", "Shop"),
            ("Two", "shop@DESK.example", "Shop"),
            ("Three", "help@desk.example", "Help"),
            ("Four", "help@desk.example", ""),
            ("Five", "", "Nobody"),
        ):
            before.objects.create(
                name=name, name_key=name, slug=name, email=email, sender_name=sender
            )
        after = at(("people", "0005_no_address_on_groups")).get_model("people", "Group")

        rows = after.objects.exclude(pk=1).order_by("id").select_related("email_address")
        found = [
            (
                row.sender_name,
                row.email_address and (row.email_address.name, row.email_address.email),
            )
            for row in rows
        ]

        assert found == [
            ("Shop", ("Shop", "Shop@desk.example")),
            ("Shop", ("Shop", "Shop@desk.example")),
            ("Help", ("", "help@desk.example")),
            ("", ("", "help@desk.example")),
            ("Nobody", None),
        ]
    finally:
        at(*latest)
