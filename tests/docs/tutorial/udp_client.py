#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sends datagrams to a UDP server and prints the answer to each.

Usage: udp_client.py HOST PORT [TEXT]...
"""
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
messages = sys.argv[3:] or ["Hello, world"]

family = socket.AF_INET6 if ":" in host else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as client:
    # a datagram may be lost: who waits for ever may wait in vain
    client.settimeout(20)
    for message in messages:
        client.sendto(message.encode(), (host, port))
        data, server = client.recvfrom(65535)
        print(f"Received from port {server[1]}: {data.decode()}")
