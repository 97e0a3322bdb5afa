/** Control's own server certificate, for enrolment: made and renewed as the gateway's is, with a key that stays in this process. */
import { messageOf, Renewal, type Clock, type RenewalState, type Wish } from "../base/index.ts";
import type { Logger } from "pino";
import { freshRequest } from "../x509/index.ts";
import type { OwnTls } from "./certify.ts";

/** Puts a pair (PEM) into use. */
type Install = (pair: { readonly certificate: string; readonly key: string }) => void | Promise<void>;

interface ServerWish extends Wish {
  readonly names: ReturnType<OwnTls["names"]>;
  readonly authorities: string;
}

const SHARE = 1 / 3;

export class OwnServer {
  readonly #renewal: Renewal<ServerWish>;
  readonly #tls: OwnTls;
  readonly #install: Install;
  readonly #log: Logger;

  /** `install` is called with each new pair (PEM), the first as soon as there is an authority; where it rejects, the old one stays in use. */
  constructor(tls: OwnTls, install: Install, clock: Clock, log: Logger) {
    this.#tls = tls;
    this.#install = install;
    this.#log = log;
    this.#renewal = new Renewal<ServerWish>({
      clock,
      share: SHARE,
      async renew({ names }) {
        const { request, key } = await freshRequest(names);
        const { certificate, notAfter } = await tls.certify(request, "control");
        await install({ certificate, key });
        return { notAfter };
      },
      tell({ problem, notAfter }) {
        if (problem !== null)
          log.warn(
            { reason: problem, until: notAfter },
            "the certificate of the enrolment server is not renewed",
          );
      },
    });
  }

  get state(): RenewalState {
    return this.#renewal.state;
  }

  /** Names or authorities may have changed. With files they are what is used; without an authority nothing is asked for. */
  async follow(): Promise<void> {
    const { own, authorities, names, rotation } = this.#tls.given();
    const wish = { every: rotation, names, authorities };
    this.#renewal.wish(own !== null || authorities === "" ? null : wish);
    if (own === null) return;
    try {
      await this.#install(own);
    } catch (error) {
      this.#log.warn(
        { reason: messageOf(error) },
        "the certificate from the settings' files is not used for enrolment",
      );
    }
  }

  stop(): void {
    this.#renewal.stop();
  }
}
