import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { serveOutside } from "../../../src/revocation/outside-admin.ts";
import { crlCommand } from "../../../src/command/outside.ts";
import type { Surroundings } from "../../../src/command/index.ts";
import { ADMIN_SOCKET, crlImport, dial, listen } from "../../../src/link/index.ts";
import { webServer } from "../../support/outside-ca.ts";
import { entry, OutsideBed, TestCa } from "./outside-bed.ts";

const BOB = "0b0b";

interface Desk {
  readonly bed: OutsideBed;
  readonly ca: TestCa;
  readonly printed: string[];
  code: number;
  file(name: string, bytes: Uint8Array): string;
  crl(...words: string[]): Promise<void>;
  readonly dir: string;
}

/** Control's part behind its socket, and somebody who types. */
async function openDesk(t: ExecutionContext): Promise<Desk> {
  const dir = mkdtempSync(join(tmpdir(), "niac-crl-"));
  const bed = OutsideBed.open(t);
  const ca = await TestCa.make("A CA");
  bed.outside.apply([ca.config()]);
  const server = await listen(join(dir, ADMIN_SOCKET), "control", (channel) =>
    serveOutside(channel, bed.outside),
  );
  t.teardown(() => {
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const printed: string[] = [];
  const around: Surroundings = {
    print: (line) => printed.push(line),
    complain: (line) => printed.push(line),
    color: false,
    width: 120,
    user: "engineer-1",
    runDir: () => dir,
    exit: (code) => void (desk.code = code),
    interrupted: () => Promise.resolve(),
    secret: () => Promise.resolve(null),
  };
  const desk: Desk = {
    bed,
    ca,
    printed,
    dir,
    code: 0,
    file(name, bytes) {
      writeFileSync(join(dir, name), bytes);
      return join(dir, name);
    },
    async crl(...words) {
      printed.length = 0;
      await crlCommand(around).parseAsync(words, { from: "user" });
    },
  };
  return desk;
}

function serialAt(index: number): string {
  return `4a${index.toString(16).padStart(38, "0")}`;
}

test("a list is imported from a file, and shown", async (t) => {
  const desk = await openDesk(t);
  const file = desk.file("a.crl", desk.ca.crl({ number: 7n, revoked: [BOB] }));
  await desk.crl("import", file);
  t.deepEqual(desk.printed, ["the list of A CA, number 7: 1 revoked, good until 2026-05-29 20:26 UTC"]);
  t.is(await desk.bed.verdict(desk.ca, BOB), "revoked");
  await desk.crl("import", file);
  t.deepEqual(desk.printed, ["the list of A CA, number 7 was held already"]);
  await desk.crl("show");
  t.regex(desk.printed.join("\n"), /A CA +crl +A CA +7 +1 +2026-05-29 20:26 UTC .*engineer-1/);
});

test("a list that is not taken, and a file that is not there, are refused with the reason", async (t) => {
  const desk = await openDesk(t);
  const other = await TestCa.make("Other CA");
  const file = desk.file("other.crl", other.crl());
  await t.throwsAsync(desk.crl("import", file), {
    code: "crl-issuer",
    message: /of CN=Other CA, not of A CA/,
  });
  await t.throwsAsync(desk.crl("import", desk.file("empty.crl", Buffer.alloc(0))), { code: "crl-malformed" });
  await t.throwsAsync(desk.crl("import", join(desk.dir, "none.crl")), { code: "file" });
});

test("a list of 130,000 comes in parts, and each of its certificates is revoked", async (t) => {
  const desk = await openDesk(t);
  const revoked = Array.from({ length: 130_000 }, (_, index) => entry(serialAt(index * 2)));
  const list = desk.ca.crl({ revoked });
  t.true(list.length > 6 * 1024 * 1024, "more than one part holds");
  await desk.crl("import", desk.file("large.crl", list));
  t.regex(desk.printed[0] ?? "", /: 130000 revoked/);
  for (const index of [0, 2, 100_000, 259_998])
    t.is(await desk.bed.verdict(desk.ca, serialAt(index)), "revoked");
  for (const index of [1, 259_999, 260_000]) t.is(await desk.bed.verdict(desk.ca, serialAt(index)), "good");
});

test("parts of a command that broke off are not the beginning of the next one's list", async (t) => {
  const desk = await openDesk(t);
  const broken = await dial(join(desk.dir, ADMIN_SOCKET), "command");
  await broken.call(crlImport, { part: "AAAA", last: false, by: "engineer-1" });
  broken.close();
  await desk.crl("import", desk.file("a.crl", desk.ca.crl()));
  t.is(await desk.bed.verdict(desk.ca, BOB), "good");
});

test("lists are fetched on demand; what could not be fetched makes the command fail", async (t) => {
  const desk = await openDesk(t);
  await t.throwsAsync(desk.crl("fetch", "A CA"), { code: "no-list" });
  let list: Buffer | null = desk.ca.crl({ revoked: [BOB] });
  const server = await webServer((_, response) => {
    if (list === null) response.writeHead(500).end();
    else response.end(list);
  });
  t.teardown(() => server.stop());
  desk.bed.outside.apply([desk.ca.config({ crlUrl: `${server.url}/a.crl` })]);
  await desk.crl("fetch", "A CA");
  t.is(desk.code, 0);
  t.is(await desk.bed.verdict(desk.ca, BOB), "revoked");
  list = null;
  await desk.crl("fetch");
  t.is(desk.code, 1);
  t.regex(desk.printed.join("\n"), /A CA: .* answers 500/);
});
