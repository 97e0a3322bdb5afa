import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { APPLIANCE, type Appliance } from "../../support/appliance.ts";
import { laptopCommands, type LaptopSurroundings } from "../../../src/laptop/index.ts";

/** What a person would answer to each question; the question goes in. */
export type Person = (question: string, secret: boolean) => string | null;

/** A laptop with a home of its own, on which commands run in this process. */
export class Laptop {
  readonly home: string;
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly environment: Record<string, string> = {};
  /** Questions that were asked. */
  readonly questions: string[] = [];
  /** Pages that were to be shown in the browser. */
  readonly pages: string[] = [];
  /** Null: nobody is there. */
  person: Person | null = null;
  onPage: (url: string) => void = () => {};
  platform = "linux";
  #waiting = new Set<() => void>();
  #interrupt: (() => void)[] = [];

  constructor(t: { teardown(finish: () => void): void }) {
    this.home = mkdtempSync(join(tmpdir(), "niac-laptop-"));
    t.teardown(() => {
      this.interrupt();
      rmSync(this.home, { recursive: true, force: true });
    });
  }

  /** Where the profiles are. */
  get profiles(): string {
    return join(this.home, ".config", "niac");
  }

  /** `niac ...`; rejects with the command's error. */
  async niac(...args: string[]): Promise<void> {
    const [name, ...rest] = args;
    const command = laptopCommands(this.#around()).find((each) => each.name() === name);
    if (command === undefined) throw new Error(`there is no command ${name}`);
    await command.exitOverride().parseAsync(rest, { from: "user" });
  }

  /** Ctrl-C, for whatever waits for it now. */
  interrupt(): void {
    for (const each of this.#interrupt.splice(0)) each();
  }

  /** Resolves with the first printed line that matches, there already or to come. */
  line(pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = [...this.out, ...this.err].find((each) => pattern.test(each));
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Every file below the profiles, with its mode in octal. */
  files(): Record<string, string> {
    try {
      const names = readdirSync(this.profiles, { recursive: true, encoding: "utf8" });
      const entries = names.map((name): [string, string] => [
        name,
        (statSync(join(this.profiles, name)).mode & 0o777).toString(8),
      ]);
      return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
    } catch {
      return {};
    }
  }

  #around(): LaptopSurroundings {
    const said = (lines: string[]) => (line: string) => {
      lines.push(...line.split("\n"));
      for (const look of this.#waiting) look();
    };
    return {
      lookup: (name) => this.environment[name],
      environment: { ...process.env, ...this.environment },
      platform: this.platform,
      home: this.home,
      hostname: "laptop-7",
      program: ["/usr/bin/node", "/opt/niac/niac-laptop.mjs"],
      print: said(this.out),
      complain: said(this.err),
      screen: null,
      interrupted: () => new Promise((resolve) => this.#interrupt.push(resolve)),
      ask: (question, secret) => {
        this.questions.push(question);
        return Promise.resolve(this.person === null ? null : this.person(question, secret));
      },
      browse: (url) => {
        this.pages.push(url);
        this.onPage(url);
      },
    };
  }
}

/** The words of `niac enroll` that lead to a real appliance with an authority of its own. */
export async function toBox(appliance: Appliance): Promise<string[]> {
  const fingerprint =
    /^root +([0-9a-f]{64}) /m.exec((await appliance.niac("authority", "show")).out)?.[1] ?? "";
  const box = `https://${appliance.environment["NIAC_LISTEN_ENROLL"]}`;
  const where = ["--via", `127.0.0.1:${appliance.servicesPort}`, "--appliance", APPLIANCE];
  return [box, "--fingerprint", fingerprint, ...where];
}
