from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "deskbell.web.portal"
    label = "web_portal"
