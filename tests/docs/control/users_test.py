# SPDX-License-Identifier: MIT
"""A test in Python, with nothing but its library: python3 -m unittest"""

import json
import subprocess
import unittest
import urllib.request


class Users(unittest.TestCase):
    def setUp(self):
        self.retort = subprocess.Popen(
            ["retort", "--control", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.retort.communicate)  # ends it
        self.url = self.retort.stdout.readline().strip()

    def ask(self, command):
        print(command, file=self.retort.stdin, flush=True)
        answer, count = self.retort.stdout.readline().split()
        text = "".join(self.retort.stdout.readline() for _ in range(int(count)))
        self.assertEqual(answer, "ok", text)
        return text

    def test_user(self):
        self.ask("""rules
@on GET /users/1
HTTP/1.1 200 OK
Content-Type: application/json

{"name": "Ada"}
@expect 1 GET /users/1
.""")
        with urllib.request.urlopen(self.url + "users/1") as reply:
            self.assertEqual(json.load(reply), {"name": "Ada"})
        self.ask("verdict")
