/**
 * Events of an input device as read() gives them: struct input_event of linux/input.h with two 64-bit times, little-endian.
 *
 *   0         8         16     18     20       24
 *   | seconds | micros  | type | code | value  |
 *
 * When it was is not taken from them: niac's records have their own clock.
 */

/** Bytes of one event. */
export const EVENT_BYTES = 24;

/** Types (input-event-codes.h). */
export const EV_SYN = 0;
export const EV_KEY = 1;
export const EV_SW = 5;
/** Code of EV_SYN: events were lost because nobody read them in time; the state is to be asked anew. */
export const SYN_DROPPED = 3;

export interface InputEvent {
  readonly type: number;
  readonly code: number;
  /** Of keys 1: pressed, 0: released, 2: held down; of switches 1: on, 0: off. Signed, 32 bit. */
  readonly value: number;
}

/** Whole events from the front of `bytes`, and what is left of an event that is not whole yet (less than 24 bytes). */
export function parseInputEvents(bytes: Buffer): { readonly events: InputEvent[]; readonly rest: Buffer } {
  const events: InputEvent[] = [];
  const whole = bytes.length - (bytes.length % EVENT_BYTES);
  for (let at = 0; at < whole; at += EVENT_BYTES) {
    events.push({
      type: bytes.readUInt16LE(at + 16),
      code: bytes.readUInt16LE(at + 18),
      value: bytes.readInt32LE(at + 20),
    });
  }
  return { events, rest: bytes.subarray(whole) };
}
