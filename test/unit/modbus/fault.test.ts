import test from "ava";
import { PeerError } from "../../../src/base/index.ts";
import { decodeRequest } from "../../../src/modbus/index.ts";
import { exceptionTo } from "../../../src/modbus/fault.ts";
import { INVALID_REQUESTS } from "../../vectors/modbus/invalid-requests.ts";

for (const [what, [pdu, exception]] of Object.entries(INVALID_REQUESTS)) {
  test(`${what} is answered with exception ${exception}`, (t) => {
    const bytes = Buffer.from(pdu, "hex");
    const error = t.throws(() => decodeRequest(1, bytes, 0, bytes.length), { instanceOf: PeerError });
    t.is(exceptionTo(error), exception, error.code);
  });
}
