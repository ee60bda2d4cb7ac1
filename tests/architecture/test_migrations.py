"""The migrations are complete: they lead to exactly the models that the code has."""

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState

OURS = {"common", "vendors", "curation", "marketplace"}


def test_no_migration_is_missing():
    loader = MigrationLoader(None)
    questioner = NonInteractiveMigrationQuestioner(specified_apps=OURS, dry_run=True)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps), questioner)
    missing = detector.changes(graph=loader.graph, trim_to_apps=OURS, convert_apps=OURS)
    described = {app: [str(step) for m in found for step in m.operations] for app, found in missing.items()}
    assert described == {}


def test_no_two_migrations_end_an_app():
    assert MigrationLoader(None).detect_conflicts() == {}
