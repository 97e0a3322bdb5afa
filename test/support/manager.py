"""Stands in for the service manager: prints the words that come to its socket (sd_notify(3)), a line each.

usage: manager.py PATH
"""
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1].replace("@", "\0", 1))
print("listening", flush=True)
while True:
    print(listener.recv(4096).decode(), flush=True)
