"""The people every desk starts with. Ids are relied upon by clients (Zammad's default rows)."""

from django.core.management.color import no_style
from django.db import migrations

PERMISSIONS = [
    ("admin", "Administer the desk"),
    ("admin.user", "Manage users"),
    ("admin.group", "Manage groups"),
    ("admin.role", "Manage roles"),
    ("admin.organization", "Manage organizations"),
    ("admin.object", "Manage states, priorities and custom fields"),
    ("admin.tag", "Manage tags"),
    ("admin.time_accounting", "Manage recorded time"),
    ("admin.channel_email", "Manage mail channels"),
    ("admin.webhook", "Manage webhooks"),
    ("admin.trigger", "Manage triggers"),
    ("admin.macro", "Manage macros"),
    ("admin.sla", "Manage service levels"),
    ("admin.overview", "Manage overviews"),
    ("admin.api", "Manage API access"),
    ("admin.session", "Manage sessions"),
    ("admin.monitoring", "Watch the desk's health"),
    ("admin.report_profile", "Manage reports"),
    ("admin.ticket", "Manage ticket settings"),
    ("admin.ticket_state", "Manage ticket states"),
    ("admin.ticket_priority", "Manage ticket priorities"),
    ("admin.knowledge_base", "Manage the knowledge base"),
    ("ticket", "Tickets"),
    ("ticket.agent", "Work on tickets of groups"),
    ("ticket.customer", "Ask for help"),
    ("ticket.delete", "Delete tickets and other people's entries"),
    ("user_preferences", "Own preferences"),
    ("user_preferences.password", "Change the own password"),
    ("user_preferences.notifications", "Choose own notifications"),
    ("user_preferences.access_token", "Make own API tokens"),
    ("user_preferences.language", "Choose the own language"),
    ("user_preferences.linked_accounts", "Link own accounts"),
    ("user_preferences.device", "See own sessions"),
    ("user_preferences.avatar", "Choose the own picture"),
    ("user_preferences.calendar", "Subscribe to own calendar"),
    ("user_preferences.out_of_office", "Set the own absence"),
    ("user_preferences.appearance", "Choose the own appearance"),
    ("report", "Reports"),
    ("chat", "Chat"),
    ("chat.agent", "Answer chats"),
    ("cti", "Telephony"),
    ("cti.agent", "See calls"),
    ("knowledge_base", "Knowledge base"),
    ("knowledge_base.editor", "Write knowledge base articles"),
    ("knowledge_base.reader", "Read internal knowledge base articles"),
]

ROLES = [
    (
        1,
        "Admin",
        False,
        False,
        "Administers the desk; sees no tickets by that alone.",
        ["admin", "user_preferences", "report", "knowledge_base.editor"],
    ),
    (
        2,
        "Agent",
        False,
        False,
        "Answers tickets of the groups granted.",
        ["ticket.agent", "user_preferences", "chat.agent", "cti.agent", "knowledge_base.reader"],
    ),
    (
        3,
        "Customer",
        True,
        False,
        "Asks for help and sees own tickets.",
        [
            "ticket.customer",
            "user_preferences.password",
            "user_preferences.language",
            "user_preferences.linked_accounts",
            "user_preferences.avatar",
        ],
    ),
    (
        4,
        "All groups",
        False,
        True,
        "Full access to every group, present and future.",
        ["ticket.agent", "ticket.delete"],
    ),
]


def seed(apps, schema_editor):
    User = apps.get_model("people", "User")
    Identity = apps.get_model("people", "Identity")
    Organization = apps.get_model("people", "Organization")
    Group = apps.get_model("people", "Group")
    Permission = apps.get_model("people", "Permission")
    Role = apps.get_model("people", "Role")
    UserRole = apps.get_model("people", "UserRole")

    User.objects.create(
        id=1,
        login="-",
        password="!",  # noqa: S106 - nobody can sign in with this
        active=False,
        firstname="-",
    )
    Identity.objects.create(key="-", user_id=1, is_login=True)
    Organization.objects.create(
        id=1, name="Deskbell", name_key="deskbell", note="The people behind this desk."
    )
    User.objects.create(
        id=2,
        login="sample.customer@deskbell.invalid",
        login_chosen=False,
        email="sample.customer@deskbell.invalid",
        firstname="Sample",
        lastname="Customer",
        password="!",  # noqa: S106 - nobody can sign in with this
        organization_id=1,
    )
    Identity.objects.create(
        key="sample.customer@deskbell.invalid", user_id=2, is_login=True, is_email=True
    )
    Group.objects.create(
        id=1, name="Users", name_key="users", slug="users", note="Takes whatever comes first."
    )
    ids = {}
    for name, note in PERMISSIONS:
        ids[name] = Permission.objects.create(name=name, note=note)
    for id_, name, signup, every, note, permissions in ROLES:
        role = Role.objects.create(
            id=id_,
            name=name,
            name_key=name.casefold(),
            default_at_signup=signup,
            every_group=every,
            note=note,
        )
        role.permissions.set([ids[p] for p in permissions])
    UserRole.objects.create(user_id=2, role_id=3)
    sql = schema_editor.connection.ops.sequence_reset_sql(
        no_style(), [User, Organization, Group, Role]
    )
    for statement in sql:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop, elidable=False)]
