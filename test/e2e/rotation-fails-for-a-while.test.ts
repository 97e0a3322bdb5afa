import test from "ava";
import { AuthorityBed } from "../support/authority-bed.ts";
import { shown, Steady } from "../support/rotation-clients.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine } from "../support/tools.ts";

/** Also where it went in the middle of its answer. */
const TROUBLE = /cannot be renewed, and the one in use expires in .*: control, which signs it, is away$/;

test("control is killed while certificates rotate: what is open goes on, the old one stays, it is warned of, and all mends itself", async (t) => {
  t.timeout(180_000);
  const machine = await PymodbusMachine.start(t);
  const bed = await AuthorityBed.start(t, {
    site: pressSite(machine.port),
    parts: ["control", "gateway"],
    environment: { NIAC_ROTATION: "300ms" },
  });
  const { appliance } = bed;
  const alice = await bed.laptop("alice");
  const ca = await bed.trust();
  const steady = await Steady.start(bed, alice);
  const before = await shown(bed, alice, ca);
  t.regex((await appliance.niac("status")).out, /gateway +running\nown cert\. +good until \d{4}-/);

  await appliance.end("control", "SIGKILL");
  await appliance.logged("the gateway's certificate cannot be renewed, and the one in use expires in");
  const failed = appliance.log.length;
  await appliance.logged("the gateway's certificate cannot be renewed", failed);
  const during = steady.transactions;
  await appliance.until(() => steady.transactions > during + 20, "transactions while control is away");

  const mark = appliance.log.length;
  await appliance.run("control");
  await appliance.logged("the gateway has a new certificate of its own", mark);
  const after = await shown(bed, alice, ca);
  t.not(after.serialNumber, before.serialNumber);
  await steady.stop();
  t.deepEqual(steady.failures, []);
  let told: string[] = [];
  const mended = async (): Promise<boolean> => {
    told = (await appliance.records("kind=trust")).map(({ reason }) => reason ?? "");
    const trouble = told.findIndex((reason) => TROUBLE.test(reason));
    return trouble !== -1 && told.includes("the gateway has a new certificate of its own", trouble);
  };
  await appliance.until(mended, "records of the trouble and of its end");
  const troubles = told.filter((reason) => TROUBLE.test(reason));
  t.is(troubles.length, 1, `once for the trouble, and not for each try: ${told.join("\n")}`);
  t.regex((await appliance.niac("status")).out, /own cert\. +good until/);
});

test("without an authority the gateway listens to nobody and says why, and begins by itself once there is one", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await AuthorityBed.prepare(t, { site: null, environment: { NIAC_ROTATION: "8h" } });
  const { appliance } = bed;
  appliance.launch("up");
  await appliance.logged("the gateway listens to nobody yet");
  const status = await appliance.niac("status");
  t.regex(
    status.out,
    /listens to nobody: it has no certificate of its own yet\nproblem +.*niac authority init/,
  );
  t.notRegex(appliance.log, /gateway is ready/);
  await bed.init();
  await appliance.logged("gateway is ready");
  await bed.apply(pressSite(machine.port));
  const alice = await bed.laptop("alice");
  t.truthy((await shown(bed, alice)).subjectAltName?.includes("DNS:*.press-4.box.plant.example"));
});
