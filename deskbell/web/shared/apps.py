from django.apps import AppConfig


class SharedConfig(AppConfig):
    name = "deskbell.web.shared"
    label = "web_shared"
