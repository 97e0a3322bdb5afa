import { cut } from "../base/index.ts";
import type { Snapshot } from "../site/index.ts";
import {
  CLASS_IN,
  PROHIBITED,
  RCODE,
  TYPE_A,
  TYPE_ANY,
  type DnsAnswer,
  type DnsQuery,
} from "./dns-message.ts";

/** Seconds a machine may keep an address: how long a changed site document may go unnoticed by it. */
const TTL = 60;
/** Characters of a name shown in a reason; a name has up to 1,020 where every byte is escaped. */
const NAME_SHOWN = 255;

/** Machine to the names it may look up, to the address it gets; of two destinations with one name the first counts. */
export type NamesByMachine = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function namesByMachine(snapshot: Snapshot): NamesByMachine {
  const machines = new Map<string, Map<string, string>>();
  for (const { machines: theirs, names, address } of snapshot.destinations) {
    for (const machine of theirs) {
      const known = machines.get(machine) ?? new Map<string, string>();
      machines.set(machine, known);
      for (const name of names) if (!known.has(name)) known.set(name, address);
    }
  }
  return machines;
}

export interface Answered {
  readonly answer: DnsAnswer;
  /** Null: not refused. `alike`: the same for queries that make one story. */
  readonly refused: {
    readonly alike: string;
    readonly reason: string;
    readonly name: string;
    readonly type: number;
  } | null;
}

/**
 * What `machine` gets for its query: an address for a name of one of its destinations, nothing for another type of such a name, else
 * REFUSED. Nobody else is asked, so a name carries nothing out.
 */
export function answerQuery(machine: string, names: ReadonlyMap<string, string>, query: DnsQuery): Answered {
  const { name, type } = query.question;
  if (query.edns !== null && query.edns !== 0) return { answer: plain(RCODE.badVersion), refused: null };
  const shown = cut(name, NAME_SHOWN);
  if (query.question.class !== CLASS_IN) {
    const reason = `${machine} asked DNS for "${shown}" in class ${query.question.class}; only the Internet's class is answered`;
    return refusal(`class ${query.question.class}`, reason, shown, type);
  }
  const value = names.get(name);
  if (value === undefined) {
    const reason = `${machine} asked DNS for "${shown}", which is a name of none of its destinations; add it to one's names, or stop the machine from asking`;
    return refusal(`name ${name}`, reason, shown, type);
  }
  const answered = type === TYPE_A || type === TYPE_ANY;
  return { answer: { ...plain(RCODE.ok), address: answered ? { value, ttl: TTL } : null }, refused: null };
}

export function plain(rcode: number): DnsAnswer {
  return { rcode, address: null, extendedError: null };
}

function refusal(alike: string, reason: string, name: string, type: number): Answered {
  const extendedError = { code: PROHIBITED, text: "not a destination of this machine" };
  return {
    answer: { rcode: RCODE.refused, address: null, extendedError },
    refused: { alike, reason, name, type },
  };
}
