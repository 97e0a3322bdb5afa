/** Sessions opened, used once and closed: what each algorithm costs, beside peers that do the same TLS. */
import { setTimeout as sleep } from "node:timers/promises";
import { handshakes, type Target } from "./load.ts";
import { SETTLE, type Subject } from "./measure.ts";
import { niac } from "./niac.ts";
import { cpuBetween, cpuOfTree } from "./processes.ts";
import type { Proxy } from "./proxy.ts";
import { mlDsaIdentities } from "./trust-identities.ts";
import { NODE } from "./trust-peers.ts";
import { HANDSHAKES, type HandshakeKind } from "./trust-rows.ts";
import type { TrustBench } from "./trust.ts";

export interface HandshakeAmounts {
  readonly rounds: number;
  readonly count: number;
  /** Before anything is measured, on each proxy and of each kind. */
  readonly warmUp: number;
}

const PARALLEL = 8;

interface Side {
  readonly subject: Subject;
  readonly target: Target;
}

export async function measureHandshakes(bench: TrustBench, peers: readonly Proxy[]): Promise<void> {
  const { stage, amounts, add, progress, wants, inRounds } = bench;
  const { rounds, count, warmUp } = amounts.handshakes;
  progress("trust: starting what is compared");
  const plain: Subject[] = [];
  for (const proxy of [niac(), ...peers]) plain.push(await stage.start(proxy));
  const signed: Subject[] = [];
  const identities = await mlDsaIdentities(stage.newDir());
  for (const proxy of [niac(), ...peers.filter(isModern)])
    signed.push(await stage.start(proxy, "", identities));
  const sides: Readonly<Record<HandshakeKind, readonly Side[]>> = {
    p256: plain.map((subject) => ({ subject, target: subject.target })),
    p256Hybrid: plain.filter(isModern).map((subject) => ({ subject, target: subject.hybridTarget })),
    mlDsa65Hybrid: signed.map((subject) => ({ subject, target: subject.hybridTarget })),
  };
  const kinds = Object.entries(HANDSHAKES)
    .map(([kind]) => kind)
    .filter((kind): kind is HandshakeKind => kind in sides && wants(`handshake.${kind}`));
  for (const kind of kinds) for (const { target } of sides[kind]) await handshakes(target, warmUp, PARALLEL);
  await inRounds("handshakes", rounds, async (round) => {
    for (const kind of kinds) {
      // Who goes first changes with each round.
      const order = round % 2 === 1 ? sides[kind] : sides[kind].toReversed();
      for (const side of order) {
        const { cpu, perSecond } = await open(side, count);
        add(`handshake.${kind}.cpu`, side.subject.name, cpu);
        add(`handshake.${kind}.perSecond`, side.subject.name, perSecond);
      }
    }
  });
  await Promise.all([...plain, ...signed].map(({ process }) => process.stop()));
}

/** Whether it has ML-KEM and ML-DSA, which OpenSSL has from 3.5 on and Node 24 brings with it. */
function isModern({ name }: { readonly name: string }): boolean {
  return name === niac().name || name === NODE;
}

async function open({ subject, target }: Side, count: number): Promise<{ cpu: number; perSecond: number }> {
  const before = cpuOfTree(subject.process);
  const begin = performance.now();
  await handshakes(target, count, PARALLEL);
  const elapsed = (performance.now() - begin) / 1_000;
  await sleep(SETTLE);
  const cpu = cpuBetween(subject.name, before, cpuOfTree(subject.process)) / count;
  return { cpu, perSecond: count / elapsed };
}
