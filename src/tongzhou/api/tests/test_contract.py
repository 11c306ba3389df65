"""Generated calls against the WSGI application: never a crash, and every answer as the description says."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.cast import assemble

from tongzhou.api import tokens
from tongzhou.api.urls import description

schema = schemathesis.openapi.from_dict(description())
schema.app = get_wsgi_application()
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def token(db):
    """A buyer's token. The end of a request would close the connection that the test's own transaction lives on,
    as Django's test client knows too."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield tokens.issue(assemble().buyer)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
def test_every_answer_is_as_described(case, token, settings):
    settings.API_PER_MINUTE = 10**6
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
    case.call_and_validate(checks=CHECKS)
