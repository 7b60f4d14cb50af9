"""A bash that runs blocks as a person would paste them, and the processes that are left of it."""

import os
import pathlib
import re
import signal
import subprocess
import threading
import time

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
FAILED = "check-docs-command-failed:"
DONE = "check-docs-block-done"


class Shell:
    """One shell, in a session of its own. Its output is what a person sees: stdout and stderr together."""

    def __init__(self, environment, folder, scratch):
        self.scratch = str(scratch)
        self.blocks = 0
        self.output = ""
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        # A command that fails is reported, and the next one runs all the same, as at a prompt.
        self._write(f"set -E -o pipefail; trap 'printf \"\\n{FAILED} %s\\n\" \"$BASH_COMMAND\"' ERR")

    def _read(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            with self.changed:
                self.output += data.decode(errors="replace")
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def _write(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def start(self, text):
        """Pastes a block."""
        self.blocks += 1
        script = pathlib.Path(self.scratch) / f"block-{id(self)}-{self.blocks}.sh"
        script.write_text(text + "\n")
        self.output = ""
        self._write(f". {script} </dev/null; printf '\\n%s\\n' {DONE}")

    def wait(self, seconds, enough=None, background=False):
        """Waits until the block is done, or until `enough` says so of its output; of a command in the background only the
        output says it. Returns the output, the failed commands, and whether it came to that in time."""
        deadline = time.monotonic() + seconds
        while True:
            with self.changed:
                raw = self.output
                done = f"\n{DONE}\n" in raw
                lines = clean(raw)
                failed = [line[len(FAILED) :].strip() for line in lines if line.startswith(FAILED) and f"{self.scratch}/block-" not in line]
                shown = [line for line in lines if not line.startswith(FAILED) and line != DONE]
                while shown and not shown[-1].strip():
                    shown.pop()
                if (done and not background) or (enough and enough(shown)):
                    return shown, failed, True
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    return shown, failed, False
                self.changed.wait(min(left, 0.5))

    def close(self, stays):
        """Ends what still runs in the foreground as Ctrl-C does, what runs in the background as `kill` does, then the shell.
        Returns whether all of it ended in time."""
        if stays and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self._write("trap - ERR; jobs=$(jobs -p); [ -z \"$jobs\" ] || kill $jobs; wait")
            self.process.stdin.close()
            self.process.wait(30)
            return True
        except BrokenPipeError:
            # What ran had ended by itself, so Ctrl-C ended the shell. What it may have left is looked for elsewhere.
            self.process.wait()
            return True
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return False


def clean(raw):
    """The lines of an output, without colours and without the blank lines around it."""
    text = ANSI.sub("", raw).replace("\r", "\n")
    return text.strip("\n").split("\n") if text.strip() else []


def left_of(folder):
    """Processes of which the command line or the environment names the folder, as (id, command line)."""
    found, needle = [], str(folder).encode()
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
        except OSError:
            continue
        if command and (needle in command or needle in environment):
            found.append((int(entry.name), command.replace(b"\0", b" ").decode(errors="replace").strip()))
    return found


def end_left_of(folder, seconds):
    """Waits for the folder's processes to end, then kills the rest by id. Returns what it had to kill."""
    deadline = time.monotonic() + seconds
    while (found := left_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for number, _ in found:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return [command for _, command in found]
