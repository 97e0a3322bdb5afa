/** The rules of a snapshot that came over a channel: every list sorted, every interval apart from the next. */
import * as z from "zod";
import { network } from "./network.ts";
import type { Interval, ModbusScope } from "./snapshot.ts";

export const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
export const positive = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);
export const texts = z.array(z.string()).readonly();
const someTexts = z.array(z.string()).min(1).readonly();
const instant = z.int().nullable();

function sortedBy(starts: readonly number[]): boolean {
  return starts.every((start, index) => index === 0 || starts[index - 1]! < start);
}

/** Whole numbers from `least` to `most`, each greater than the one before. */
export function numbers(least: number, most: number) {
  return z.array(z.int().min(least).max(most)).readonly().refine(sortedBy, "not sorted");
}

function apart(list: readonly Interval[]): boolean {
  return list.every(({ start, end }, index) => start <= end && (index === 0 || list[index - 1]!.end < start));
}

export function intervals(least: number, most: number) {
  const end = z.int().min(least).max(most);
  return z
    .array(z.strictObject({ start: end, end }).readonly())
    .readonly()
    .refine(apart, "not sorted and apart");
}

const register = z.int().min(0).max(65_535);
const write = z.strictObject({
  start: register,
  end: register,
  min: register,
  max: register,
  maxChange: register.nullable(),
});
const writes = z
  .array(write.refine(({ min, max }) => min <= max, "values run backwards").readonly())
  .readonly()
  .refine(apart, "not sorted and apart");
const reads = intervals(0, 65_535);

function tables<T extends z.ZodType>(list: T) {
  return z
    .strictObject({
      coils: list.exactOptional(),
      discreteInputs: list.exactOptional(),
      holdingRegisters: list.exactOptional(),
      inputRegisters: list.exactOptional(),
    })
    .readonly()
    .nullable();
}

const functions = z
  .array(
    z.strictObject({ code: z.int().min(1).max(127), subFunctions: numbers(0, 65_535).nullable() }).readonly(),
  )
  .readonly()
  .refine((scopes) => sortedBy(scopes.map(({ code }) => code)), "not sorted by code")
  .nullable();

const modbus = z
  .strictObject({
    units: intervals(0, 255).nullable(),
    functions,
    reads: tables(reads),
    writes: tables(writes),
  })
  .refine((scope) => (scope.reads === null) === (scope.writes === null), "one of reads and writes is null")
  .readonly()
  .nullable();

const when = z
  .strictObject({
    days: numbers(0, 6).nullable(),
    hours: intervals(0, 1440).nullable(),
    from: instant,
    until: instant,
    keySwitch: z.enum(["on", "off"]).nullable(),
  })
  .readonly()
  .nullable();

const who = z
  .strictObject({
    users: texts.nullable(),
    groups: texts.nullable(),
    devices: texts.nullable(),
    roles: texts.nullable(),
    tiers: texts.nullable(),
    tenants: texts.nullable(),
    sources: texts.nullable(),
    machines: texts.nullable(),
  })
  .readonly();

const cidr = z.string().refine((text) => text.includes("/") && network(text) !== null, "no network");

const rule = {
  name: z.string(),
  reason: z.string(),
  line: count,
  who,
  services: texts,
  modbus,
  when,
  from: z.array(cidr).readonly().nullable(),
};

const rate = z
  .strictObject({ operationsPerSecond: positive.nullable(), connections: positive.nullable() })
  .readonly()
  .nullable();

function listsFunctions(grant: { readonly modbus: ModbusScope | null }): boolean {
  return grant.modbus === null || grant.modbus.functions !== null;
}

export const snapshotGrant = z
  .strictObject({ ...rule, posture: someTexts.nullable(), rate })
  .refine(listsFunctions, "a grant opens every function")
  .refine(
    (grant) => grant.posture === null || (grant.who.sources === null && grant.who.machines === null),
    "a posture of what has no certificate",
  )
  .readonly();

export const snapshotForbid = z.strictObject(rule).readonly();
