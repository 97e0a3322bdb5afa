import test from "ava";
import {
  type Standing,
  decide,
  isDenial,
  isPermit,
  judgeSession,
  nextChange,
  openSession,
  reportedDevice,
  standingOf,
  unknownStanding,
  type PostureReport,
  type ReportedDevice,
} from "../../../src/policy/index.ts";
import type { PostureRequirement } from "../../../src/site/index.ts";
import { open, policyOf, read, requestOf, write } from "./documents.ts";

const NOW = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;
const SIGNERS = new Set(["mdm"]);

const DEVICE: ReportedDevice = { device: "laptop-1", authority: null, tenant: null };

const REQUIREMENT: PostureRequirement = {
  name: "healthy",
  maxAge: 8 * HOUR,
  signedBy: "any",
  diskEncryption: null,
  edr: null,
  osVersion: null,
};

function report(
  facts: Partial<PostureReport["facts"]> = {},
  rest: Partial<PostureReport> = {},
): PostureReport {
  const all = { diskEncryption: null, edr: null, os: null, ...facts };
  return { ...DEVICE, by: "laptop", made: NOW, ...rest, facts: all };
}

function standing(
  asked: Partial<PostureRequirement>,
  reports: readonly PostureReport[],
  device: ReportedDevice | null = DEVICE,
): Standing {
  return standingOf({ ...REQUIREMENT, ...asked }, device, reports, SIGNERS);
}

function signed(signedBy: PostureRequirement["signedBy"], ...reports: readonly PostureReport[]): number {
  return standing({ signedBy }, reports).until;
}

function bad(): Standing {
  return { until: -Infinity, lack: "its disk is not encrypted" };
}

test("without a report, for another device, or without a device nothing is met", (t) => {
  for (const { until, lack } of [
    standing({}, []),
    standing({}, [report({}, { device: "laptop-2" })]),
    standing({}, [report()], null),
    unknownStanding("healthy"),
  ]) {
    t.is(until, -Infinity);
    t.not(lack, "");
  }
});

/** One name, four devices. */
const NAMESAKES: readonly ReportedDevice[] = [
  DEVICE,
  { ...DEVICE, tenant: "acme" },
  { ...DEVICE, authority: "acme" },
  { ...DEVICE, authority: "acme", tenant: "acme" },
];

test("a report counts for its own device alone, and not for one of the same name elsewhere", (t) => {
  const unencrypted = { diskEncryption: false };
  for (const own of NAMESAKES) {
    const good = report({ diskEncryption: true }, { ...own, made: NOW - HOUR });
    const others = NAMESAKES.filter((one) => one !== own);
    const worse = others.map((one) => report(unencrypted, one));
    t.is(standing({ diskEncryption: true }, [...worse, good], own).until, NOW + 7 * HOUR);
    for (const other of others) {
      const { until, lack } = standing({ diskEncryption: true }, [good], other);
      t.is(until, -Infinity);
      t.regex(lack, /there is no report of laptop-1/);
    }
  }
  t.is(
    standing({}, [], { ...DEVICE, authority: "corporate", tenant: "acme" }).lack,
    "there is no report of laptop-1 (authority corporate, tenant acme)",
  );
});

test("a device is the plant's by whichever of its own authorities, and another's by that one alone", (t) => {
  const listed = new Map([
    ["managed 3", { outside: false }],
    ["managed 9", { outside: false }],
    ["corporate", { outside: true }],
  ]);
  const of = (authority: string | null, tenant: string | null = null, device: string | null = "laptop-1") =>
    reportedDevice({ device, authority, tenant }, listed);
  t.deepEqual(of("managed 3"), DEVICE);
  t.deepEqual(of("managed 9"), DEVICE, "a rotated authority");
  t.deepEqual(of("managed 9", "acme"), { ...DEVICE, tenant: "acme" });
  t.deepEqual(of("corporate"), { ...DEVICE, authority: "corporate" });
  t.deepEqual(of("corporate", "acme"), { ...DEVICE, authority: "corporate", tenant: "acme" });
  t.is(of("managed 3", null, null), null);
  t.is(of("unheard-of"), null, "it was taken off the list");
  t.is(of(null), null, "whoever came by the files, once authorities are listed");
  t.deepEqual(reportedDevice({ ...DEVICE }, new Map()), DEVICE);
});

function told(maxAge: number): string {
  return /counts for (.*)$/.exec(standing({ maxAge }, [report()]).lack)?.[1] ?? "";
}

test("how long a report counts is told as it was written", (t) => {
  t.deepEqual([60_000, 90 * 60_000, HOUR, 25 * HOUR, 720 * HOUR, 90_500].map(told), [
    "1 min",
    "90 min",
    "1 h",
    "25 h",
    "720 h",
    "90.5 s",
  ]);
});

test("a requirement that asks for no fact asks for a report, and for its age", (t) => {
  const { until, lack } = standing({}, [report({}, { made: NOW - HOUR }), report({}, { made: NOW })]);
  t.is(until, NOW + 8 * HOUR);
  t.is(lack, "the report of 2026-06-01 12:00 UTC by the laptop itself is stale: it counts for 8 h");
});

test("each fact that is asked for must be known and right; the message says which is not", (t) => {
  const cases = [
    [{ diskEncryption: true }, { diskEncryption: true }, /stale/],
    [{ diskEncryption: true }, { diskEncryption: false }, /its disk is not encrypted \(report of 2026/],
    [{ diskEncryption: true }, {}, /no report says whether its disk is encrypted/],
    [{ edr: true }, { edr: true, diskEncryption: false }, /stale/],
    [{ edr: true }, { edr: false }, /no endpoint protection runs/],
    [{ edr: true, diskEncryption: true }, {}, /disk.*; .*endpoint/],
  ] as const;
  for (const [asked, facts, lack] of cases) {
    const found = standing(asked, [report(facts)]);
    t.regex(found.lack, lack);
    t.is(found.until, lack.source === "stale" ? NOW + 8 * HOUR : -Infinity);
  }
});

test("versions are compared number by number, and a system that is not listed will not do", (t) => {
  const osVersion = { linux: "6.9", windows: "10.0.19045" };
  const met = (name: "linux" | "windows" | "macos", version: string): boolean =>
    standing({ osVersion }, [report({ os: { name, version } })]).until > NOW;
  for (const version of ["6.9", "6.9.0", "6.10", "6.12.30+deb13-amd64", "7"])
    t.true(met("linux", version), version);
  for (const version of ["6.8.99", "6", "5.10", "rolling", "", "v6.10"])
    t.false(met("linux", version), version);
  t.true(met("windows", "10.0.22631"));
  t.false(met("windows", "10.0"));
  t.false(met("macos", "15.1"));
  t.regex(
    standing({ osVersion }, [report({ os: { name: "linux", version: "6.8" } })]).lack,
    /linux 6\.8, at least 6\.9/,
  );
  t.regex(standing({ osVersion }, [report()]).lack, /which operating system/);
});

test("only reports of those who may sign count", (t) => {
  const own = report({}, { by: "laptop" });
  const managed = report({}, { by: "mdm", made: NOW - HOUR });
  const stranger = report({}, { by: "another" });
  t.is(signed("laptop", own, managed), NOW + 8 * HOUR);
  t.is(signed("laptop", managed), -Infinity);
  t.is(signed("management", own, managed), NOW + 7 * HOUR);
  t.is(signed("management", own), -Infinity);
  for (const signedBy of ["management", "any", "laptop"] as const)
    t.is(signed(signedBy, stranger), -Infinity);
});

test("of each fact the newest report that knows it decides, and ages", (t) => {
  const managed = report({ diskEncryption: true, edr: true }, { by: "mdm", made: NOW - 2 * HOUR });
  const asked = { diskEncryption: true, edr: true } as const;
  t.is(
    standing(asked, [managed, report({ edr: true })]).until,
    NOW + 6 * HOUR,
    "the disk's is the older one",
  );
  t.regex(
    standing(asked, [managed, report({ diskEncryption: false })]).lack,
    /not encrypted.*by the laptop itself/,
  );
  const later = report({ diskEncryption: true, edr: true }, { by: "mdm", made: NOW + 1 });
  t.is(standing(asked, [later, report({ diskEncryption: false })]).until, NOW + 1 + 8 * HOUR);
});

const grants = [
  { name: "reads", modbus: { functions: [3] } },
  { name: "writes", modbus: { functions: [6] }, posture: ["healthy"] },
];

test("a grant whose posture is not met gives nothing, and the denial says what is missing", (t) => {
  const policy = policyOf({ grants });
  const session = open(policy, requestOf({}, { posture: bad }), NOW);
  t.deepEqual(session.grants, ["reads"]);
  t.true(isPermit(decide(session, read(1), NOW)));
  t.like(decide(session, write(1, 1), NOW), { stage: "posture", rule: "writes", exception: 1 });
  const alone = openSession(policyOf({ grants: grants.slice(1) }), requestOf({}, { posture: bad }), NOW);
  t.true(isDenial(alone));
  t.like(alone, {
    stage: "posture",
    rule: "writes",
    reason:
      'alice may open press-4/plc under grant "writes" only from a laptop that meets "healthy": its disk is not encrypted',
  });
  t.regex(isDenial(alone) ? alone.advice : "", /new report.*posture "healthy" or grant "writes"/);
});

const only = (name: string) => (asked: string) =>
  asked === name ? { until: Infinity, lack: "" } : unknownStanding(asked);

test("every one of a grant's requirements must be met", (t) => {
  const policy = policyOf({ grants: [{ ...grants[1], name: "both", posture: ["healthy", "reported"] }] });
  for (const name of ["healthy", "reported"]) {
    const other = name === "healthy" ? "reported" : "healthy";
    const found = openSession(policy, requestOf({}, { posture: only(name) }), NOW);
    t.true(isDenial(found) && found.stage === "posture" && found.reason.includes(`"${other}"`));
  }
});

test("a report that grows stale is a change of its own, to the millisecond", (t) => {
  const until = NOW + 1_000;
  const posture = (): Standing => ({ until, lack: "it is stale" });
  const policy = policyOf({ grants });
  const session = open(policy, requestOf({}, { posture }), NOW);
  t.is(nextChange(session, NOW), until);
  t.true(isPermit(decide(session, write(1, 1), until - 1)));
  t.like(decide(session, write(1, 1), until), { stage: "posture" });
  t.is(nextChange(session, until), Infinity);
  const alone = policyOf({ grants: grants.slice(1) });
  t.like(judgeSession(alone, open(alone, requestOf({}, { posture }), NOW), until), { stage: "posture" });
});

test("a new report is seen at the next judgement, and a time that is no number meets nothing", (t) => {
  let until = -Infinity;
  const request = requestOf({}, { posture: () => ({ until, lack: "no report" }) });
  const policy = policyOf({ grants });
  const session = open(policy, request, NOW);
  t.true(isDenial(decide(session, write(1, 1), NOW)));
  until = NOW + 1;
  const again = judgeSession(policy, session, NOW);
  t.true(isPermit(again) && isPermit(decide(again, write(1, 1), NOW)));
  until = Number.NaN;
  t.deepEqual(isPermit(again) ? judgeSession(policy, again, NOW) : null, judgeSession(policy, session, NOW));
  t.like(openSession(policyOf({ grants: grants.slice(1) }), request, NOW), { stage: "posture" });
});
