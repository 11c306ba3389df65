"""One language for every no of the REST door: ``application/problem+json`` (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from tongzhou.kit.refusals import Kind, Refusal, invalid

TYPE = "application/problem+json"
STATUS = {Kind.INVALID: 422, Kind.NOT_FOUND: 404, Kind.FORBIDDEN: 403, Kind.SIGN_IN: 401, Kind.CONFLICT: 409,
          Kind.LIMIT: 429, Kind.UNAVAILABLE: 503}  # fmt: skip
BY_STATUS = {400: "bad_request", 401: "token_invalid", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
             413: "too_large", 415: "unsupported_media_type", 429: "too_many_requests"}  # fmt: skip


def problem(refusal: Refusal) -> JsonResponse:
    """A refusal as a problem."""
    return response(STATUS[refusal.kind], **{**refusal.as_dict(), "title": str(refusal.message)})


def response(status: int, *, code: str, title: str, **more: Any) -> JsonResponse:
    """A problem. ``code`` is stable; ``title`` is a sentence for people."""
    body = {"type": f"urn:tongzhou:problem:{code}", "title": title, "status": status, "code": code, **more}
    answer = JsonResponse(body, status=status, content_type=TYPE)
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def of_status(status: int) -> JsonResponse:
    """What the framework refuses before any call is reached: an unknown address, a wrong method, a crash."""
    code = BY_STATUS.get(status, "server_error" if status >= 500 else "refused")
    return response(status, code=code, title=HTTPStatus(status).phrase, retryable=status >= 500)


def install(api: NinjaAPI) -> None:
    """Have ninja answer in problems."""

    @api.exception_handler(Refusal)
    def on_refusal(request: HttpRequest, error: Refusal) -> HttpResponse:
        return problem(error)

    @api.exception_handler(AuthenticationError)
    def on_stranger(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return response(
            401,
            code="token_invalid",
            title=_("令牌缺失、过期或已收回。"),
            fix="Authorization: Bearer …",
            retryable=False,
        )

    @api.exception_handler(HttpError)
    def on_http(request: HttpRequest, error: HttpError) -> HttpResponse:
        return response(
            error.status_code, code=BY_STATUS.get(error.status_code, "refused"), title=str(error), retryable=False
        )

    @api.exception_handler(ValidationError)
    def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        errors = [_field(e) for e in error.errors]
        return problem(Refusal("request_invalid", _("请求的内容不对。"), errors=errors))


def _field(error: dict[str, Any]) -> Refusal:
    """One thing the schema refuses, with the name a caller knows the field by."""
    place = [str(p) for p in error.get("loc", ())]
    if place[:1] == ["body"]:
        place = place[2:] or place[:1]
    elif place[:1] in (["query"], ["path"], ["header"]):
        place = place[1:]
    return invalid(
        str(error.get("type", "invalid")), str(error.get("msg", "")), field=".".join(place), value=error.get("input")
    )
