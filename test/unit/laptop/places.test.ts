import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { profileName, profilesDirectory } from "../../../src/laptop/places.ts";

function directory(platform: string, home: string, environment: Record<string, string> = {}): string {
  return profilesDirectory({ platform, home, lookup: (name) => environment[name] });
}

test("profiles are where each system keeps a person's settings", (t) => {
  t.is(directory("linux", "/home/alice"), "/home/alice/.config/niac");
  t.is(directory("linux", "/home/alice", { XDG_CONFIG_HOME: "/data/alice" }), "/data/alice/niac");
  t.is(directory("linux", "/home/alice", { XDG_CONFIG_HOME: "relative" }), "/home/alice/.config/niac");
  t.is(directory("darwin", "/Users/alice"), "/Users/alice/Library/Application Support/niac");
  t.is(directory("win32", "C:\\Users\\alice"), "C:\\Users\\alice\\AppData\\Roaming\\niac");
  const roaming = { APPDATA: "D:\\Profiles\\alice" };
  t.is(directory("win32", "C:\\Users\\alice", roaming), "D:\\Profiles\\alice\\niac");
});

test("a profile's name comes from the option, the environment, or is `default`; none leaves the folder", (t) => {
  const environment: Record<string, string> = { NIAC_PROFILE: "plant-7" };
  t.is(
    profileName("plant-8", (name) => environment[name]),
    "plant-8",
  );
  t.is(
    profileName(undefined, (name) => environment[name]),
    "plant-7",
  );
  t.is(
    profileName(undefined, () => undefined),
    "default",
  );
  for (const bad of ["", "..", "a/b", "a\\b", ".hidden", "Plant", "a".repeat(64), "x.pending"]) {
    t.throws(() => profileName(bad, () => undefined), { instanceOf: UsageError }, bad);
  }
  t.is(
    profileName("a".repeat(63), () => undefined),
    "a".repeat(63),
  );
});
