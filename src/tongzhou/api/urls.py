"""Addresses of the REST door."""

from functools import cache
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from tongzhou.api import problems
from tongzhou.api.service import api


@cache
def description() -> dict[str, Any]:
    """The door's OpenAPI 3.1 description; refusals are named by their own media type."""
    schema: dict[str, Any] = dict(api.get_openapi_schema())
    schema["openapi"] = "3.1.0"
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and "application/json" in answer.get("content", {}):
                    answer["content"] = {problems.TYPE: answer["content"].pop("application/json")}
    return schema


@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    """The description of this door, OpenAPI 3.1."""
    return JsonResponse(description())


urlpatterns = [path("openapi.json", openapi), path("", api.urls)]
