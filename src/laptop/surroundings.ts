import type { Computer } from "./places.ts";

/** What the laptop's commands need of the process they run in, and of the computer. */
export interface LaptopSurroundings extends Computer {
  /** Prints one line to standard output. */
  print(line: string): void;
  /** Prints one line to standard error. */
  complain(line: string): void;
  /** The terminal, where standard output is one; else null, and what happens is told line by line. */
  readonly screen: Screen | null;
  /** Resolves when the person has had enough (Ctrl-C), or the process is told to stop. */
  interrupted(): Promise<void>;
  /** Asks the person at the terminal; what is typed is not shown where it is `secret`. Null: there is nobody to ask. */
  ask(question: string, secret: boolean): Promise<string | null>;
  /** Shows a page in the person's browser, where there is one. */
  browse(url: string): void;
  /** Of this process, for the programs it starts. */
  readonly environment: NodeJS.ProcessEnv;
  /** The computer's name. */
  readonly hostname: string;
  /** The command line that runs niac here: Node, and the program's file. */
  readonly program: readonly string[];
}

export interface Screen {
  write(text: string): void;
  /** Read anew at every drawing: windows change their size. */
  size(): { readonly columns: number; readonly rows: number };
}
