"""Follows the boot journal of a running agent: lines are kept in a file, and events are waited for."""
import queue
import threading
import time

import journal


class Console:
    """follow() is given the agent's output; events that wait() and its relatives have seen stand in `events`."""

    def __init__(self, log):
        self.log = log
        self.events, self.lines = [], queue.Queue()

    def follow(self, stream):
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        with open(self.log, "ab", buffering=0) as log:
            for raw in stream:
                log.write(raw)
                self.lines.put(raw.decode(errors="replace").rstrip("\n"))

    def next_event(self, timeout):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                e = journal.parse(self.lines.get(timeout=max(0.01, end - time.monotonic())))
            except queue.Empty:
                return None
            if e:
                self.events.append(e)
                return e
        return None

    def wait(self, what, test, timeout=20):
        """The first event from now on for which test(event) is true."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            alive = self.alive()
            e = self.next_event(min(1, end - time.monotonic()))
            if e and test(e):
                return e
            if not e and not alive:
                raise AssertionError(f"{what}: the machine has stopped; the console said:\n{self.console()[-6000:]}")
        raise AssertionError(f"{what}: not within {timeout} s; the console said:\n{self.console()[-6000:]}")

    def wait_done(self, phase, timeout=20):
        return self.wait(f"{phase} done", lambda e: e.phase == phase and e.event == "done", timeout)

    def wait_error(self, code, phase, timeout=20):
        """The first error must be this one, in this phase."""
        e = self.wait(f"error {code}", lambda x: x.event == "error" or x.phase == "joined" and x.event == "done", timeout)
        assert (e.get("code"), e.phase) == (code, phase), \
            f"wanted {code} in {phase}, got {e.get('code') or 'joined'} in {e.phase}\n{self.console()[-6000:]}"
        return e

    def wait_joined(self, timeout=40):
        return self.wait("joined", lambda e: e.phase == "joined" and e.event == "done", timeout)

    def kubelet_started(self):
        return any(e.event == "kubelet" and "arg" in e.all for e in self.events)

    def alive(self):
        """Whether more can come. Who knows better says so."""
        return True

    def console(self):
        try:
            with open(self.log, errors="replace") as f:
                return f.read()
        except OSError:
            return ""
