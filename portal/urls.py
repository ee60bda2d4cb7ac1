"""Pages."""

from django.urls import URLPattern, URLResolver, path

from portal.ops import views

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [path("", views.status_page, name="status")]
