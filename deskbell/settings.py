"""Django's settings, made from the desk's own few (``deskbell/kernel/config.py``).

Nothing here is for operators: what they may say stands in ``docs/running.md``.
"""

from __future__ import annotations

from importlib.util import find_spec
from urllib.parse import urlsplit

from deskbell.kernel import config as _config
from deskbell.kernel.database import database
from deskbell.kernel.logging import logging_for

CONFIG = _config.current()

DEBUG = False
SECRET_KEY = _config.secret_key(CONFIG)

_public = urlsplit(CONFIG.url)
_over_tls = _public.scheme == "https"

ALLOWED_HOSTS = list(
    dict.fromkeys(
        [
            "localhost",
            "127.0.0.1",
            "[::1]",
            *([_public.hostname] if _public.hostname else []),
            *CONFIG.allowed_hosts,
        ]
    )
)

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "deskbell.kernel",
    "deskbell.people",
    "deskbell.tickets",
    "deskbell.api.zammad",
    "deskbell.notify",
    *(app for app in ("deskbell.mail", "deskbell.search") if find_spec(app + ".apps") is not None),
    "deskbell.web.shared",
    "deskbell.web.agent",
    "deskbell.web.portal",
    "deskbell.ops",
]

MIDDLEWARE = ["deskbell.web.shared.middleware.DeskMiddleware"]
ROOT_URLCONF = "deskbell.urls"
WSGI_APPLICATION = "deskbell.wsgi.application"
#: Addresses answer with and without the slash themselves; nobody's POST is redirected.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": database(CONFIG)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
#: No transaction around a request: it would make every read take SQLite's write lock.
ATOMIC_REQUESTS = False

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

TASKS = {
    "default": {
        "BACKEND": "deskbell.kernel.jobs.backend.LeaseBackend",
        # An empty list means any queue name.
        "QUEUES": [],
    }
}

AUTH_USER_MODEL = "people.User"
PASSWORD_HASHERS = [
    "deskbell.kernel.passwords.ModerateArgon2PasswordHasher",
    # Hashes that come from another Django installation stay valid and are renewed at sign-in.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _over_tls
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _over_tls
CSRF_FAILURE_VIEW = "deskbell.web.shared.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [CONFIG.url] if CONFIG.url else []
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

STATIC_URL = "/static/"
#: Served straight from the packages: no build step, so browsers ask again after a minute and are
#: mostly told that nothing changed.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 60

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # Content-addressed, outside of anything a web server shows; any of Django's storages will do.
    "attachments": {
        "BACKEND": "deskbell.tickets.attachments.DurableStorage",
        "OPTIONS": {
            "location": CONFIG.data / "attachments",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    # Messages as they came in, byte by byte.
    "mail": {
        "BACKEND": "deskbell.tickets.attachments.DurableStorage",
        "OPTIONS": {
            "location": CONFIG.data / "mail",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_TEMP_DIR = None
#: The outermost WSGI layer bounds the request; Django must not refuse what that lets through.
DATA_UPLOAD_MAX_MEMORY_SIZE = CONFIG.max_request_mb * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 200

USE_TZ = True
TIME_ZONE = CONFIG.timezone
USE_I18N = True
LANGUAGE_CODE = "en"

#: The desk never sends through Django's default backend; mail goes out through its own outbox.
DEFAULT_FROM_EMAIL = CONFIG.mail_from or "deskbell@localhost.invalid"

REST_FRAMEWORK = {
    # Every dialect names its classes on its own base view; these keep a forgotten one shut.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

LOGGING_CONFIG = "deskbell.kernel.logging.configure"
LOGGING = logging_for(CONFIG)
