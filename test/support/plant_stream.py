"""A long conversation over one TCP connection, each byte of it known: what is lost, changed or cut off is seen at both ends.

usage: plant_stream.py serve PORT | dial HOST PORT

The dialler sends a counted line each 5 ms and the server sends each back. Prints "ready" once it listens or is connected, the dialler
"through" once a hundred lines have come back; then the server prints each connection's end and the dialler its own: "reset",
"closed" or "wrong", how many lines were right until then, and for a reset what the kernel said.
On a line of standard input the dialler ends in good order.
"""
import socket
import sys
import threading
import time


def lines(connection, each):
    count = 0
    try:
        for line in connection.makefile("rb"):
            if line != b"%d %s\n" % (count, b"x" * 200):
                return f"wrong {count}"
            count += 1
            each(line)
        return f"closed {count}"
    except OSError as error:
        return f"reset {count}: {error}"


def send(connection):
    count = 0
    try:
        while not ending.is_set():
            connection.sendall(b"%d %s\n" % (count, b"x" * 200))
            count += 1
            time.sleep(0.005)
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        cut.append(error)


ending = threading.Event()
cut = []
if sys.argv[1] == "serve":
    server = socket.create_server(("0.0.0.0", int(sys.argv[2])))
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        # So that it hears of a cut also when it has nothing to send.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        threading.Thread(
            target=lambda c: print(lines(c, c.sendall), flush=True) or c.close(), args=(connection,), daemon=True
        ).start()
connection = socket.create_connection((sys.argv[2], int(sys.argv[3])), 20)
connection.settimeout(None)
print("ready", flush=True)
threading.Thread(target=lambda: (sys.stdin.readline(), ending.set()), daemon=True).start()
sender = threading.Thread(target=send, args=(connection,), daemon=True)
sender.start()
end = lines(connection, lambda line: line.startswith(b"100 ") and print("through", flush=True))
# The kernel tells of a reset once: where the sender was told, the reader sees an ordinary end.
sender.join()
print(f"{end.replace('closed', 'reset')}: {cut[0]}" if cut and end.startswith("closed") else end, flush=True)
