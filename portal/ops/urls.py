"""Paths of the staff's pages."""

from django.urls import path

from portal.ops import market, vendors

urlpatterns = [
    path("market/", market.board, name="board"),
    path("vendors/", vendors.listing, name="vendors"),
    path("vendors/<vendor:vendor_id>/", vendors.detail, name="vendor"),
    path("vendors/<vendor:vendor_id>/review/", vendors.review, name="review"),
]
