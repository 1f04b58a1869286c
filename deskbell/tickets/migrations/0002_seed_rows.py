"""The states and priorities every desk starts with; ids are relied upon by clients."""

from django.core.management.color import no_style
from django.db import migrations

# id, name, type, number for django-helpdesk and Jutda, ignores escalation
STATES = [
    (1, "new", 1, 1, False),
    (2, "open", 2, 1, False),
    (3, "pending reminder", 3, 1, True),
    (4, "closed", 5, 4, True),
    (5, "merged", 6, 5, True),
    (6, "removed", 7, 4, True),
    (7, "pending close", 4, 1, True),
    (8, "reopened", 2, 2, False),
    (9, "resolved", 5, 3, True),
    (10, "duplicate", 5, 5, True),
]

# id, name, number, icon, color
PRIORITIES = [
    (1, "1 low", 4, "low-priority", "low-priority"),
    (2, "2 normal", 3, None, None),
    (3, "3 high", 2, "important", "high-priority"),
    (4, "4 critical", 1, "important", "high-priority"),
    (5, "0 very low", 5, "low-priority", "low-priority"),
]


def seed(apps, schema_editor):
    State = apps.get_model("tickets", "State")
    Priority = apps.get_model("tickets", "Priority")
    for id_, name, type_, number, ignore in STATES:
        State.objects.create(
            id=id_,
            name=name,
            name_key=name,
            type=type_,
            helpdesk_number=number,
            ignore_escalation=ignore,
            default_create=id_ == 1,
            default_follow_up=id_ == 2,
            active=id_ != 6,
        )
    State.objects.filter(id=7).update(next_state_id=4)
    for id_, name, number, icon, color in PRIORITIES:
        Priority.objects.create(
            id=id_,
            name=name,
            name_key=name,
            helpdesk_number=number,
            ui_icon=icon,
            ui_color=color,
            default_create=id_ == 2,
        )
    for statement in schema_editor.connection.ops.sequence_reset_sql(no_style(), [State, Priority]):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial"), ("people", "0002_seed_rows")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop, elidable=False)]
