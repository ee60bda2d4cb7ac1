"""The API's URL table: version 1, its description, and an answer for everything else."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from api import problems

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include("api.v1.urls")),
    path("schema/", SpectacularAPIView.as_view(authentication_classes=[]), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema", authentication_classes=[]), name="docs"),
    path("redoc/", SpectacularRedocView.as_view(url_name="schema", authentication_classes=[]), name="redoc"),
    re_path("", problems.not_found),
]
