/**
 * The reply of function 43/14 after its MEI type (section 6.21), one byte each:
 *
 *   | ReadDeviceId code | conformity | more follows | next object id | count | { id | length | value ... } ... |
 */
import { type ByteReader, PeerError } from "../base/index.ts";
import type { Operation } from "./operation.ts";

/** Basic, regular, extended; with 0x80: single objects can be asked for as well. */
const CONFORMITY: ReadonlySet<number> = new Set([0x01, 0x02, 0x03, 0x81, 0x82, 0x83]);
/** ReadDeviceId code that asks for one object. */
const INDIVIDUAL = 4;

/** PeerError `echo`, `device-identification`, `truncated`, `trailing-bytes` where this is no answer to `operation`. */
export function checkDeviceIdentification(operation: Operation, body: ByteReader): void {
  const code = body.u8("the ReadDeviceId code");
  const asked = operation.data[0];
  if (code !== asked)
    throw new PeerError("echo", `the reply's ReadDeviceId code is ${code}, the request had ${asked}`);
  const conformity = body.u8("the conformity level");
  if (!CONFORMITY.has(conformity))
    throw wrong(`the conformity level is ${conformity}, allowed is 1..3 and 129..131`);
  const more = body.u8("more follows");
  if (more !== 0x00 && more !== 0xff) throw wrong(`more follows is ${more}, allowed are 0 and 255`);
  const next = body.u8("the next object id");
  if (more === 0 && next !== 0)
    throw wrong(`the next object id is ${next}, and 0 where nothing more follows`);
  const count = body.u8("the object count");
  // Nothing and yet more to follow would have a client ask for ever.
  if (more !== 0 && count === 0) throw wrong("the object count is 0, and more is to follow");
  if (code === INDIVIDUAL && (count !== 1 || more !== 0)) {
    throw wrong(`the object count is ${count}, more follows is ${more}; one object was asked for`);
  }
  for (let i = 0; i < count; i++) {
    const id = body.u8("an object id");
    if (code === INDIVIDUAL && id !== operation.data[1]) {
      throw wrong(`the object id is ${id}, asked for was ${operation.data[1]}`);
    }
    body.view(body.u8("an object's length"), "an object's value");
  }
  body.finish("the reply");
}

function wrong(message: string): PeerError {
  return new PeerError("device-identification", message);
}
