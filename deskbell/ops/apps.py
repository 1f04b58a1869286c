from django.apps import AppConfig


class OpsConfig(AppConfig):
    """The top storey: the one application that may know them all, so it installs the wiring."""

    name = "deskbell.ops"
    label = "ops"

    def ready(self) -> None:
        from deskbell import wiring

        wiring.install()
