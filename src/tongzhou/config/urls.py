"""Every address of the mall: the storefront at the root, the other doors below their names."""

from django.urls import include, path

from tongzhou.api.metrics import metrics

urlpatterns = [
    path("console/", include("tongzhou.console.urls")),
    path("api/v1/", include("tongzhou.api.urls")),
    path("metrics", metrics),
    path("", include("tongzhou.storefront.urls")),
]
handler400 = "tongzhou.storefront.views.errors.bad_request"
handler403 = "tongzhou.storefront.views.errors.forbidden"
handler404 = "tongzhou.storefront.views.errors.not_found"
handler500 = "tongzhou.storefront.views.errors.server_error"
