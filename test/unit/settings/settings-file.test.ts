import { parseEnv } from "node:util";
import test from "ava";
import * as fc from "fast-check";
import { checkSettingsFile } from "../../../src/settings/index.ts";

const BOX = { image: true };

function problems(text: string, where = BOX): string[] {
  return checkSettingsFile(text, where).problems.map(({ line, what }) => `${line ?? "-"}: ${what}`);
}

test("a file as a person writes it comes out in its plain form", (t) => {
  const { text, problems: none } = checkSettingsFile(
    [
      "# prepared for hall 3",
      "",
      "  NIAC_ORIGIN = press-hall-3   # its name",
      'NIAC_UPLINK_ADDRESS="10.20.0.100/24"',
      "NIAC_UPLINK_GATEWAY='10.20.0.1'",
      'NIAC_CONSOLE="serial" # while it is set up',
      "NIAC_BUTTON=15m",
    ].join("\n"),
    BOX,
  );
  t.deepEqual(none, []);
  t.is(
    text,
    "NIAC_ORIGIN=press-hall-3\nNIAC_UPLINK_ADDRESS=10.20.0.100/24\nNIAC_UPLINK_GATEWAY=10.20.0.1\nNIAC_CONSOLE=serial\nNIAC_BUTTON=15m\n",
  );
});

test("an empty file is good, and says nothing", (t) => {
  t.deepEqual(checkSettingsFile("", BOX), { text: "", problems: [] });
});

test("each mistake is told with its line", (t) => {
  t.deepEqual(
    problems("NIAC_ORIGIN=a\nNIAC_ORGIN=b\nnonsense\nNIAC_ORIGIN=c\nNIAC_BUTTON=soon\nNIAC_CONSOLE=yes"),
    [
      "2: NIAC_ORGIN is no setting of niac",
      '3: "nonsense" is no NAME=value; a value with blanks or # stands in quotes',
      "4: NIAC_ORIGIN stands in the file twice",
      '5: NIAC_BUTTON is "soon"; it takes a time up to 12h, like 15m; 0m: the button allows nothing',
      '6: NIAC_CONSOLE is "yes"; it takes none or serial',
    ],
  );
});

test("a mistake that is about what the file does not say has no line", (t) => {
  const [first = ""] = problems("NIAC_TLS_KEY=/data/tls.key");
  t.regex(first, /^-: NIAC_TLS_CERTIFICATE is not set/);
});

test("what the image says itself is refused on a box, and taken elsewhere", (t) => {
  const text = "NIAC_UPLINK=eth0\nNIAC_DEVICE_PORT=eth1\n";
  t.deepEqual(problems(text), [
    "1: NIAC_UPLINK is set by the box's image, and by no file",
    "2: NIAC_DEVICE_PORT is set by the box's image, and by no file",
  ]);
  t.deepEqual(problems(text, { image: false }), []);
});

test("what readers of the file would take in different ways is refused", (t) => {
  for (const value of ["a$b", "a`b`", "a\\nb", 'a"b', "'a", "gr\u00fcn", "a\u0007"]) {
    t.is(problems(`NIAC_ORIGIN=${value}`).length, 1, value);
  }
  t.regex(problems("NIAC_ORIGIN=a#b")[0] ?? "", /stands in quotes/);
});

test("a file that is too long is not read", (t) => {
  t.deepEqual(problems("#".repeat(65_536)), []);
  t.deepEqual(problems("#".repeat(65_537)), ["-: the file has 65537 characters; at most 65536 are read"]);
});

test("the plain form says to Node's own reader what was checked, whatever was written", (t) => {
  const value = fc.string({
    unit: fc.constantFrom(...Array.from(" !%&()*+,-./0123456789:;<=>?@AZ[]^_az{|}~#'\"$\\\t")),
    maxLength: 12,
  });
  fc.assert(
    fc.property(value, fc.constantFrom("", '"', "'"), (written, quote) => {
      const { text, problems: wrong } = checkSettingsFile(`NIAC_ORIGIN=${quote}${written}${quote}`, BOX);
      if (wrong.length > 0) return;
      const { text: again, problems: none } = checkSettingsFile(text, BOX);
      t.deepEqual(none, []);
      t.is(again, text, "it stays as it is");
      const [line = ""] = text.split("\n");
      const plain = line.replace(/^NIAC_ORIGIN="?/, "").replace(/"$/, "");
      t.is(parseEnv(text)["NIAC_ORIGIN"], plain);
      t.is(text.split("\n").length, 2);
    }),
  );
});

test("on a box a TPM is a device of its own: no command is started, and no other computer asked, for its keys", (t) => {
  for (const good of ["auto", "none", "device:/dev/tpmrm0", "device:/dev/virtio-ports/niac.tpm"])
    t.deepEqual(problems(`NIAC_TPM=${good}`), []);
  for (const bad of ["cmd:sh -c true", "swtpm:host=10.20.0.9", "device:/dev/../data/x y", "device:tpm"]) {
    t.regex(problems(`NIAC_TPM="${bad}"`).join(), /^1: NIAC_TPM is .*it takes auto, none, or a device/);
    t.deepEqual(problems(`NIAC_TPM="${bad}"`, { image: false }), []);
  }
});
