"""The table of addresses."""

from django.urls import URLPattern, path

from api.v1.api_keys import ApiKeysView
from api.v1.assignments import AssignmentsView
from api.v1.batches import BatchesView, JobBatchesView
from api.v1.campaigns import CampaignsView
from api.v1.card_holds import CardHoldsView
from api.v1.clawbacks import ClawbacksView
from api.v1.confusions import ConfusionsView
from api.v1.costs import ComputeView, ConvergenceView, TimesView
from api.v1.datasets import DatasetsView
from api.v1.disputes import AdjudicationsView, CorrectionsView, DisputesView, OwnAdjudicationsView
from api.v1.experiments import ExperimentsView
from api.v1.first_pass import FirstPassView
from api.v1.functions import FunctionsView, JobFunctionsView
from api.v1.health import HealthView
from api.v1.instructions import InstructionsView
from api.v1.invoice_terms import InvoiceTermsView
from api.v1.jobs import JobsView
from api.v1.label_schemas import LabelSchemasView
from api.v1.market_staff import GoldSetsView, VendorsView
from api.v1.money import MoneyView, PayoutAccountView, WalletView
from api.v1.notices import CampaignNoticesView, NoticesView
from api.v1.offers import OffersView
from api.v1.organizations import OrganizationView, SignUpView
from api.v1.proposals import ProposalsView
from api.v1.qualifications import QualificationView
from api.v1.quotes import QuotesView
from api.v1.reconciliation import ReconciliationView
from api.v1.results import EventsView, ExportView, LabelsView
from api.v1.reviews import JobReviewsView, ReviewsView
from api.v1.rounds import PicksView, RoundsView
from api.v1.rules import EffectsView, RulesView
from api.v1.statements import BillingProfileView, StatementsView
from api.v1.vendor import VendorView
from api.v1.vendor_hours import HoursView
from api.v1.vendor_papers import OwnPapersView, PaperDecisionsView, PrivateVendorsView
from api.v1.vendor_rules import VendorRulesView

urlpatterns: list[URLPattern] = [
    path("health/", HealthView.as_view({"get": "retrieve"})),
    path("organizations/", SignUpView.as_view({"post": "create"})),
    path("organization/", OrganizationView.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("api-keys/", ApiKeysView.as_view({"get": "list", "post": "create"})),
    path("api-keys/<str:public_id>/revoke/", ApiKeysView.as_view({"post": "revoke"})),
    path("money/balances/", MoneyView.as_view({"get": "balances"})),
    path("money/entries/", MoneyView.as_view({"get": "entries"})),
    path("money/entries/export/", MoneyView.as_view({"get": "export"})),
    path("money/operations/", MoneyView.as_view({"get": "operations"})),
    path("statements/", StatementsView.as_view({"get": "list"})),
    path("statements/<str:public_id>/", StatementsView.as_view({"get": "retrieve"})),
    path("statements/<str:public_id>/csv/", StatementsView.as_view({"get": "csv"})),
    path("clawbacks/", ClawbacksView.as_view({"get": "list", "post": "take_back"})),
    path("clawbacks/<str:public_id>/reverse/", ClawbacksView.as_view({"post": "reverse"})),
    path("invoice-terms/", InvoiceTermsView.as_view({"get": "list", "post": "grant"})),
    path("invoice-terms/<str:public_id>/revoke/", InvoiceTermsView.as_view({"post": "revoke"})),
    path("billing-profile/", BillingProfileView.as_view({"get": "retrieve", "put": "update"})),
    path("reconciliation/books/", ReconciliationView.as_view({"get": "books"})),
    path("reconciliation/runs/", ReconciliationView.as_view({"get": "runs"})),
    path("reconciliation/differences/", ReconciliationView.as_view({"get": "differences"})),
    path("wallet/payment-methods/", WalletView.as_view({"get": "methods", "post": "add_method"})),
    path("wallet/top-ups/", WalletView.as_view({"post": "top_up"})),
    path("wallet/card-holds/", CardHoldsView.as_view({"get": "list", "post": "create"})),
    path("wallet/refunds/", WalletView.as_view({"post": "refund"})),
    path("vendor/payout-account/", PayoutAccountView.as_view({"get": "retrieve", "post": "open"})),
    path("vendor/", VendorView.as_view({"get": "retrieve", "post": "create"})),
    path("vendor/capabilities/", VendorView.as_view({"post": "declare"})),
    path("vendor/capabilities/<str:public_id>/qualification/", QualificationView.as_view({"post": "start"})),
    path("vendor/qualifications/<str:public_id>/answers/", QualificationView.as_view({"post": "answers"})),
    path("vendor/prices/", VendorView.as_view({"post": "price"})),
    path("vendor/agreement/", VendorView.as_view({"post": "sign"})),
    path("vendor/availability/", VendorView.as_view({"patch": "availability"})),
    path("vendor/hours/", HoursView.as_view({"get": "retrieve", "put": "update"})),
    path("vendor/hours/drop/", HoursView.as_view({"post": "drop"})),
    path("notices/", NoticesView.as_view({"get": "list"})),
    path("vendor/submit/", VendorView.as_view({"post": "submit"})),
    path("vendor/documents/", OwnPapersView.as_view({"get": "documents", "post": "hand_in"})),
    path("vendor/events/", OwnPapersView.as_view({"get": "events"})),
    path("vendor/appeals/", OwnPapersView.as_view({"post": "appeal"})),
    path("vendor/close/", OwnPapersView.as_view({"post": "close"})),
    path("documents/<str:public_id>/decide/", PaperDecisionsView.as_view({"post": "document"})),
    path("appeals/<str:public_id>/decide/", PaperDecisionsView.as_view({"post": "appeal"})),
    path("private-vendors/", PrivateVendorsView.as_view({"get": "list", "post": "create"})),
    path("private-vendors/<str:public_id>/withdraw/", PrivateVendorsView.as_view({"post": "withdraw"})),
    path("vendor-rules/", VendorRulesView.as_view({"get": "list"})),
    path("vendor-rules/<str:public_id>/try/", VendorRulesView.as_view({"post": "attempt"})),
    path("vendor-rules/<str:public_id>/switch/", VendorRulesView.as_view({"post": "switch"})),
    path("vendors/", VendorsView.as_view({"get": "list"})),
    path("vendors/<str:public_id>/review/", VendorsView.as_view({"post": "review"})),
    path("gold-sets/", GoldSetsView.as_view({"post": "create"})),
    path("offers/", OffersView.as_view({"get": "list"})),
    path("offers/<str:public_id>/", OffersView.as_view({"get": "retrieve"})),
    path("offers/<str:public_id>/accept/", OffersView.as_view({"post": "accept"})),
    path("offers/<str:public_id>/decline/", OffersView.as_view({"post": "decline"})),
    path("offers/<str:public_id>/interest/", OffersView.as_view({"post": "interest"})),
    path("offers/<str:public_id>/withdraw/", OffersView.as_view({"post": "withdraw"})),
    path("assignments/", AssignmentsView.as_view({"get": "list"})),
    path("assignments/<str:public_id>/", AssignmentsView.as_view({"get": "retrieve"})),
    path("assignments/<str:public_id>/annotations/", AssignmentsView.as_view({"put": "annotate"})),
    path("assignments/<str:public_id>/release/", AssignmentsView.as_view({"post": "release"})),
    path("label-schemas/", LabelSchemasView.as_view({"get": "list", "post": "create"})),
    path("jobs/", JobsView.as_view({"get": "list", "post": "create"})),
    path("jobs/quote/", QuotesView.as_view({"post": "create"})),
    path("jobs/<str:public_id>/", JobsView.as_view({"get": "retrieve"})),
    path("jobs/<str:public_id>/lots/", JobsView.as_view({"post": "add_lot"})),
    path("jobs/<str:public_id>/instructions/", InstructionsView.as_view({"get": "list", "post": "create"})),
    path("jobs/<str:public_id>/first-pass/", FirstPassView.as_view({"get": "retrieve", "put": "update"})),
    path("jobs/<str:public_id>/prelabels/", FirstPassView.as_view({"post": "put"})),
    path("jobs/<str:public_id>/functions/", JobFunctionsView.as_view({"get": "report", "post": "put"})),
    path("functions/<str:public_id>/drop/", FunctionsView.as_view({"post": "drop"})),
    path("jobs/<str:public_id>/budget/", JobsView.as_view({"post": "raise_budget"})),
    path("jobs/<str:public_id>/cancel/", JobsView.as_view({"post": "cancel"})),
    path("jobs/<str:public_id>/candidates/", JobsView.as_view({"get": "candidates"})),
    path("jobs/<str:public_id>/labels/", LabelsView.as_view({"get": "list"})),
    path("jobs/<str:public_id>/labels/export/", ExportView.as_view({"get": "export"})),
    path("jobs/<str:public_id>/events/", EventsView.as_view({"get": "list"})),
    path("jobs/<str:public_id>/batches/", JobBatchesView.as_view({"get": "list"})),
    path("batches/<str:public_id>/", BatchesView.as_view({"get": "retrieve"})),
    path("batches/<str:public_id>/resolve/", BatchesView.as_view({"post": "resolve"})),
    path("batches/<str:public_id>/review/", BatchesView.as_view({"post": "review"})),
    path("batches/<str:public_id>/bonus/", BatchesView.as_view({"post": "bonus"})),
    path("batches/<str:public_id>/cancel/", BatchesView.as_view({"post": "cancel"})),
    path("rules/", RulesView.as_view({"get": "list", "post": "create"})),
    path("rules/<str:public_id>/", RulesView.as_view({"get": "retrieve", "put": "update"})),
    path("rules/<str:public_id>/try/", RulesView.as_view({"post": "attempt"})),
    path("rules/<str:public_id>/switch/", RulesView.as_view({"post": "switch"})),
    path("rule-effects/", EffectsView.as_view({"get": "list"})),
    path("rule-effects/<str:public_id>/reverse/", EffectsView.as_view({"post": "reverse"})),
    path("jobs/<str:public_id>/confusions/", ConfusionsView.as_view({"get": "retrieve"})),
    path("disputes/", DisputesView.as_view({"get": "list"})),
    path("disputes/<str:public_id>/", DisputesView.as_view({"get": "retrieve"})),
    path("assignments/<str:public_id>/disputes/", DisputesView.as_view({"post": "create"})),
    path("adjudications/", AdjudicationsView.as_view({"get": "list"})),
    path("adjudications/<str:public_id>/decide/", AdjudicationsView.as_view({"post": "decide"})),
    path("adjudications/<str:public_id>/hand-out/", AdjudicationsView.as_view({"post": "hand_out"})),
    path("vendor/adjudications/", OwnAdjudicationsView.as_view({"get": "list"})),
    path("vendor/adjudications/<str:public_id>/decide/", OwnAdjudicationsView.as_view({"post": "decide"})),
    path("jobs/<str:public_id>/corrections/", CorrectionsView.as_view({"get": "list"})),
    path("jobs/<str:public_id>/reviews/", JobReviewsView.as_view({"get": "list", "post": "create"})),
    path("jobs/<str:public_id>/accuracy/", JobReviewsView.as_view({"get": "accuracy"})),
    path("reviews/<str:public_id>/decide/", ReviewsView.as_view({"post": "decide"})),
    path("datasets/", DatasetsView.as_view({"get": "list", "post": "create"})),
    path("datasets/<str:public_id>/", DatasetsView.as_view({"get": "retrieve"})),
    path("experiments/", ExperimentsView.as_view({"get": "list", "post": "create"})),
    path("experiments/<str:public_id>/", ExperimentsView.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("experiments/<str:public_id>/classes/", ExperimentsView.as_view({"post": "append"})),
    path("experiments/<str:public_id>/observations/", ExperimentsView.as_view({"post": "observe"})),
    path("experiments/<str:public_id>/compute/", ComputeView.as_view({"get": "retrieve"})),
    path("experiments/<str:public_id>/compute/entries/", ComputeView.as_view({"get": "list"})),
    path("experiments/<str:public_id>/convergence/", ConvergenceView.as_view({"get": "retrieve"})),
    path("experiments/<str:public_id>/rounds/", RoundsView.as_view({"get": "list", "post": "create"})),
    path("experiments/<str:public_id>/rounds/<int:number>/picks/", PicksView.as_view({"get": "list"})),
    path("experiments/<str:public_id>/rounds/<int:number>/evaluate/", RoundsView.as_view({"post": "evaluate"})),
    path("campaigns/", CampaignsView.as_view({"get": "list", "post": "create"})),
    path("campaigns/notices/", CampaignNoticesView.as_view({"get": "list"})),
    path("campaigns/<str:public_id>/", CampaignsView.as_view({"get": "retrieve"})),
    path("campaigns/<str:public_id>/times/", TimesView.as_view({"get": "retrieve"})),
    path("campaigns/<str:public_id>/pause/", CampaignsView.as_view({"post": "pause"})),
    path("campaigns/<str:public_id>/resume/", CampaignsView.as_view({"post": "resume"})),
    path("campaigns/<str:public_id>/stop/", CampaignsView.as_view({"post": "stop"})),
    path("campaigns/<str:public_id>/veto/", ProposalsView.as_view({"post": "veto"})),
    path("campaigns/<str:public_id>/add/", ProposalsView.as_view({"post": "add"})),
    path("campaigns/<str:public_id>/approve/", ProposalsView.as_view({"post": "approve"})),
    path("campaigns/<str:public_id>/overrides/", ProposalsView.as_view({"get": "overrides"})),
]
