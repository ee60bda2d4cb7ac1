"""Settings: one file for tests, the one-command run and production; only environment variables differ."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from config.secret import secret_key_of

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

HOME = Path(env("LABELYARD_HOME", default=str(BASE_DIR / ".labelyard")))
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="") or secret_key_of(HOME)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "common",
    "vendors",
    "curation",
    "marketplace",
    "api",
    "portal",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "common.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": env.db("DATABASE_URL", default="postgresql:///labelyard")}
DATABASES["default"].update(
    {
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
    }
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "common.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Payments. Without a key nothing is charged: jobs hold no money, settlements are kept as figures only.
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY", default="")
STRIPE_API_BASE = env("STRIPE_API_BASE", default="")
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRETS", default=[])
if STRIPE_API_BASE and STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_")):
    raise ImproperlyConfigured("STRIPE_API_BASE is for the stand-in payment server: never together with a live key.")
CATCH_UP_PERIOD_S = env.float("CATCH_UP_PERIOD_S", default=900.0)
RECONCILE_PERIOD_S = env.float("RECONCILE_PERIOD_S", default=3600.0)
PAYOUT_PERIOD_S = env.float("PAYOUT_PERIOD_S", default=24 * 3600.0)
BILLING_ENABLED = env.bool("BILLING_ENABLED", default=bool(STRIPE_SECRET_KEY))

REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # A publish fails at once while the broker is away; consumers reconnect by their own rules.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# A publish must never hold a request: the sweeper finds whatever a lost nudge would have started.
CELERY_TASK_PUBLISH_RETRY = False
SWEEP_PERIOD_S = env.float("SWEEP_PERIOD_S", default=1.0)
# How long claimed work may take before another process is given it.
WORK_LEASE_S = env.float("WORK_LEASE_S", default=30.0)
# The longest an offer may stay open on the clock while its window is counted in working time.
OFFER_CAP_S = env.float("OFFER_CAP_S", default=24 * 3600.0)
OFFER_CAP_SPEED_S = env.float("OFFER_CAP_SPEED_S", default=4 * 3600.0)
# When a vendor is reminded of an offer and warned of a deadline: the share of the time that has passed.
OFFER_REMINDER_RATIO = env.float("OFFER_REMINDER_RATIO", default=0.5)
WORK_WARNING_RATIO = env.float("WORK_WARNING_RATIO", default=0.8)
# When a customer is reminded of a proposal: the share of the time to veto, or seconds where it waits for approval.
PROPOSAL_REMINDER_RATIO = env.float("PROPOSAL_REMINDER_RATIO", default=0.8)
PROPOSAL_REMINDER_S = env.float("PROPOSAL_REMINDER_S", default=24 * 3600.0)
# The longest accepted work may wait on the clock while its deadlines are counted in working time.
WORK_CAP_S = env.float("WORK_CAP_S", default=14 * 24 * 3600.0)
CELERY_BEAT_SCHEDULE = {
    "purge-idempotency": {"task": "common.tasks.purge_idempotency", "schedule": 24 * 3600.0},
    "check-posteriors": {"task": "marketplace.tasks.check_posteriors", "schedule": 24 * 3600.0},
    "sweep": {"task": "marketplace.tasks.sweep", "schedule": SWEEP_PERIOD_S, "options": {"expires": 5}},
}
if BILLING_ENABLED:
    CELERY_BEAT_SCHEDULE |= {
        "pay-out": {"task": "marketplace.tasks.pay_out", "schedule": PAYOUT_PERIOD_S},
        "mind-card-holds": {"task": "marketplace.tasks.mind_card_holds", "schedule": 600.0},
        "issue-statements": {"task": "marketplace.tasks.issue_statements", "schedule": 24 * 3600.0},
        "reconcile": {"task": "marketplace.tasks.reconcile", "schedule": RECONCILE_PERIOD_S},
        "catch-up-with-provider": {"task": "marketplace.tasks.catch_up_with_provider", "schedule": CATCH_UP_PERIOD_S},
    }
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "celerybeat-schedule")

# The status page shows totals of the whole market: open it on a private machine only.
STATUS_PAGE_IS_PUBLIC = env.bool("STATUS_PAGE_IS_PUBLIC", default=False)

# Array files of datasets: any fsspec URL (a local folder, s3://, gs://).
DATASET_STORAGE_URL = env("DATASET_STORAGE_URL", default=f"file://{HOME / 'datasets'}")
# Papers of vendors, likewise.
DOCUMENT_STORAGE_URL = env("DOCUMENT_STORAGE_URL", default=f"file://{HOME / 'papers'}")
DOCUMENT_MAX_BYTES = env.int("DOCUMENT_MAX_BYTES", default=20 * 1024**2)
FILE_UPLOAD_HANDLERS = [
    "portal.uploads.CappedUploads",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("DATA_UPLOAD_MAX_MEMORY_SIZE", default=256 * 1024 * 1024)
DATASET_MAX_BYTES = env.int("DATASET_MAX_BYTES", default=4 * 1024**3)
JSON_MAX_BYTES = env.int("JSON_MAX_BYTES", default=16 * 1024 * 1024)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.Scoped"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "api.pagination.SignedCursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "PAGE_SIZE": 100,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Labelyard",
    "DESCRIPTION": "A labeling marketplace with data curation built in.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=not DEBUG)
# Where a trusted proxy puts the visitor's address, for example HTTP_X_REAL_IP; empty: the peer's address counts.
CLIENT_ADDRESS_HEADER = env("CLIENT_ADDRESS_HEADER", default="")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)-7s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "stripe": {"level": "ERROR"},
    },
}
