"""`budgetal serve` as a process, killed and started again at will."""

import os
import re
import subprocess
import sys


class Server:
    """A server on a port of its own, which it keeps when it is started again."""

    def __init__(self, folder, state, *options):
        self.folder, self.options, self.port = folder, options, 0
        self.environment = {**os.environ, "XDG_STATE_HOME": str(state), "OMP_NUM_THREADS": "1"}
        self.start()

    def start(self):
        options = ["--port", str(self.port), *self.options]
        command = [sys.executable, "-m", "budgetal", "serve", str(self.folder), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.environment)
        self.link = self.process.stdout.readline().split()[1]
        self.port = int(re.search(r":(\d+)/", self.link)[1])

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
