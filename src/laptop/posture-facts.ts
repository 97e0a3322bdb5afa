/** What a laptop says of itself, and how it knows; src/enrolment/POSTURE.md has the format. Nothing here reads anything. */

export interface PostureFacts {
  /** Null, here and below: it could not be found out. */
  readonly diskEncryption: boolean | null;
  readonly os: { readonly name: "linux" | "windows" | "macos"; readonly version: string } | null;
  readonly edr: boolean | null;
}

/** One fact as it was looked for. */
export interface Found<T> {
  readonly value: T | null;
  /** In words for the person. */
  readonly found: string;
  /** Where it was looked at, and where it is not known: why. */
  readonly how: string;
}

export interface PostureFindings {
  readonly diskEncryption: Found<boolean>;
  readonly os: Found<NonNullable<PostureFacts["os"]>>;
  readonly edr: Found<boolean>;
}

export function factsOf({ diskEncryption, os, edr }: PostureFindings): PostureFacts {
  return { diskEncryption: diskEncryption.value, os: os.value, edr: edr.value };
}

export function unknown(how: string): Found<never> {
  return { value: null, found: "not known", how };
}

/** The computer as the probes see it; a test puts another one in its place. */
export interface PostureHost {
  readonly platform: string;
  /** As `uname -r` has it, or Windows' own. */
  readonly release: string;
  readonly home: string;
  /** The environment. */
  readonly lookup: (name: string) => string | undefined;
  readonly files: HostFiles;
  /** What a program printed, or in words why there is nothing. Never rejects. */
  readonly run: (program: string, args: readonly string[]) => Promise<Ran>;
}

export type Ran = { readonly out: string } | { readonly problem: string };

export interface HostFiles {
  /** Null: it is not there, or must not be read. */
  read(path: string): string | null;
  /** Names in a directory; null as above. */
  list(path: string): readonly string[] | null;
  /** The path with all symbolic links followed; null as above. */
  real(path: string): string | null;
}
