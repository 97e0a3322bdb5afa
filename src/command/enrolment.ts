import { Command } from "commander";
import { durationText, printable, table, UsageError } from "../base/index.ts";
import * as link from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";
import { readSubject, readTime, type SubjectOptions } from "./enrolment-options.ts";

/** `niac enrolment ...`: who may have a certificate, from a one-time code to deciding on a request that waits. */
export function enrolmentCommand(around: Surroundings): Command {
  const enrolment = new Command("enrolment").description("who may have a certificate");
  withSubject(enrolment.command("code"))
    .description("make a one-time code with which one laptop enrols; it is shown once")
    .option("--valid <time>", "how long the code is good, like 30m, 8h, 2d", "1h")
    .action((options: SubjectOptions & { valid: string }) => code(around, options));
  enrolment
    .command("codes")
    .description("codes that are open: made, not used, not expired")
    .action(() => codes(around));
  enrolment
    .command("withdraw <number>")
    .description("make an open code worthless")
    .action(async (text: string) => {
      const id = codeNumber(text);
      await ask(around, link.enrolmentWithdraw, { id, by: around.user });
      around.print(`code ${id} is withdrawn`);
    });
  enrolment
    .command("requests")
    .description("requests without credentials, which wait for approval")
    .action(() => requests(around));
  withSubject(enrolment.command("approve <id>"))
    .description("have a waiting request's key certified; compare its words with the laptop's first")
    .action(async (id: string, options: SubjectOptions) => {
      const subject = readSubject(options);
      const issued = await ask(around, link.enrolmentApprove, { id, subject, by: around.user });
      const until = new Date(issued.notAfter).toISOString().slice(0, 10);
      around.print(
        `${printable(subject.user)} has a certificate until ${until}, serial number ${issued.serialNumber}`,
      );
      around.print("The laptop fetches it when it asks next.");
    });
  enrolment
    .command("deny <id>")
    .description("refuse a waiting request")
    .requiredOption("--reason <text>", "told to who asked, and on record")
    .action(async (id: string, { reason }: { reason: string }) => {
      await ask(around, link.enrolmentDeny, { id, reason, by: around.user });
      around.print(`request ${id} is denied`);
    });
  enrolment
    .command("waiting [on|off]")
    .description("whether requests without credentials may wait for approval, or are refused")
    .action((text: string | undefined) => waiting(around, text));
  return enrolment;
}

function appended(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** For whom a certificate is to be. */
export function withSubject(command: Command): Command {
  return command
    .requiredOption("--user <name>", "the person")
    .requiredOption("--device <name>", "the laptop")
    .option("--tier <tier>", "managed, byod or contractor", "managed")
    .option("--tenant <name>", "whose it is, where it is not the plant's own")
    .option("--group <name>", "group of the certificate; may be given several times", appended, [])
    .option("--role <name>", "MODBUS/TCP Security role")
    .option(
      "--until <day>",
      "last day on which a certificate may be valid, like 2027-03-31; contractors need it",
    );
}

async function code(around: Surroundings, options: SubjectOptions & { valid: string }): Promise<void> {
  const subject = readSubject(options);
  const valid = readTime(options.valid);
  const made = await ask(around, link.enrolmentCode, { subject, valid, by: around.user });
  around.print(made.code);
  const where = subject.tenant === null ? subject.tier : `${subject.tier} of ${subject.tenant}`;
  around.complain(
    `For ${printable(subject.user)} on ${printable(subject.device)} (${printable(where)}), once, until ${timeText(made.expires)}.`,
  );
  const who = `--user ${printable(subject.user)} --device ${printable(subject.device)}`;
  around.complain(
    `On the laptop: niac enroll https://<this appliance> ${who} --fingerprint <niac authority show>`,
  );
}

async function codes(around: Surroundings): Promise<void> {
  const open = await ask(around, link.enrolmentCodes, null);
  const rows = open.map(({ id, subject, by, expires }) => [
    String(id),
    subject.user,
    subject.device,
    subject.tier,
    subject.tenant ?? "",
    subject.groups.join(", "),
    by,
    timeText(expires),
  ]);
  if (rows.length === 0) around.print("No codes are open.");
  else {
    const header = ["CODE", "USER", "DEVICE", "TIER", "TENANT", "GROUPS", "MADE BY", "GOOD UNTIL"];
    for (const line of table(header, rows)) around.print(line);
  }
}

async function requests(around: Surroundings): Promise<void> {
  const waits = await ask(around, link.enrolmentRequests, null);
  if (waits.length === 0) {
    around.print("No requests wait.");
    return;
  }
  const now = Date.now();
  const rows = waits.map((request) => [
    request.id,
    request.words,
    request.subject || "none",
    request.names.join(", ") || "none",
    request.tenant === null ? request.tier : `${request.tier}.${request.tenant}`,
    request.key,
    request.source,
    durationText(now - request.since),
    `${durationText(now - request.asked)} ago`,
  ]);
  const header = ["ID", "WORDS OF THE KEY", "SUBJECT", "NAMES", "FOR", "KEY", "FROM", "WAITS", "ASKED"];
  for (const line of table(header, rows)) around.print(line);
  around.complain("Subject and names are what the laptop says. Compare the words with those on its screen.");
}

async function waiting(around: Surroundings, text: string | undefined): Promise<void> {
  if (text !== undefined && text !== "on" && text !== "off") {
    throw new UsageError("waiting", `"${text}" is neither on nor off`);
  }
  const wanted = text === undefined ? null : text === "on";
  const { allowed } = await ask(around, link.enrolmentWaiting, { allowed: wanted, by: around.user });
  around.print(
    allowed ? "Requests without credentials wait for approval." : "Requests without credentials are refused.",
  );
}

function codeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError("code-number", `"${text}" is no code's number`, "See `niac enrolment codes`.");
}

function timeText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
