/**
 * A settings' file as a person writes it, checked line by line before a box takes it.
 *
 *     # a comment
 *     NAME=value           # one
 *     NAME="a value"
 *
 * Node reads the file later (util.parseEnv), which takes nearly anything; so what is told apart here is written again in the plain form, which
 * every reader, a shell script among them, takes for the same. Pure.
 */
import { SETTING_NAMES } from "./names.ts";
import { judgeSettings } from "./settings.ts";

export interface SettingsFile {
  /** The file in its plain form; to be used only where there are no problems. */
  readonly text: string;
  /** `line` counts from 1; null: it is about no line of the file. */
  readonly problems: readonly { readonly line: number | null; readonly what: string }[];
}

const LONGEST_FILE = 65_536;
/** What the box's image says itself, by the units of its processes: a file could not change it. */
const OF_THE_IMAGE: readonly string[] = [
  "NIAC_STATE_DIR",
  "NIAC_RUN_DIR",
  "NIAC_UPLINK",
  "NIAC_DEVICE_PORT",
  "NIAC_GATEWAY_USER",
];
/** The image has tools that a TCTI could start, or reach another computer by: there it names a device of the box, and nothing else. */
const TPM_OF_THE_IMAGE = /^(?:auto|none|device:\/dev\/[\w./-]+)$/;
/** Read by the image's own scripts, not by niac: name, and the values that it takes. */
const OF_SCRIPTS: ReadonlyMap<string, readonly string[]> = new Map([["NIAC_CONSOLE", ["none", "serial"]]]);

const LINE = /^([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^"'#]*?))\s*(?:(?<=[\s"'])#.*)?$/;
/** Printable ASCII without quotes, backslash, dollar sign, number sign and back quote: what readers take in different ways. */
const PLAIN = /^[ !%&()*+,\-./0-9:;<=>?@A-Z[\]^_a-z{|}~]*$/;

/** `image`: it is for a box with niac's image. */
export function checkSettingsFile(text: string, { image }: { readonly image: boolean }): SettingsFile {
  const problems: { line: number | null; what: string }[] = [];
  if (text.length > LONGEST_FILE) {
    const what = `the file has ${text.length} characters; at most ${LONGEST_FILE} are read`;
    return { text: "", problems: [{ line: null, what }] };
  }
  const found = new Map<string, { readonly value: string; readonly line: number }>();
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1;
    const read = readLine(raw.trim());
    if (read === null) continue;
    const problem = typeof read === "string" ? read : wrongName(read.name, found, image);
    if (typeof read !== "string") found.set(read.name, { value: read.value, line });
    if (problem !== null) problems.push({ line, what: problem });
  }
  for (const [name, values] of OF_SCRIPTS) {
    const { value, line } = found.get(name) ?? {};
    if (value !== undefined && line !== undefined && !values.includes(value))
      problems.push({ line, what: `${name} is ${JSON.stringify(value)}; it takes ${values.join(" or ")}` });
  }
  const tpm = found.get("NIAC_TPM");
  if (image && tpm !== undefined && !TPM_OF_THE_IMAGE.test(tpm.value))
    problems.push({
      line: tpm.line,
      what: `NIAC_TPM is ${JSON.stringify(tpm.value)}; on a box it takes auto, none, or a device such as device:/dev/tpmrm0`,
    });
  for (const what of judged(found, image)) {
    const lines = [...found].filter(([name]) => what.startsWith(`${name} `)).map(([, { line }]) => line);
    problems.push({ line: lines[0] ?? null, what });
  }
  problems.sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity));
  return { text: [...found].map(([name, { value }]) => plainLine(name, value)).join(""), problems };
}

/** Null: nothing stands there. A string: why it cannot be read. */
function readLine(line: string): { readonly name: string; readonly value: string } | string | null {
  if (line === "" || line.startsWith("#")) return null;
  const [, name, double, single, bare] = LINE.exec(line) ?? [];
  if (name === undefined)
    return `${JSON.stringify(line.slice(0, 60))} is no NAME=value; a value with blanks or # stands in quotes`;
  const value = (double ?? single ?? bare ?? "").trim();
  if (PLAIN.test(value)) return { name, value };
  return `${name} has a character that settings do not take: letters and digits without accents, and most punctuation, are taken`;
}

function wrongName(name: string, found: ReadonlyMap<string, unknown>, image: boolean): string | null {
  if (found.has(name)) return `${name} stands in the file twice`;
  if (image && OF_THE_IMAGE.includes(name)) return `${name} is set by the box's image, and by no file`;
  if (SETTING_NAMES.includes(name) || OF_SCRIPTS.has(name)) return null;
  return `${name} is no setting of niac`;
}

/** What is wrong with values, as niac would say it when it starts. */
function judged(found: ReadonlyMap<string, { readonly value: string }>, image: boolean): readonly string[] {
  const assumed: Readonly<Record<string, string>> = {
    NIAC_ORIGIN: "auto",
    ...(image ? { NIAC_UPLINK: "uplink", NIAC_DEVICE_PORT: "device" } : {}),
  };
  return judgeSettings((name) => {
    const given = found.get(name)?.value;
    return given === undefined || (image && OF_THE_IMAGE.includes(name)) ? assumed[name] : given;
  }).problems;
}

function plainLine(name: string, value: string): string {
  return value.includes(" ") ? `${name}="${value}"\n` : `${name}=${value}\n`;
}
