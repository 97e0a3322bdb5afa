/**
 * RAUC, which writes slots and marks them: a service of root's on the system bus (de.pengutronix.rauc), asked through systemd's busctl, which
 * speaks JSON. Its `rauc` command would lose an installation when control restarts; the service goes on, and is asked again.
 */
import { execFile } from "node:child_process";
import * as z from "zod";
import { messageOf, UnavailableError, UsageError } from "../base/index.ts";
import type { BundleFacts } from "./update-bundle.ts";
import type { Slot } from "./update-box.ts";

export interface RaucProgress {
  readonly busy: boolean;
  readonly percent: number;
  /** What it does, or did last: `Copying image to root.1`. */
  readonly step: string;
  /** Why the last installation failed; empty: it did not. */
  readonly error: string;
}

export interface RaucSlot {
  /** `root.0`. */
  readonly name: string;
  /** Of a root slot. */
  readonly slot: Slot | null;
  /** The root slot that it belongs to. */
  readonly parent: string | null;
  /** Of what is in it, where RAUC put it there whole. */
  readonly version: string | null;
  readonly hash: string | null;
  /** The installation that wrote it. */
  readonly transaction: string | null;
}

export interface Rauc {
  /** Checks a bundle's signature. `ca`: whom an https server's certificate must come from. Throws a UsageError with RAUC's words. */
  inspect(source: string, ca: string | null): Promise<BundleFacts>;
  /** Begins; progress() says how it goes. `hash`: of the manifest that was inspected; RAUC writes nothing of another one. */
  install(source: string, ca: string | null, transaction: string, hash: string): Promise<void>;
  progress(): Promise<RaucProgress>;
  slots(): Promise<RaucSlot[]>;
  /** The slot that the firmware starts by default. */
  primary(): Promise<Slot | null>;
  /** active, other: the next restart tries the other slot. good, booted: the one that runs is the default from now on. bad, other: the next restart tries nothing. */
  mark(state: "active" | "good" | "bad", slot: "booted" | "other"): Promise<void>;
}

const SERVICE = ["de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer"] as const;
/** Seconds: a bundle on a slow server, whose signature RAUC fetches; a script that waits for a card. */
const PATIENCE = 120;
const MOST_OUTPUT = 1024 * 1024;

/** `bus`: where the bus is, for tests; default: the system's. */
export function systemRauc(bus: string | null = null): Rauc {
  const busctl = (...args: string[]): Promise<string> => runBusctl(bus, args);
  const call = (method: string, ...args: string[]): Promise<string> =>
    busctl("call", ...SERVICE, method, ...args);
  return {
    async inspect(source, ca) {
      const told = await call("InspectBundle", "sa{sv}", source, ...access(ca)).catch((error: unknown) => {
        throw error instanceof UnavailableError && error.code === "rauc-refused"
          ? new UsageError("update-bundle", `the bundle is refused: ${error.message}`)
          : error;
      });
      return readBundle(told);
    },
    async install(source, ca, transaction, hash) {
      const options = access(ca, ["transaction-id", "s", transaction], ["require-manifest-hash", "s", hash]);
      await call("InstallBundle", "sa{sv}", source, ...options);
    },
    async progress() {
      return readProgress(await busctl("get-property", ...SERVICE, "Operation", "Progress", "LastError"));
    },
    async slots() {
      return readSlots(await call("GetSlotStatus"));
    },
    async primary() {
      const name = readPrimary(await call("GetPrimary"));
      return slotOf(name);
    },
    async mark(state, slot) {
      await call("Mark", "ss", state, slot);
    },
  };
}

/** busctl's words for a dictionary of options: how many, then each with its type. */
function access(ca: string | null, ...more: string[][]): string[] {
  const options = [...(ca === null ? [] : [["tls-ca", "s", ca]]), ...more];
  return [String(options.length), ...options.flat()];
}

const text = z.object({ data: z.string() });
const variant = <T extends z.ZodType>(inner: T) => z.object({ data: z.object({ data: inner }) });

const bundleSchema = z.object({
  data: z.tuple([
    z.object({
      "manifest-hash": text,
      update: variant(z.object({ version: text, compatible: text, description: text.optional() })),
      images: variant(z.array(z.object({ "slot-class": text }))),
    }),
  ]),
});

export function readBundle(json: string): BundleFacts {
  const [{ "manifest-hash": hash, update, images }] = parse(bundleSchema, json).data;
  const { version, compatible, description } = update.data.data;
  return {
    version: version.data,
    compatible: compatible.data,
    hash: hash.data,
    description: description?.data ?? "",
    slots: images.data.data.map((image) => image["slot-class"].data),
  };
}

const progressSchema = z.tuple([text, z.object({ data: z.tuple([z.int(), z.string(), z.int()]) }), text]);

/** Three lines: Operation, Progress, LastError. */
export function readProgress(lines: string): RaucProgress {
  const [operation, progress, error] = parse(progressSchema, `[${lines.trim().split("\n").join(",")}]`);
  const [percent, step] = progress.data;
  return { busy: operation.data !== "idle", percent, step, error: error.data };
}

const slotsSchema = z.object({
  data: z.tuple([
    z.array(
      z.tuple([
        z.string(),
        z.object({
          bootname: text.optional(),
          parent: text.optional(),
          status: text.optional(),
          "bundle.version": text.optional(),
          "bundle.hash": text.optional(),
          "installed.transaction": text.optional(),
        }),
      ]),
    ),
  ]),
});

export function readSlots(json: string): RaucSlot[] {
  const [slots] = parse(slotsSchema, json).data;
  return slots.map(([name, slot]) => {
    const whole = slot.status?.data === "ok";
    const of = (value: z.infer<typeof text> | undefined): string | null => (whole && value?.data) || null;
    return {
      name,
      slot: slot.bootname === undefined ? null : slotNamed(slot.bootname.data),
      parent: slot.parent?.data ?? null,
      version: of(slot["bundle.version"]),
      hash: of(slot["bundle.hash"]),
      transaction: of(slot["installed.transaction"]),
    };
  });
}

export function readPrimary(json: string): string {
  return parse(z.object({ data: z.tuple([z.string()]) }), json).data[0];
}

/** system.conf: root.0 is A, root.1 is B. */
function slotOf(name: string): Slot | null {
  return name === "root.0" ? "A" : name === "root.1" ? "B" : null;
}

function slotNamed(name: string): Slot | null {
  return name === "A" || name === "B" ? name : null;
}

function parse<T>(schema: z.ZodType<T>, json: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new UnavailableError("rauc-answer", `RAUC's answer cannot be read: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UnavailableError(
    "rauc-answer",
    `RAUC's answer has another form: ${z.prettifyError(parsed.error)}`,
  );
}

/** Rejects with an UnavailableError: `rauc-refused` where the service answered with its reason, `rauc-away` where there was no answer. */
function runBusctl(bus: string | null, args: readonly string[]): Promise<string> {
  const env = {
    PATH: "/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
    ...(bus === null ? {} : { DBUS_SYSTEM_BUS_ADDRESS: bus }),
  };
  const words = ["--json=short", "--system", `--timeout=${PATIENCE}`, ...args];
  return new Promise((resolve, reject) => {
    execFile(
      "busctl",
      words,
      { env, timeout: (PATIENCE + 5) * 1_000, maxBuffer: MOST_OUTPUT },
      (error, out, complaint) => {
        if (error === null) resolve(out);
        else reject(failure(complaint.trim() || error.message));
      },
    );
  });
}

/** What busctl says where nobody, or nobody in time, answered; all else is the service's own word. */
const AWAY =
  /^(Connection timed out|Message recipient disconnected|The name \S+ was not provided|Could not activate|Activation of|Launch helper exited|Transport endpoint)/;

function failure(complaint: string): UnavailableError {
  const [, reason] = /^Call failed: (.*)$/s.exec(complaint) ?? [];
  const words = (reason ?? complaint).replaceAll(/\s*\n\s*/g, "; ").slice(0, 600);
  return reason === undefined || AWAY.test(reason)
    ? new UnavailableError("rauc-away", `RAUC, which installs updates, does not answer: ${words}`)
    : new UnavailableError("rauc-refused", words);
}
