import { messageOf, UnavailableError, type Clock } from "../base/index.ts";
import { afterTime, askTime, type After } from "./ntp-exchange.ts";
import { kissCode, type TimeView } from "./ntp-time.ts";

/** Milliseconds a view of a server's clock is used for: however often machines ask, the servers hear of it once a second. */
const FRESH = 1_000;
/** Milliseconds for which a server that gave no answer is asked after the others. */
const LAST = 30_000;
/** Milliseconds for which a server that asked for less is left alone (RFC 5905, 7.4), twice as long each time; that told us to go, at once. */
const RATE_PAUSE = 64_000;
const LONGEST_PAUSE = 3_600_000;
const GO_AWAY: ReadonlySet<string> = new Set(["DENY", "RSTR"]);

interface Standing {
  /** Not asked at all until then. */
  pausedUntil: number;
  /** How long the last pause was. */
  pause: number;
  /** Asked after the others until then. */
  lastUntil: number;
}

/** The time servers of the site, asked in order; the first that is synchronised is taken. */
export class TimeSource {
  readonly #clock: Clock;
  readonly #port: number;
  readonly #report: (reason: string) => void;
  readonly #after: After;
  readonly #standings = new Map<string, Standing>();
  #servers: readonly string[] = [];
  #view: TimeView | null = null;
  #asking: Promise<TimeView | null> | null = null;
  #away = false;

  /** `report` hears when no server answers, when one does again, and when one does not want to be asked. */
  constructor(clock: Clock, port: number, report: (reason: string) => void, after = afterTime) {
    this.#clock = clock;
    this.#port = port;
    this.#report = report;
    this.#after = after;
  }

  /** Null: none of them answers. One exchange at a time, whoever asks. */
  view(servers: readonly string[]): Promise<TimeView | null> {
    if (servers !== this.#servers) this.#use(servers);
    const view = this.#view;
    if (view && this.#clock.monotonic() - view.at < FRESH) return Promise.resolve(view);
    const asking = (this.#asking ??= this.#ask(servers).finally(() => {
      if (this.#asking === asking) this.#asking = null;
    }));
    return asking;
  }

  #use(servers: readonly string[]): void {
    this.#servers = servers;
    this.#view = null;
    this.#asking = null;
    for (const server of this.#standings.keys())
      if (!servers.includes(server)) this.#standings.delete(server);
  }

  async #ask(servers: readonly string[]): Promise<TimeView | null> {
    let second: TimeView | null = null;
    const problems: string[] = [];
    for (const server of this.#inTurn(servers)) {
      const view = await this.#try(server, problems);
      if (view?.synchronised) return this.#found(servers, server, view);
      second ??= view;
    }
    // A clock that does not trust itself is what the machine would have been told without us, too.
    if (second) return this.#found(servers, "a time server that is not synchronised", second);
    this.#lost(servers, problems);
    return null;
  }

  #inTurn(servers: readonly string[]): string[] {
    const now = this.#clock.monotonic();
    const open = servers.filter((server) => now >= this.#standing(server).pausedUntil);
    const isLast = (server: string): boolean => now < this.#standing(server).lastUntil;
    return [...open.filter((server) => !isLast(server)), ...open.filter(isLast)];
  }

  async #try(server: string, problems: string[]): Promise<TimeView | null> {
    const standing = this.#standing(server);
    let view: TimeView;
    try {
      view = await askTime(server, this.#port, this.#clock, this.#after);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      standing.lastUntil = this.#clock.monotonic() + LAST;
      problems.push(messageOf(error));
      return null;
    }
    standing.lastUntil = 0;
    const code = kissCode(view.reply);
    if (code === "RATE" || (code !== null && GO_AWAY.has(code))) {
      this.#kissed(server, standing, code);
      problems.push(`time server ${server} answered ${code}`);
      return null;
    }
    standing.pause = 0;
    return view;
  }

  #kissed(server: string, standing: Standing, code: string): void {
    const longer = standing.pause === 0 ? RATE_PAUSE : Math.min(standing.pause * 2, LONGEST_PAUSE);
    standing.pause = GO_AWAY.has(code) ? LONGEST_PAUSE : longer;
    standing.pausedUntil = this.#clock.monotonic() + standing.pause;
    const seconds = Math.round(standing.pause / 1000);
    this.#report(
      `time server ${server} does not want to be asked (${code}) and is left alone for ${seconds} s`,
    );
  }

  #found(servers: readonly string[], what: string, view: TimeView): TimeView {
    if (servers === this.#servers) this.#view = view;
    if (this.#away) this.#report(`machines' NTP queries are answered again, from ${what}`);
    this.#away = false;
    return view;
  }

  #lost(servers: readonly string[], problems: readonly string[]): void {
    if (this.#away || servers !== this.#servers) return;
    this.#away = true;
    const why = problems.length > 0 ? problems.join("; ") : "all of them are left alone for now";
    this.#report(`machines' NTP queries stay without an answer: ${why}`.slice(0, 1_000));
  }

  #standing(server: string): Standing {
    const known = this.#standings.get(server);
    if (known) return known;
    const standing = { pausedUntil: 0, pause: 0, lastUntil: 0 };
    this.#standings.set(server, standing);
    return standing;
  }
}
