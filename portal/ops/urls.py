"""Paths of the staff's pages."""

from django.urls import path

from portal.ops import credit, desk, ledger, market, vendors

urlpatterns = [
    path("market/", market.board, name="board"),
    path("books/", ledger.books, name="books"),
    path("credit/", credit.listing, name="credit"),
    path("credit/<invoice_terms:invoice_terms_id>/end/", credit.revoke, name="credit-revoke"),
    path("desk/", desk.desk, name="desk"),
    path("desk/papers/<document:document_id>/file/", desk.paper_file, name="paper-file"),
    path("desk/papers/<document:document_id>/", desk.paper, name="paper-decide"),
    path("desk/appeals/<appeal:appeal_id>/", desk.appeal, name="appeal-decide"),
    path("desk/rules/<vendor_rule:vendor_rule_id>/", desk.rule, name="vendor-rule"),
    path("desk/rules/<vendor_rule:vendor_rule_id>/switch/", desk.switch, name="vendor-rule-switch"),
    path("vendors/", vendors.listing, name="vendors"),
    path("vendors/<vendor:vendor_id>/", vendors.detail, name="vendor"),
    path("vendors/<vendor:vendor_id>/review/", vendors.review, name="review"),
]
