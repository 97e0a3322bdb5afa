import test from "ava";
import { chooseWay, kindOf, protects } from "../../../src/seal/keyring-ways.ts";
import { said } from "../../../src/seal/tpm-tools.ts";

const FILES = { keyFile: null, passphraseFile: null };
const BOTH = { device: true, tools: true };

test("auto takes the TPM where there is one, and nothing else", (t) => {
  const way = (tpm: string, there = BOTH): string => kindOf(chooseWay({ tpm, ...FILES }, there).way);
  t.is(way("auto"), "the TPM");
  t.is(way("auto", { device: false, tools: true }), "this computer's id alone");
  t.is(way("none"), "this computer's id alone");
  t.is(
    way("swtpm:path=/run/x", { device: false, tools: false }),
    "the TPM",
    "what is named is never done without",
  );
  t.deepEqual(chooseWay({ tpm: "auto", ...FILES }, BOTH).way, { kind: "tpm", tcti: "device:/dev/tpmrm0" });
});

test("a TPM without its tools is said", (t) => {
  const chosen = chooseWay({ tpm: "auto", ...FILES }, { device: true, tools: false });
  t.is(kindOf(chosen.way), "this computer's id alone");
  t.regex("problem" in chosen ? chosen.problem : "", /tpm2-tools .* not installed$/);
  t.false("problem" in chooseWay({ tpm: "none", ...FILES }, { device: true, tools: false }));
});

test("each way says against whom it does not protect", (t) => {
  const derived = { version: 1, machine: "", salt: "", sealed: "" } as const;
  const texts = [
    protects({ version: 1, kind: "tpm", primary: "", public: "", private: "" }),
    protects({ ...derived, kind: "machine", keyFile: false, passphrase: false }),
    protects({ ...derived, kind: "file", keyFile: true, passphrase: false }),
    protects({ ...derived, kind: "file", keyFile: true, passphrase: true }),
  ];
  t.is(new Set(texts).size, texts.length);
  for (const text of texts) t.regex(text, /is root/);
  t.regex(texts[3] ?? "", /a key file and a passphrase with this computer's id/);
});

test("of a tool's many lines the one with the reason is kept", (t) => {
  const lines = [
    "WARNING:esys:src/tss2-esys/api/Esys_Load.c:324:Esys_Load_Finish() Received TPM Error ",
    "ERROR:esys:src/tss2-esys/api/Esys_Load.c:112:Esys_Load() Esys Finish ErrorCode (0x000001df) ",
    "ERROR: Eys_Load(0x1DF) - tpm:parameter(1):integrity check failed",
    "ERROR: Unable to run load",
  ];
  t.is(said(lines.join("\n")), "Eys_Load(0x1DF) - tpm:parameter(1):integrity check failed");
  t.is(said(lines.slice(0, 2).join("\n")), lines[1]?.trim().replace("ERROR:", "") ?? "");
  t.is(said("something else\n"), "something else");
  t.is(said(""), "");
  t.is(said(`ERROR: ${"x".repeat(1_000)}`).length, 300);
});
