"""A machine that nobody here wrote: pymodbus' server, which says on standard output what reached it.

usage: pymodbus_machine.py PORT [ADDRESS] | DEVICE

With a port it speaks Modbus TCP, on 127.0.0.1 or ADDRESS, with a pseudo-terminal (/dev/pts/...) Modbus RTU. Parity is a real line's:
Linux refuses it on a pseudo-terminal where nothing else changes.
Prints "ready", then a line an event: "connected" and "disconnected" (TCP), "read TABLE ADDRESS COUNT",
"write TABLE ADDRESS [VALUES]". Every register begins with its own address as its value, every coil with 0. On SIGUSR1 it prints "mark".
"""
import asyncio
import signal
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer
from pymodbus.server.async_io import ModbusConnectedRequestHandler
from pymodbus.transaction import ModbusRtuFramer


def say(*words):
    print(*words, flush=True)


class Told(ModbusSequentialDataBlock):
    def __init__(self, name, values):
        super().__init__(0, values)
        self.name = name

    def getValues(self, address, count=1):
        say("read", self.name, address, count)
        return super().getValues(address, count)

    def setValues(self, address, values):
        say("write", self.name, address, list(values) if isinstance(values, (list, tuple)) else [values])
        super().setValues(address, values)


class Connection(ModbusConnectedRequestHandler):
    def connection_made(self, transport):
        say("connected")
        super().connection_made(transport)

    def connection_lost(self, call_exc):
        say("disconnected")
        super().connection_lost(call_exc)


async def main(where, host="127.0.0.1"):
    slave = ModbusSlaveContext(
        di=Told("discreteInputs", [0] * 1000),
        co=Told("coils", [0] * 1000),
        hr=Told("holdingRegisters", list(range(1000))),
        ir=Told("inputRegisters", list(range(1000))),
        zero_mode=True,
    )
    context = ModbusServerContext(slaves=slave, single=True)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, say, "mark")
    loop.call_later(0.2, say, "ready")
    if where.startswith("/dev/"):
        line = {"port": where, "baudrate": 19200, "parity": "N", "stopbits": 1}
        await StartAsyncSerialServer(context, framer=ModbusRtuFramer, **line)
    else:
        address = (host, int(where))
        # So that a machine that was killed can come back at once.
        await StartAsyncTcpServer(context, address=address, handler=Connection, allow_reuse_address=True)


asyncio.run(main(*sys.argv[1:]))
