"""What every test shares."""

import pytest
from django.core.cache import cache


def pytest_configure(config):
    """Passwords are hashed quickly in tests; nothing else differs from the real settings."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def forget_what_processes_remember():
    """Each test rolls its rows back, so nothing of the last one may be remembered."""
    from tongzhou.catalog import queries as goods
    from tongzhou.ledger import sql
    from tongzhou.people import queries as people
    from tongzhou.plans import queries as plans

    for forget in (goods.forget, sql.forget, people.forget, plans.forget, cache.clear):
        forget()


def pytest_collection_modifyitems(config, items):
    """Tests that need PostgreSQL are skipped, visibly, where there is none."""
    from django.conf import settings

    if "postgresql" in settings.DATABASES["default"]["ENGINE"]:
        return
    skip = pytest.mark.skip(reason="needs PostgreSQL: set DATABASE_URL")
    for item in items:
        if "postgres" in item.keywords:
            item.add_marker(skip)
