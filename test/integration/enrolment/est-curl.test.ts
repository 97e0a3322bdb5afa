/** curl and openssl as EST client: what a person does by hand, and what is wrong on purpose. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificatePem } from "../../../src/x509/index.ts";
import { EstBed, subject } from "../../support/est-bed.ts";
import { testWith } from "../../support/tools.ts";

const HOUR = 3_600_000;
const test = testWith("curl", "openssl");

/** What a shell prints; its exit code and complaints too where it fails. */
function shell(bed: EstBed, script: string): Promise<string> {
  const child = spawn("bash", ["--norc", "-euo", "pipefail", "-c", script], {
    cwd: bed.dir,
    env: { PATH: process.env["PATH"], EST: `${bed.base}/.well-known/est` },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  }
  child.stdin.end();
  return new Promise((resolve) =>
    child.once("close", (status) => resolve(status === 0 ? text : `${text}\nended with ${status}`)),
  );
}

const KEY = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
const POST = `curl -sS --cacert trust.pem -H 'Content-Type: application/pkcs10'`;
const STATUS = "-o answer -w '%{http_code}'";

async function withBed(body: (bed: EstBed) => Promise<void>): Promise<void> {
  const bed = await EstBed.open();
  try {
    const trust = bed.issuer.cacerts().map((each) => certificatePem(each));
    writeFileSync(join(bed.dir, "trust.pem"), trust.join(""));
    await body(bed);
  } finally {
    await bed.close();
  }
}

test("curl and openssl fetch the authorities, enrol, verify what they got, and renew it", async (t) => {
  await withBed(async (bed) => {
    const cacerts = await shell(
      bed,
      "curl -sS --cacert root.pem $EST/cacerts | base64 -d | openssl pkcs7 -inform DER -print_certs | grep -c BEGIN",
    );
    t.is(Number(cacerts), bed.issuer.cacerts().length);
    t.regex(
      await shell(
        bed,
        "curl -sS --cacert root.pem $EST/csrattrs | base64 -d | openssl asn1parse -inform DER",
      ),
      /prime256v1/,
    );
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const enrolled = await shell(
      bed,
      `${KEY} -keyout a.key -subj /CN=alice -outform DER -out a.csr 2>/dev/null; openssl base64 -in a.csr -out a.b64
      ${POST} -u alice:${code} --data-binary @a.b64 $EST/simpleenroll | base64 -d | openssl pkcs7 -inform DER -print_certs -out a.crt
      openssl verify -CAfile trust.pem -purpose sslclient a.crt`,
    );
    t.regex(enrolled, /a\.crt: OK/);
    const renewed = await shell(
      bed,
      `${KEY} -keyout b.key -subj /CN=alice -outform DER 2>/dev/null | base64 -w0 > b.b64
      ${POST} --cert a.crt --key a.key --data-binary @b.b64 $EST/simplereenroll | base64 -d | openssl pkcs7 -inform DER -print_certs -out b.crt
      openssl verify -CAfile trust.pem -purpose sslclient b.crt`,
    );
    t.regex(renewed, /b\.crt: OK/);
    t.is(bed.issuer.issuedFor.length, 2);
  });
});

test("a weak key, a forbidden name, another's name and the rights of an authority are refused by name, and the code stays good", async (t) => {
  await withBed(async (bed) => {
    const { code } = await bed.service.makeCode(subject("alice"), HOUR, "operator");
    const ask = (request: string): Promise<string> =>
      shell(
        bed,
        `${request} -outform DER 2>/dev/null | base64 -w0 > x.b64
        ${POST} ${STATUS} -u alice:${code} --data-binary @x.b64 $EST/simpleenroll; echo; cat answer`,
      );
    const key = `${KEY} -keyout x.key`;
    for (const [request, answer] of [
      ["openssl req -new -newkey rsa:1024 -nodes -keyout x.key -subj /CN=alice", /^400\n.*1024 bits/],
      [`${key} -subj /CN=bob`, /^400\n.*another's/],
      [`${key} -subj /O=Plant/CN=alice`, /^400\n.*common name alone/],
      [`${key} -subj /CN=alice -addext subjectAltName=DNS:plc-1`, /^400\n.*forbidden name: DNS name plc-1/],
      [`${key} -subj /CN=alice -addext subjectAltName=URI:urn:niac:group:admins`, /^400\n.*forbidden name/],
      [`${key} -subj /CN=alice -addext basicConstraints=CA:TRUE`, /^400\n.*CA:TRUE/],
      [`${key} -subj /CN=alice -addext extendedKeyUsage=serverAuth`, /^400\n.*serverAuth/],
      [`${key} -subj /CN=alice`, /^200\n/],
    ] as const) {
      t.regex(await ask(request), answer, request);
    }
    t.is(bed.issuer.issuedFor.length, 1);
  });
});

test("ten megabytes are answered 413, and curl reads why", async (t) => {
  await withBed(async (bed) => {
    const answer = await shell(
      bed,
      `head -c 10000000 /dev/zero > big; ${POST} ${STATUS} --data-binary @big $EST/simpleenroll; echo; cat answer`,
    );
    t.regex(answer, /^413\nThe body is longer|^413\nthe body is longer/);
  });
});

test("without credentials curl is told to wait, and gets the certificate once it is approved", async (t) => {
  await withBed(async (bed) => {
    const post = `${POST} ${STATUS} -D head --data-binary @a.b64 $EST/byod/simpleenroll`;
    const first = await shell(
      bed,
      `${KEY} -keyout a.key -subj /CN=alice -outform DER 2>/dev/null | base64 -w0 > a.b64; ${post}; grep -i retry-after head`,
    );
    t.regex(first, /^202Retry-After: 15/);
    const [{ id } = { id: "" }] = bed.service.waiting();
    await bed.service.approve(id, subject("alice", { tier: "byod" }), "operator");
    const second = await shell(
      bed,
      `${post}; base64 -d answer | openssl pkcs7 -inform DER -print_certs | head -1`,
    );
    t.regex(second, /^200subject=CN = alice/);
  });
});
