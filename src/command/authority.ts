import { Command } from "commander";
import { printable, UsageError } from "../base/index.ts";
import * as link from "../link/index.ts";
import { exportCommand, importCommand } from "./authority-backup.ts";
import { crlPem, readText, writeMade } from "./authority-files.ts";
import { certificateLines, counted, plantLines, revokedLines } from "./authority-show.ts";
import { ask, type Surroundings } from "./context.ts";
import { initDelegated, delegatedLines, type DelegatedOptions } from "./delegated.ts";
import { readSubject, readTime, type SubjectOptions } from "./enrolment-options.ts";
import { withSubject } from "./enrolment.ts";

interface InitOptions extends DelegatedOptions {
  readonly algorithm: string;
  readonly tenant: readonly string[];
  readonly life: readonly string[];
  readonly crlUrl?: string;
  readonly delegated?: string;
}

interface ScopeOptions {
  readonly root?: boolean;
  readonly infrastructure?: boolean;
  readonly tier?: string;
  readonly tenant?: string;
}

/** `niac authority ...`: who signs certificates, and which of them are good. */
export function authorityCommand(around: Surroundings): Command {
  const authority = new Command("authority").description(
    "who signs certificates: the plant's own authority, its keys, and what it issued",
  );
  authority
    .command("init [name]")
    .description("make the plant's own authority, called for example \"Plant 7\"; or use the site's own")
    .option("--algorithm <name>", `what it signs with: ${link.ALGORITHMS.join(", ")}`, "p256")
    .option("--tenant <name>", "one whose laptops have authorities of their own; several times", more, [])
    .option("--life <tier=time>", "how long certificates are good, like managed=90d; several times", more, [])
    .option("--crl-url <url>", "where others find revocation lists, like http://box.plant.example/crl")
    .option("--delegated <url>", "no authority here, but the site's own: address of its EST server")
    .option("--ca <file>", "with --delegated: PEM of that authority's root")
    .option("--fingerprint <sha256>", "with --delegated: fingerprint of that root")
    .option("--user <name>", "with --delegated: who this appliance is to it")
    .option("--code-file <file>", "with --delegated: file with the code to enrol with")
    .action((name: string | undefined, options: InitOptions) => init(around, name, options));
  authority
    .command("show [what]")
    .description("the authorities and how their keys are kept; or `certificates`")
    .option("--user <name>", "certificates of one person")
    .option("--device <name>", "certificates of one laptop")
    .option("--all", "also those that are past or revoked", false)
    .action((what: string | undefined, options: ShowOptions) => show(around, what, options));
  withSubject(authority.command("issue"))
    .description("sign a certificate for who brings a request by hand")
    .requiredOption("--request <file>", "PEM of a PKCS#10 request")
    .requiredOption("--out <file>", "where the certificate and those above it go, PEM; not overwritten")
    .action((options: SubjectOptions & { request: string; out: string }) => issue(around, options));
  revokeOptions(authority.command("revoke"))
    .description("end certificates, and the sessions that are open with them")
    .requiredOption("--reason <text>", "on record, and told to who is refused")
    .action((options: RevokeOptions) => revoke(around, options));
  scopeOptions(authority.command("rotate"))
    .description("make new authorities beside the old, whose certificates are good until they end")
    .option("--algorithm <name>", "what the new ones sign with; without: as the old")
    .option("--retire", "no new ones: end those that were followed by others, and their certificates", false)
    .action((options: ScopeOptions & { algorithm?: string; retire: boolean }) => rotate(around, options));
  authority
    .command("tenant <name>")
    .description("make authorities for another tenant's laptops")
    .action(async (tenant: string) => {
      const { made } = await ask(around, link.authorityTenant, { tenant, by: around.user });
      for (const name of made) around.print(`"${name}" is made`);
    });
  authority
    .command("reseal")
    .description("seal the authorities' keys by what the settings ask for now: a TPM that was added, say")
    .action(async () => {
      const { protects } = await ask(around, link.authorityReseal, { by: around.user });
      around.print(protects);
    });
  authority.addCommand(exportCommand(around));
  authority.addCommand(importCommand(around));
  authority
    .command("crl <authority>")
    .description("an authority's revocation list; by its number or name")
    .option("--out <file>", "where it goes, DER; without: printed as PEM")
    .action((name: string, options: { out?: string }) => crl(around, name, options.out));
  authority
    .command("trust")
    .description("what others must trust to verify the appliance and its laptops, PEM")
    .option("--out <file>", "where it goes; not overwritten")
    .action(async ({ out }: { out?: string }) => {
      const asked = (): Promise<{ pem: string }> => ask(around, link.authorityTrust, null);
      if (out === undefined) around.print((await asked()).pem.trimEnd());
      else await writeMade(out, 0o644, asked, ({ pem }) => pem);
    });
  return authority;
}

function more(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

async function init(around: Surroundings, name: string | undefined, options: InitOptions): Promise<void> {
  if (options.delegated !== undefined) {
    await initDelegated(around, options.delegated, options);
    return;
  }
  if (name === undefined) {
    throw new UsageError("name", "the authority needs the plant's name", 'niac authority init "Plant 7"');
  }
  const plant = await ask(around, link.authorityInit, {
    name,
    algorithm: algorithmOf(options.algorithm),
    tenants: [...options.tenant],
    lifetimes: Object.fromEntries(options.life.map(lifeOf)),
    crlUrl: options.crlUrl ?? null,
    by: around.user,
  });
  for (const line of plantLines(plant)) around.print(line);
  around.complain("Make a backup now, before the first laptop enrols: niac authority export <file>");
}

function lifeOf(text: string): [link.Tier, number] {
  const [tier = "", time = ""] = text.split("=");
  return [tierOf(tier), readTime(time)];
}

interface ShowOptions {
  readonly user?: string;
  readonly device?: string;
  readonly all: boolean;
}

/** Certificates shown at once. */
const SHOWN = 1_000;

async function show(around: Surroundings, what: string | undefined, options: ShowOptions): Promise<void> {
  const { user = null, device = null, all } = options;
  if (what === undefined && user === null && device === null && !all) {
    const delegated = await ask(around, link.delegatedShow, null);
    const lines =
      delegated === null
        ? plantLines(await ask(around, link.authorityShow, null))
        : delegatedLines(delegated);
    for (const line of lines) around.print(line);
    return;
  }
  if (what !== undefined && what !== "certificates") {
    throw new UsageError(
      "show",
      `there is no "${printable(what)}" to show`,
      "niac authority show certificates",
    );
  }
  const found = await ask(around, link.authorityCertificates, { user, device, all, limit: SHOWN });
  for (const line of certificateLines(found, all)) around.print(line);
  if (found.length === SHOWN) around.complain(`The newest ${SHOWN}; narrow it by --user or --device.`);
}

async function issue(
  around: Surroundings,
  options: SubjectOptions & { request: string; out: string },
): Promise<void> {
  const asked = { ...readSubject(options), request: readText(options.request), by: around.user };
  const { serialNumber, notAfter } = await writeMade(
    options.out,
    0o644,
    () => ask(around, link.authorityIssue, asked),
    ({ chain }) => chain,
  );
  const until = new Date(notAfter).toISOString().slice(0, 10);
  around.print(
    `${options.out}: a certificate of ${printable(options.user)} until ${until}, serial number ${serialNumber}`,
  );
}

type RevokeOptions = Partial<Record<link.RevokeBy, string>> & { readonly reason: string };

function revokeOptions(command: Command): Command {
  return command
    .option("--serial <number>", "one certificate, by its serial number")
    .option("--fingerprint <sha256>", "one certificate, by its fingerprint")
    .option("--user <name>", "all certificates of a person")
    .option("--device <name>", "all certificates of a laptop")
    .option("--authority <name>", "an authority, and all that it issued");
}

async function revoke(around: Surroundings, options: RevokeOptions): Promise<void> {
  const said = link.REVOKE_BY.flatMap((what) => {
    const value = options[what];
    return value === undefined ? [] : [{ what, value }];
  });
  const [one] = said;
  if (one === undefined || said.length > 1) {
    throw new UsageError(
      "revoke",
      `say once what is revoked: ${link.REVOKE_BY.map((what) => `--${what}`).join(", ")}`,
    );
  }
  const { reason } = options;
  const { count, revoked, sessions, list } = await ask(around, link.authorityRevoke, {
    ...one,
    reason,
    by: around.user,
  });
  for (const line of revokedLines(count, revoked, sessions)) around.print(line);
  if (one.what === "authority") {
    around.complain("Nothing takes its place by itself: niac authority rotate makes a new one.");
  }
  if (list !== null) around.complain(`In force here, but ${list}`);
}

function scopeOptions(command: Command): Command {
  return command
    .option("--root", "the root, and with it all others", false)
    .option("--infrastructure", "the one that signs the appliance's own certificates", false)
    .option("--tier <tier>", `those of one tier: ${link.TIERS.join(", ")}`)
    .option("--tenant <name>", "those of one tenant");
}

async function rotate(
  around: Surroundings,
  options: ScopeOptions & { readonly algorithm?: string; readonly retire: boolean },
): Promise<void> {
  const { root = false, infrastructure = false, tier, tenant = null, algorithm } = options;
  const scope = { root, infrastructure, tier: tier === undefined ? null : tierOf(tier), tenant };
  if (options.retire) {
    if (algorithm !== undefined) {
      throw new UsageError("rotate", "--retire makes nothing new, so there is no --algorithm to it");
    }
    const { retired, cut } = await ask(around, link.authorityRetire, { scope, by: around.user });
    for (const name of retired) around.print(`"${name}" is retired, and its key is gone`);
    around.print(
      cut === 0 ? "No certificate was cut short." : `${counted(cut, "certificate")} ended with them.`,
    );
    return;
  }
  const { made } = await ask(around, link.authorityRotate, {
    scope,
    algorithm: algorithm === undefined ? null : algorithmOf(algorithm),
    by: around.user,
  });
  for (const name of made) around.print(`"${name}" is made and issues from now on`);
  around.complain(
    "Certificates of the ones before are good until they end; niac authority show counts them.",
  );
}

async function crl(around: Surroundings, authority: string, out: string | undefined): Promise<void> {
  const asked = async (): Promise<Buffer> =>
    Buffer.from((await ask(around, link.authorityCrl, { authority })).der, "base64");
  if (out === undefined) around.print(crlPem(await asked()));
  else await writeMade(out, 0o644, asked, (der) => der);
}

function tierOf(text: string): link.Tier {
  const tier = link.TIERS.find((known) => known === text);
  if (tier !== undefined) return tier;
  throw new UsageError("tier", `"${printable(text)}" is no tier; it takes ${link.TIERS.join(", ")}`);
}

function algorithmOf(text: string): (typeof link.ALGORITHMS)[number] {
  const algorithm = link.ALGORITHMS.find((known) => known === text);
  if (algorithm !== undefined) return algorithm;
  throw new UsageError("algorithm", `"${printable(text)}" is none; it takes ${link.ALGORITHMS.join(", ")}`);
}
