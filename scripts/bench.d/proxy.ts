/** What the bench needs of a proxy, be it niac or a peer. */
import type { Credential } from "../../test/support/pki.ts";
import type { PinnedProcess } from "./processes.ts";

/** Where a proxy is started: all in one temporary directory, its processes on `core`. */
export interface Place {
  /** A directory of this start's own, empty. */
  readonly dir: string;
  readonly core: number;
  /** Port of the machine on 127.0.0.1. */
  readonly machinePort: number;
  /** For 127.0.0.1 and the SNI name; the same key and certificate for all. */
  readonly server: Credential;
  /** The certificates' authority, PEM file; clients' and server's are the same one. */
  readonly authority: Credential;
  /** For niac alone: flags to Node, e.g. for profiling. */
  readonly nodeOptions: string;
}

export interface RunningProxy {
  readonly process: PinnedProcess;
  /** On 127.0.0.1, for laptops. */
  readonly port: number;
}

export interface Proxy {
  readonly name: string;
  /** As a reader would look it up, e.g. `nginx 1.22.1, OpenSSL 3.0.19`; null: it is not here. */
  readonly version: string | null;
  /** Why it is not here, and what to do. */
  readonly missing: string;
  /** Starts it; it may not be ready yet when this resolves. */
  start(place: Place): Promise<RunningProxy>;
}
