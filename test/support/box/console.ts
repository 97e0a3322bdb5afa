/**
 * The box's serial console, and the root shell there where the settings say NIAC_CONSOLE=serial. The kernel and systemd write to the same
 * line whenever they like; so a command's output comes as one line of base64 with its hash, and is asked for again where it was torn.
 */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { until } from "../processes.ts";

export interface Ran {
  readonly code: number;
  /** Standard output and error together. */
  readonly output: string;
}

/** Milliseconds. Everything takes some thirty times as long as on a Pi, and more on a busy computer. */
export const PATIENCE = { command: 300_000, shell: 900_000, intact: 5 } as const;
/** Of one line to a terminal (N_TTY_BUF_SIZE is 4096). */
const LINE = 3_000;

const SETUP = [
  // No line editor, no echo, no prompt: the console is a pipe from here on.
  "set +o emacs +o vi; stty -echo -onlcr; PS1= PS2= PROMPT_COMMAND=",
  "export TERM=dumb PAGER=cat SYSTEMD_PAGER=cat SYSTEMD_COLORS=0 NO_COLOR=1 COLUMNS=400",
  "dmesg -n 1; cd /tmp",
  `a() { printf '\\n<niac-%s %s %s ' "$1" "$2" "$(sha256sum </tmp/.out | cut -c1-64)"; base64 -w 0 /tmp/.out; printf ' %s>\\n' end; }`,
  `r() { printf %s "$2" | base64 -d >/tmp/.command; bash /tmp/.command </dev/null >/tmp/.out 2>&1; s=$?; a "$1" $s; }`,
];

export class BoxConsole {
  readonly #send: (text: string) => void;
  readonly #text: () => string;
  readonly #ended: () => string | null;
  #commands = 0;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(send: (text: string) => void, text: () => string, ended: () => string | null) {
    this.#send = send;
    this.#text = text;
    this.#ended = ended;
  }

  /**
   * Waits until the box opens its shell, and takes it over. `text`: all the console has said in this boot; `ended`: how the boot ended, null
   * while it runs.
   */
  static async open(
    socket: () => Socket | null,
    text: () => string,
    ended: () => string | null,
  ): Promise<BoxConsole> {
    const says = (pattern: RegExp, from = 0): boolean => {
      if (ended() !== null) throw new Error(`the boot ended (${ended()}) before its console had a shell`);
      return pattern.test(text().slice(from));
    };
    await until(() => says(/A shell as root, on record/), "the shell on the serial console", PATIENCE.shell);
    const shell = new BoxConsole((more) => socket()?.write(more), text, ended);
    const seen = text().length;
    const ready = (): boolean => says(/^niac-console-ready$/m, seen);
    // The shell takes its terminal over a moment after its banner; what came before is lost.
    const again = setInterval(
      () => shell.#send(`${SETUP.join("\n")}\nprintf '\\nniac-%s\\n' console-ready\n`),
      5_000,
    );
    shell.#send(`${SETUP.join("\n")}\nprintf '\\nniac-%s\\n' console-ready\n`);
    try {
      await until(ready, "the shell to answer", PATIENCE.command);
    } finally {
      clearInterval(again);
    }
    return shell;
  }

  /** Runs a command in bash, and gives its exit code and output, of any code. One at a time. */
  run(command: string, patience: number = PATIENCE.command): Promise<Ran> {
    const next = this.#busy.then(() => this.#run(command, patience));
    this.#busy = next.catch(() => undefined);
    return next;
  }

  /** The output of a command that must not fail. */
  async out(command: string, patience: number = PATIENCE.command): Promise<string> {
    const { code, output } = await this.run(command, patience);
    if (code !== 0) throw new Error(`on the box, ${command} ended with ${code}: ${output}`);
    return output.trimEnd();
  }

  /** Writes a file on the box. */
  async write(path: string, text: string): Promise<void> {
    const base64 = Buffer.from(text).toString("base64");
    await this.out(`: >${path}.base64`);
    for (let at = 0; at < base64.length; at += LINE / 2)
      await this.out(`printf %s ${base64.slice(at, at + LINE / 2)} >>${path}.base64`);
    await this.out(`base64 -d <${path}.base64 >${path} && rm ${path}.base64`);
  }

  async #run(command: string, patience: number): Promise<Ran> {
    const id = ++this.#commands;
    const line = `r ${id} ${Buffer.from(command).toString("base64")}`;
    if (line.length > LINE)
      throw new Error(`a command of ${command.length} characters is too long for a terminal`);
    const seen = this.#text().length;
    this.#send(`${line}\n`);
    for (let tries = 0; tries < PATIENCE.intact; tries++) {
      const answer = await this.#answer(id, seen, tries, patience, command);
      const output = Buffer.from(answer.base64, "base64");
      if (createHash("sha256").update(output).digest("hex") === answer.hash)
        return { code: answer.code, output: output.toString("utf8") };
      this.#send(`a ${id} ${answer.code}\n`);
    }
    throw new Error(`the console tore the answer to ${command} ${PATIENCE.intact} times`);
  }

  async #answer(
    id: number,
    seen: number,
    which: number,
    patience: number,
    command: string,
  ): Promise<{ code: number; hash: string; base64: string }> {
    const pattern = new RegExp(`<niac-${id} (\\d+) ([0-9a-f]{64}) ([^>]*) end>`, "g");
    let found: RegExpExecArray | undefined;
    const said = (): boolean => {
      found = [...this.#text().slice(seen).matchAll(pattern)][which];
      if (found === undefined && this.#ended() !== null)
        throw new Error(`the boot ended (${this.#ended()}) before the box had run ${command}`);
      return found !== undefined;
    };
    try {
      await until(said, `the box to run ${command}`, patience);
    } catch (error) {
      throw new Error(`${String(error)}; the console's end:\n${this.#text().slice(-2_000)}`, {
        cause: error,
      });
    }
    const [, code = "", hash = "", base64 = ""] = found ?? [];
    return { code: Number(code), hash, base64 };
  }
}
