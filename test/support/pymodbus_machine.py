"""A machine that nobody here wrote: pymodbus' server on 127.0.0.1, which says on standard output what reached it.

usage: pymodbus_machine.py PORT

Prints "ready", then a line a request: "read TABLE ADDRESS COUNT" or "write TABLE ADDRESS [VALUES]".
Every register begins with its own address as its value, every coil with 0.
"""
import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer


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


async def main(port):
    slave = ModbusSlaveContext(
        di=Told("discreteInputs", [0] * 1000),
        co=Told("coils", [0] * 1000),
        hr=Told("holdingRegisters", list(range(1000))),
        ir=Told("inputRegisters", list(range(1000))),
        zero_mode=True,
    )
    asyncio.get_running_loop().call_later(0.2, say, "ready")
    await StartAsyncTcpServer(ModbusServerContext(slaves=slave, single=True), address=("127.0.0.1", port))


asyncio.run(main(int(sys.argv[1])))
