/** What an input device hands out, made by hand. */
import type { InputBitmaps } from "../../../src/appliance/panel-inputs.ts";
import { EV_KEY, EV_SW, EV_SYN, SYN_DROPPED, type InputEvent } from "../../../src/appliance/input-event.ts";

export const KEY_SWITCH = 0x2c0;
export const BUTTON = 0x2c1;
export const JUMPER = 0x2c2;
export const COVER = 0x10;

export const key = (code: number, value: number): InputEvent => ({ type: EV_KEY, code, value });
/** 1: closed. */
export const cover = (value: number): InputEvent => ({ type: EV_SW, code: COVER, value });
export const REPORT: InputEvent = { type: EV_SYN, code: 0, value: 0 };
export const DROPPED: InputEvent = { type: EV_SYN, code: SYN_DROPPED, value: 0 };

/** As read() gives them. */
export function packed(events: readonly InputEvent[]): Buffer {
  return Buffer.concat(
    events.map(({ type, code, value }) => {
      const bytes = Buffer.alloc(24, 0x5a);
      bytes.writeUInt16LE(type, 16);
      bytes.writeUInt16LE(code, 18);
      bytes.writeInt32LE(value, 20);
      return bytes;
    }),
  );
}

function bits(size: number, codes: readonly number[]): Buffer {
  const map = Buffer.alloc(size);
  for (const code of codes) map[code >> 3] = (map[code >> 3] ?? 0) | (1 << (code & 7));
  return map;
}

/** Of a device that has `has`, with `on` of it on. */
export function bitmaps(has: readonly number[], on: readonly number[]): InputBitmaps {
  const [keys, switches] = [
    (code: number): boolean => code !== COVER,
    (code: number): boolean => code === COVER,
  ];
  return {
    keys: bits(96, has.filter(keys)),
    keysOn: bits(96, on.filter(keys)),
    switches: bits(3, has.filter(switches)),
    switchesOn: bits(3, on.filter(switches)),
  };
}
