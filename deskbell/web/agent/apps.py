from django.apps import AppConfig


class AgentConfig(AppConfig):
    name = "deskbell.web.agent"
    label = "web_agent"
