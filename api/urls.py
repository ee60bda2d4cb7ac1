"""The API's URL table: version 1, its description, and an answer for everything else."""

from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from api import problems, provider_events


class Documentation(SpectacularSwaggerView):
    """Swagger UI with every file from here: nothing is loaded from other hosts."""

    @staticmethod
    def _swagger_ui_favicon() -> str:
        return static("drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png")


urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include("api.v1.urls")),
    path("provider-events/", provider_events.receive, name="provider-events"),
    path("schema/", SpectacularAPIView.as_view(authentication_classes=[]), name="schema"),
    path("docs/", Documentation.as_view(url_name="schema", authentication_classes=[]), name="docs"),
    re_path("", problems.not_found),
]
