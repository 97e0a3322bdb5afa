import { byteText, table, UsageError } from "../base/index.ts";
import { chooseServices, portsToTry, whatToPaste } from "./choose.ts";
import { openCredentials } from "./access.ts";
import { dial, type Appliance } from "./dial.ts";
import { fetchDirectory, type Directory, type OfferedService } from "./directory.ts";
import { Forward, type ForwardEvents } from "./forward.ts";
import type { ConnectOptions } from "./options.ts";
import { Live, trafficTable } from "./show.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

/** Milliseconds between drawings of the live table. */
const REDRAW = 250;

type Opened = readonly [forward: Forward, port: number];

/** Opens the ports and carries connections until the person has had enough. Throws what the reader is to be told. */
export async function connectMachines(options: ConnectOptions, around: LaptopSurroundings): Promise<void> {
  const stop = new AbortController();
  const { via, appliance } = options;
  const credentials = await openCredentials(options, around);
  const peer = (): Appliance => ({ via, appliance, credentials: credentials() });
  const directory = await fetchDirectory(peer(), stop.signal);
  const services = chooseServices(directory, options.wanted);
  if (options.port !== null && services.length > 1) {
    throw new UsageError(
      "one-port",
      `--port ${options.port} is one port, and these are ${services.length} services`,
      `Ask for one of them: ${services.map(named).join(", ")}.`,
    );
  }
  const forwards = services.map((service) => {
    const name = `${service.service}.${service.machine}`;
    const dialService = () => dial(peer(), `${name}.${directory.appliance}`, name, stop.signal);
    return new Forward(service, dialService, around.screen ? SILENT : teller(around));
  });
  try {
    const opened: Opened[] = [];
    for (const forward of forwards) {
      const ports = portsToTry(forward.service.port, options.port);
      opened.push([forward, await forward.listen(options.listen, ports)]);
    }
    for (const line of introduction(directory, opened, options)) around.print(line);
    await show(forwards, around);
  } finally {
    stop.abort();
    for (const forward of forwards) forward.close();
  }
}

async function show(forwards: readonly Forward[], around: LaptopSurroundings): Promise<void> {
  if (around.screen === null) {
    await around.interrupted();
    return;
  }
  const live = new Live(around.screen);
  const draw = (): void => live.draw(trafficTable(forwards));
  draw();
  const redraw = setInterval(draw, REDRAW);
  await around.interrupted();
  clearInterval(redraw);
  draw();
}

function introduction(
  { user, appliance }: Directory,
  opened: readonly Opened[],
  { listen, port }: ConnectOptions,
): string[] {
  const rows = opened.map(([{ service }, local]) => [
    service.machine,
    service.service,
    service.protocol,
    `${listen.includes(":") ? `[${listen}]` : listen}:${local}`,
    whatToPaste(service, listen, local),
  ]);
  const moved = opened
    .filter(([{ service }, local]) => port === null && local !== service.port)
    .map(
      ([{ service }, local]) =>
        `${named(service)} has port ${service.port}, which cannot be had here: it is ${local}.`,
    );
  return [
    `${appliance} knows you as ${user}. Open until Ctrl-C:`,
    "",
    ...table(["MACHINE", "SERVICE", "PROTOCOL", "LOCAL ADDRESS", "USE IT LIKE THIS"], rows),
    ...moved,
    "",
  ];
}

const SILENT: ForwardEvents = { opened: () => {}, closed: () => {} };

function teller(around: LaptopSurroundings): ForwardEvents {
  return {
    opened: ({ service }, connection) => around.print(`${named(service)}: connection ${connection} opened`),
    closed: ({ service }, connection, { sent, received }, failure) => {
      const why = failure === null ? "" : `: ${failure}`;
      around.print(
        `${named(service)}: connection ${connection} closed, ${byteText(sent)} sent, ${byteText(received)} received${why}`,
      );
    },
  };
}

function named({ machine, service }: OfferedService): string {
  return `${machine}/${service}`;
}
