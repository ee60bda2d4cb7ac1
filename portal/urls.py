"""Pages."""

from django.urls import URLPattern, URLResolver, path

from portal import home, session, statements
from portal.customer import urls as customer
from portal.ops import urls as ops
from portal.ops import views
from portal.rulings import urls as rulings
from portal.vendor import urls as vendor

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.status_page, name="status"),
    path("home/", home.home, name="home"),
    path("sign-in/", session.SignIn.as_view(), name="sign-in"),
    path("sign-out/", session.SignOut.as_view(), name="sign-out"),
    path("money/", statements.listing, name="money"),
    path("statements/<statement:statement_id>/", statements.detail, name="statement"),
    path("statements/<statement:statement_id>/csv/", statements.as_csv, name="statement-csv"),
    *customer.urlpatterns,
    *vendor.urlpatterns,
    *ops.urlpatterns,
    *rulings.urlpatterns,
]
