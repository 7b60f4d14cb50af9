"""Runs the program as the rendered pods do: their arguments, their variables and their files of secrets, on a throw-away Postgres.

The pods share this machine, so each has ports of its own, and a folder of this run in place of the mounted Secret.
"""

import contextlib
import datetime
import hashlib
import hmac
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from . import render, rules
from .paths import CHART, ROOT

PROGRAM = ROOT / "target/debug/avinode-ingest"
DELIVERY = ROOT / "fixtures/01-several-operators/05-quote-of-northwind.json"
SECRET = "only-for-a-throw-away-service"
READY_SECONDS = 60


class Pod:
    """A process with the arguments and variables of a pod's container."""

    def __init__(self, template, objects, secrets, log):
        self.container = template["spec"]["containers"][0]
        self.grace = template["spec"].get("terminationGracePeriodSeconds")
        mounted = {mount["name"]: mount["mountPath"] for mount in self.container["volumeMounts"]}["secrets"]
        rendered = rules.environment(template, objects)
        values = {name: str(secrets) if value == mounted else value for name, value in rendered.items()} | {"PATH": os.environ["PATH"]}
        self.ports = {}
        for variable in ("INGEST_LISTEN", "INGEST_ADMIN_LISTEN"):
            if variable in values:
                self.ports[variable] = free_port()
                values[variable] = f"127.0.0.1:{self.ports[variable]}"
        self.process = subprocess.Popen([PROGRAM, *self.container["args"]], env=values, cwd="/", stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=subprocess.STDOUT)

    def admin(self, path):
        """The status and the text of the admin listener."""
        return call(f"http://127.0.0.1:{self.ports['INGEST_ADMIN_LISTEN']}{path}")

    def exit_code(self):
        """The exit code; None if the pod would be killed at the end of its grace period."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(self.grace)
        return None


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def call(url, data=None, headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers or {}), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None, ""


def deliver(pod):
    now = datetime.datetime.now(datetime.UTC).isoformat()
    body = re.sub(r"\{\{now[^}]*\}\}", now, DELIVERY.read_text()).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return call(f"http://127.0.0.1:{pod.ports['INGEST_LISTEN']}/webhooks/avinode", body, {"X-Avinode-Signature": signature})[0]


def wait_for(what, condition):
    end = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > end:
            fail(f"{what}: not within {READY_SECONDS} s")
        time.sleep(0.1)


class Failure(Exception):
    """A pod does not do what it should."""


def fail(message):
    raise Failure(message)


def main():
    with tempfile.NamedTemporaryFile() as log:
        try:
            seconds = run(log)
        except Failure as failure:
            sys.exit(f"{Path(log.name).read_text()}\ncheck-chart: {failure}; above is what the pods printed")
    print(f"check-chart: migrated, received, applied and ended within {seconds:.1f} s of SIGTERM, as the pods do")


def run(log):
    """The life of the pods; returns the seconds that their end took."""
    values = yaml.safe_load((CHART / "ci/minimal-values.yaml").read_text())
    objects = render.objects(render.text(render.load(), values))
    templates = {template["metadata"]["labels"]["app.kubernetes.io/component"]: template for _, template in rules.pods(objects)}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        secrets = Path(folder)
        url = f"postgres://{os.environ['PGUSER']}@localhost/{os.environ['PGDATABASE']}?host={os.environ['PGHOST']}"
        contents = {"DATABASE_URL": url, "AVINODE_WEBHOOK_SECRET": SECRET, "INGEST_API_TOKENS": "check:read:a-token-of-this-check"}
        for name, content in contents.items():
            (secrets / name).write_text(content)

        if Pod(templates["migrate"], objects, secrets, log).process.wait(READY_SECONDS) != 0:
            fail("the Job of the migrations failed")
        receive, work = [Pod(templates[role], objects, secrets, log) for role in ("receive", "work")]
        for pod in (receive, work):
            running.callback(pod.process.kill)
        for pod in (receive, work):
            wait_for("a pod is ready", lambda pod=pod: pod.admin("/readyz")[0] == 200)
            if pod.admin("/livez")[0] != 200:
                fail("/livez of the admin listener does not answer 200")
        if deliver(receive) != 200:
            fail("the receiving pod did not answer a signed delivery with 200")
        if deliver(work) == 200:
            fail("the pod of the role `work` received a delivery")
        applied = 'avinode_ingest_jobs_finished_total{kind="full_event",outcome="applied"} 1'
        wait_for("the working pod applies the delivery", lambda: applied in work.admin("/metrics")[1])

        # During the drain delay the pod is not ready, and still receives.
        started = time.monotonic()
        for pod in (receive, work):
            pod.process.send_signal(signal.SIGTERM)
        wait_for("the ending pod is not ready", lambda: receive.admin("/readyz")[0] == 503)
        if deliver(receive) != 200:
            fail("the receiving pod refused a delivery during the drain delay")
        codes = [pod.exit_code() for pod in (receive, work)]
        if codes != [0, 0]:
            fail(f"the pods ended with {codes} instead of 0 within their terminationGracePeriodSeconds")
        return time.monotonic() - started


if __name__ == "__main__":
    main()
