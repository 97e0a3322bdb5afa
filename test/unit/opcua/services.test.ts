import test from "ava";
import * as fc from "fast-check";
import { PeerError } from "../../../src/base/index.ts";
import {
  decodeEndpointsResponse,
  decodeOpenResponse,
  encodeMessage,
  encodeOpen,
  closeRequest,
  endpointsRequest,
  MAX_ENDPOINTS,
  openRequest,
} from "../../../src/opcua/index.ts";
import { endpoint, endpointsBody, openBody, response, u32 } from "./messages.ts";

/** Blanks are for the reader. */
const hex = (text: string): string => text.replaceAll(" ", "");
const NONE = Buffer.from("http://opcfoundation.org/UA/SecurityPolicy#None").toString("hex");
const header = (handle: string): string =>
  `0000 0000000000000000 ${handle}000000 00000000 ffffffff 88130000 000000`;

test("the three requests, byte for byte", (t) => {
  t.is(
    encodeOpen(1, 1, openRequest()).toString("hex"),
    hex(
      `4f504e46 84000000 00000000 2f000000 ${NONE} ffffffff ffffffff 01000000 01000000
      0100be01 ${header("01")} 00000000 00000000 01000000 ffffffff 60ea0000`.replaceAll("\n", ""),
    ),
  );
  const ids = { channel: 9, token: 4 };
  t.is(
    encodeMessage("MSG", ids, 2, 2, endpointsRequest("opc.tcp://a:1")).toString("hex"),
    hex(
      `4d534746 52000000 09000000 04000000 02000000 02000000 0100ac01 ${header("02")} 0d000000 6f70632e7463703a2f2f613a31 00000000 00000000`,
    ),
  );
  t.is(
    encodeMessage("CLO", ids, 3, 3, closeRequest()).toString("hex"),
    hex(`434c4f46 39000000 09000000 04000000 03000000 03000000 0100c401 ${header("03")}`),
  );
});

test("a channel's ids", (t) => {
  t.deepEqual(decodeOpenResponse(openBody(77, 3)), { channel: 77, token: 3 });
  t.throws(() => decodeOpenResponse(Buffer.concat([openBody(77, 3), Buffer.of(0)])), {
    code: "trailing-bytes",
  });
});

test("endpoints, with what they say of the server", (t) => {
  const body = endpointsBody([endpoint(), endpoint({ mode: 1, policy: "x", url: null, name: "Präge" })]);
  t.deepEqual(decodeEndpointsResponse(body), [
    {
      endpointUrl: "opc.tcp://10.20.0.11:4840",
      applicationUri: "urn:press",
      productUri: "urn:maker:press",
      applicationName: "Press",
      securityMode: "SignAndEncrypt",
      securityPolicy: "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256",
    },
    {
      endpointUrl: "",
      applicationUri: "urn:press",
      productUri: "urn:maker:press",
      applicationName: "Präge",
      securityMode: "None",
      securityPolicy: "x",
    },
  ]);
  t.deepEqual(decodeEndpointsResponse(Buffer.concat([response(431), u32(-1)])), []);
});

test("the response's type may be in any encoding, and must be the one asked for", (t) => {
  const rest = endpointsBody([]).subarray(4);
  t.deepEqual(decodeEndpointsResponse(Buffer.concat([Buffer.from("020000af010000", "hex"), rest])), []);
  t.throws(() => decodeEndpointsResponse(Buffer.concat([Buffer.from("0101af01", "hex"), rest])), {
    code: "opcua-service",
  });
  t.throws(() => decodeEndpointsResponse(openBody(1, 1)), { code: "opcua-service" });
});

test("a fault, or a status that is not good, is the server's refusal", (t) => {
  t.throws(() => decodeEndpointsResponse(response(397, 0x800b0000)), {
    code: "opcua-fault",
    message: /0x800B0000/,
  });
  t.throws(() => decodeEndpointsResponse(response(397, 0)), { code: "opcua-fault" });
  for (const status of [0x80000000, 0x40000000, 0xffffffff])
    t.throws(() => decodeEndpointsResponse(Buffer.concat([response(431, status), u32(0)])), {
      code: "opcua-fault",
    });
});

test("limits: endpoints, and the standard's numbers", (t) => {
  const small = endpoint({ certificate: Buffer.alloc(0) });
  t.is(
    decodeEndpointsResponse(endpointsBody(Array.from({ length: MAX_ENDPOINTS }, () => small))).length,
    MAX_ENDPOINTS,
  );
  t.throws(
    () => decodeEndpointsResponse(endpointsBody(Array.from({ length: MAX_ENDPOINTS + 1 }, () => small))),
    {
      code: "opcua-array",
    },
  );
  t.throws(() => decodeEndpointsResponse(endpointsBody([endpoint({ mode: 4 })])), { code: "opcua-enum" });
  t.throws(() => decodeEndpointsResponse(Buffer.concat([response(431), u32(0x7fffffff)])), {
    code: "opcua-array",
  });
});

test("a response cut short anywhere, or with a byte more, is refused", (t) => {
  const whole = endpointsBody([endpoint({ certificate: Buffer.alloc(3) })]);
  for (let length = 0; length < whole.length; length++)
    t.throws(
      () => decodeEndpointsResponse(whole.subarray(0, length)),
      { instanceOf: PeerError },
      String(length),
    );
  t.throws(() => decodeEndpointsResponse(Buffer.concat([whole, Buffer.of(0)])), { code: "trailing-bytes" });
});

test("a response with bytes changed is read or a PeerError", (t) => {
  const whole = endpointsBody([endpoint(), endpoint({ mode: 2 })]);
  let refused = 0;
  const change = fc.record({ at: fc.nat({ max: whole.length - 1 }), value: fc.nat({ max: 255 }) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = Buffer.from(whole);
      for (const { at, value } of changes) bytes[at] = value;
      try {
        t.is(decodeEndpointsResponse(bytes).length, 2);
      } catch (error) {
        if (!(error instanceof PeerError)) throw error;
        refused++;
      }
    }),
    { numRuns: 3_000 },
  );
  t.true(refused > 100);
});
