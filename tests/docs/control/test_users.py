# SPDX-License-Identifier: MIT
"""A fixture for pytest: each test gets a server, and fails by its verdict."""

import json
import subprocess
import urllib.request

import pytest


class Retort:
    def __init__(self):
        self.process = subprocess.Popen(
            ["retort", "--control", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def ask(self, command):
        print(command, file=self.process.stdin, flush=True)
        answer, count = self.process.stdout.readline().split()
        text = "".join(self.process.stdout.readline() for _ in range(int(count)))
        assert answer == "ok", text
        return text

    def requests(self):
        lines = self.ask("requests whole").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def retort():
    server = Retort()
    yield server
    _, verdict = server.process.communicate()  # ends it
    assert server.process.returncode == 0, verdict


def test_user(retort):
    retort.ask("""rules
@on GET /users/1
HTTP/1.1 200 OK

Ada
@expect 1 GET /users/1
.""")
    with urllib.request.urlopen(retort.url + "users/1") as reply:
        assert reply.read() == b"Ada"


def test_new_user(retort):
    retort.ask("""rules
@on POST /users
HTTP/1.1 201 Created
.""")
    urllib.request.urlopen(retort.url + "users", b'{"name": "Ada"}').close()
    [request] = retort.requests()
    assert json.loads(request["body"]) == {"name": "Ada"}
    assert ["Content-Length", "15"] in request["fields"]
