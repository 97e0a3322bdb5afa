"""An engineer's Modbus client over mutual TLS at a machine's own address, by Python's own TLS, told what to read a line at a time.

usage: plant_engineer.py HOST PORT CA CERTIFICATE-CHAIN KEY

Prints "ready" once it is connected. Reads a holding register's address from standard input, and prints its value, or `failed: ...`
after which it connects anew.
"""
import socket
import ssl
import struct
import sys

host, port, ca, chain, key = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(chain, key)


def connect():
    connection = context.wrap_socket(socket.create_connection((host, int(port)), 60), server_hostname=host)
    connection.settimeout(60)
    return connection


def read(connection, address):
    connection.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, address, 1))
    answer = b""
    while len(answer) < 9 or (len(answer) < 11 and answer[7] < 0x80):
        more = connection.recv(1024)
        if not more:
            raise ConnectionError("the session was ended")
        answer += more
    return f"exception {answer[8]}" if answer[7] >= 0x80 else struct.unpack(">H", answer[9:11])[0]


connection = connect()
print("ready", flush=True)
for line in sys.stdin:
    try:
        connection = connection or connect()
        print(read(connection, int(line)), flush=True)
    except (OSError, ConnectionError) as error:
        connection = None
        print("failed:", error, flush=True)
