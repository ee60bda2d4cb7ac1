"""Paths of a vendor's pages."""

from django.urls import path

from portal.vendor import account, corrections, files, hours, inbox, scorecard, work

urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/availability/", inbox.availability, name="availability"),
    path("account/", account.account, name="account"),
    path("account/register/", account.register, name="register"),
    path("account/payout/", account.payout, name="account-payout"),
    path("account/papers/<document:document_id>/", account.paper, name="account-paper"),
    path("account/<slug:name>/", account.step, name="account-step"),
    path("hours/", hours.page, name="hours"),
    path("hours/save/", hours.save, name="hours-save"),
    path("offers/<offer:offer_id>/accept/", inbox.accept, name="accept"),
    path("offers/<offer:offer_id>/decline/", inbox.decline, name="decline"),
    path("offers/<offer:offer_id>/interest/", inbox.interest, name="interest"),
    path("work/", work.listing, name="work"),
    path("work/<assignment:assignment_id>/", work.detail, name="assignment"),
    path("work/<assignment:assignment_id>/answers/", work.answer, name="answers"),
    path("work/<assignment:assignment_id>/records.<slug:form>", files.download, name="work-file"),
    path("work/<assignment:assignment_id>/file/", files.upload, name="work-upload"),
    path("work/<assignment:assignment_id>/release/", work.release, name="release"),
    path("paid-later/", corrections.listing, name="paid-later"),
    path("scorecard/", scorecard.scorecard, name="scorecard"),
]
