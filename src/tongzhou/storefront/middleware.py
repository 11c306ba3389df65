"""The storefront's middleware: language, security headers, refusals as pages."""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from tongzhou.kit.refusals import Kind, Refusal
from tongzhou.storefront.http import came_from, sign_in_url

log = logging.getLogger("tongzhou.web")
Handler = Callable[[HttpRequest], HttpResponse]
LANG_COOKIE = "tz_lang"
STATUS = {
    Kind.INVALID: 422, Kind.NOT_FOUND: 404, Kind.FORBIDDEN: 403, Kind.SIGN_IN: 401, Kind.CONFLICT: 409,
    Kind.LIMIT: 429, Kind.UNAVAILABLE: 503,
}  # fmt: skip


def chosen_language(request: HttpRequest) -> str:
    """Cookie, then the browser's wish, then Chinese."""
    kept = request.COOKIES.get(LANG_COOKIE, "")
    if kept in ("zh-hans", "en"):
        return kept
    for part in request.headers.get("Accept-Language", "").lower().split(","):
        tag = part.split(";")[0].strip()
        if tag.startswith("zh"):
            return "zh-hans"
        if tag.startswith("en"):
            return "en"
    return "zh-hans"


class LanguageMiddleware:
    """Sets the language of the request and adds the security headers every page carries."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        pay = urlsplit(settings.SANDBOX_URL)
        bank = f" {pay.scheme}://{pay.netloc}" if settings.TONGZHOU_ENV != "production" else ""
        self.policy = (
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self'{bank}"
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = chosen_language(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


class RefusalMiddleware:
    """A refusal that no view caught becomes a page, JSON, or the way to sign in; never a stack trace."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse what no database column can hold before any view sees it: a NUL in an address or a field."""
        fields = [("path", request.path_info), *request.GET.items()]
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            fields += request.POST.items()
        for name, value in fields:
            if isinstance(value, str) and "\x00" in value:
                refusal = Refusal(
                    "text_invalid", _("这里有不能保存的字符（NUL）。"), field=name, value=value.replace("\x00", "␀")[:80],
                    kind=Kind.NOT_FOUND if name == "path" else Kind.INVALID, fix=_("删掉它再提交。"),
                )  # fmt: skip
                return self.process_exception(request, refusal)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Turn a refusal into the door's own language; anything else is Django's 500."""
        if not isinstance(error, Refusal):
            return None
        status = STATUS[error.kind]
        if "application/json" in request.headers.get("Accept", "") or request.path.startswith("/api/"):
            return JsonResponse(error.as_dict(), status=status)
        if error.kind == Kind.SIGN_IN:
            return HttpResponseRedirect(sign_in_url(request))
        return render(request, "storefront/refused.html", {"refusal": error, "back": came_from(request)}, status=status)
