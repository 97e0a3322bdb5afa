/** What the laptop's commands need of the process they run in. */
export interface LaptopSurroundings {
  /** The environment, or whatever stands for it. */
  lookup(name: string): string | undefined;
  /** Prints one line to standard output. */
  print(line: string): void;
  /** The terminal, where standard output is one; else null, and what happens is told line by line. */
  readonly screen: Screen | null;
  /** Resolves when the person has had enough (Ctrl-C), or the process is told to stop. */
  interrupted(): Promise<void>;
}

export interface Screen {
  write(text: string): void;
  /** Read anew at every drawing: windows change their size. */
  size(): { readonly columns: number; readonly rows: number };
}
