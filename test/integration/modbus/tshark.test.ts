/** A second opinion: Wireshark's dissector must see in every valid vector what niac sees in it, and find nothing malformed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { systemCode } from "../../../src/base/index.ts";
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  MAX_PDU,
  MBAP_HEADER,
  type Operation,
  writeHeader,
} from "../../../src/modbus/index.ts";
import { readReplies, validRequests } from "../../unit/modbus/vectors.ts";
import { capture, type Segment } from "./capture.ts";

const UNIT = 17;
const FIELDS = [
  "_ws.malformed",
  "_ws.expert.message",
  "mbtcp.trans_id",
  "mbtcp.unit_id",
  "mbtcp.len",
  ...["func_code", "reference_num", "bit_cnt", "word_cnt", "regval_uint16", "and_mask", "or_mask"].map(
    modbus,
  ),
  ...["read_reference_num", "read_word_cnt", "write_reference_num", "write_word_cnt", "data"].map(modbus),
  ...["reference_num_32", "diagnostic_code", "mei", "read_device_id", "object_id", "exception_code"].map(
    modbus,
  ),
];

function modbus(field: string): string {
  return `modbus.${field}`;
}

type Layers = Readonly<Record<string, readonly string[]>>;

function tshark(segments: readonly Segment[]): Layers[] {
  const directory = mkdtempSync(join(tmpdir(), "niac-tshark-"));
  try {
    const file = join(directory, "modbus.pcap");
    writeFileSync(file, capture(segments));
    const checks = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"];
    const fields = FIELDS.flatMap((field) => ["-e", field]);
    const form = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=;"];
    const lines = execFileSync("tshark", ["-n", "-r", file, ...checks, ...form, ...fields], {
      encoding: "utf8",
      maxBuffer: 2 ** 26,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return lines.split("\n").slice(0, -1).map(parseLine);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** One packet: a column for each field, several values of one field parted by ";"; a field that is not there is left out. */
function parseLine(line: string): Layers {
  const columns = line.split("\t");
  if (columns.length !== FIELDS.length) throw new Error(`tshark gave ${columns.length} columns: ${line}`);
  return Object.fromEntries(
    FIELDS.flatMap((field, i) => (columns[i] === "" ? [] : [[field, columns[i]!.split(";")]])),
  );
}

function installed(): boolean {
  try {
    execFileSync("tshark", ["--version"], { stdio: "ignore" });
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** What a capture shows of a request, by Wireshark's names. Lists are in the order of the wire. */
function expected(operation: Operation): Layers {
  const { functionCode, subFunction, reads, writes, files, data } = operation;
  const layers: Record<string, readonly (number | string)[]> = { func_code: [functionCode] };
  const range = reads ?? writes;
  if (functionCode === 23) {
    layers["read_reference_num"] = [reads?.address ?? -1];
    layers["read_word_cnt"] = [reads?.quantity ?? -1];
    layers["write_reference_num"] = [writes?.address ?? -1];
    layers["write_word_cnt"] = [writes?.quantity ?? -1];
  } else if (range !== null) {
    layers["reference_num"] = [range.address];
    if ([1, 2, 15].includes(functionCode)) layers["bit_cnt"] = [range.quantity];
    if ([3, 4, 16].includes(functionCode)) layers["word_cnt"] = [range.quantity];
  }
  if (writes !== null && "values" in writes) {
    if (functionCode === 16) layers["regval_uint16"] = writes.values;
    else layers["data"] = [valueBytes(functionCode, writes.values)];
  }
  if (writes !== null && "and" in writes) {
    layers["and_mask"] = [hex(writes.and, 4)];
    layers["or_mask"] = [hex(writes.or, 4)];
  }
  if (files.length > 0) {
    // Wireshark takes file and record number for one number of 32 bits.
    layers["reference_num_32"] = files.map((file) => file.file * 65_536 + file.record);
    layers["word_cnt"] = files.map((file) => file.length);
  }
  if (functionCode === 8) layers["diagnostic_code"] = [subFunction];
  if (functionCode === 43) layers["mei"] = [subFunction];
  if (functionCode === 43 && subFunction === 14) {
    layers["read_device_id"] = [data[0] ?? -1];
    layers["object_id"] = [data[1] ?? -1];
  }
  return Object.fromEntries(
    Object.entries(layers).map(([name, values]) => [modbus(name), values.map(String)]),
  );
}

/** The values as Wireshark shows those it does not take apart. */
function valueBytes(functionCode: number, values: readonly number[]): string {
  if (functionCode === 5) return values[0] === 1 ? "ff00" : "0000";
  if (functionCode !== 15) return values.map((value) => hex(value, 4).slice(2)).join("");
  const bytes = Array.from({ length: Math.ceil(values.length / 8) }, (_, i) =>
    values.slice(i * 8, i * 8 + 8),
  );
  return bytes.map((bits) => hex(Number.parseInt(bits.toReversed().join(""), 2), 2).slice(2)).join("");
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

function frame(transaction: number, write: (out: Uint8Array) => number): Buffer {
  const out = Buffer.alloc(MBAP_HEADER + MAX_PDU);
  const length = write(out) - MBAP_HEADER;
  writeHeader(out, 0, transaction, UNIT, length);
  return out.subarray(0, MBAP_HEADER + length);
}

function header(transaction: number, bytes: Buffer): Layers {
  return {
    "mbtcp.trans_id": [String(transaction)],
    "mbtcp.unit_id": [String(UNIT)],
    "mbtcp.len": [String(bytes.length - 6)],
  };
}

/** The fields of `wanted`, as they are in `layers`. */
function only(layers: Layers, wanted: Layers): Layers {
  return Object.fromEntries(Object.keys(wanted).map((field) => [field, layers[field] ?? []]));
}

const has = installed() ? test : test.skip;
const why = installed() ? "" : " (skipped: tshark is not installed)";

has(`Wireshark reads every valid request as niac does${why}`, (t) => {
  const requests = validRequests(UNIT);
  const frames = requests.map(({ operation }, i) =>
    frame(i + 1, (out) => encodeRequest(operation, out, MBAP_HEADER)),
  );
  const segments = frames.map((payload, i): Segment => ({
    port: 10_000 + i,
    from: "client",
    sent: 0,
    received: 0,
    payload,
  }));
  const seen = tshark(segments);
  t.is(seen.length, requests.length);
  for (const [i, { name, operation }] of requests.entries()) {
    const layers = seen[i]!;
    const wanted = { ...header(i + 1, frames[i]!), ...expected(operation) };
    t.deepEqual(only(layers, wanted), wanted, name);
    t.is(layers["_ws.malformed"], undefined, name);
    t.is(layers["_ws.expert.message"], undefined, name);
  }
});

has(`Wireshark reads every valid reply as niac does${why}`, (t) => {
  const vectors = readReplies().flatMap((vector) => ("error" in vector ? [] : [vector]));
  const segments: Segment[] = [];
  for (const [i, { request, reply }] of vectors.entries()) {
    const operation = decodeRequest(UNIT, request, 0, request.length);
    const checked = decodeReply(operation, reply, 0, reply.length);
    const asked = frame(i + 1, (out) => encodeRequest(operation, out, MBAP_HEADER));
    const answered = frame(i + 1, (out) => encodeReply(operation, checked, out, MBAP_HEADER));
    const port = 10_000 + i;
    segments.push({ port, from: "client", sent: 0, received: 0, payload: asked });
    segments.push({ port, from: "server", sent: 0, received: asked.length, payload: answered });
  }
  const seen = tshark(segments);
  t.is(seen.length, vectors.length * 2);
  for (const [i, vector] of vectors.entries()) {
    const layers = seen[i * 2 + 1]!;
    const code = vector.request[0]!;
    const wanted = {
      ...header(i + 1, Buffer.from(segments[i * 2 + 1]!.payload)),
      [modbus("func_code")]: [String(code)],
    };
    t.deepEqual(only(layers, wanted), wanted, vector.name);
    t.is(layers["_ws.malformed"], undefined, vector.name);
    t.is(layers["_ws.expert.message"], undefined, vector.name);
    if (vector.exception !== 0)
      t.deepEqual(layers[modbus("exception_code")], [String(vector.exception)], vector.name);
    if (vector.values !== undefined && [3, 4].includes(code)) {
      t.deepEqual(layers[modbus("regval_uint16")], vector.values.map(String), vector.name);
    }
  }
});

has(`Wireshark finds what is cut short malformed, so that its silence means something${why}`, (t) => {
  const short = frame(1, (out) => {
    out.set(Buffer.from("0300000000", "hex").subarray(0, 4), MBAP_HEADER);
    return MBAP_HEADER + 4;
  });
  const [layers] = tshark([{ port: 10_000, from: "client", sent: 0, received: 0, payload: short }]);
  t.not(layers?.["_ws.malformed"], undefined);
});
