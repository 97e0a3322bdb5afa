"""Starts a program with listening sockets that others' connections reach it by, as `niac up` does with TPROXY's.

usage: inherit.py NETNS NETNS:ADDRESS:PORT ... -- PROGRAM ARGUMENT ...

Each socket is opened in the network namespace before it; the program inherits them as 3, 4, ... and runs in the first one. A socket
stays in the namespace it was opened in, so what it accepts was going to an address that there is not where the program runs.
"""
import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def enter(name):
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns {name}")
    os.close(fd)


at = sys.argv.index("--")
home, *places = sys.argv[1:at]
listening = []
for place in places:
    name, address, port = place.split(":")
    enter(name)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, int(port)))
    listener.listen(128)
    # Out of the way of the numbers they are to have.
    listening.append(os.dup2(listener.detach(), 100 + len(listening)))
enter(home)
for number, fd in enumerate(listening):
    os.dup2(fd, 3 + number, inheritable=True)
    os.close(fd)
os.execvp(sys.argv[at + 1], sys.argv[at + 1 :])
