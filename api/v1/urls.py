"""The table of addresses."""

from django.urls import URLPattern, path

from api.v1.api_keys import ApiKeysView
from api.v1.health import HealthView
from api.v1.organizations import OrganizationView, SignUpView

urlpatterns: list[URLPattern] = [
    path("health/", HealthView.as_view({"get": "retrieve"})),
    path("organizations/", SignUpView.as_view({"post": "create"})),
    path("organization/", OrganizationView.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("api-keys/", ApiKeysView.as_view({"get": "list", "post": "create"})),
    path("api-keys/<str:id>/revoke/", ApiKeysView.as_view({"post": "revoke"})),
]
