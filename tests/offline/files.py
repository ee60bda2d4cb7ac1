"""Files in, files out: helpers of the tests of ``manage.py aggregate``."""

import csv
import io

from django.core.management import call_command


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def run(folder, *options, answers="answers.csv"):
    out = io.StringIO()
    call_command("aggregate", str(folder / answers), "--out", str(folder / "out"), *options, verbosity=0, stdout=out)
    return out.getvalue()
