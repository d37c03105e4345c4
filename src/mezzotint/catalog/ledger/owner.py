"""Who holds a lease: a process, known again by its start, so that a dead one is told from another of its number."""

from __future__ import annotations

import os
import secrets
import socket


def owner() -> str:
    """Of this process, different each time."""
    return f"{socket.gethostname()}|{os.getpid()}|{_started(os.getpid())}|{secrets.token_hex(4)}"


def is_gone(name: str) -> bool:
    """Whether an owner was a process of this machine that is no more.  Of other machines nobody here knows."""
    host, pid, started, _ = name.split("|")
    return host == socket.gethostname() and _started(int(pid)) != started


def _started(pid: int) -> str:
    """When a process was started, in hundredths of seconds since the machine was; "" where there is none.  No clock
    that can be set counts."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        return str(round((process.create_time() - psutil.boot_time()) * 100))
    except psutil.Error:
        return ""
