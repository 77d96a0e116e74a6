"""Runs a program on a pseudo-terminal and answers its questions.

Reads {"arguments", "environment", "folder", "dialogue": [[question, answer], ...]} from standard input. Sends each
answer when its question has appeared, and prints {"code", "output", "echo"}: the exit code, everything that the terminal
showed, and whether the terminal echoes at the end.
"""

import json
import os
import pty
import select
import sys
import termios
import time

TIMEOUT_S = 120

job = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(job["folder"])
    os.execve(job["arguments"][0], job["arguments"], job["environment"])

output = b""
deadline = time.monotonic() + TIMEOUT_S


def read():
    """False at the end of the program."""
    global output
    ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
    if not ready:
        sys.exit("no answer in time; the terminal showed:\n" + output.decode(errors="replace"))
    try:
        data = os.read(terminal, 65536)
    except OSError:
        data = b""
    output += data
    return data != b""


seen = 0
is_running = True
for question, answer in job["dialogue"]:
    while question.encode() not in output[seen:] and is_running:
        is_running = read()
    at = output.find(question.encode(), seen)
    if at < 0:
        sys.exit(f"{question!r} was not asked; the terminal showed:\n" + output.decode(errors="replace"))
    seen = at + len(question.encode())
    os.write(terminal, answer.encode())
while is_running:
    is_running = read()
echo = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"code": code, "output": output.decode(), "echo": echo}))
