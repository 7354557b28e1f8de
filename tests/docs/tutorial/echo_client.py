#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sends a line to a TCP echo server and prints what comes back.

Usage: echo_client.py HOST PORT [TEXT]
"""
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
message = (sys.argv[3] if len(sys.argv) > 3 else "Hello, world").encode()

with socket.create_connection((host, port), timeout=20) as client:
    client.sendall(message)
    # TCP is a stream: the echo may come in as many pieces as it likes
    data = b""
    while len(data) < len(message):
        piece = client.recv(1024)
        if not piece:
            sys.exit("the server closed the connection")
        data += piece
print("Received:", data.decode())
