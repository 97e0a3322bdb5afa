import type { Socket } from "node:net";
import test, { type ExecutionContext } from "ava";
import { identify, type Identification } from "../../../src/gateway/identify.ts";
import { IDENTIFY_PORTS } from "../../../src/link/index.ts";
import { freePort } from "../../support/ports.ts";
import { TcpMachine } from "../../support/tcp-machine.ts";
import {
  acknowledge,
  chunk,
  endpoint,
  endpointsBody,
  messageChunk,
  openBody,
  openChunk,
  text,
  u32,
} from "../opcua/messages.ts";

const HOST = "127.0.0.1";
/** The machines of these tests answer, or hang up: nothing here is to wait for, and nothing to be given up. */
const patience = { answer: 60_000, connection: 60_000 };

/** A Modbus reply to the request `frame` with this PDU. */
function replyTo(frame: Buffer, pdu: Buffer): Buffer {
  const head = Buffer.from(frame.subarray(0, 7));
  head.writeUInt16BE(pdu.length + 1, 4);
  return Buffer.concat([head, pdu]);
}

/** 43/14: level, conformity, more, next, objects. */
function identification(
  level: number,
  conformity: number,
  more: number,
  next: number,
  objects: ReadonlyArray<[number, string | Buffer]>,
): Buffer {
  return Buffer.concat([
    Buffer.of(43, 14, level, conformity, more, next, objects.length),
    ...objects.map(([id, value]) =>
      Buffer.concat([Buffer.of(id, Buffer.from(value).length), Buffer.from(value)]),
    ),
  ]);
}

async function modbus(
  t: ExecutionContext,
  answer: (socket: Socket, frame: Buffer) => void,
): Promise<{ found: Identification; asked: string[] }> {
  const asked: string[] = [];
  const machine = await TcpMachine.start(t, (socket) =>
    socket.on("data", (frame) => {
      asked.push(frame.toString("hex", 4));
      answer(socket, frame);
    }),
  );
  const found = await identify(HOST, { ports: [machine.port], modbusPort: machine.port, patience });
  return { found, asked };
}

async function opcua(
  t: ExecutionContext,
  answer: (socket: Socket, count: number) => void,
): Promise<Identification> {
  const machine = await TcpMachine.start(t, (socket) => {
    let count = 0;
    socket.on("data", () => answer(socket, count++));
  });
  return identify(HOST, { ports: [machine.port], opcuaPort: machine.port, patience });
}

test("nothing is asked that writes: reads of the identification, of the unit that is the machine itself, and no more", async (t) => {
  const { found, asked } = await modbus(t, (socket, frame) =>
    socket.write(
      replyTo(
        frame,
        identification(1, 1, 0, 0, [
          [0, "Press Works "],
          [1, "PW-4"],
          [2, "V2\0\0"],
          [77, "own"],
        ]),
      ),
    ),
  );
  t.deepEqual(asked, ["0005ff2b0e0100"]);
  t.deepEqual(found, {
    modbus: {
      unit: 255,
      objects: { vendor: "Press Works", product: "PW-4", revision: "V2" },
      exception: null,
    },
    opcua: null,
    openPorts: [Number(found.openPorts[0])],
    problems: [],
  });
});

test("pages are asked for in turn, then the regular objects; a machine with ever more is not listened to for ever", async (t) => {
  const { found, asked } = await modbus(t, (socket, frame) => {
    const [level = 0, object = 0] = frame.subarray(9);
    const last = object >= 0x80;
    socket.write(
      replyTo(
        frame,
        identification(level, 0x83, last ? 0 : 0xff, last ? 0 : object + 1, [[object, `o${object}`]]),
      ),
    );
  });
  t.deepEqual(
    asked,
    [0, 1, 2, 3, 4, 5, 6, 7].map((object) => `0005ff2b0e010${object}`),
  );
  t.like(found.modbus?.objects, { vendor: "o0", product: "o1", userApplicationName: "o6" });
});

test("a machine that has more and names the same object again is left", async (t) => {
  const { asked } = await modbus(t, (socket, frame) =>
    socket.write(replyTo(frame, identification(Number(frame[9]), 1, 0xff, 0, [[0, "again"]]))),
  );
  t.is(asked.length, 1);
});

test("a gateway to a serial line is asked for its first unit; an exception is an answer", async (t) => {
  const { found, asked } = await modbus(t, (socket, frame) => {
    if (frame[6] === 255) socket.write(replyTo(frame, Buffer.of(43 + 128, 11)));
    else socket.write(replyTo(frame, Buffer.of(43 + 128, 1)));
  });
  t.deepEqual(asked, ["0005ff2b0e0100", "0005012b0e0100"]);
  t.deepEqual(found.modbus, { unit: 1, objects: {}, exception: 1 });
  t.deepEqual(found.problems, []);
});

test("units that give no answer are asked in turn, and a machine that gives none is a problem once", async (t) => {
  const { found, asked } = await modbus(t, (socket) => socket.destroy());
  t.deepEqual(asked, ["0005ff2b0e0100", "0005012b0e0100", "0005002b0e0100"]);
  t.is(found.modbus, null);
  t.is(found.problems.length, 1);
  const second = await modbus(t, (socket, frame) => {
    if (frame[6] !== 1) socket.destroy();
    else socket.write(replyTo(frame, identification(1, 1, 0, 0, [[0, "one"]])));
  });
  t.like(second.found, { modbus: { unit: 1 }, problems: [] });
});

test("an answer to another request is passed over", async (t) => {
  const { found } = await modbus(t, (socket, frame) => {
    const late = Buffer.from(frame);
    late.writeUInt16BE(999, 0);
    socket.write(replyTo(late, identification(1, 1, 0, 0, [[0, "wrong"]])));
    socket.write(replyTo(frame, identification(1, 1, 0, 0, [[0, "right"]])));
  });
  t.is(found.modbus?.objects.vendor, "right");
});

test("what is no Modbus is an open port and a problem, in words safe for a terminal", async (t) => {
  const ssh = await modbus(t, (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"));
  t.is(ssh.found.modbus, null);
  t.is(ssh.asked.length, 1, "and not asked again");
  t.is(ssh.found.openPorts.length, 1);
  t.regex(ssh.found.problems[0] ?? "", /^port \d+: a frame's protocol id is/);
  const evil = await modbus(t, (socket, frame) =>
    socket.write(replyTo(frame, identification(1, 1, 0, 0, [[0, Buffer.from("\u{1b}[2J\xffx", "latin1")]]))),
  );
  t.is(evil.found.modbus?.objects.vendor, "\\u{1b}[2Jÿx");
});

test("an identification that lies about its lengths is refused", async (t) => {
  const { found } = await modbus(t, (socket, frame) =>
    socket.write(replyTo(frame, Buffer.of(43, 14, 1, 1, 0, 0, 2, 0, 200, 65))),
  );
  t.is(found.modbus, null);
  t.is(found.problems.length, 1);
});

test("an OPC UA server's endpoints, over several chunks, byte by byte", async (t) => {
  const ids = { channel: 9, token: 4 };
  const body = endpointsBody([
    endpoint(),
    endpoint({ mode: 1, policy: "http://opcfoundation.org/UA/SecurityPolicy#None", name: "\u{202e}Press" }),
  ]);
  const answers = [
    acknowledge(),
    openChunk(1, 1, openBody(9, 4)),
    Buffer.concat([
      messageChunk("C", ids, 2, 2, body.subarray(0, 100)),
      messageChunk("C", ids, 3, 2, body.subarray(100, 101)),
      messageChunk("F", ids, 4, 2, body.subarray(101)),
    ]),
  ];
  const found = await opcua(t, (socket, count) => {
    for (const byte of answers[count] ?? []) socket.write(Buffer.of(byte));
  });
  t.deepEqual(found.problems, []);
  t.deepEqual(found.opcua, [
    {
      applicationUri: "urn:press",
      applicationName: "Press",
      endpointUrl: "opc.tcp://10.20.0.11:4840",
      securityMode: "SignAndEncrypt",
      policy: "Basic256Sha256",
    },
    {
      applicationUri: "urn:press",
      applicationName: "\\u{202e}Press",
      endpointUrl: "opc.tcp://10.20.0.11:4840",
      securityMode: "None",
      policy: "None",
    },
  ]);
});

test("an OPC UA server that refuses, sends rubbish, sends without end or ends early is an open port and a problem", async (t) => {
  const cases: Array<[RegExp, (socket: Socket, count: number) => void]> = [
    [/status 0x80540000: no/, (socket) => socket.write(chunk("ERR", "F", u32(0x80540000), text("no")))],
    [/which OPC UA does not know/, (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n")],
    [/MSG where ACK/, (socket) => socket.write(chunk("MSG", "F"))],
    [/ACK where OPN/, (socket) => socket.write(acknowledge())],
    [/closed the connection/, (socket) => socket.end(acknowledge().subarray(0, 20))],
    [
      /a chunk of 4294967295 bytes/,
      (socket) => socket.write(Buffer.concat([Buffer.from("ACKF"), u32(0xffffffff)])),
    ],
    [
      /more than 1048576 bytes or 256 chunks/,
      (socket, count) => {
        if (count === 0) socket.write(acknowledge());
        else if (count === 1) socket.write(openChunk(1, 1, openBody(9, 4)));
        else
          for (let i = 0; i < 300; i++)
            socket.write(messageChunk("C", { channel: 9, token: 4 }, 2 + i, 2, Buffer.of(0)));
      },
    ],
  ];
  for (const [problem, answer] of cases) {
    const found = await opcua(t, answer);
    t.is(found.opcua, null);
    t.is(found.openPorts.length, 1);
    t.regex(found.problems[0] ?? "", problem);
  }
});

test("a flood of bytes nobody asked for ends the connection", async (t) => {
  const found = await opcua(t, (socket) =>
    socket.write(Buffer.concat([acknowledge(), Buffer.alloc(400_000, 0x4d)])),
  );
  t.is(found.opcua, null);
  t.is(found.problems.length, 1);
});

test("closed ports are closed, others open and not asked; one connection at a time", async (t) => {
  let open = 0;
  let most = 0;
  const bytes: Buffer[] = [];
  const serve = (socket: Socket): void => {
    most = Math.max(most, ++open);
    socket.on("close", () => open--);
    socket.on("data", (chunkOf) => bytes.push(chunkOf));
  };
  const machines = [
    await TcpMachine.start(t, serve),
    await TcpMachine.start(t, serve),
    await TcpMachine.start(t, serve),
  ];
  const ports = machines.map(({ port }) => port);
  const closed = await freePort();
  const found = await identify(HOST, { ports: [...ports, closed], localAddress: "127.0.0.5", patience });
  t.deepEqual(found, { modbus: null, opcua: null, openPorts: ports.toSorted((a, b) => a - b), problems: [] });
  t.is(most, 1);
  t.deepEqual(bytes, []);
  t.deepEqual(
    machines.map(({ connections }) => connections.length),
    [1, 1, 1],
  );
});

test("what no packet reaches is said once", async (t) => {
  const found = await identify(HOST, { ports: [1, 2, 3], localAddress: "192.0.2.1", patience });
  t.deepEqual(found, {
    modbus: null,
    opcua: null,
    openPorts: [],
    problems: ["127.0.0.1 cannot be reached (EADDRNOTAVAIL)"],
  });
  t.true(IDENTIFY_PORTS.includes(502) && IDENTIFY_PORTS.includes(4840));
});
