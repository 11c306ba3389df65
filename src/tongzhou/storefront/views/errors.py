"""Pages for what went wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return render(request, "storefront/error.html", {"code": 400}, status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return render(request, "storefront/error.html", {"code": 403}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return render(request, "storefront/error.html", {"code": 404}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: says nothing of the inside, and needs no database."""
    return render(request, "storefront/error.html", {"code": 500}, status=500)
