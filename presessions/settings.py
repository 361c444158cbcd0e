"""All settings, on one page. What differs between machines comes from the environment and has no default that could
be wrong in Geneva: the process stops at start, not at midnight. Wiring: sees every room."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from environs import Env

from presessions import refusals

refusals.refuse(os.environ)
env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- What differs between machines ---------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY")
# Older ones, with commas between them: what was signed by them goes on until it ends by itself. See docs/keys.md.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", [], subcast=str.strip)
VAULT_KEYSET = env.str("VAULT_KEYSET", "") or Path(env.str("VAULT_KEYSET_FILE")).read_text()
DATABASES = {"default": {**env.dj_db_url("DATABASE_URL"), "ATOMIC_REQUESTS": False}}
# A connection is kept for so many seconds, one for each thread of the web; 0: a new one for each page.
DATABASES["default"] |= {"CONN_MAX_AGE": env.int("DATABASE_KEEP", 60), "CONN_HEALTH_CHECKS": True}
# Whom `migrate` grants what in the database (deploy/roles.sql); empty: whoever logs in owns everything.
DATABASE_APP_ROLE, DATABASE_READER_ROLE = env.str("DATABASE_APP_ROLE", ""), env.str("DATABASE_READER_ROLE", "")
DATABASE_BACKUP_ROLE = env.str("DATABASE_BACKUP_ROLE", "")
REDIS_URL = env.str("REDIS_URL")
SMTP_URL = env.str("SMTP_URL")  # smtp://, smtps:// or smtp+tls://user:password@host:port
PUBLIC_URL = env.str("PUBLIC_URL").rstrip("/")  # as people type it; links in mails begin with it
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [], subcast=str.strip)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
MAIL_DOMAIN = env.str("MAIL_DOMAIN")  # right of the @ in Message-IDs
MAIL_FROM = env.str("MAIL_FROM")
MAIL_REPLY_TO = env.str("MAIL_REPLY_TO", MAIL_FROM)  # a mailbox that somebody reads
# The sender's block of letters for a visa, line by line; the commas divide.
ORGANISATION_ADDRESS = env.list("ORGANISATION_ADDRESS", ["UPR Info", "Geneva"], subcast=str.strip)
# Whom a weakness is reported to, as /.well-known/security.txt and /safety/ say: addresses, or https:// pages.
SECURITY_CONTACT = [*filter(None, env.list("SECURITY_CONTACT", [], subcast=str.strip))] or [MAIL_REPLY_TO]
# What /privacy/ says and only UPR Info can know: in which States the server and its copies stand (CH), and the day on
# which it confirmed what that page says of the law (2027-01-31). While they are empty the page says that this is open.
HOSTED_IN = [*filter(None, env.list("HOSTED_IN", [], subcast=str.strip))]
PRIVACY_CONFIRMED_ON = env.str("PRIVACY_CONFIRMED_ON", "") and env.date("PRIVACY_CONFIRMED_ON")
BACKUP_DAYS = env.int("BACKUP_DAYS", 30)  # how long deploy/backup.sh keeps a copy, as /privacy/ and /safety/ say
MAIL_BOUNCE_DOMAIN = env.str("MAIL_BOUNCE_DOMAIN", "")  # whatever is sent there ends in the inbox
MAIL_DKIM_SELECTOR = env.list("MAIL_DKIM_SELECTOR", [])  # under which the relay's keys stand; for check_mail_domain
INBOX_URL = env.str("INBOX_URL", "")  # imaps:// or imap+tls://user:password@host:port/INBOX; empty: nothing is read
INBOX_CA_FILE = env.str("INBOX_CA_FILE", "")  # a certificate to trust besides the system's
PRIVATE_FILES = Path(env.str("PRIVATE_FILES"))  # encrypted; outside the web root
MAIL_JOURNAL = Path(env.str("MAIL_JOURNAL", str(PRIVATE_FILES.parent / "journal")))  # never in the database's backup
ALERT_SMTP_URL = env.str("ALERT_SMTP_URL", "")  # another relay than SMTP_URL: says so when mail itself is down
ALERT_TO = env.list("ALERT_TO", [], subcast=str.strip)  # whom it tells; an address outside MAIL_DOMAIN is best
METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # what whoever scrapes /metrics brings along; empty: there is no such page
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "var" / "static")))

# --- The house ------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    # Ours stand before django.contrib.admin, or its templates would win over ours.
    "presessions",
    "presessions.accounts",
    "presessions.trail",
    "presessions.retention",
    "presessions.upr",
    "presessions.mail",
    "applications",
    "missions",
    "crispy_forms",
    "csp",
    "presessions.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "presessions.whole_posts.WholePosts",
    "presessions.vault.uploads_end_with_their_request",
    "presessions.strict.Strict",  # this and the next two stand before all that answers, static files included
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "presessions.tongues.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "presessions.accounts.doors.StaffDoor",
]
ROOT_URLCONF = "presessions.urls"
WSGI_APPLICATION = "presessions.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
CRISPY_TEMPLATE_PACK = "plain"
CRISPY_ALLOWED_TEMPLATE_PACKS = ("plain",)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS = []

# --- People ---------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "presessions.accounts.passwords.NotAboutUs"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_ENGINE = "applications.visits"  # the database, and one question less for each page of an applicant
SESSION_COOKIE_AGE = 12 * 3600
# A session of staff, in minutes: how long nobody may stir before it is locked, how long it lasts at all, and how fresh
# a proof must be for what cannot be taken back (a release, a mailing, an export, opening what is masked).
STAFF_IDLE, STAFF_SESSION, STAFF_PROOF = 30, 600, 10
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds that a link to choose a password lives
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = None  # goes with the browser: for a year it would tell whoever takes the device who was here
CSRF_FAILURE_VIEW = "presessions.views.csrf_failure"

# --- Time and words -------------------------------------------------------------------------------------------------
TIME_ZONE = "Europe/Zurich"  # a deadline is Geneva time; the database keeps UTC
GENEVA = ZoneInfo(TIME_ZONE)
USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [  # each in its own script, as the switch shows it
    ("en", "English"),
    ("fr", "Français"),
    ("es", "Español"),
    ("ar", "العربية"),
    ("ru", "Русский"),
    ("zh-hans", "中文"),
]
MAIL_LANGUAGES = [(code[:2], name) for code, name in LANGUAGES]  # as people's rows keep them, and addresses say
STAFF_LANGUAGES = LANGUAGES[:2]  # what the desk of staff is written in
STYLEGUIDE = env.bool("STYLEGUIDE", DEBUG)  # whether /styleguide/ shows the components of our pages
REVIEWED_LANGUAGES = ["en"]  # whose texts on safety and privacy a native speaker has read; the others say so
LOCALE_PATHS = [BASE_DIR / "locale"]
ORGANISATION = _("UPR Info")

# --- Files ----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "presessions.vault.EncryptedStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
S3_BUCKET = env.str("S3_BUCKET", "")  # private files lie there instead of in PRIVATE_FILES, as encrypted as before
if S3_BUCKET:
    STORAGES["default"] = {"BACKEND": "presessions.objects.ObjectStorage"}
    STORAGES["objects"] = {
        "BACKEND": "presessions.objects.Bucket",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT", "") or None,  # empty: Amazon's
            "region_name": env.str("S3_REGION", "") or None,
            "access_key": env.str("S3_ACCESS_KEY"),
            "secret_key": env.str("S3_SECRET_KEY"),
        },
    }
PAGE_KEPT = 1  # seconds that one and the same page goes to all who open the home page
UPLOAD_LIMIT = 20 * 1024 * 1024  # bytes of one file
# tcp://host:port or unix:/path of clamd; "none": somebody decided that files are not scanned, which is "" in here
CLAMAV_URL = env.str("CLAMAV_URL").removesuffix("none")
CLAMAV_SIGNATURE_DAYS = env.int("CLAMAV_SIGNATURE_DAYS", 7)  # older ones do not count as scanning; 0: not asked
FILE_UPLOAD_HANDLERS = ["presessions.vault.EncryptingUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000  # the admin page of a series has many meetings; an attack has more

# --- What is forgotten, and when ------------------------------------------------------------------------------------
# Days, by the names of the rules (presessions/retention). The environment changes some: "not_selected=45,selected=120".
KEEP_DAYS = {
    "drafts": 30,  # never sent: after their deadline
    "not_selected": 30,  # after the last day of the Pre-sessions
    "selected": 90,  # after the last day of the Working Group session
    "needs": 30,  # passports and practical needs, after the meeting
    "notes": 30,  # for the moderator, after the meeting
    "contacts_unconfirmed": 7,  # after the sign-up
    "delegates": 90,  # and what people of missions wrote: after the last day of the Working Group session
    "questions": 90,  # from the floor, the same
    "tasks": 90,  # how missions were reached by other means, the same
    "checks": 90,  # of the register, after they were settled
    "addresses": 90,  # of missions, after their last valid day
    "letters": 365,  # addresses and texts of letters, after they went
    "visitors": 7,  # letters to who asked for a link and had no application
    "reports": 90,  # texts of mails in the inbox, after somebody dealt with them
    "visits": 90,  # of personal links, except those of invitations, which are counted
    "uploads": 1,  # files that nobody finished sending
    "reasons": 730,  # why staff did something, in their words
    "history": 730,  # Django's own list of what was changed on the desk
    "staff": 730,  # names of former staff, after the last thing they did
    "alarms": 90,  # what alarms said, after they ended
    "sessions": 1,  # after they ended
    "tries": 1,  # to log in
} | env.dict("KEEP_DAYS", {}, subcast_values=int)

# --- Timed mail -----------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "presessions.mail.backend.OutboxBackend"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_FROM
MAIL_COMMAND_TIMEOUT = 30  # seconds for one SMTP command
MAIL_FINAL_DOT_TIMEOUT = 600  # seconds after the final dot, RFC 5321 4.5.3.2.6
MAIL_LEASE = 900  # seconds; never ends inside a legal wait
MAIL_BACKOFF = [60, 300, 900, 3600]  # seconds before each new try; the last one repeats
MAIL_UNCERTAIN_DELAY = 900  # seconds before the one identical repeat
MAIL_DRAIN_SECONDS = 50  # how long each bell looks for due letters; the next one rings after 60
MAIL_HANDS = 4  # letters that one worker process has in hand at once, each over a connection of its own
MAIL_DOMAIN_PER_MINUTE = env.int("MAIL_DOMAIN_PER_MINUTE", 120)  # letters of mailings to one domain; 0: no limit
MAIL_BREAKER = 10  # letters of one mailing that fail in a row before it is held; 0 never holds it
MAIL_GRACE_DAYS = 3  # how late a mailing still goes out by itself
MAIL_TWO_PERSONS_ABOVE = env.int("MAIL_TWO_PERSONS_ABOVE", 0)  # recipients; then one approves, another releases; 0: off
MAIL_LIFETIME_DAYS = 7  # how long a letter is tried when its kind says nothing else
INBOX_SECONDS = 120  # how long one reading of the inbox goes on; the next one begins after 300
MAIL_SILENCE = env.int("MAIL_SILENCE", 180)  # seconds without a sign of life until a part counts as silent
# seconds after which a server that had no letter to answer is asked whether it lives
MAIL_PROBE = min(120, MAIL_SILENCE // 2)
BACKUP_MINUTES = env.int("BACKUP_MINUTES", 0)  # how old deploy/backup.sh's last sign of life may be; 0: nobody asks
MAIL_RECONCILED_AT = 3  # the hour in Geneva when every mailing is compared with its audience

# --- Redis carries a bell without arguments, and counts that slow down abuse: nothing that may not be lost ------------
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "presessions",
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},  # a page must not wait for a dead Redis
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 5,
}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_TIME_LIMIT = MAIL_LEASE + 60
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "presessions.celery.Bell"
CELERY_BEAT_SCHEDULE = {
    "send-due-letters": {
        "task": "presessions.mail.tasks.send_due_letters",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "check-files": {"task": "applications.tasks.check_files", "schedule": 15.0, "options": {"expires": 14}},
    "sweep-uploads": {"task": "applications.tasks.sweep_uploads", "schedule": 3600.0, "options": {"expires": 3500}},
    "forget-needs": {"task": "applications.tasks.forget_needs", "schedule": 3600.0, "options": {"expires": 3500}},
    "forget": {"task": "presessions.retention.tasks.forget_due", "schedule": 600.0, "options": {"expires": 590}},
    "read-inbox": {"task": "presessions.mail.tasks.read_inbox", "schedule": 300.0, "options": {"expires": 290}},
}

# --- Doors and windows ----------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # the mark of our pages stands in them: one request less on a bad line
        "font-src": [NONE],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "frame-src": [SELF],  # a submission beside its assessment
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
# With no-referrer, Chromium posts `Origin: null` and every form answers 403.
SECURE_REFERRER_POLICY = "strict-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)  # one that sets X-Forwarded-For and -Proto itself
if PUBLIC_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    # Browsers take cookies of such names from this very host alone, over TLS: no neighbour puts its own in their place.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"

# --- Logs say what happened, never to whom --------------------------------------------------------------------------
DEFAULT_EXCEPTION_REPORTER = "presessions.error_reports.ErrorReport"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"without_tokens": {"()": "presessions.logs.WithoutTokens"}},
    "formatters": {"line": {"()": "presessions.logs.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["without_tokens"], "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True},  # it would write addresses and paths past our sieve
        "gunicorn.access": {"handlers": [], "propagate": True},
    },
}
