"""A client that nobody here wrote: pymodbus', told what to ask a line at a time.

usage: pymodbus_client.py HOST PORT [SOURCE-ADDRESS]

Reads `read ADDRESS COUNT` and `write ADDRESS VALUE` (holding registers of unit 1) from standard input and answers each with a line:
the values, `exception N`, or `failed: ...`. Prints "ready" once it is connected.
"""
import sys

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

host, port, *source = sys.argv[1:]
client = ModbusTcpClient(
    host, port=int(port), timeout=10, retries=0, source_address=(source[0], 0) if source else None
)
print("ready" if client.connect() else "failed: not connected", flush=True)
for line in sys.stdin:
    what, address, number = line.split()
    try:
        if what == "read":
            answer = client.read_holding_registers(int(address), int(number), slave=1)
        else:
            answer = client.write_register(int(address), int(number), slave=1)
        if isinstance(answer, ModbusException):
            print("failed:", answer, flush=True)
        elif answer.isError():
            print("exception", answer.exception_code, flush=True)
        else:
            print(*(answer.registers if what == "read" else ["done"]), flush=True)
    except ModbusException as error:
        print("failed:", error, flush=True)
