"""Checks on arrival: whatever comes in gets a reason, never an exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core import checks
from marketplace.core.checks import Annotation, Rules, check, check_delivery, registry

rules = Rules("classification", {"classes": ["cat", "dog"]}, min_seconds=2.0)


@pytest.mark.parametrize(
    ("annotation", "status", "value", "code"),
    [
        (Annotation("r", "dog"), "accepted", 1, None),
        (Annotation("r", "cat", seconds=5), "accepted", 0, None),
        (Annotation("r", cannot_label="corrupted"), "accepted", -1, None),
        (Annotation("r", "dog", seconds=0.5), "quarantined", 1, "too_fast"),
        (Annotation("r", "cow"), "rejected", None, "unknown_class"),
        (Annotation("r", 1), "rejected", None, "invalid_label"),
        (Annotation("r", ["dog"]), "rejected", None, "invalid_label"),
        (Annotation("r"), "rejected", None, "missing_label"),
        (Annotation("r", cannot_label="lazy"), "rejected", None, "unknown_reason"),
        (Annotation("r", cannot_label=["other"]), "rejected", None, "unknown_reason"),
        (Annotation("r", "dog", cannot_label="other"), "rejected", None, "label_and_cannot_label"),
        (Annotation("r", "dog", seconds=float("nan")), "rejected", None, "invalid_seconds"),
        (Annotation("r", "dog", seconds=-1), "rejected", None, "invalid_seconds"),
        (Annotation("r", "dog", seconds=True), "rejected", None, "invalid_seconds"),
        (Annotation("r", "dog", annotator={"a": 1}), "rejected", None, "invalid_annotator"),
    ],
)
def test_one_annotation(annotation, status, value, code):
    outcome = check(annotation, rules)
    assert (outcome.status, outcome.value) == (status, value)
    assert [finding.code for finding in outcome.findings] == ([code] if code else [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("task_type", checks.task_types())
@given(label=json_values, reason=json_values, annotator=json_values, seconds=json_values)
def test_hostile_annotations_are_findings(task_type, label, reason, annotator, seconds):
    schema = {"classes": ["cat", "dog"], "points": ["nose", "tail"]}
    record = {"width": 10, "height": 10, "text": "some text", "items": ["a", "b"]}
    outcome = check(Annotation("r", label, reason, annotator, seconds), Rules(task_type, schema, record))
    assert outcome.status in {"accepted", "quarantined", "rejected"}
    assert (outcome.value is None) == (outcome.status == "rejected")


@pytest.mark.parametrize("task_type", checks.task_types())
@given(schema=json_values)
def test_hostile_schemas_are_findings(task_type, schema):
    for finding in checks.check_schema(task_type, schema):
        assert finding.code
        assert finding.detail


@pytest.mark.parametrize(
    ("classes", "code"),
    [
        (["a", "b"], None),
        (["a"], "invalid_classes"),
        ("ab", "invalid_classes"),
        (["a", ""], "invalid_class_name"),
        (["a", 1], "invalid_class_name"),
        (["a", "b", "a"], "repeated_class"),
    ],
)
def test_classification_schema(classes, code):
    findings = checks.check_schema("classification", {"classes": classes})
    assert [finding.code for finding in findings] == ([code] if code else [])


def test_delivery_sorts_out_keys():
    delivery = check_delivery(
        [Annotation("a", "cat"), Annotation("x", "cat"), Annotation("b", "cat"), Annotation("b", "dog")],
        rules,
        expected=["a", "b", "c"],
    )
    assert [outcome.status for outcome in delivery.outcomes] == ["accepted", "rejected", "rejected", "rejected"]
    codes = [[finding.code for finding in outcome.findings] for outcome in delivery.outcomes]
    assert codes == [[], ["unknown_record"], ["duplicate_key"], ["duplicate_key"]]
    assert delivery.missing == ("b", "c")


def test_delivery_again_changes_nothing_and_a_new_answer_replaces():
    earlier = {"a": 0, "b": 0}
    delivery = check_delivery(
        [Annotation("a", "cat"), Annotation("b", "dog")], lambda key: rules, expected=["a", "b"], earlier=earlier
    )
    codes = [[finding.code for finding in outcome.findings] for outcome in delivery.outcomes]
    assert codes == [["unchanged"], ["replaces_earlier"]]
    assert all(outcome.status == "accepted" for outcome in delivery.outcomes)
    assert delivery.missing == ()


def test_registry_names_its_types():
    with pytest.raises(ValueError, match="classification"):
        check(Annotation("r", "cat"), Rules("nope", {}))
    with pytest.raises(ValueError, match="registered already"):
        registry.register("classification", None)
