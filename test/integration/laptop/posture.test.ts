import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import type { LaptopSurroundings } from "../../../src/laptop/index.ts";
import { postureAlways } from "../../../src/laptop/posture.ts";
import { thisHost } from "../../../src/laptop/posture-host.ts";
import { ProfileStore } from "../../../src/laptop/store.ts";
import { certificatePem } from "../../../src/x509/index.ts";
import { DEVICE, PostureBed } from "../../support/posture-bed.ts";
import { until } from "../../support/processes.ts";
import { Tree } from "../../unit/laptop/posture-tree.ts";
import { Laptop } from "./laptop.ts";

interface Enrolled {
  readonly bed: PostureBed;
  readonly laptop: Laptop;
  readonly store: ProfileStore;
}

/** A box that asks for an encrypted disk, and a laptop that has enrolled there. `trusts`: by whose authorities it knows the box. */
async function enrolled(t: ExecutionContext, trusts?: PostureBed): Promise<Enrolled> {
  const bed = await PostureBed.open();
  t.teardown(() => bed.est.close());
  const laptop = new Laptop(t);
  const store = new ProfileStore(laptop.profiles, "default");
  store.install({
    profile: {
      version: 1,
      box: bed.est.base,
      label: null,
      via: "127.0.0.1:1",
      appliance: "box",
      user: "alice",
      device: DEVICE,
      algorithm: "p256",
      token: null,
    },
    identity: `${bed.credentials?.cert ?? ""}${bed.credentials?.key ?? ""}`,
    ca: (trusts ?? bed).est.issuer.cacerts().map(certificatePem).join(""),
  });
  return { bed, laptop, store };
}

test("without --post a laptop needs no profile, and nobody hears of it", async (t) => {
  const laptop = new Laptop(t);
  await laptop.niac("posture");
  t.is(laptop.out.length, 4);
  t.regex(laptop.out[0] ?? "", /^FACT +FOUND +HOW$/);
  await t.throwsAsync(laptop.niac("posture", "--post"), { code: "no-profile" });
  await t.throwsAsync(laptop.niac("posture", "--watch"), { code: "no-profile" });
  await t.throwsAsync(laptop.niac("posture", "--watch", "--json"), { code: "posture-json" });
});

const shown = z.object({ facts: z.unknown(), answer: z.null() });

test("--post reports what was found, signed by the profile's key, and shows what the box makes of it", async (t) => {
  const { bed, laptop } = await enrolled(t);
  await laptop.niac("posture", "--post");
  t.true(laptop.out.includes("REQUIREMENT  MET  HOW LONG, OR WHY NOT"));
  t.is(bed.kept.length, 1);
  laptop.out.length = 0;
  await laptop.niac("posture", "--json");
  const { facts } = shown.parse(JSON.parse(laptop.out.join("\n")));
  const kept: unknown = bed.kept[0]?.facts;
  t.deepEqual(kept, facts);
});

test("what the box refuses is said in its words, with its advice", async (t) => {
  const { bed, laptop } = await enrolled(t);
  const refusal = { code: "revoked", reason: "certificate 07 was revoked", advice: "Enrol anew." } as const;
  bed.verdict = { refusal, grace: null };
  const error = await t.throwsAsync(laptop.niac("posture", "--post"), { code: "posture-refused" });
  t.regex(error.message, /does not take the report: certificate 07 was revoked\.$/);
  t.like(error, { advice: "Enrol anew." });
});

test("a box that cannot be verified gets no report, and one that is away says so", async (t) => {
  const other = await PostureBed.open();
  t.teardown(() => other.est.close());
  const { bed, laptop } = await enrolled(t, other);
  await t.throwsAsync(laptop.niac("posture", "--post"), { code: "est-server-certificate" });
  t.is(bed.kept.length, 0);
  const away = await enrolled(t);
  await away.bed.est.service.close();
  await t.throwsAsync(away.laptop.niac("posture", "--post"), { code: "est-away" });
});

test("--watch reports at once when something changes, keeps trying, and says nothing twice", async (t) => {
  const { bed, laptop, store } = await enrolled(t);
  const tree = new Tree(t);
  tree.process(1, "systemd", 0);
  tree.disk("sda", "8:0", ["sda1", "8:1"]);
  tree.mapped("dm-0", "254:0", "CRYPT-LUKS2-x", ["sda1"]);
  tree.mount("254:0", "/", "ext4", "/dev/mapper/root");
  const [out, err]: [string[], string[]] = [[], []];
  const stop = Promise.withResolvers<void>();
  const around: LaptopSurroundings = {
    lookup: () => undefined,
    platform: "linux",
    home: "/home/alice",
    hostname: "laptop-7",
    environment: {},
    program: [],
    screen: null,
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
    interrupted: () => stop.promise,
    ask: () => Promise.resolve(null),
    browse() {},
  };
  const watching = postureAlways({ ...thisHost(around), files: tree.files }, store, around, 50);
  const facts = () => bed.kept.map(({ facts: { diskEncryption } }) => diskEncryption);
  await until(() => facts().length === 1, "the first report");
  tree.mount("8:1", "/home", "ext4", "/dev/sda1");
  await until(() => facts().length === 2, "the changed report");
  t.deepEqual(facts(), [true, false]);
  await until(
    () => out.some((line) => /^encrypted +no +its disk is not encrypted/.test(line)),
    "the bad news",
  );
  t.true(out.some((line) => /^encrypted +yes/.test(line)));
  bed.verdict = { refusal: { code: "revoked", reason: "revoked", advice: "Enrol anew." }, grace: null };
  tree.mount("254:0", "/home", "ext4", "/dev/dm-0");
  await until(() => err.length === 3, "what the box says");
  t.deepEqual(err.slice(1), ["Enrol anew.", "Next try in 10 s."]);
  stop.resolve();
  await watching;
  t.is(facts().length, 2);
  t.is(laptop.out.length, 0);
});
