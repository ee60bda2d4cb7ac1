"""What a vendor or customer was told: reminders, warnings, batches that are back, rounds that wait."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.serializers import Resource, own_id
from common.ids import to_public
from marketplace.core import notices
from marketplace.models import Notice
from marketplace.selectors import jobs, work

_PREFIX_OF = {
    "offer": "off",
    "work": "asg",
    "batch": "bat",
    "review": "bat",
    "document": "doc",
    "vendor": "ven",
    "adjudication": "adj",
    "pay": "clw",
    "instructions": "ins",
    "proposal": "cmp",
}


class NoticeOut(Resource):
    """A line of the inbox."""

    id = own_id("ntc")
    kind = serializers.CharField()
    subject = serializers.SerializerMethodField()
    words = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_subject(self, notice: Notice) -> str:
        """Return the offer, work, batch or campaign it is about."""
        return to_public(_PREFIX_OF[notice.kind.partition(".")[0]], notice.subject)

    def get_words(self, notice: Notice) -> str:
        """Return what it says."""
        return notices.words_of(notice.kind, notice.facts)


class NoticesView(views.Resource):
    """The inbox of the caller's vendor."""

    action_scopes = {"list": "offers:read"}

    @extend_schema(responses=NoticeOut(many=True))
    def list(self, request: Request) -> Response:
        """List what the vendor was told, newest first."""
        return self.page(work.notices(self.actor), NoticeOut)


class CampaignNoticesView(views.Resource):
    """What a customer was told of its campaigns."""

    action_scopes = {"list": "campaigns:read"}

    @extend_schema(responses=NoticeOut(many=True))
    def list(self, request: Request) -> Response:
        """List what the customer was told, newest first: a round is proposed, the time to veto ends, one waits."""
        return self.page(jobs.notices(self.actor), NoticeOut)
