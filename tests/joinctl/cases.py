"""cases.py: runs joinctl and counts what it answers."""
import os
import subprocess


class Answer:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()

    def __str__(self):
        return f"exit {self.code}\n    stdout: {self.out[:600]!r}\n    stderr: {self.err[:600]!r}"


class Run:
    """One run of the suite: `folder` is its own, and the working directory of every joinctl."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.passed = self.failed = self.skipped = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return name

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def joinctl(self, *args, stdin=b""):
        """Runs it. A sanitizer's report is never an expected answer."""
        done = subprocess.run([self.program, *args], cwd=self.folder, input=stdin if isinstance(stdin, bytes) else stdin.encode(),
                              capture_output=True, timeout=60)
        answer = Answer(done)
        if "Sanitizer" in answer.err or "runtime error" in answer.err:
            answer.code = -1
        return answer

    def case(self, name, good, detail=""):
        if good:
            self.passed += 1
            print(f"ok      {name}")
        else:
            self.failed += 1
            print(f"FAILED  {name}: {detail}")

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped {name}: {why}")

    def expect(self, name, args, code, out=None, err=None, stdin=b""):
        """One run of joinctl: its exit code, and texts that its output must hold."""
        a = self.joinctl(*args, stdin=stdin)
        outs = [out] if isinstance(out, str) else out or []
        errs = [err] if isinstance(err, str) else err or []
        good = a.code == code and all(o in a.out for o in outs) and all(e in a.err for e in errs)
        if code == 1:
            good = good and a.err.count("\n") == 1  # a refusal is one line
        if code == 0 and err is None:
            good = good and not a.err
        self.case(name, good, a)
        return a
