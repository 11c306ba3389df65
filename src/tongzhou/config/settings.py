"""Settings: everything a mall can say about itself comes from the environment (docs/operating/environment.md)."""

import secrets
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from environs import Env, EnvError

env = Env()


def refuse(sentence: str) -> SystemExit:
    """A mall that cannot be trusted does not start; why is one sentence, not a trace."""
    return SystemExit(f"Tongzhou does not start: {sentence}")


def number(name: str, default: int, least: int = 0, most: int = 10**12) -> int:
    """A whole number of the environment within bounds."""
    try:
        value: int = env.int(name, default)
    except EnvError:
        raise refuse(f"{name} must be a whole number, not {env.str(name)!r}.") from None
    if not least <= value <= most:
        raise refuse(f"{name} is {value}; it may be {least} to {most}.")
    return value


BASE_DIR = Path(__file__).resolve().parents[3]
TONGZHOU_HOME = Path(env.str("TONGZHOU_HOME", str(BASE_DIR / "var"))).resolve()
TONGZHOU_HOME.mkdir(parents=True, exist_ok=True)
TONGZHOU_ENV = env.str("TONGZHOU_ENV", "demo")
if TONGZHOU_ENV not in {"demo", "production"}:
    raise refuse(f"TONGZHOU_ENV is {TONGZHOU_ENV!r}; it may be 'demo' or 'production'.")
PRODUCTION = TONGZHOU_ENV == "production"


def kept_secret(name: str, path: Path, given: str) -> str:
    """A secret from the environment, or made once and kept readable by the owner alone; in production it must be given."""
    if given:
        return given
    if PRODUCTION:
        raise refuse(f"{name} is required when TONGZHOU_ENV=production: a long random string, kept between starts.")
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


SECRET_KEY = kept_secret("TONGZHOU_SECRET_KEY", TONGZHOU_HOME / "secret.key", env.str("TONGZHOU_SECRET_KEY", ""))
DEBUG = False
if env.str("DEBUG", "").lower() in {"1", "true", "yes", "on"} and PRODUCTION:
    raise refuse("DEBUG is set; there is no debug mode, and certainly not in production. Unset it.")
PORT = number("PORT", 8000, 1, 65_534)
SITE_URL = env.str("TONGZHOU_SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.list("TONGZHOU_HOSTS", ["*"] if not PRODUCTION else [])
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL.startswith("https://") else []

# One currency per mall; fixed once a posting exists (ledger refuses any other).
CURRENCY = env.str("TONGZHOU_CURRENCY", "CNY")
TONGZHOU_PROFILE = env.str("TONGZHOU_PROFILE", "CN")
TONGZHOU_SMS = env.str("TONGZHOU_SMS", "sandbox")
# The sandbox counterparty (payments and payouts) listens beside the mall in the demo.
SANDBOX_PORT = number("TONGZHOU_SANDBOX_PORT", PORT + 1, 1, 65_535)
SANDBOX_URL = env.str("TONGZHOU_SANDBOX_URL", f"http://127.0.0.1:{SANDBOX_PORT}").rstrip("/")
SANDBOX_SECRET = env.str("TONGZHOU_SANDBOX_SECRET", "")
if not PRODUCTION and not SANDBOX_SECRET:
    SANDBOX_SECRET = kept_secret("TONGZHOU_SANDBOX_SECRET", TONGZHOU_HOME / "sandbox.key", "")

INSTALLED_APPS = [
    "tongzhou.config",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "axes",
    "tongzhou.kit",
    "tongzhou.ledger",
    "tongzhou.compliance",
    "tongzhou.people",
    "tongzhou.plans",
    "tongzhou.suppliers",
    "tongzhou.catalog",
    "tongzhou.sharing",
    "tongzhou.payments",
    "tongzhou.orders",
    "tongzhou.fulfilment",
    "tongzhou.aftersale",
    "tongzhou.rewards",
    "tongzhou.payouts",
    "tongzhou.risk",
    "tongzhou.storefront",
    "tongzhou.console",
    "tongzhou.api",
    "tongzhou.design",
]

# How many proxies of the operator's own stand in front and write X-Forwarded-For.
TRUSTED_PROXIES = number("TONGZHOU_PROXIES", 0, 0, 10)

MIDDLEWARE = [
    "tongzhou.config.proxy.ProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "tongzhou.storefront.middleware.LanguageMiddleware",
    "tongzhou.api.limits.ApiMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tongzhou.storefront.middleware.RefusalMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "tongzhou.config.urls"
WSGI_APPLICATION = "tongzhou.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tongzhou.storefront.context.shell",
            ],
            "builtins": [
                "django.templatetags.cache",
                "django.templatetags.i18n",
                "django.templatetags.static",
                "tongzhou.design.templatetags.shop_tags",
            ],
        },
    }
]


def database() -> dict[str, Any]:
    """The one database, from ``DATABASE_URL``; SQLite in WAL mode unless it names PostgreSQL."""
    try:
        found: dict[str, Any] = env.dj_db_url("DATABASE_URL", f"sqlite:///{TONGZHOU_HOME / 'tongzhou.sqlite3'}")
    except (EnvError, ValueError, KeyError):
        raise refuse("DATABASE_URL cannot be read; it looks like postgresql://user:password@host:5432/name.") from None
    if not found["ENGINE"].endswith(("sqlite3", "postgresql")):
        raise refuse("DATABASE_URL names neither PostgreSQL nor SQLite; those two are what Tongzhou runs on.")
    if found["ENGINE"].endswith("sqlite3"):
        sync = "FULL" if PRODUCTION else "NORMAL"
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": f"PRAGMA journal_mode=WAL; PRAGMA synchronous={sync}; PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY;",
        }
    else:
        found["OPTIONS"] = {
            **found.get("OPTIONS", {}),
            "server_side_binding": True,
            # A statement seen this often on a connection is prepared there, so that it is planned once; 0 turns it
            # off for connection poolers that cannot carry prepared statements.
            "prepare_threshold": number("TONGZHOU_DB_PREPARE", 3) or None,
            "pool": {"min_size": 1, "max_size": number("TONGZHOU_DB_POOL", 4, 1, 1_000), "timeout": 10},
        }
        found["CONN_MAX_AGE"] = 0
    return found


DATABASES = {"default": database()}
# The jurisdiction a mall is set up under; fixed when its first plan begins, changed by two people afterwards.
PROFILE = env.str("TONGZHOU_PROFILE", "CN")
# Goods below FREE_FREIGHT_FROM_MINOR pay FREIGHT_MINOR for delivery (minor units).
FREIGHT_MINOR = number("TONGZHOU_FREIGHT_MINOR", 800)
# Where buyers send returns: shown with every return that was agreed to. One line; empty: the operator writes it in each answer.
RETURN_ADDRESS = env.str(
    "TONGZHOU_RETURN_ADDRESS",
    "" if TONGZHOU_ENV != "demo" else "浙江省杭州市西湖区竞舟路 98 号 同舟退货仓 · 0571-88880000",
)
FREE_FREIGHT_FROM_MINOR = number("TONGZHOU_FREE_FREIGHT_FROM_MINOR", 5900)
PAYOUT_MIN_MINOR = number("TONGZHOU_PAYOUT_MIN_MINOR", 100, 1)
# Rails of payouts (docs/operating/payouts.md): key material in files, never in the environment itself.
WECHAT_PAY = {
    **{n: env.str(f"TONGZHOU_WECHAT_{n}", "") for n in (
        "MCHID", "APPID", "SERIAL", "KEY_FILE", "PLATFORM_SERIAL", "PLATFORM_KEY_FILE", "APIV3_KEY_FILE",
    )},
    "URL": env.str("TONGZHOU_WECHAT_URL", "https://api.mch.weixin.qq.com").rstrip("/"),
}  # fmt: skip
ALIPAY = {
    **{n: env.str(f"TONGZHOU_ALIPAY_{n}", "") for n in (
        "APP_ID", "KEY_FILE", "PUBLIC_KEY_FILE", "APP_CERT_FILE", "ROOT_CERT_FILE",
    )},
    "URL": env.str("TONGZHOU_ALIPAY_URL", "https://openapi.alipay.com/gateway.do"),
}  # fmt: skip
# Machines: calls a minute per caller, and who may read /metrics (empty: this machine alone, in the demo).
API_PER_MINUTE = number("TONGZHOU_API_PER_MINUTE", 300, 1)
METRICS_TOKEN = env.str("TONGZHOU_METRICS_TOKEN", "")
# The demo's operators; sign-in refuses this password in production.
DEMO_PASSWORD = "tongzhou-demo"  # noqa: S105 - published on purpose, and worth nothing
# Keys that encrypt payees' details, newest first; made once and kept when none is given outside production.
DATA_KEYS: list[str] = env.list("TONGZHOU_DATA_KEYS", [])

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "outbox", "external"]}}

AUTH_USER_MODEL = "people.Member"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "tongzhou.people.backends.MemberBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/sign-in"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# A signed cookie costs no query; signing out everywhere works through the member's session epoch.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "tz_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
CSRF_COOKIE_NAME = "tz_csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
SECURE_COOKIES = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
if SECURE_COOKIES:
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TONGZHOU_TIMEZONE", "Asia/Shanghai")
try:
    ZoneInfo(TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError):
    raise refuse(f"TONGZHOU_TIMEZONE is {TIME_ZONE!r}; it takes an IANA name like Asia/Shanghai.") from None

STATIC_URL = "/static/"
STATIC_ROOT = TONGZHOU_HOME / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "tongzhou.config.storage.KeptStaticStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
MEDIA_URL = "/media/"
MEDIA_ROOT = TONGZHOU_HOME / "media"
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.str("TONGZHOU_LOG", "WARNING")},
}
TEST_RUNNER = "django.test.runner.DiscoverRunner"
SILENCED_SYSTEM_CHECKS = ["security.W019"]
