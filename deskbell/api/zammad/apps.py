from django.apps import AppConfig


class ZammadConfig(AppConfig):
    name = "deskbell.api.zammad"
    label = "zammad"
