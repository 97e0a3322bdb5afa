#!/usr/bin/env node
/** The only place that wires: processes and commands. What it starts, it stops. */
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { pino, type Logger } from "pino";
import {
  createNotifier,
  guardMemory,
  GUARDED_NODE,
  inheritedSockets,
  openHardware,
  Supervisor,
  userNamed,
  type ProcessSpec,
} from "./appliance/index.ts";
import { messageOf, NIAC_VERSION, systemCode, UsageError } from "./base/index.ts";
import { loadNative } from "./native/index.ts";
import { describeSettings, readSettings, type Settings } from "./settings/index.ts";

/** Exit codes: sysexits' EX_SOFTWARE for what must not go on, 2 for a wrong command line. */
const EX_SOFTWARE = 70;
const EX_WRONG = 2;

/** Processes in whose memory private keys are. */
const HOLD_KEYS: readonly string[] = ["control", "gateway"];

/** Processes that run for as long as the box. */
const LASTING: readonly string[] = ["up", "control", "gateway", "netd"];

type Lookup = (name: string) => string | undefined;
interface Running {
  stop(): Promise<void>;
  /** Whether it does what it is there for, for the service manager. */
  alive(): boolean | Promise<boolean>;
  /** Rejects where it cannot go on. */
  readonly failed?: Promise<never>;
}

interface GatewayOptions {
  readonly supervised?: boolean;
  readonly captured?: number;
  readonly plain?: number;
  readonly outbound?: number;
}

enableCompileCache();
// Who reads the output may have enough of it, as `head` has.
process.stdout.on("error", (error) => {
  if (systemCode(error) !== "EPIPE") throw error;
  process.exit();
});
await main();

async function main(): Promise<void> {
  const program = new Command("niac")
    .description("Network Isolation Access Controller: stands before machines that cannot defend themselves")
    .version(NIAC_VERSION)
    .option("--settings <file>", "file of NAME=value lines; the environment goes before it")
    .addHelpText(
      "after",
      `\nSettings:\n  NIAC_ORIGIN defaults to this computer's name.\n${describeSettings()}`,
    );
  const lookup = (): Lookup => lookupWith(program.opts<{ settings?: string }>().settings);
  const supervised = ["--supervised", "stop when standard input ends"] as const;
  program
    .command("up")
    .description("run the appliance: control and gateway, restarted where they crash")
    .action(() => up(program.opts<{ settings?: string }>().settings, lookup()));
  program
    .command("control", { hidden: true })
    .option(...supervised)
    .action(async (options: { supervised?: boolean }) => {
      const settings = readSettings(lookup());
      const log = logger("control", settings.logLevel);
      guard(log);
      const { runControl } = await import("./control/index.ts");
      return serve(log, options.supervised ?? false, () =>
        runControl(
          settings,
          gatewayUser(settings),
          log,
          (error) => die(log, error),
          openHardware({
            ...settings.box,
            stateDir: settings.stateDir,
            addon: loadNative(),
            say: (problem) => log.warn(problem),
          }),
        ),
      );
    });
  program
    .command("gateway", { hidden: true })
    .option(...supervised)
    .option("--captured <fd>", "inherited socket: TLS connections to machines' own addresses", descriptor)
    .option("--plain <fd>", "inherited socket: connections of clients without a certificate", descriptor)
    .option("--outbound <fd>", "inherited socket: connections of machines", descriptor)
    .action(async (options: GatewayOptions) => {
      const settings = readSettings(lookup());
      const log = logger("gateway", settings.logLevel);
      guard(log);
      const { runGateway } = await import("./gateway/index.ts");
      const sockets = inheritedSockets(process.env, process.pid, ["captured", "plain", "outbound"]);
      const inherited = {
        captured: options.captured ?? sockets.get("captured") ?? null,
        plain: options.plain ?? sockets.get("plain") ?? null,
        outbound: options.outbound ?? sockets.get("outbound") ?? null,
      };
      return serve(log, options.supervised ?? false, () => runGateway(settings, inherited, log));
    });
  program
    .command("netd", { hidden: true })
    .option(...supervised)
    .action(async (options: { supervised?: boolean }) => {
      const settings = readSettings(lookup());
      const log = logger("netd", settings.logLevel);
      const { runNetd } = await import("./isolation/index.ts");
      const { cable, runDir, listenModbus, listenServices, listenEnroll } = settings;
      if (cable === null) {
        throw new UsageError("no-ports", "netd has no ports: set NIAC_UPLINK and NIAC_DEVICE_PORT");
      }
      const services = [listenModbus.port, listenServices.port, listenEnroll.port];
      return serve(log, options.supervised ?? false, () =>
        runNetd({ runDir, ports: { ...cable, services, updates: settings.update.server } }, log),
      );
    });
  // What is loaded stays in memory: a process that runs for years loads no command of people's.
  const [part = ""] = program.parseOptions(process.argv.slice(2)).operands;
  if (!LASTING.includes(part))
    (await import("./commands.ts")).addCommands(program, lookup, process.env, import.meta.url);
  settle(program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : EX_WRONG;
      return;
    }
    const { explain } = await import("./command/index.ts");
    for (const line of explain(error)) process.stderr.write(`${line}\n`);
    process.exitCode = error instanceof UsageError ? EX_WRONG : 1;
  }
}

/** Wrong usage shows the help of the command it was meant for, and ends in main() like every other error. */
function settle(command: Command): void {
  command.exitOverride().showHelpAfterError();
  for (const each of command.commands) settle(each);
}

/** Runs a process until it is told to stop: by a signal, or by its supervisor's going. */
async function serve(
  log: Logger,
  supervised: boolean,
  start: () => Running | Promise<Running>,
): Promise<void> {
  process.on("uncaughtExceptionMonitor", (error) => log.fatal({ err: error }, "a bug ends this process"));
  const stopping = new Promise<string>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
    if (supervised) process.stdin.once("close", () => resolve("the supervisor is gone")).resume();
  });
  const loaded = loadNative();
  const addon = "native" in loaded ? loaded.native : null;
  const manager = createNotifier(process.env, process.pid, addon, (problem) => log.error(problem));
  try {
    const running = await start();
    manager.ready(() => running.alive());
    const why = await Promise.race([stopping, ...(running.failed ? [running.failed] : [])]);
    log.info({ why }, "stopping");
    manager.stopping();
    await running.stop();
  } finally {
    // Its timer would keep a process alive that could not start.
    manager.stopping();
    // The supervisor's end of standard input would keep a process alive that does nothing.
    process.stdin.destroy();
  }
}

/** Keys stay out of core dumps and swap, as far as this computer lets it. */
function guard(log: Logger): void {
  const loaded = loadNative();
  const { problems } = guardMemory("native" in loaded ? loaded.native : null);
  for (const problem of problems) log.warn(problem);
}

async function up(settingsFile: string | undefined, lookup: Lookup): Promise<void> {
  const settings = readSettings(lookup);
  const log = logger("up", settings.logLevel);
  const spec = (name: string, ...more: string[]): ProcessSpec => ({
    name,
    command: process.execPath,
    args: [
      ...process.execArgv,
      ...(HOLD_KEYS.includes(name) ? GUARDED_NODE : []),
      fileURLToPath(import.meta.url),
      ...(settingsFile === undefined ? [] : ["--settings", settingsFile]),
      name,
      "--supervised",
      ...more,
    ],
  });
  const supervisor = new Supervisor(await processes(settings, spec, log), {
    started: (name, child) => log.info({ child }, `${name} started`),
    crashed: (name, how, pause) => log.error({ how, pause }, `${name} ended, and is started again`),
  });
  await serve(log, false, () => {
    supervisor.start();
    return { stop: () => supervisor.stop(), alive: () => true };
  });
}

/** In the order of starting. Without root or the addon, a gateway on its own addresses is better than nothing, and says so. */
async function processes(
  settings: Settings,
  spec: (name: string, ...more: string[]) => ProcessSpec,
  log: Logger,
): Promise<ProcessSpec[]> {
  const root = process.getuid?.() === 0;
  const user = root ? gatewayUser(settings) : null;
  if (user === null && root) {
    log.warn(
      "the gateway, which parses what strangers send, runs as root: name another user with NIAC_GATEWAY_USER",
    );
  }
  const gateway = { ...spec("gateway"), ...(user === null ? {} : { user }) };
  if (settings.cable === null) return [spec("control"), gateway];
  const { openEntrances } = await import("./isolation/index.ts");
  const opened = openEntrances();
  if ("problem" in opened) {
    log.error(
      { reason: opened.problem },
      "niac does not stand in the cable: it runs as a gateway on its own addresses, and captures nothing",
    );
    const outside = { environment: { ...process.env, NIAC_UPLINK: "", NIAC_DEVICE_PORT: "" } };
    return [
      { ...spec("control"), ...outside },
      { ...gateway, ...outside },
    ];
  }
  const { captured, plain, outbound } = opened.entrances;
  const inherits = ["--captured", "3", "--plain", "4", "--outbound", "5"];
  return [
    spec("control"),
    spec("netd"),
    { ...gateway, args: [...gateway.args, ...inherits], descriptors: [captured, plain, outbound] },
  ];
}

/**
 * The user whom the gateway runs as; null: niac's own, because no other is named, or because this process can neither choose (that takes
 * root) nor let it in (that takes being in its group).
 */
function gatewayUser({ gatewayUser: name }: Settings): { readonly uid: number; readonly gid: number } | null {
  if (name === null) return null;
  if (process.getuid?.() === 0) return userNamed(name);
  const user = userNamed(name);
  return process.getgroups?.().includes(user.gid) ? user : null;
}

/** A file descriptor beyond the standard three. */
function descriptor(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) > 2) return Number(text);
  throw new InvalidArgumentError("it takes the number of an inherited descriptor, from 3 on.");
}

function die(log: Logger, error: Error): void {
  log.fatal({ reason: error.message }, "control must not go on");
  process.exit(EX_SOFTWARE);
}

function logger(name: string, level: string): Logger {
  return pino({ name, level, base: { name, pid: process.pid } }, pino.destination({ dest: 2, sync: true }));
}

function lookupWith(file: string | undefined): Lookup {
  const fromFile = file === undefined ? {} : readEnvironmentFile(file);
  const fallbacks: Record<string, string> = { NIAC_ORIGIN: hostname() };
  return (name) => process.env[name] ?? fromFile[name] ?? fallbacks[name];
}

function readEnvironmentFile(file: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(
      "settings-file",
      `the settings file ${file} cannot be read (${systemCode(error) || messageOf(error)})`,
    );
  }
}
