"""The checks of scripts/check-proxy, beside the service of scripts/with-service.

A proxy passes requests to a recorder, which writes down what arrives and passes it on to the service: the answers are the service's own.
"""

import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HOST = "localhost" # Caddy makes a certificate for this name without asking anybody.
CLIENT = "198.51.100.7" # Another address than the proxy's own, for the service and for the recorder.
UPSTREAM = "127.0.0.1:8080" # As in the document.
PATH = "/webhooks/avinode"
PATIENCE = 30 # seconds
DOCUMENT = pathlib.Path("docs/deployment.md").read_text()


class Recorder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received = []

    def do_POST(self):
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return # The proxy gave up.
        Recorder.received.append((dict(self.headers.items()), body))
        service = http.client.HTTPConnection(urllib.parse.urlsplit(os.environ["INGEST_URL"]).netloc, timeout=PATIENCE)
        service.request("POST", self.path, body, dict(self.headers.items()))
        answer = service.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "date"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        service.close()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    # A sender may end before its answer.
    def handle_error(self, *_):
        pass


def signed(body):
    secret = os.environ["AVINODE_WEBHOOK_SECRET"].encode()
    return {"X-Avinode-Signature": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(), "Content-Type": "application/json"}


def send(authority, method, path, body=b"", headers=()):
    """The status, the headers and the body of the answer to a request from another address than the proxy's."""
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(HOST, 443, timeout=PATIENCE, context=context)
    connection._create_connection = lambda *_: socket.create_connection((CLIENT, 443), PATIENCE, (CLIENT, 0))
    with contextlib.closing(connection):
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def block(name):
    found = re.search(rf"^```{name}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/deployment.md has no block {name}"
    assert "hooks.example.com" in found[1] and UPSTREAM in found[1], found[1]
    return found[1].replace("hooks.example.com", HOST)


def caddy(home, text, variables=()):
    """Caddy with this Caddyfile; its own authority is not added to those of this machine."""
    file, adapted = home / "Caddyfile", home / "caddy.json"
    file.write_text(text)
    environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home), **dict(variables)}
    adapt = ["caddy", "adapt", "--config", str(file), "--adapter", "caddyfile", "--validate"]
    document = json.loads(subprocess.run(adapt, env=environment, check=True, capture_output=True).stdout)
    authorities = document["apps"].setdefault("pki", {}).setdefault("certificate_authorities", {})
    authorities["local"] = {"install_trust": False}
    adapted.write_text(json.dumps(document))
    return ["caddy", "run", "--config", str(adapted)], environment, home / "caddy/pki/authorities/local/root.crt"


def nginx(home, text):
    """nginx with this server and a certificate of its own."""
    certificate, key = home / "certificate.pem", home / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", f"/CN={HOST}",
            "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    folder = f"/etc/letsencrypt/live/{HOST}"
    assert folder in text, text
    text = text.replace(f"{folder}/fullchain.pem", str(certificate)).replace(f"{folder}/privkey.pem", str(key))
    file = home / "nginx.conf"
    file.write_text(f"pid {home}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{text}}}\n")
    command = [subprocess.run(["scripts/need-program", "nginx"], check=True, capture_output=True, text=True).stdout.strip(),
               "-c", str(file), "-g", "daemon off;", "-e", str(home / "error.log")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    return command, dict(os.environ), certificate


def stored():
    rows = ["psql", "-qtAc", "SELECT count(*) FROM avinode_ingest.deliveries"]
    return int(subprocess.run(rows, check=True, capture_output=True, text=True).stdout)


def until_it_answers(proxy, authority):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return send(authority, "GET", "/")
        except OSError: # no certificate, no listener
            if proxy.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def check(name, command, environment, authority):
    with tempfile.TemporaryFile() as log:
        proxy = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            until_it_answers(proxy, authority)
            deliver(name, authority)
        except BaseException:
            log.seek(0)
            print(log.read().decode(errors="replace")[-4000:], file=sys.stderr)
            raise
        finally:
            proxy.terminate()
            proxy.wait(PATIENCE)


def deliver(name, authority):
    before = stored()
    # Bytes that a proxy which parses JSON or compresses would change.
    body = f'{{ "event" : "TripSomethingNew",\r\n "eventId":"evt-{name}", "data":{{"note":"\\u00e9 é  \\/"}} }}\n'.encode()
    passed = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    spoofed = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    status, _, answer = send(authority, "POST", PATH, body, {**signed(body), **passed, **spoofed})
    headers, received = Recorder.received[-1]
    headers = {key.lower(): value for key, value in headers.items()}
    assert received == body, f"{name} changed the body: {received}"
    for key, value in {**signed(body), **passed}.items():
        assert headers.get(key.lower()) == value, f"{name} does not pass {key}: {headers}"
    assert headers["x-forwarded-for"].split(",")[-1].strip() == CLIENT, f"{name} does not name the client: {headers}"
    assert "forwarded" not in headers, f"{name} passes on a client's Forwarded: {headers}"
    assert (status, stored()) == (200, before + 1), f"{name}: {status} {answer}"

    refuse(name, authority, body)
    status, headers, answer = send(authority, "POST", PATH, body, {"Content-Type": "application/json"})
    assert status == 401 and headers["www-authenticate"], f"{name}: {status} {headers}"
    passed_on = len(Recorder.received)
    large = b'{"event": "' + b"x" * 300_000 + b'"}'
    status, headers, answer = send(authority, "POST", PATH, large, signed(large))
    assert (status, headers["content-type"]) == (413, "application/problem+json"), f"{name}: {status} {answer}"
    assert len(Recorder.received) == passed_on + 1, "the service refuses a body that is too large for it"
    huge = b" " * 600_000
    try:
        status, _, _ = send(authority, "POST", PATH, huge, signed(huge))
    except OSError as error: # closed before the body was sent
        status = error
    # 502 is Caddy's, of an upstream that reads the body before it answers, as the recorder does.
    assert (isinstance(status, OSError) or status in (413, 502)) and len(Recorder.received) == passed_on + 1, f"{name} passes any body on: {status}"
    for path in ("/", "/readyz", "/livez", "/openapi.json", "/v1/sessions", "/v1/admin/summary", "/console", "/metrics", f"{PATH}/", f"{PATH}/x"):
        status, _, _ = send(authority, "GET", path)
        assert status in (404, 405), f"{name} publishes {path}: {status}"
    assert len(Recorder.received) == passed_on + 1, f"{name} passes on another path"
    assert stored() == before + 1
    print(f"check-proxy: {name} delivers unchanged bytes, and publishes {PATH} only")


def refuse(name, authority, body):
    """A wrong signature is refused, and the log names the client. A line is written each second at most."""
    log, line = pathlib.Path(os.environ["SERVICE_LOG"]), f"wrong-signature .* client={re.escape(CLIENT)} "
    before, deadline = len(re.findall(line, log.read_text())), time.monotonic() + PATIENCE
    while len(re.findall(line, log.read_text())) == before:
        assert time.monotonic() < deadline, f"the log does not name the client behind {name}"
        status, headers, answer = send(authority, "POST", PATH, body, signed(b"another body"))
        assert (status, headers["content-type"]) == (401, "application/problem+json"), f"{name}: {status} {answer}"
        time.sleep(0.1)


def main():
    host, port = UPSTREAM.split(":")
    recorder = Server((host, int(port)), Recorder)
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        for name, start in {
            "deploy/Caddyfile": lambda home: caddy(home, pathlib.Path("deploy/Caddyfile").read_text(), {"PUBLIC_HOST": HOST, "UPSTREAM": UPSTREAM}.items()),
            "Caddy": lambda home: caddy(home, block("caddyfile")),
            "nginx": lambda home: nginx(home, block("nginx")),
        }.items():
            home = pathlib.Path(folder, name.replace("/", "-"))
            home.mkdir()
            check(name, *start(home))
    recorder.shutdown()


if __name__ == "__main__":
    main()
