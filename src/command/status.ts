import { Command } from "commander";
import { durationText, printable, table } from "../base/index.ts";
import { statusShow } from "../link/index.ts";
import { ask, type Surroundings } from "./context.ts";
import { boxLines, faultLines } from "./panel.ts";

/** `niac status`: is it working, and what is not. */
export function statusCommand(around: Surroundings): Command {
  return new Command("status")
    .description("the processes, the record, and the state of each machine's connection")
    .action(async () => {
      const status = await ask(around, statusShow, null);
      const site = status.site
        ? `version ${status.site.version}, applied by ${status.site.appliedBy}`
        : "none applied: every connection is refused";
      const audit =
        status.audit === "writing" ? "recording" : `${status.audit}: writes and new sessions are refused`;
      around.print(`appliance  ${status.origin} (niac ${status.version})`);
      for (const line of gatewayLines(status, Date.now())) around.print(line);
      around.print(`site       ${site}`);
      around.print(`audit log  ${audit}, ${status.records} records`);
      for (const line of [...trustLines(status), ...cableLines(status)]) around.print(line);
      for (const line of [...boxLines(status.box), ...faultLines(status.box)]) around.print(line);
      if (status.machines.length === 0) return;
      around.print("");
      const rows = status.machines.map((each) => [
        `${each.machine}/${each.service}${each.origin === null ? "" : ` from ${each.origin}`}`,
        WORDS[each.circuit],
        String(each.connections),
        String(each.pending),
        String(each.queued),
        each.lastError ?? "",
      ]);
      for (const line of table(["MACHINE", "STATE", "CONNECTIONS", "PENDING", "QUEUED", "LAST ERROR"], rows))
        around.print(line);
    });
}

type Status = Awaited<ReturnType<typeof statusShow.result.parseAsync>>;

/** Whether laptops can connect, and how long the certificate is good that the appliance shows them. */
export function gatewayLines(
  { gateway, ownCertificate }: Pick<Status, "gateway" | "ownCertificate">,
  now: number,
): string[] {
  if (gateway === "away") return ["gateway    away: nobody can connect"];
  if (ownCertificate === null) return ["gateway    running"];
  const { notAfter, problem } = ownCertificate;
  const why = problem === null ? [] : [printable(`problem    ${problem}`)];
  if (notAfter === null)
    return ["gateway    listens to nobody: it has no certificate of its own yet", ...why];
  const end = `${notAfter > now ? "until" : "only until"} ${new Date(notAfter).toISOString()}`;
  const state = problem === null ? end : `${end}, and cannot be renewed`;
  return ["gateway    running", `own cert.  good ${state}`, ...why];
}

/** What is locked, and a clock that cannot be right. */
export function trustLines({ locks, clockBehind }: Pick<Status, "locks" | "clockBehind">): string[] {
  return [
    ...(locks === 0 ? [] : [`locks      ${locks} in force, see niac locks`]),
    ...(clockBehind === 0
      ? []
      : [`clock      ${durationText(clockBehind)} before the latest time known, see niac clock`]),
  ];
}

/** How the box stands in the cable, and what is still open. */
export function cableLines({ cable, network, unauthenticated }: Status): string[] {
  const lines: string[] = [];
  if (cable === "absent") lines.push("cable      not in it: a proxy on its own addresses");
  if (cable === "away")
    lines.push("cable      netd is away: the ruleset in force stays, what is refused is not on record");
  if (network !== null) {
    const ports = network.ports.map(
      ({ role, name, state, address }) =>
        `${role === "uplink" ? "uplink" : "device port"} ${name} ${state}${address === null ? "" : ` ${address}`}`,
    );
    const ruleset = network.site === null ? "everything is denied" : `ruleset of version ${network.site}`;
    lines.push(
      `cable      ${network.mode === "closed" ? "closed" : network.mode}, ${ruleset}; ${ports.join(", ")}`,
    );
    const dropped = Object.entries(network.refused).filter(([, packets]) => packets > 0);
    for (const [why, packets] of dropped) lines.push(`refused    ${packets} packets ${why}`);
    for (const problem of network.problems) lines.push(printable(`problem    ${problem}`));
  }
  for (const { name, owner, until } of unauthenticated) {
    lines.push(
      printable(
        `open       ${name} connects without a certificate until ${new Date(until).toISOString()} (${owner})`,
      ),
    );
  }
  return lines;
}

const WORDS = { closed: "working", open: "not answering", "half-open": "being tried" } as const;
