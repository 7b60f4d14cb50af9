"""What must hold for the rendered objects beyond their schemas: names and selectors meet, settings exist, pods are restricted."""

import re

from .paths import CHART, ROOT

# Read by the program, and no setting: docs/configuration.md explains it above its tables.
NO_SETTINGS = {"CREDENTIALS_DIRECTORY"}
MARGIN_SECONDS = 10
SECRET_ARG = re.compile(r"#\[arg\((?P<arg>(?:[^()]|\([^()]*\))*)\)\]", re.S)


def settings():
    """The settings of docs/configuration.md."""
    return set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", (ROOT / "docs/configuration.md").read_text(), re.M))


def secret_settings():
    """The settings that the program reads from files as well: those whose value its help hides."""
    sources = {path: path.read_text() for path in (ROOT / "src/config").rglob("*.rs") if "tests" not in path.parts}
    constants = {name: value for text in sources.values() for name, value in re.findall(r'const (\w+): &str = "([A-Z0-9_]+)";', text)}
    found = set()
    for text in sources.values():
        for match in SECRET_ARG.finditer(text):
            name = re.search(r'\benv = (?:"(\w+)"|(\w+))', match["arg"])
            if name and "hide_env_values" in match["arg"]:
                found.add(name[1] or constants[name[2]])
    return found


def pods(objects):
    """(name of the object, its pod) of each object that starts pods."""
    return [(f"{each['kind']} {each['metadata']['name']}", each["spec"]["template"]) for each in objects
            if each["kind"] in ("Deployment", "Job")]


def environment(template, objects):
    """The variables of a pod, with those of its ConfigMaps; a value that the chart does not know is None."""
    maps = {each["metadata"]["name"]: each["data"] for each in objects if each["kind"] == "ConfigMap"}
    container = template["spec"]["containers"][0]
    found = {}
    for source in container.get("envFrom", []):
        found |= maps[source["configMapRef"]["name"]]
    return found | {each["name"]: each.get("value") for each in container.get("env", [])}


def unknown_settings(objects):
    known = settings() | NO_SETTINGS
    for name, template in pods(objects):
        for variable in environment(template, objects):
            if variable not in known:
                yield f"{name} sets {variable}, which docs/configuration.md does not have"


def selects(selector, labels):
    expected = selector.get("matchLabels", selector if "matchExpressions" not in selector else {})
    return all(labels.get(key) == value for key, value in expected.items())


def selectors(objects):
    """Each selector finds the pods (or, of a ServiceMonitor, the Service) that it is for, and each port that it names."""
    templates = pods(objects)
    for each in objects:
        kind, name, spec = each["kind"], each["metadata"]["name"], each.get("spec", {})
        if kind in ("Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"):
            selector = spec.get("podSelector") or spec["selector"]
            selected = [template for _, template in templates if selects(selector, template["metadata"]["labels"])]
            if not selected:
                yield f"{kind} {name} selects no pod"
            ports = [port["targetPort"] for port in spec.get("ports", [])] if kind == "Service" else []
            if kind == "NetworkPolicy":
                ports = [port["port"] for rule in spec.get("ingress", []) for port in rule["ports"]]
            for template in selected:
                names = {port["name"] for port in template["spec"]["containers"][0].get("ports", [])}
                yield from (f"{kind} {name} names the port {port!r}, which its pods do not have" for port in ports if port not in names)
        if kind == "ServiceMonitor":
            services = [other for other in objects if other["kind"] == "Service" and selects(spec["selector"], other["metadata"]["labels"])]
            names = {port["name"] for service in services for port in service["spec"]["ports"]}
            if len(services) != 1 or {endpoint["port"] for endpoint in spec["endpoints"]} != names:
                yield f"ServiceMonitor {name} does not lead to one Service with its port"
        if kind == "Ingress":
            services = {other["metadata"]["name"]: {port["name"] for port in other["spec"]["ports"]}
                        for other in objects if other["kind"] == "Service"}
            for path in (path for rule in spec["rules"] for path in rule["http"]["paths"]):
                service = path["backend"]["service"]
                if service["port"]["name"] not in services.get(service["name"], ()) or path["pathType"] != "Exact":
                    yield f"Ingress {name} has the path {path['path']}, which is not exact or leads to no port"


def restrictions(objects):
    """The profile `restricted` of the Pod Security Standards, and a root file system that is read-only."""
    for name, template in pods(objects):
        spec = template["spec"]
        pod, container = spec["securityContext"], spec["containers"][0]
        limits = container["securityContext"]
        held = {
            "runs as another user than root": pod["runAsNonRoot"] and pod["runAsUser"] > 0,
            "has the default seccomp profile": pod["seccompProfile"]["type"] == "RuntimeDefault",
            "cannot gain privileges": limits["allowPrivilegeEscalation"] is False,
            "has no capabilities": limits["capabilities"] == {"drop": ["ALL"]},
            "has a read-only root": limits["readOnlyRootFilesystem"] is True,
            "mounts no token": spec["automountServiceAccountToken"] is False,
            "gets no variables of Services": spec["enableServiceLinks"] is False,
            "has a memory limit": "memory" in container["resources"]["limits"],
        }
        yield from (f"{name} breaks the rule: {rule}" for rule, holds in held.items() if not holds)


def shutdown(objects):
    """Kubernetes waits longer for a pod than the program may take."""
    for name, template in pods(objects):
        values = environment(template, objects)
        if "INGEST_ROLE" not in values:
            continue
        times = ["INGEST_DRAIN_DELAY", "INGEST_SHUTDOWN_TIMEOUT"]
        if missing := [variable for variable in times if variable not in values]:
            yield f"{name} does not set {missing[0]}"
            continue
        seconds = [int(values[variable].removesuffix("s")) for variable in times]
        if template["spec"]["terminationGracePeriodSeconds"] < sum(seconds) + MARGIN_SECONDS:
            yield f"{name}: terminationGracePeriodSeconds is less than the drain delay, the shutdown timeout and {MARGIN_SECONDS} s"
        probes = {"livenessProbe": "/livez", "startupProbe": "/livez", "readinessProbe": "/readyz"}
        for probe, path in probes.items():
            if template["spec"]["containers"][0].get(probe, {}).get("httpGet") != {"path": path, "port": "admin"}:
                yield f"{name}: {probe} does not ask {path} of the admin listener"


def schema(schema_document):
    """The schema keeps secrets, and what the chart sets itself, out of `settings`."""
    refused = set(schema_document["properties"]["settings"]["propertyNames"]["not"]["enum"])
    missing = secret_settings() - {"DATABASE_URL"} - refused
    if len(secret_settings()) < 10:
        yield "the secret settings are not found in src/config"
    for name in sorted(missing):
        yield f"{CHART.relative_to(ROOT)}/values.schema.json allows the secret {name} in `settings`: add it to the refused names"
    for name in sorted(refused - settings()):
        yield f"{CHART.relative_to(ROOT)}/values.schema.json refuses {name}, which docs/configuration.md does not have"


OBJECT_RULES = [unknown_settings, selectors, restrictions, shutdown]
