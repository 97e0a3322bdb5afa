/** Sockets that the service manager opened and handed on (sd_listen_fds(3)). */
import { UsageError } from "../base/index.ts";

/** The first descriptor handed on; the others follow it without a gap. */
const FIRST = 3;
/** More than any unit here has. */
const MOST = 64;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Descriptors by the names that their socket units give them (FileDescriptorName=), of `names` alone. What was handed to another
 * process (LISTEN_PID) counts for nothing: the environment alone comes down to children. Throws a UsageError where a socket has another
 * name, where two have the same, and where the variables contradict each other.
 */
export function inheritedSockets<Name extends string>(
  environment: Environment,
  pid: number,
  names: readonly Name[],
): ReadonlyMap<Name, number> {
  const found = new Map<Name, number>();
  if (environment["LISTEN_PID"] !== String(pid)) return found;
  for (const [i, given] of readNames(environment).entries()) {
    const name = names.find((known) => known === given);
    if (name === undefined)
      throw wrong(`a socket named ${JSON.stringify(given)}, and this process knows ${names.join(", ")}`);
    if (found.has(name)) throw wrong(`two sockets named ${name}`);
    found.set(name, FIRST + i);
  }
  return found;
}

function readNames(environment: Environment): string[] {
  const count = environment["LISTEN_FDS"] ?? "";
  if (!/^\d{1,4}$/.test(count) || Number(count) > MOST)
    throw wrong(`LISTEN_FDS is ${JSON.stringify(count)}, and no number up to ${MOST}`);
  const names = environment["LISTEN_FDNAMES"]?.split(":") ?? [];
  if (names.length !== Number(count)) throw wrong(`${count} sockets and ${names.length} names`);
  return names;
}

function wrong(what: string): UsageError {
  return new UsageError(
    "inherited-sockets",
    `the service manager hands on what does not fit: ${what}`,
    "Look at the socket units' FileDescriptorName= and at Sockets= of the service.",
  );
}
