import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demo } from "../support/demo.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "openssl",
  "ip",
)(
  "the demo of certificates: enrolled, connected, and out the moment the certificate is revoked",
  async (t) => {
    const temporary = mkdtempSync(join(tmpdir(), "niac-demo-test-"));
    t.teardown(() => rmSync(temporary, { recursive: true, force: true }));
    const checked = demo(temporary, ["--trust", "--check"]);
    t.teardown(() => checked.interrupt());
    t.is(await checked.ended, 0, checked.text());
    t.regex(checked.text(), /\ndemo: alice enrolled, worked, and was out the moment she was revoked\n$/);
    t.log(/from typing the command to the closed socket: \d+ ms/.exec(checked.text())?.[0]);
    t.deepEqual(readdirSync(temporary), []);
  },
);
