# SPDX-License-Identifier: MIT
"""A unittest of a client that is urllib. Run it by

retort run --scenario users.retort -- python3 -m unittest users_test
"""

import http.client
import json
import os
import unittest
import urllib.error
import urllib.request

USERS = os.environ["RETORT_URL"] + os.environ.get("USERS", "users")
DEADLINE = 10  # seconds


def fetch(number):
    with urllib.request.urlopen(f"{USERS}/{number}", timeout=DEADLINE) as reply:
        return json.load(reply)


def create(name):
    """Tries again while the service is busy."""
    request = urllib.request.Request(
        USERS,
        json.dumps({"name": name}).encode(),
        {"Content-Type": "application/json"},
    )
    for left in (2, 1, 0):
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 503 or left == 0:
                raise


class Users(unittest.TestCase):
    # The scenario wants the user fetched before another is created; the tests
    # run in the order of their names.

    def test_1_fetches(self):
        self.assertEqual(fetch(1), {"id": 1, "name": "Ada"})

    def test_2_sees_a_reset(self):
        with self.assertRaises(ConnectionResetError):
            fetch(2)

    def test_3_sees_an_early_end(self):
        with self.assertRaises(http.client.IncompleteRead):
            fetch(3)

    def test_4_puts_bytes_together(self):
        self.assertEqual(fetch(4), {"id": 4, "name": "Barbara"})

    def test_5_tries_again(self):
        self.assertEqual(create("Bob"), {"id": 7, "name": "Bob"})


if __name__ == "__main__":
    unittest.main()
