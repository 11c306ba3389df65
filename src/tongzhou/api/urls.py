"""Addresses of the REST door."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from tongzhou.api.service import api


def openapi(request: HttpRequest) -> JsonResponse:
    """The description of this door, OpenAPI 3.1."""
    return JsonResponse(api.get_openapi_schema())


urlpatterns = [path("openapi.json", openapi), path("", api.urls)]
