"""The part of `docker compose` that docs/deployment.md uses, for scripts/check-compose on a machine without a container engine.

`config FOLDER` prints the services as JSON, as podman-compose resolves them. `compose up` runs the services in the roots of their images by
buildah, with their environment and commands, in the order of their dependencies; Postgres is that of this machine, with the settings of its
service. `compose exec` runs a program in a service, `down` ends all. COMPOSE_STATE is a folder for the state, COMPOSE_IMAGE the image of the
service. Everything shares one network.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

READY_WITHIN = 60  # seconds
STATE = pathlib.Path(os.environ.get("COMPOSE_STATE", "."))
POSTGRES = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]


def config(folder):
    """The services of compose.yaml, with the variables of .env and the files of env_file."""
    # Of podman, `config` uses only the version, so any program that has one will do.
    command = [sys.executable, "-m", "podman_compose", "--podman-path", sys.executable, "config"]
    text = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
    import yaml  # podman-compose's own

    return yaml.safe_load(text)


def environment(service):
    """What the container gets: the files first, then what compose.yaml sets."""
    from dotenv import dotenv_values  # podman-compose's own

    found = {}
    files = service.get("env_file") or []
    for file in [files] if isinstance(files, str) else files:
        found.update(dotenv_values(file if isinstance(file, str) else file["path"], interpolate=False))
    stated = service.get("environment") or {}
    if isinstance(stated, list):
        stated = dict(line.split("=", 1) for line in stated)
    found.update(stated)
    # One network: the name of the service of Postgres is this machine.
    return {name: str(value).replace("@postgres:", "@127.0.0.1:") for name, value in found.items() if value is not None}


def programs():
    """The folder of Postgres's programs."""
    return max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))


def start_postgres(service):
    stated, home = environment(service), STATE / "postgres"
    subprocess.run(["install", "-d", "-o", "postgres", "-m", "0755", str(home)], check=True)
    password = home / "password"
    password.write_text(stated["POSTGRES_PASSWORD"])
    initdb = [programs() / "initdb", "-D", home / "data", "-U", stated["POSTGRES_USER"], f"--pwfile={password}", "--encoding=UTF8",
              "--auth-local=trust", "--auth-host=scram-sha-256", *stated["POSTGRES_INITDB_ARGS"].split()]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": home}
    subprocess.run([*POSTGRES, *map(str, initdb)], **quiet)
    address, port, _ = service["ports"][0].rsplit(":", 2)
    arguments = [*service["command"][1:], "-c", f"listen_addresses={address}", "-c", f"port={port}", "-k", str(home)]
    start = [programs() / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log", "-o", " ".join(arguments), "start"]
    subprocess.run([*POSTGRES, *map(str, start)], **quiet)
    (STATE / "postgres.json").write_text(json.dumps({"PGHOST": str(home), "PGPORT": port}))
    created = ["createdb", "-h", home, "-p", port, "-U", stated["POSTGRES_USER"], stated["POSTGRES_DB"]]
    subprocess.run(list(map(str, created)), check=True)
    subprocess.run(service["healthcheck"]["test"][1:], check=True, stdout=subprocess.DEVNULL)


def in_image(service, arguments):
    """The command that runs a program in the root of the service's image."""
    container = STATE / "container"
    if not container.exists():
        made = subprocess.run(["buildah", "from", os.environ["COMPOSE_IMAGE"]], check=True, stdout=subprocess.PIPE, text=True)
        container.write_text(made.stdout.strip())
    variables = [f"--env={name}={value}" for name, value in environment(service).items()]
    return ["buildah", "run", "--isolation", "chroot", *variables, container.read_text(), "--", *arguments]


def up(services):
    start_postgres(services["postgres"])
    subprocess.run(in_image(services["migrate"], ["avinode-ingest", *services["migrate"]["command"]]), check=True)
    with open(STATE / "ingest.log", "wb") as log:
        ingest = subprocess.Popen(in_image(services["ingest"], ["avinode-ingest", "serve"]), stdout=log, stderr=log, start_new_session=True)
    (STATE / "ingest.pid").write_text(str(ingest.pid))
    deadline = time.monotonic() + READY_WITHIN
    while subprocess.run(in_image(services["ingest"], ["avinode-ingest", "healthcheck"]), capture_output=True).returncode != 0:
        if ingest.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the service did not start:\n{(STATE / 'ingest.log').read_text()}")
        time.sleep(0.2)


def execute(services, arguments):
    name, *command = [argument for argument in arguments if argument != "-T"]
    if name != "postgres":
        return subprocess.run(in_image(services[name], command), stdin=subprocess.DEVNULL).returncode
    variables = json.loads((STATE / "postgres.json").read_text())
    return subprocess.run(command, env={**os.environ, **variables}).returncode


def down():
    ingest = STATE / "ingest.pid"
    if ingest.exists():
        try:
            os.killpg(int(ingest.read_text()), signal.SIGTERM)
        except ProcessLookupError:
            pass
    home = STATE / "postgres"
    if (home / "data").exists():
        stop = [*POSTGRES, str(programs() / "pg_ctl"), "-D", str(home / "data"), "-m", "immediate", "stop"]
        subprocess.run(stop, cwd=home, stdout=subprocess.DEVNULL)
    if (STATE / "container").exists():
        subprocess.run(["buildah", "rm", (STATE / "container").read_text()], stdout=subprocess.DEVNULL)


def main():
    match sys.argv[1:]:
        case ["config", folder]:
            json.dump(config(folder), sys.stdout)
        case ["compose", "up", *_]:
            up(config(".")["services"])
        case ["compose", "exec", *arguments]:
            sys.exit(execute(config(".")["services"], arguments))
        case ["down"]:
            down()
        case arguments:
            sys.exit(f"compose_with_buildah: {' '.join(arguments)} is not known here")


if __name__ == "__main__":
    main()
