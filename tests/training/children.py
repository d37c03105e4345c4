"""A parent process that imports torch once and then forks a child for each piece of code it is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Child:
    """A started process; its output goes to a file."""

    pid: int
    log: Path

    def output(self) -> str:
        """What it has written so far, both streams."""
        return self.log.read_text()


class Children:
    """Forks processes that run code with ``argv`` (a list of str) and the names of ``training_case`` in scope."""

    def __init__(self, folder: Path) -> None:
        path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
        env = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": path}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._parent = subprocess.Popen([sys.executable, __file__], env=env, **pipes)
        self._folder, self._count = folder, 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._parent.stdin.close()
        self._parent.wait()
        self._parent.stdout.close()

    def _ask(self, **request):
        self._parent.stdin.write(json.dumps(request) + "\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())

    def start(self, code, *argv, env=None) -> Child:
        """A process that runs ``code``; it exits with 0, with 1 on an exception, or with the code of SystemExit."""
        self._count += 1
        log = self._folder / f"{self._count}.log"
        request = {"code": code, "argv": [str(a) for a in argv], "env": env or {}, "log": str(log)}
        return Child(self._ask(**request), log)

    def wait(self, child) -> int:
        """Its exit code; minus the signal's number when it was killed."""
        return self._ask(wait=child.pid)


def _child(request) -> None:
    """The forked process: never returns."""
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(request["env"])
    import training_case

    scope = {**vars(training_case), "argv": request["argv"]}
    code = 0
    try:
        exec(compile(request["code"], "<child>", "exec"), scope)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _serve() -> None:
    # Only imports before a fork: no tensor is touched, so no thread pool exists that a child could miss.
    # What torch imports late, for seconds, comes early here and once.
    import torch._dynamo
    import torch.distributed.fsdp
    import torch.distributed.tensor
    import training_case

    import mezzotint.cli.train

    assert torch._dynamo, (torch.distributed, training_case, mezzotint.cli.train)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                _child(request)
        print(answer, flush=True)
    os._exit(0)  # torch takes seconds to leave in order


if __name__ == "__main__":
    _serve()
