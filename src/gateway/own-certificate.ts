/**
 * The gateway's own certificate, where the authority issues it: a fresh key in memory at every rotation, and a certificate that
 * lives three rotations, so that a renewal may fail for two of them before anybody notices at a machine. A key never leaves this
 * process, and the one before is dropped with its certificate.
 */
import { Renewal, UnavailableError, type Clock, type RenewalState, type Wish } from "../base/index.ts";
import type { OwnNames, TlsGiven } from "../link/index.ts";
import { freshRequest } from "../x509/index.ts";

/** PEM. */
export interface OwnPair {
  readonly certificate: string;
  readonly key: string;
}

export interface OwnHost {
  readonly clock: Clock;
  /** Has a PKCS#10 request (DER) signed; the certificate with its chain is PEM. */
  certify(request: Buffer): Promise<{ readonly certificate: string; readonly notAfter: number }>;
  /** Puts new material into use; rejects, and leaves the old in use, where it cannot be used. */
  install(pair: OwnPair): Promise<void>;
  tell(state: RenewalState, turned: boolean): void;
}

interface OwnWish extends Wish {
  readonly names: OwnNames;
  readonly authorities: string;
}

/** Where a site's own authority gives it less than three rotations: again after a third of what it gives. */
const SHARE = 1 / 3;

export class OwnCertificate {
  readonly #renewal: Renewal<OwnWish>;

  constructor(host: OwnHost) {
    this.#renewal = new Renewal<OwnWish>({
      clock: host.clock,
      share: SHARE,
      tell: (state, turned) => host.tell(state, turned),
      async renew({ names }) {
        if (names.commonName === "")
          throw new UnavailableError(
            "no-names",
            "control has not said what the appliance's certificate is for",
          );
        const { request, key } = await freshRequest(names);
        const { certificate, notAfter } = await host.certify(request);
        await host.install({ certificate, key });
        return { notAfter };
      },
    });
  }

  get state(): RenewalState {
    return this.#renewal.state;
  }

  /** Other names or authorities are followed at once; where the last attempt failed, it is tried again. With files nothing is made. */
  follow({ own, names, authorities, rotation }: TlsGiven): void {
    this.#renewal.wish(own === null ? { every: rotation, names, authorities } : null);
  }

  stop(): void {
    this.#renewal.stop();
  }
}
