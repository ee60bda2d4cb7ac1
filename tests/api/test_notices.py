"""Whatever a vendor can be told is listed: every kind of notice has words and an id in its outside form."""

import pytest

from common.ids import from_public, uuid7
from marketplace.core import notices
from marketplace.models import Notice
from tests.api import shop

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_kind_of_notice_is_listed(vendor, staff):
    shop.add_gold_set(staff)
    one = shop.admit(staff, shop.apply_as_vendor(vendor))
    vendor_id = from_public("ven", one.vendor_id)
    facts = dict.fromkeys(("job", "why", "document", "state", "action", "version", "n"), "Animals")
    for kind in notices.kinds():
        Notice.objects.create(vendor_id=vendor_id, kind=kind, subject=uuid7(), facts=facts)
    listed = {row["kind"]: row for row in vendor.get("/notices/").body["results"]}
    assert set(listed) >= set(notices.kinds())
    assert all("_" in row["subject"] and "{" not in row["words"] for row in listed.values())
