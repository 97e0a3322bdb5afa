/** What the service manager is told of a process: that it is up, that it lives, that it stops (sd_notify(3), sd_watchdog_enabled(3)). */
import { messageOf, UnavailableError } from "../base/index.ts";
import type { Environment } from "./inherited.ts";

/** The addon's share; isolation/ has it. */
export interface NotifyAddon {
  /** False: it was not taken, and may be later. */
  notify(path: string, text: string): boolean;
}

export interface Notifier {
  /**
   * It is up. From now on `alive` is asked at once and three times in each span that the manager waits for a sign of life: true, and one
   * is given; false, an exception, or no answer, and none is. The manager ends a process that is silent for the span.
   */
  ready(alive: () => boolean | Promise<boolean>): void;
  stopping(): void;
}

/** Milliseconds until what the manager did not take is said again. */
const AGAIN = 200;
/** Milliseconds that a process may take to be up: a big database, a TPM and a slow card. Until then it lives while its event loop turns. */
const LONGEST_START = 300_000;
const SIGNS_IN_A_SPAN = 3;

/**
 * To be made first thing: signs are given from here on. `say`: told when the process is no longer found alive. Where no service manager asks for anything, the functions do nothing. Throws an
 * UnavailableError where one asks and there is no addon: the process would be ended without a word.
 */
export function createNotifier(
  environment: Environment,
  pid: number,
  addon: NotifyAddon | null,
  say: (problem: string) => void,
): Notifier {
  const path = environment["NOTIFY_SOCKET"];
  if (path === undefined || path === "") return { ready() {}, stopping() {} };
  if (addon === null) {
    throw new UnavailableError(
      "notify",
      "the service manager waits for a word from this process, and without the addon none can be said",
      "Build the addon (scripts/setup.sh), or run it with Type=simple.",
    );
  }
  const span = spanOf(environment, pid);
  const begun = performance.now();
  let isAlive: () => boolean | Promise<boolean> = () => performance.now() - begun < LONGEST_START;
  const watch = new Watch(
    () => isAlive(),
    () => void addon.notify(path, "WATCHDOG=1"),
    say,
  );
  const timer = span === null ? null : setInterval(() => void watch.look(), span / SIGNS_IN_A_SPAN);
  let again: NodeJS.Timeout | null = null;
  const tell = (text: string): void => {
    if (again) clearTimeout(again);
    again = addon.notify(path, text) ? null : setTimeout(() => tell(text), AGAIN);
  };
  return {
    ready(alive) {
      tell("READY=1");
      isAlive = alive;
      if (span !== null) void watch.look();
    },
    stopping() {
      if (timer) clearInterval(timer);
      if (again) clearTimeout(again);
      addon.notify(path, "STOPPING=1");
    },
  };
}

/** Milliseconds that the manager waits for a sign of life; null: it waits for none of this process. */
function spanOf(environment: Environment, pid: number): number | null {
  const { WATCHDOG_USEC: span, WATCHDOG_PID: whose } = environment;
  if (span === undefined || !/^[1-9]\d{3,15}$/.test(span)) return null;
  return whose === undefined || whose === String(pid) ? Number(span) / 1_000 : null;
}

/** One look at a time: what hangs gives no sign, and is not asked again. */
class Watch {
  readonly #alive: () => boolean | Promise<boolean>;
  readonly #sign: () => void;
  readonly #say: (problem: string) => void;
  #looking = false;
  #said = false;

  constructor(alive: () => boolean | Promise<boolean>, sign: () => void, say: (problem: string) => void) {
    this.#alive = alive;
    this.#sign = sign;
    this.#say = say;
  }

  async look(): Promise<void> {
    if (this.#looking) {
      this.#missed("it did not answer within the time for one");
      return;
    }
    this.#looking = true;
    try {
      if (await this.#alive()) {
        this.#said = false;
        this.#sign();
      } else this.#missed("it does not do what it is there for");
    } catch (error) {
      this.#missed(messageOf(error));
    } finally {
      this.#looking = false;
    }
  }

  /** Said once, until it gives a sign again. */
  #missed(why: string): void {
    if (this.#said) return;
    this.#said = true;
    this.#say(`no sign of life: ${why}`);
  }
}
