import type { Identity } from "../identity/index.ts";
import type { PostureRequirement } from "../site/index.ts";

/** A device, and whose: names of devices are told apart by who issues certificates for them alone. */
export interface ReportedDevice {
  readonly device: string;
  /** The outside authority that vouches for the name; null: the plant itself does, by whichever of its own authorities. */
  readonly authority: string | null;
  readonly tenant: string | null;
}

/** The latest report of a device by one signer, as link's PostureReport has it. */
export interface PostureReport extends ReportedDevice {
  /** `laptop`: the device itself; else the name of the management system that signed it. */
  readonly by: string;
  /** When the facts were looked at, milliseconds since the epoch. */
  readonly made: number;
  readonly facts: {
    readonly diskEncryption: boolean | null;
    readonly edr: boolean | null;
    readonly os: { readonly name: "linux" | "windows" | "macos"; readonly version: string } | null;
  };
}

/** How a laptop stands to a requirement. */
export interface Standing {
  /** It meets the requirement before this time, milliseconds since the epoch; -Infinity: not at all. */
  readonly until: number;
  /** What is missing, or from `until` on will be, for the reader; goes on from "of a laptop that meets ...: ". */
  readonly lack: string;
}

const LAPTOP = "laptop";
const HOUR = 3_600_000;
const MINUTE = 60_000;

/** One thing asked for: what the newest report that knows it says. */
interface Question {
  readonly unknown: string;
  /** Null: this report does not know; "": met; else what is wrong. */
  readonly answer: (facts: PostureReport["facts"]) => string | null;
}

/**
 * Whose device a certificate names; null: there is none that a report could be about. `authorities`: all that issue clients'
 * certificates, by name. None: the settings' files say who is let in, and he is the plant's.
 */
export function reportedDevice(
  { device, authority, tenant }: Pick<Identity, "device" | "authority" | "tenant">,
  authorities: ReadonlyMap<string, { readonly outside: boolean }>,
): ReportedDevice | null {
  if (device === null) return null;
  if (authority === null) return authorities.size === 0 ? { device, authority, tenant } : null;
  const issuer = authorities.get(authority);
  if (issuer === undefined) return null;
  // A rotated authority of the plant's own has another name, and the laptop is the same.
  return { device, authority: issuer.outside ? authority : null, tenant };
}

/** A requirement that the site document no longer has is met by nobody. */
export function unknownStanding(name: string): Standing {
  return { until: -Infinity, lack: `the site document has no posture "${name}"` };
}

/**
 * Whether the device is as the requirement asks. Of each fact the newest report that knows it decides, and ages; what no report
 * knows is not met. `signers`: the management systems whose reports the site takes.
 */
export function standingOf(
  requirement: PostureRequirement,
  device: ReportedDevice | null,
  reports: readonly PostureReport[],
  signers: ReadonlySet<string>,
): Standing {
  if (device === null)
    return no(
      "its certificate names no device, or is of an authority that is not listed: no report is about it",
    );
  const { signedBy, maxAge } = requirement;
  const counting = reports
    .filter((report) => isOf(report, device) && counts(report.by, signedBy, signers))
    .toSorted((a, b) => b.made - a.made);
  const [newest] = counting;
  if (newest === undefined) return no(`there is no report of ${nameOf(device)}${SIGNED[signedBy]}`);
  const questions = questionsOf(requirement);
  const lacks: string[] = [];
  let oldest = questions.length === 0 ? newest : null;
  for (const { unknown, answer } of questions) {
    const knowing = counting.find(({ facts }) => answer(facts) !== null);
    const wrong = knowing === undefined ? unknown : answer(knowing.facts);
    if (wrong !== null && wrong !== "")
      lacks.push(`${wrong}${knowing ? ` (report of ${said(knowing)})` : ""}`);
    if (knowing !== undefined && (oldest === null || knowing.made < oldest.made)) oldest = knowing;
  }
  if (lacks.length > 0 || oldest === null) return no(lacks.join("; "));
  return {
    until: oldest.made + maxAge,
    lack: `the report of ${said(oldest)} is stale: it counts for ${ageText(maxAge)}`,
  };
}

const SIGNED: Readonly<Record<PostureRequirement["signedBy"], string>> = {
  laptop: " by itself",
  management: " by a management system of the site document",
  any: "",
};

function isOf(report: PostureReport, { device, authority, tenant }: ReportedDevice): boolean {
  return report.device === device && report.authority === authority && report.tenant === tenant;
}

function nameOf({ device, authority, tenant }: ReportedDevice): string {
  const whose = [
    ...(authority === null ? [] : [`authority ${authority}`]),
    ...(tenant === null ? [] : [`tenant ${tenant}`]),
  ];
  return whose.length === 0 ? device : `${device} (${whose.join(", ")})`;
}

/** Exact, unlike base's: it is a limit that somebody wrote down. */
function ageText(milliseconds: number): string {
  if (milliseconds % HOUR === 0) return `${milliseconds / HOUR} h`;
  if (milliseconds % MINUTE === 0) return `${milliseconds / MINUTE} min`;
  return `${milliseconds / 1_000} s`;
}

function counts(by: string, signedBy: PostureRequirement["signedBy"], signers: ReadonlySet<string>): boolean {
  if (by === LAPTOP) return signedBy !== "management";
  return signedBy !== "laptop" && signers.has(by);
}

function no(lack: string): Standing {
  return { until: -Infinity, lack };
}

function said({ by, made }: PostureReport): string {
  return `${new Date(made).toISOString().slice(0, 16).replace("T", " ")} UTC by ${by === LAPTOP ? "the laptop itself" : by}`;
}

function questionsOf({ diskEncryption, edr, osVersion }: PostureRequirement): readonly Question[] {
  return [
    ...(diskEncryption === null
      ? []
      : [
          {
            unknown: "no report says whether its disk is encrypted",
            answer: (facts: PostureReport["facts"]) =>
              facts.diskEncryption === null ? null : facts.diskEncryption ? "" : "its disk is not encrypted",
          },
        ]),
    ...(edr === null
      ? []
      : [
          {
            unknown: "no report says whether endpoint protection runs",
            answer: (facts: PostureReport["facts"]) =>
              facts.edr === null ? null : facts.edr ? "" : "no endpoint protection runs on it",
          },
        ]),
    ...(osVersion === null
      ? []
      : [
          {
            unknown: "no report says which operating system it runs",
            answer: ({ os }: PostureReport["facts"]) => (os === null ? null : tooOld(os, osVersion)),
          },
        ]),
  ];
}

function tooOld(
  { name, version }: NonNullable<PostureReport["facts"]["os"]>,
  least: NonNullable<PostureRequirement["osVersion"]>,
): string {
  const asked = Object.hasOwn(least, name) ? least[name] : undefined;
  if (asked === undefined) return `it runs ${name}, and only ${Object.keys(least).join(", ")} will do`;
  const has = numbersOf(version);
  if (has === null) return `its ${name} says version "${version}", which cannot be compared with ${asked}`;
  return atLeast(has, numbersOf(asked) ?? [])
    ? ""
    : `it runs ${name} ${version}, at least ${asked} is asked for`;
}

/** The dotted numbers a version begins with: `6.12.30` of `6.12.30+deb13-amd64`. */
function numbersOf(version: string): readonly number[] | null {
  const [found] = /^\d{1,9}(?:\.\d{1,9})*/.exec(version) ?? [];
  return found === undefined ? null : found.split(".").map(Number);
}

function atLeast(has: readonly number[], asked: readonly number[]): boolean {
  for (const [place, number] of asked.entries()) {
    const own = has[place] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}
