"""Starts a program as systemd does that has socket units: listening sockets by name, with IP_TRANSPARENT. Takes root.

usage: handed_on.py NAME:PORT ... -- PROGRAM ARGUMENT ...
"""
import os
import socket
import sys

IP_TRANSPARENT = 19

at = sys.argv.index("--")
names = []
# Out of the way of the numbers they are to have.
listening = []
for place in sys.argv[1:at]:
    name, port = place.split(":")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    listener.bind(("0.0.0.0", int(port)))
    listener.listen(1024)
    names.append(name)
    listening.append(os.dup2(listener.detach(), 100 + len(listening)))
for number, fd in enumerate(listening):
    os.dup2(fd, 3 + number, inheritable=True)
    os.close(fd)
os.environ["LISTEN_FDS"] = str(len(names))
os.environ["LISTEN_FDNAMES"] = ":".join(names)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[at + 1], sys.argv[at + 1 :])
