"""Django settings, made from the desk's own few settings (see docs/running.md)."""
from __future__ import annotations
import os
from pathlib import Path

DATA = Path(os.environ.get("DESKBELL_DATA", "data")).resolve()
SECRET_KEY = "to-be-replaced-by-config"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.staticfiles",
    "rest_framework",
    "deskbell.kernel", "deskbell.people", "deskbell.tickets", "deskbell.mail", "deskbell.search",
]
AUTH_USER_MODEL = "people.User"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA / "deskbell.sqlite3",
  "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"}}}
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
