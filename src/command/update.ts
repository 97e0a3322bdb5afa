import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { printable, systemCode, table, UsageError, type Channel } from "../base/index.ts";
import * as link from "../link/index.ts";
import { ask, withControl, type Surroundings } from "./context.ts";
import { awaitHealth } from "./update-health.ts";

/** `niac update ...`: the image of the box, and another in its place. */
export function updateCommand(around: Surroundings): Command {
  const update = new Command("update").description("the image of the box: what runs, and installing another");
  update
    .command("show", { isDefault: true })
    .description("which version runs, what is in the other slot, and what became of the last update")
    .action(async () => {
      for (const line of updateLines(await ask(around, link.updateShow, null))) around.print(line);
    });
  update
    .command("install <source>")
    .description("install a bundle (.raucb): a file on the box, or a URL of its update server")
    .option("--allow-downgrade", "though it is older than what runs", false)
    .option("--again", "though it is the version that runs", false)
    .option("--reboot", "restart the box into it at once, on trial", false)
    .option("--now", "with --reboot: though sessions are open, which end", false)
    .action(async (source: string, options: InstallOptions) => {
      const installed = await install(around, source, options);
      around.print(`${installed.version} is installed in slot ${installed.slot}.`);
      if (options.reboot) await restart(around, options.now);
      else around.print("It waits for a restart: niac update reboot.");
    });
  update
    .command("reboot")
    .description("restart the box into what was installed; it goes back by itself where that is not healthy")
    .option("--now", "though sessions are open, which end", false)
    .action(({ now }: { now: boolean }) => restart(around, now));
  update
    .command("dismiss")
    .description("somebody has read why the last update was left; on record")
    .action(async () => {
      await ask(around, link.updateDismiss, { by: around.user });
      around.print("Dismissed.");
    });
  update
    .command("stick <directory>", { hidden: true })
    .description("install the newest bundle of a USB stick that is mounted there")
    .action((directory: string) => stick(around, directory));
  update
    .command("await-health", { hidden: true })
    .description("call the image on trial good once it is healthy; else write down why not, and fail")
    .requiredOption("--patience <seconds>", "how long", Number)
    .requiredOption("--failure <file>", "where the reason is left for the other slot")
    .action((options: { patience: number; failure: string }) => awaitHealth(around, options));
  return update;
}

interface InstallOptions {
  readonly allowDowngrade: boolean;
  readonly again: boolean;
  readonly reboot: boolean;
  readonly now: boolean;
}

/** A URL stays what it is; of a file, control's directory is another. */
function sourceOf(text: string): string {
  return /^https?:\/\//.test(text) ? text : resolve(text);
}

function install(
  around: Surroundings,
  source: string,
  { allowDowngrade, again }: InstallOptions,
): Promise<link.UpdateView> {
  const asked = { source: sourceOf(source), allowDowngrade, again, by: around.user };
  return withProgress(around, (channel) => channel.call(link.updateInstall, asked));
}

/** Shows how far an installation is, as long as `use` takes. */
function withProgress<T>(around: Surroundings, use: (channel: Channel) => Promise<T>): Promise<T> {
  return withControl(around, async (channel) => {
    let step = "";
    channel.on(link.updateProgress, (progress) => {
      if (around.redraw) around.redraw(progressLine(progress, around.width));
      else if (progress.step !== step) around.print(printable(`${progress.percent} % ${progress.step}`));
      step = progress.step;
    });
    try {
      return await use(channel);
    } finally {
      around.redraw?.("");
    }
  });
}

async function restart(around: Surroundings, now: boolean): Promise<void> {
  const { version, sessions } = await ask(around, link.updateRestart, { now, by: around.user });
  const ends = sessions === 0 ? "" : sessions === 1 ? "; one session ends" : `; ${sessions} sessions end`;
  around.print(
    `The box restarts into ${version}, on trial${ends}. It goes back by itself where that is not healthy.`,
  );
}

async function stick(around: Surroundings, directory: string): Promise<void> {
  const all = bundlesIn(directory);
  const paths = all.slice(-link.MOST_BUNDLES);
  if (paths.length === 0) {
    around.print("There is no update (*.raucb) on the stick.");
    return;
  }
  if (paths.length < all.length) {
    const left = all.length - paths.length;
    around.complain(
      `The stick has ${all.length} updates; the last ${paths.length} by name are looked at, ${left} left out.`,
    );
  }
  const asked = { paths, by: "a USB stick" };
  const { installed, refused, passed, restarts } = await withProgress(around, (channel) =>
    channel.call(link.updateStick, asked),
  );
  for (const line of refused) around.complain(printable(line));
  for (const line of passed) around.print(printable(line));
  const then = restarts ? "the box restarts when no session is open" : "it waits for a restart";
  if (installed !== null)
    around.print(`${installed.version} is installed in slot ${installed.slot}; ${then}.`);
  else if (restarts) around.print("The box restarts into it when no session is open.");
  else if (refused.length > 0) around.exit(1);
}

/** At the top of the stick, by name, where 0.10.0 comes after 0.9.0; what other systems hide is none. */
function bundlesIn(directory: string): string[] {
  const byName = new Intl.Collator("en", { numeric: true });
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /^[^.].*\.raucb$/i.test(entry.name))
      .map(({ name }) => join(directory, name))
      .toSorted((a, b) => byName.compare(a, b));
  } catch (error) {
    throw new UsageError("stick", `${directory} cannot be read (${systemCode(error)})`);
  }
}

const BAR = 30;

/** One line of at most `width` columns, redrawn. */
export function progressLine({ percent, step }: link.UpdateProgress, width: number): string {
  const full = Math.round((Math.min(Math.max(percent, 0), 100) / 100) * BAR);
  const bar = `[${"#".repeat(full)}${".".repeat(BAR - full)}] ${String(percent).padStart(3)} %`;
  return printable(`${bar}  ${step}`).slice(0, Math.max(0, width - 1));
}

const WORDS: Readonly<Record<link.UpdateView["state"], string>> = {
  installing: "being installed",
  installed: "installed, waits for a restart (niac update reboot)",
  trial: "on trial",
  confirmed: "healthy, becomes the default",
  good: "good",
  failed: "not installed",
  "rolled-back": "tried and left",
  dismissed: "tried and left",
  replaced: "written over by another",
};

export function updateLines(state: link.UpdateState): string[] {
  const { version, board, slot, trial, primary, other, floor, updates, progress } = state;
  const standing = trial ? "on trial, not called good yet" : "good";
  const starts =
    primary === null
      ? "which slot starts by default is not known: RAUC does not answer"
      : `slot ${primary} starts by default`;
  const lines = [
    `running    ${version} for ${board} in slot ${slot}, ${standing}; ${starts}`,
    `other slot ${other ?? "nothing that was installed whole"}`,
    `floor      nothing below ${floor} is installed`,
    ...(progress === null ? [] : [`installing ${progress.percent} % ${progress.step}`]),
  ].map(printable);
  if (updates.length === 0) return lines;
  const rows = updates
    .toReversed()
    .map((each) => [
      new Date(each.begun).toISOString(),
      each.from,
      each.version,
      each.by,
      WORDS[each.state],
      each.reason,
    ]);
  return [...lines, "", ...table(["BEGUN", "FROM", "TO", "BY", "STATE", "WHY"], rows)];
}
