#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Asks a web server for a page, by a plain socket, and prints its status line
and the page.

Usage: web_client.py HOST PORT [PATH]
"""
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
path = sys.argv[3] if len(sys.argv) > 3 else "/"
name = f"[{host}]" if ":" in host else host

request = (
    f"GET {path} HTTP/1.1\r\n"
    f"Host: {name}:{port}\r\n"
    "Connection: close\r\n"
    "\r\n"
)

with socket.create_connection((host, port), timeout=20) as client:
    client.sendall(request.encode("ascii"))
    reply = b""
    while piece := client.recv(4096):
        reply += piece

head, _, body = reply.partition(b"\r\n\r\n")
print(head.split(b"\r\n")[0].decode("ascii"))
print(body.decode(), end="")
