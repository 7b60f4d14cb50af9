"""scripts/check-chart [--write]"""

import difflib
import itertools
import sys

import kubernetes_validate
import yaml

from . import render, rules
from .paths import RENDERED, ROOT, VALUES, rendered_file

# The oldest version that the chart allows (kubeVersion), and the newest with a schema.
KUBERNETES = ["1.27", "1.37"]
# Of the operator of Prometheus: Kubernetes has no schema of it. rules.selectors checks it.
FOREIGN = {"ServiceMonitor"}


def invalid(objects):
    """Objects that the schemas of Kubernetes refuse, unknown fields included."""
    for version, each in itertools.product(KUBERNETES, objects):
        if each["kind"] in FOREIGN:
            continue
        try:
            kubernetes_validate.validate(each, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = ".".join(map(str, error.path))
            yield f"{each['kind']} {each['metadata']['name']}, Kubernetes {version}: {place}: {error.message}"


def duplicates(objects):
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    return [f"{kind} {name} is rendered twice" for kind, name in names if names.count((kind, name)) > 1]


def difference(file, text):
    known = file.read_text() if file.exists() else ""
    lines = difflib.unified_diff(known.splitlines(), text.splitlines(), str(file.relative_to(ROOT)), "rendered now", lineterm="")
    return "\n".join(lines)


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit("usage: scripts/check-chart [--write]")
    chart = render.load()
    if chart.metadata["kubeVersion"] != f">={KUBERNETES[0]}.0-0":
        sys.exit(f"check-chart: the chart allows Kubernetes {chart.metadata['kubeVersion']}, but {KUBERNETES[0]} is checked")
    errors, count = list(render.lint(VALUES)) + list(render.refusals(chart)) + list(rules.schema(chart.schema)), 0
    for values in VALUES:
        settings = yaml.safe_load(values.read_text())
        chart.validate_schema(settings)
        text = render.text(chart, settings)
        file = rendered_file(values)
        if sys.argv[1:]:
            RENDERED.mkdir(exist_ok=True)
            file.write_text(text)
        elif found := difference(file, text):
            errors.append(f"{file.relative_to(ROOT)} is not current; run scripts/check-chart --write\n{found}")
        objects = render.objects(text)
        count += len(objects)
        found = [*invalid(objects), *duplicates(objects)]
        if not found:  # the rules read what the schemas require
            found = [error for rule in rules.OBJECT_RULES for error in rule(objects)]
        errors += [f"{values.name}: {error}" for error in found]
    for file in set(RENDERED.glob("*.yaml")) - {rendered_file(values) for values in VALUES}:
        errors.append(f"{file.relative_to(ROOT)} has no values in the chart's folder ci/")
    for error in errors:
        print(f"check-chart: {error}", file=sys.stderr)
    if not errors:
        print(f"check-chart: {count} objects of {len(VALUES)} sets of values, valid for Kubernetes {' and '.join(KUBERNETES)}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
