"""Django's settings, made from the options of the server."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lzgis.web.options import DATABASE, SECRET, ServeOptions

_HERE = Path(__file__).parent
_MIDDLEWARE = (
    "lzgis.web.guard.Guard",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "lzgis.web.access.Access",
)


def configure(options: ServeOptions) -> None:
    """Configure Django for this process and load the models; a second call changes nothing."""
    import django
    from django.conf import settings

    if settings.configured:
        return
    settings.configure(**settings_of(options))
    django.setup(set_prefix=False)


#: Settings that do not depend on options.
_FIXED: dict[str, Any] = {
    "DEBUG": False,
    "CSRF_COOKIE_HTTPONLY": True,
    "CSRF_COOKIE_SAMESITE": "Strict",
    "CSRF_FAILURE_VIEW": "lzgis.web.views.errors.csrf_failure",
    "SESSION_COOKIE_NAME": "lzgis-session",
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_SAVE_EVERY_REQUEST": False,
    "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
    "INSTALLED_APPS": [
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "lzgis.web",
    ],
    "ROOT_URLCONF": "lzgis.web.urls",
    "AUTH_USER_MODEL": "web.User",
    "AUTH_PASSWORD_VALIDATORS": [
        {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
        {
            "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
            "OPTIONS": {"min_length": 10},
        },
        {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    ],
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [_HERE / "templates"],
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request", "lzgis.web.pages.context"],
                "builtins": ["lzgis.web.templatetags.words"],
            },
        }
    ],
    "FILE_UPLOAD_PERMISSIONS": 0o600,
    "DATA_UPLOAD_MAX_MEMORY_SIZE": 20 * 1024**2,
    "DATA_UPLOAD_MAX_NUMBER_FIELDS": 5_000,
    "LANGUAGE_CODE": "zh-hans",
    "USE_I18N": True,
    "USE_TZ": True,
    "LOGGING": {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "loggers": {
            "django": {"handlers": ["console"], "level": "ERROR", "propagate": False},
            # It warns of every request that waits for a thread.
            "waitress.queue": {"level": "ERROR"},
        },
    },
}


def settings_of(options: ServeOptions) -> dict[str, Any]:
    """Return Django's settings."""
    https = options.is_https
    origins = [f"{scheme}://{host}" for host in options.hosts for scheme in (("https", "http") if https else ("http",))]
    return _FIXED | {
        "LZGIS": options,
        "SECRET_KEY": _secret(options.data / SECRET),
        "ALLOWED_HOSTS": sorted({urlsplit(f"//{host}").hostname or host for host in options.hosts} | {"[::1]"}),
        "CSRF_TRUSTED_ORIGINS": origins,
        "CSRF_COOKIE_SECURE": https,
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_AGE": options.bounds.session_s,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if https else None,
        "MIDDLEWARE": list(_MIDDLEWARE),
        "DATABASES": {"default": _database(options.data / DATABASE)},
        "FILE_UPLOAD_TEMP_DIR": str(options.data),
        "DATA_UPLOAD_MAX_NUMBER_FILES": options.bounds.upload_files,
        "TIME_ZONE": os.environ.get("TZ") or "Asia/Shanghai",
    }


def _database(path: Path) -> dict[str, Any]:
    """Return the database: PostgreSQL if the variable ``LZGIS_DATABASE`` names one, else SQLite with a write-ahead log."""
    address = os.environ.get("LZGIS_DATABASE", "")
    if address:
        parts = urlsplit(address)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": parts.username or "",
            "PASSWORD": parts.password or "",
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
        }
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    options = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": pragmas}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": options}


def _secret(path: Path) -> str:
    """Return the key that signs sessions; it is made once, readable by its owner alone."""
    if not path.exists():
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(64))
        partial.replace(path)
    return path.read_text("ascii")
