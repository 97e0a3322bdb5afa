/** Renewal without a word: a systemd user timer on Linux, and what to type elsewhere. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { configDirectory } from "./places.ts";
import type { ProfileStore } from "./store.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

/** Writes the units, or prints how it is done where there is no systemd. */
export function installTimer(store: ProfileStore, around: LaptopSurroundings): void {
  store.demand();
  const name = `niac-renew-${store.name}`;
  const command = [...around.program, "renew", "--profile", store.name];
  if (around.platform !== "linux") {
    for (const line of elsewhere(around.platform, name, command)) around.print(line);
    return;
  }
  const directory = posix.join(configDirectory(around), "systemd", "user");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.service`), serviceUnit(store.name, command));
  writeFileSync(join(directory, `${name}.timer`), timerUnit(store.name));
  around.print(`Written: ${join(directory, name)}.service and .timer. Switch it on:`);
  around.print("  systemctl --user daemon-reload");
  around.print(`  systemctl --user enable --now ${name}.timer`);
  around.print(`How it went last: systemctl --user status ${name}.service`);
}

/** Exported for their tests. */
export function serviceUnit(profile: string, command: readonly string[]): string {
  return `[Unit]
Description=Renewal of this laptop's certificate for plant machines (niac, profile ${profile})

[Service]
Type=oneshot
ExecStart=${command.map(unitWord).join(" ")}
NoNewPrivileges=yes
`;
}

export function timerUnit(profile: string): string {
  return `[Unit]
Description=Daily look whether this laptop's certificate is to be renewed (niac, profile ${profile})

[Timer]
OnCalendar=daily
OnStartupSec=5min
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
`;
}

/** One word of ExecStart= (systemd.syntax, "Quoting"; systemd.service, "Command lines"). */
function unitWord(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("%", "%%")
    .replaceAll("$", "$$$$");
  return `"${escaped}"`;
}

export function elsewhere(platform: string, name: string, command: readonly string[]): string[] {
  const quoted = command.map((word) => `"${word}"`).join(" ");
  if (platform === "win32") {
    const escaped = command.map((word) => `\\"${word}\\"`).join(" ");
    return [
      "Type this once, and the Task Scheduler looks every day:",
      `  schtasks /Create /SC DAILY /ST 09:00 /TN ${name} /TR "${escaped}"`,
    ];
  }
  if (platform === "darwin") {
    const words = command.map((word) => `    <string>${xml(word)}</string>`);
    return [
      `Write this to ~/Library/LaunchAgents/${name}.plist, and type: launchctl load ~/Library/LaunchAgents/${name}.plist`,
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<plist version="1.0"><dict>',
      `  <key>Label</key><string>${name}</string>`,
      "  <key>ProgramArguments</key><array>",
      ...words,
      "  </array>",
      "  <key>StartInterval</key><integer>86400</integer>",
      "  <key>RunAtLoad</key><true/>",
      "</dict></plist>",
    ];
  }
  return ["Have this run once a day:", `  ${quoted}`];
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
