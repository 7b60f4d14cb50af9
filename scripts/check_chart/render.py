"""Renders the chart with Helm's own library, as `helm template` does."""

import helm_python
import yaml

from .paths import CHART, ROOT

WARNING = 2  # 1 is a recommendation
RELEASE, NAMESPACE = "ingest", "ingest"
# Values that an installation must refuse, with a part of the message.
REFUSED = [
    ({}, "secret.existingSecret is required"),
    ({"secret": {"existingSecret": "s"}, "replicas": 3}, "replicas"),
    ({"secret": {"existingSecret": "s"}, "settings": {"AVINODE_WEBHOOK_SECRET": "text"}}, "AVINODE_WEBHOOK_SECRET"),
    ({"secret": {"existingSecret": "s"}, "settings": {"INGEST_ROLE": "both"}}, "INGEST_ROLE"),
    ({"secret": {"existingSecret": "s"}, "settings": {"INGEST_WORKERS": 4}}, "INGEST_WORKERS"),
    ({"secret": {"existingSecret": "s"}, "ingress": {"enabled": True}}, "ingress.host is required"),
    ({"secret": {"existingSecret": "s"}, "receive": {"drainDelaySeconds": "10s"}}, "drainDelaySeconds"),
]


def load():
    helm_python.disable_logging()
    return helm_python.Chart.load(str(CHART))


def text(chart, values):
    """The objects as one text, in the order of the templates' names; NOTES.txt as comments at the end."""
    rendered = chart.render(values, name=RELEASE, namespace=NAMESPACE, is_install=True)
    parts, notes = [], ""
    for name, content in sorted(rendered.items()):
        if name.endswith("NOTES.txt"):
            notes = content
        elif content.strip():
            parts.append(f"---\n# Source: {name}\n{content.strip().removeprefix('---').strip()}\n")
    commented = "".join(f"# {line}".rstrip() + "\n" for line in notes.strip().splitlines())
    return "".join(parts) + f"---\n# Source: NOTES.txt\n{commented}"


def objects(rendered):
    return [each for each in yaml.safe_load_all(rendered) if each]


def lint(values_files):
    """What `helm lint --strict` finds."""
    for values in values_files:
        report = helm_python.lint(str(CHART), yaml.safe_load(values.read_text()), strict=True)
        for message in report["messages"]:
            if message["severity"] >= WARNING:
                yield f"helm lint with {values.relative_to(ROOT)}: {message['path']}: {message['error']}"


def refusals(chart):
    """Values that are refused, each with the reason."""
    for values, expected in REFUSED:
        try:
            chart.validate_schema(values)
            text(chart, values)
        except helm_python.HelmError as error:
            if expected not in str(error):
                yield f"the values {values} are refused without {expected!r}: {error}"
        else:
            yield f"the values {values} are not refused"
