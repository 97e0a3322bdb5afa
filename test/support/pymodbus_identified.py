"""A machine that says what it is: pymodbus' server with a device identification.

usage: pymodbus_identified.py PORT

Speaks Modbus TCP on 127.0.0.1 for every unit.
"""
import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import StartAsyncTcpServer


async def main(port):
    block = ModbusSequentialDataBlock(0, [0] * 10)
    slave = ModbusSlaveContext(di=block, co=block, hr=block, ir=block)
    identity = ModbusDeviceIdentification(
        info_name={
            "VendorName": "Press Works",
            "ProductCode": "PW-4",
            "MajorMinorRevision": "V2.11",
            "VendorUrl": "http://press.example",
            "ProductName": "Press",
            "ModelName": "Four",
            "UserApplicationName": "Line 2",
        }
    )
    context = ModbusServerContext(slaves=slave, single=True)
    address = ("127.0.0.1", port)
    await StartAsyncTcpServer(context=context, identity=identity, address=address, allow_reuse_address=True)


asyncio.run(main(int(sys.argv[1])))
