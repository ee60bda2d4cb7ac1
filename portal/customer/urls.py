"""Paths of a customer's pages; staff reads them too."""

from django.urls import path

from portal.customer import (
    batches,
    campaigns,
    experiments,
    instructions,
    job_new,
    jobs,
    own_vendors,
    pay,
    proposals,
    second_looks,
)

urlpatterns = [
    path("jobs/", jobs.listing, name="jobs"),
    path("jobs/new/", job_new.form, name="job-new"),
    path("campaigns/", campaigns.listing, name="campaigns"),
    path("experiments/new/", experiments.new, name="experiment-new"),
    path("campaigns/start/", campaigns.start, name="campaign-start"),
    path("campaigns/<campaign:campaign_id>/", campaigns.detail, name="campaign"),
    path("campaigns/<campaign:campaign_id>/proposal/", proposals.detail, name="proposal"),
    path("campaigns/<campaign:campaign_id>/proposal/veto/", proposals.veto, name="proposal-veto"),
    path("campaigns/<campaign:campaign_id>/proposal/add/", proposals.add, name="proposal-add"),
    path("campaigns/<campaign:campaign_id>/proposal/<int:number>/approve/", proposals.approve, name="proposal-approve"),
    path("campaigns/<campaign:campaign_id>/<slug:verb>/", campaigns.control, name="campaign-control"),
    path("jobs/<job:job_id>/", jobs.detail, name="job"),
    path("jobs/<job:job_id>/labels/", jobs.labels, name="labels"),
    path("jobs/<job:job_id>/second-looks/", second_looks.listing, name="second-looks"),
    path("jobs/<job:job_id>/second-looks/draw/", second_looks.draw, name="second-looks-draw"),
    path("second-looks/<review:review_id>/", second_looks.decide, name="second-look"),
    path("jobs/<job:job_id>/corrections/", second_looks.corrections, name="corrections"),
    path("jobs/<job:job_id>/instructions/", instructions.page, name="instructions"),
    path("jobs/<job:job_id>/instructions/change/", instructions.change, name="instructions-change"),
    path("jobs/<job:job_id>/cancel/", jobs.cancel, name="job-cancel"),
    path("batches/<batch:batch_id>/", batches.detail, name="batch"),
    path("batches/<batch:batch_id>/why/", batches.why, name="why"),
    path("batches/<batch:batch_id>/review/", batches.review, name="batch-review"),
    path("batches/<batch:batch_id>/bonus/", pay.bonus, name="bonus"),
    path("work/<assignment:assignment_id>/take-back/", pay.clawback, name="clawback"),
    path("batches/<batch:batch_id>/cancel/", batches.cancel, name="batch-cancel"),
    path("batches/<batch:batch_id>/resolve/", batches.resolve, name="resolve"),
    path("own-vendors/", own_vendors.listing, name="own-vendors"),
    path("own-vendors/<invitation:invitation_id>/withdraw/", own_vendors.withdraw, name="invitation-withdraw"),
]
