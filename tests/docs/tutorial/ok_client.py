#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sends lines to a TCP server that says OK to each; then falls silent, and
waits for the server to close the connection.

Usage: ok_client.py HOST PORT
"""
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])

with socket.create_connection((host, port), timeout=20) as client:
    for line in ("first line\n", "second line\n", "third line\n"):
        client.sendall(line.encode())
        answer = client.recv(1024)
        if not answer:
            sys.exit("the server closed the connection")
        print("Answer:", answer.decode().strip())
    if client.recv(1024):
        sys.exit("more came than was asked for")
print("The server closed the connection")
