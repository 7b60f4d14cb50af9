"""Writes each shell script of the workflows named into a folder, for shellcheck: shell_of.py FOLDER FILE…"""

import pathlib
import re
import sys

from ruamel.yaml import YAML

EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def main():
    folder = pathlib.Path(sys.argv[1])
    for file in map(pathlib.Path, sys.argv[2:]):
        jobs = YAML(typ="safe").load(file)["jobs"]
        for name, job in jobs.items():
            for number, step in enumerate(job.get("steps", []), 1):
                if script := step.get("run"):
                    text = f"#!/usr/bin/env bash\nset -eo pipefail\n{EXPRESSION.sub('expression', script)}"
                    (folder / f"{file.stem}-{name}-step-{number}.sh").write_text(text)


if __name__ == "__main__":
    main()
