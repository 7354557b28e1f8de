# SPDX-License-Identifier: MIT
"""Fetches a URL whole, or fails."""

import sys
import urllib.request

with urllib.request.urlopen(sys.argv[1], timeout=10) as reply:
    reply.read()
