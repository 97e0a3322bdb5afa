/**
 * What this user's checkouts share, so that a fresh clone need not download what another has: a folder beside the checkout's own cache. What is
 * taken is copied and the copy is checked; what is given is written beside its place and renamed into it. So two checkouts may be at work at
 * once, and nothing is lost where the folder is away, full, damaged or swept: what it lacks is fetched as without it.
 */
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { messageOf, systemCode } from "../../src/base/index.ts";

/**
 * `NIAC_CACHE` names the folder, and belongs to the folder `from` that the command was typed in; `none`: nothing is shared. Without it, it is
 * where the XDG base directory specification has such things.
 */
export function sharedFolder(env: NodeJS.ProcessEnv, from: string): string | null {
  const { NIAC_CACHE: given = "", XDG_CACHE_HOME: caches = "", HOME: home = "" } = env;
  if (given === "none") return null;
  if (given !== "") return join(resolve(from, given), "image");
  if (isAbsolute(caches)) return join(caches, "niac/image");
  return isAbsolute(home) ? join(home, ".cache/niac/image") : null;
}

export class Shared {
  /** Null: nothing is shared. */
  readonly folder: string | null;
  readonly #say: (text: string) => void;
  #writable: boolean;

  /** `say`: hears one line where the folder cannot be written. */
  constructor(folder: string | null, say: (text: string) => void) {
    this.folder = folder;
    this.#say = say;
    this.#writable = folder !== null;
    this.#write(() => {
      mkdirSync(this.#at(""), { recursive: true });
      accessSync(this.#at(""), constants.W_OK);
    });
  }

  #at(name: string): string {
    return join(this.folder ?? "", name);
  }

  /** Whether it is there, not whether it is whole. */
  has(name: string): boolean {
    return this.folder !== null && existsSync(this.#at(name));
  }

  /** Makes `to` of what is kept under the name, where that is `whole`. What is not goes, for somebody to give it again. */
  async take(name: string, to: string, whole: (copy: string) => Promise<boolean>): Promise<boolean> {
    if (!this.has(name)) return false;
    const copy = `${to}.taken`;
    mkdirSync(dirname(to), { recursive: true });
    try {
      copyFileSync(this.#at(name), copy, constants.COPYFILE_FICLONE);
      if (await whole(copy)) {
        renameSync(copy, to);
        this.#used(name);
        return true;
      }
      this.#say(`${this.#at(name)} is damaged, and not used.\n`);
      this.#write(() => rmSync(this.#at(name), { force: true }));
      return false;
    } catch (error) {
      // Another checkout may have swept it between the look and the copy.
      if (systemCode(error) !== "ENOENT") this.#say(`${this.#at(name)} is not used: ${messageOf(error)}\n`);
      return false;
    } finally {
      rmSync(copy, { force: true });
    }
  }

  /** Keeps a copy of the file under the name, where none is. */
  give(name: string, from: string): void {
    if (this.has(name)) this.#used(name);
    else this.#put(name, (making) => copyFileSync(from, making, constants.COPYFILE_FICLONE));
  }

  /** A text as it stands; null: there is none. */
  read(name: string): string | null {
    if (!this.has(name)) return null;
    this.#used(name);
    try {
      return readFileSync(this.#at(name), "utf8");
    } catch (error) {
      if (systemCode(error) !== "ENOENT") this.#say(`${this.#at(name)} is not used: ${messageOf(error)}\n`);
      return null;
    }
  }

  write(name: string, text: string): void {
    this.#put(name, (making) => writeFileSync(making, text));
  }

  #put(name: string, make: (making: string) => void): void {
    // A name of this process's own: two may give the same.
    const making = `${this.#at(name)}.${process.pid}.making`;
    this.#write(() => {
      mkdirSync(dirname(making), { recursive: true });
      try {
        make(making);
        renameSync(making, this.#at(name));
      } finally {
        rmSync(making, { force: true });
      }
    });
  }

  /** What nobody used for a month is swept (sweep.ts). */
  #used(name: string): void {
    const now = new Date();
    this.#write(() => {
      if (this.has(name)) utimesSync(this.#at(name), now, now);
    });
  }

  #write(change: () => void): void {
    if (!this.#writable) return;
    try {
      change();
    } catch (error) {
      if (systemCode(error) === "") throw error;
      // Another checkout's sweep came between two steps of this one: what is missing is given by the next.
      if (systemCode(error) === "ENOENT") return;
      this.#writable = false;
      this.#say(
        `${this.folder} cannot be written (${systemCode(error)}): what is downloaded is kept in build/image/cache alone.\n`,
      );
    }
  }
}
