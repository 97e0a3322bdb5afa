import { IDENTIFY_PORTS } from "../link/index.ts";
import { PeerError, UnavailableError } from "../base/index.ts";
import { Dialogue, PATIENCE, type Patience } from "./identify-dialogue.ts";
import { identifyModbus, type ModbusIdentification } from "./identify-modbus.ts";
import { identifyOpcua, type OpcuaEndpoint } from "./identify-opcua.ts";

/** Milliseconds between one connection and the next: old machines have few sockets and slow processors. */
const PAUSE = 300;
/** The machine itself; the first behind it, for those that are a gateway to a serial line; the machine itself, in an older reading. */
const UNITS = [255, 1, 0] as const;
/** Modbus exceptions 0A and 0B: the unit is not there, and another may be. */
const NO_SUCH_UNIT: ReadonlySet<number> = new Set([10, 11]);

export interface Identification {
  /** Null: it does not speak Modbus on port 502, or that is closed. */
  readonly modbus: ModbusIdentification | null;
  /** Null: no OPC UA server answered on port 4840. */
  readonly opcua: readonly OpcuaEndpoint[] | null;
  /** Of the ports looked at, sorted. */
  readonly openPorts: readonly number[];
  /** What answered otherwise than it should, for the reader. */
  readonly problems: readonly string[];
}

export interface IdentifyOptions {
  /** To connect from; null: what the kernel chooses. */
  readonly localAddress?: string | null;
  readonly ports?: readonly number[];
  readonly modbusPort?: number;
  readonly opcuaPort?: number;
  /** How long the machine is waited for. */
  readonly patience?: Patience;
}

/**
 * What stands at an address, asked once and gently: one connection at a time with pauses in between, nothing that writes, no log-in. What a
 * machine says of itself is not proven by anything. Never rejects for what the machine does.
 */
export async function identify(address: string, options: IdentifyOptions = {}): Promise<Identification> {
  const { ports = IDENTIFY_PORTS, modbusPort = 502, opcuaPort = 4840 } = options;
  const visit = visitor(address, options.localAddress ?? null, options.patience ?? PATIENCE);
  const askOpcua = (port: number) => (dialogue: Dialogue) =>
    identifyOpcua(dialogue, `opc.tcp://${address}:${port}`);
  let modbus: ModbusIdentification | null = null;
  let opcua: OpcuaEndpoint[] | null = null;
  const openPorts: number[] = [];
  // An address that no packet reaches is the same problem for every port.
  const problems = new Set<string>();
  for (const port of ports) {
    let open: boolean;
    let problem: string | null;
    if (port === modbusPort) ({ open, problem, found: modbus } = await visitModbus(visit, port));
    else if (port === opcuaPort) ({ open, problem, found: opcua } = await visit(port, askOpcua(port)));
    else ({ open, problem } = await visit(port, () => Promise.resolve(null)));
    if (open) openPorts.push(port);
    if (problem !== null) problems.add(problem);
  }
  return { modbus, opcua, openPorts: openPorts.toSorted((a, b) => a - b), problems: [...problems] };
}

interface Visit<T> {
  readonly open: boolean;
  readonly found: T | null;
  readonly problem: string | null;
  /** It gave no answer at all, rather than a wrong one. */
  readonly silent: boolean;
}

type Visitor = <T>(port: number, ask: (dialogue: Dialogue) => Promise<T>) => Promise<Visit<T>>;

/** Opens one connection, after a pause where there was one before, and closes it before it returns. */
function visitor(address: string, localAddress: string | null, patience: Patience): Visitor {
  let first = true;
  return async (port, ask) => {
    if (!first) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    first = false;
    let dialogue: Dialogue;
    try {
      dialogue = await Dialogue.open(address, port, localAddress, patience);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      const problem = error.code === "machine-unreachable" ? error.message : null;
      return { open: false, found: null, problem, silent: true };
    }
    try {
      return { open: true, found: await ask(dialogue), problem: null, silent: false };
    } catch (error) {
      if (!(error instanceof PeerError || error instanceof UnavailableError)) throw error;
      const silent = error instanceof UnavailableError;
      return { open: true, found: null, problem: `port ${port}: ${error.message}`, silent };
    } finally {
      await dialogue.close();
    }
  };
}

/** Asks units in turn until one says what it is; the last that at least answered with an exception counts otherwise. */
async function visitModbus(visit: Visitor, port: number): Promise<Visit<ModbusIdentification>> {
  let spoke: Visit<ModbusIdentification> | null = null;
  let said: Visit<ModbusIdentification> | null = null;
  for (const unit of UNITS) {
    said = await visit(port, (dialogue) => identifyModbus(dialogue, unit));
    if (said.found) spoke = said;
    const exception = said.found?.exception ?? null;
    const another = said.open && (said.silent || (exception !== null && NO_SUCH_UNIT.has(exception)));
    if (!another) break;
  }
  return spoke ?? said ?? { open: false, found: null, problem: null, silent: true };
}
