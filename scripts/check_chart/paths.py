"""Where the chart, its sets of values and what was rendered from them are."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "deploy/helm/avinode-ingest"
RENDERED = ROOT / "deploy/helm/rendered"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))


def rendered_file(values):
    return RENDERED / f"{values.name.removesuffix('-values.yaml')}.yaml"
