/** How the authority is shown to a person; pure. */
import { columns, durationText, printable, table } from "../base/index.ts";
import type { AuthorityView, CertificateView, PlantView } from "../link/index.ts";

const INDENT = " ".repeat(13);
const WIDTH = 100;

export function plantLines(plant: PlantView): string[] {
  const { name, created, lifetimes, crlUrl, keys, problem, fingerprint, authorities } = plant;
  const lives = Object.entries(lifetimes).map(([tier, life]) => `${tier} ${durationText(life)}`);
  return [
    ...field("plant", `${name}, since ${day(created)}`),
    ...field("keys", keys === null ? "cannot be opened now" : keys.protects),
    ...(problem === null ? [] : field("problem", problem)),
    ...field("root", `${fingerprint} (SHA-256; laptops compare it)`),
    ...field("good for", lives.join(", ")),
    ...field(
      "lists",
      crlUrl === null ? "certificates name no address of revocation lists" : `${crlUrl}/<number>.crl`,
    ),
    "",
    ...table(
      ["NO", "AUTHORITY", "TIER", "TENANT", "ALGORITHM", "UNTIL", "STATE", "LIVE", "REVOKED"],
      authorities.map(row),
    ),
  ];
}

function row({
  id,
  name,
  role,
  tier,
  tenant,
  algorithm,
  notAfter,
  state,
  live,
  list,
}: AuthorityView): string[] {
  return [
    String(id),
    name,
    tier ?? role,
    tenant ?? "",
    algorithm,
    day(notAfter),
    state,
    String(live),
    list === null ? "" : String(list.entries),
  ];
}

export function certificateLines(certificates: readonly CertificateView[], all: boolean): string[] {
  if (certificates.length === 0)
    return [all ? "There is no such certificate." : "No such certificate is in force."];
  const header = ["SERIAL NUMBER", "USER", "DEVICE", "AUTHORITY", "UNTIL", "LET BY"];
  return table(
    all ? [...header, "REVOKED"] : header,
    certificates.map(({ serialNumber, user, device, authority, notAfter, issuedBy, revokedAt, reason }) => [
      serialNumber,
      user,
      device,
      authority,
      minute(notAfter),
      issuedBy,
      revokedAt === null ? "" : `${minute(revokedAt)}: ${reason ?? ""}`,
    ]),
  );
}

/** `sessions`: how many ended with them; null: nobody could say. */
export function revokedLines(
  count: number,
  shown: readonly CertificateView[],
  sessions: number | null,
): string[] {
  const ended =
    sessions === null
      ? "the gateway is away and ends their sessions when it is back"
      : `${counted(sessions, "session")} ended with ${count === 1 ? "it" : "them"}`;
  return [
    `${counted(count, "certificate")} revoked; ${ended}.`,
    ...(shown.length === 0 ? [] : certificateLines(shown, false)),
    ...(count > shown.length ? [`... and ${count - shown.length} more`] : []),
  ];
}

/** A name and what it says, in lines that a terminal holds. */
function field(name: string, text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(" ")) {
    if (line !== "" && columns(line) + 1 + columns(word) > WIDTH - INDENT.length) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each, at) => (at === 0 ? name.padEnd(INDENT.length) : INDENT) + each);
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function minute(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")}Z`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
