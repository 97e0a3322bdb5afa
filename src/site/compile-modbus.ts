/** What a rule says of Modbus, compiled to sorted intervals; and what in it contradicts itself. */
import { TABLES, type Table } from "../base/index.ts";
import { asReference, LAST_ADDRESS, LAST_VALUE, TABLE_WORDS } from "./address.ts";
import type { Path, Reporter } from "./findings.ts";
import { hasAny, mergeFunctions, READ_CODES, WRITE_CODES } from "./functions.ts";
import { intervalText, mergeIntervals } from "./interval.ts";
import type { RuleKind } from "./overlap.ts";
import type { ModbusDocument, ReadDocument, WriteDocument } from "./schema-modbus.ts";
import type { FunctionScope, Interval, ModbusScope, WriteInterval } from "./snapshot.ts";

const WRITABLE = ["coils", "holdingRegisters"] as const;
type Writable = (typeof WRITABLE)[number];

/** An address that looks like reference notation, but is a protocol address too: only the writer knows. */
function hintReference(table: Table, { start }: Interval, path: Path, reporter: Reporter): void {
  const reference = start > 9999 ? asReference(`${start}`) : null;
  if (reference?.table !== table) return;
  const word = TABLE_WORDS[table];
  reporter.warn(
    path,
    `addresses count from 0: if ${start} is meant as ${word} ${start} of the manual, write ${reference.address}`,
    {
      suggestion: `${reference.address}`,
    },
  );
}

function compileReads(
  table: Table,
  reads: ReadDocument,
  path: Path,
  reporter: Reporter,
): readonly Interval[] {
  if (reads === "all") return [{ start: 0, end: LAST_ADDRESS }];
  for (const [index, interval] of reads.entries()) hintReference(table, interval, [...path, index], reporter);
  return mergeIntervals(reads);
}

interface Placed extends WriteInterval {
  readonly path: Path;
}

function limitsText({ min, max, maxChange }: WriteInterval): string {
  return `values ${intervalText({ start: min, end: max })}${maxChange === null ? "" : `, maxChange ${maxChange}`}`;
}

function sameLimits(a: WriteInterval, b: WriteInterval): boolean {
  return a.min === b.min && a.max === b.max && a.maxChange === b.maxChange;
}

/** Neighbours and overlaps with the same limits are joined; an overlap with others is an error that names both lines. */
function joinWrites(placed: readonly Placed[], reporter: Reporter): readonly WriteInterval[] {
  const joined: {
    start: number;
    end: number;
    min: number;
    max: number;
    maxChange: number | null;
    path: Path;
  }[] = [];
  for (const write of placed.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    const same = last !== undefined && sameLimits(last, write);
    if (last !== undefined && write.start <= last.end && !same) {
      const overlap = intervalText({ start: write.start, end: Math.min(last.end, write.end) });
      reporter.error(
        write.path,
        `address ${overlap} stands here twice with different limits: ${limitsText(write)}; line ${reporter.line(last.path)}: ${limitsText(last)}`,
        { expected: "each address once, or the same limits" },
      );
      last.end = Math.max(last.end, write.end);
    } else if (same && write.start <= last.end + 1) last.end = Math.max(last.end, write.end);
    else joined.push({ ...write });
  }
  return joined.map(({ start, end, min, max, maxChange }) => ({ start, end, min, max, maxChange }));
}

interface Context {
  readonly kind: RuleKind;
  readonly path: Path;
  readonly reporter: Reporter;
}

function compileWrites(
  table: Writable,
  writes: WriteDocument,
  { kind, path, reporter }: Context,
): readonly WriteInterval[] {
  const free = { min: 0, max: LAST_VALUE[table], maxChange: null };
  if (writes === "all") return [{ start: 0, end: LAST_ADDRESS, ...free }];
  const placed = writes.map((write, index): Placed => {
    const place = [...path, index];
    if (!("addresses" in write)) {
      hintReference(table, write, place, reporter);
      return { ...write, ...free, path: place };
    }
    const { addresses, values, maxChange } = write;
    hintReference(table, addresses, [...place, "addresses"], reporter);
    if (maxChange !== undefined && (kind === "forbid" || table === "coils")) {
      const message =
        table === "coils" ? "a coil has no steps" : "a forbid cannot say maxChange: it forbids every step";
      reporter.error([...place, "maxChange"], message, {
        spot: "key",
        expected: "maxChange on holding registers of a grant",
      });
    }
    const limits = values === undefined ? free : { min: values.start, max: values.end };
    return { ...addresses, ...free, ...limits, maxChange: maxChange ?? null, path: place };
  });
  return joinWrites(placed, reporter);
}

function functionsOf(modbus: ModbusDocument, kind: RuleKind): readonly FunctionScope[] | null {
  const limited = kind === "grant" && (modbus.read !== undefined || modbus.write !== undefined);
  if (modbus.functions !== undefined) return mergeFunctions([modbus.functions].flat(), limited);
  if (kind === "forbid") return null;
  return mergeFunctions([{ set: modbus.write === undefined ? "readOnly" : "readWrite" }], limited);
}

/** Addresses no function of the rule can reach, and functions for which no address is listed. */
function checkContradictions(scope: ModbusScope, modbus: ModbusDocument, { path, reporter }: Context): void {
  for (const table of TABLES) {
    if (scope.reads?.[table] === undefined || hasAny(scope.functions, READ_CODES[table])) continue;
    reporter.warn([...path, "read", table], `no function of this rule reads ${table}: this can never apply`, {
      spot: "key",
      expected: `function ${READ_CODES[table].join(" or ")} among functions`,
    });
  }
  for (const table of WRITABLE) {
    if (scope.writes?.[table] === undefined || hasAny(scope.functions, WRITE_CODES[table])) continue;
    reporter.warn(
      [...path, "write", table],
      `no function of this rule writes ${table}: this can never apply`,
      {
        spot: "key",
        expected: `functions: readWrite, or function ${WRITE_CODES[table].join(" or ")} among functions`,
      },
    );
  }
  const writeCodes = WRITABLE.flatMap((table) => [...WRITE_CODES[table]]);
  const namesWrites = modbus.functions !== undefined && hasAny(scope.functions, writeCodes);
  if (namesWrites && modbus.read !== undefined && modbus.write === undefined) {
    reporter.warn(
      [...path, "functions"],
      "these functions write, but with `read` and no `write` no address may be written",
      {
        expected: "write: with addresses, or functions that only read",
      },
    );
  }
}

export function compileModbus(modbus: ModbusDocument, context: Context): ModbusScope {
  const { path, reporter } = context;
  const reads: Partial<Record<Table, readonly Interval[]>> = {};
  for (const table of TABLES) {
    const given = modbus.read?.[table];
    if (given !== undefined) reads[table] = compileReads(table, given, [...path, "read", table], reporter);
  }
  const writes: Partial<Record<Writable, readonly WriteInterval[]>> = {};
  for (const table of WRITABLE) {
    const given = modbus.write?.[table];
    if (given !== undefined) {
      writes[table] = compileWrites(table, given, { ...context, path: [...path, "write", table] });
    }
  }
  const any = modbus.read === undefined && modbus.write === undefined;
  const scope: ModbusScope = {
    units: modbus.units === undefined ? null : mergeIntervals(modbus.units),
    functions: functionsOf(modbus, context.kind),
    reads: any ? null : reads,
    writes: any ? null : writes,
  };
  checkContradictions(scope, modbus, context);
  return scope;
}
