/** Which stages a run has, in which order, for what was asked. */
import { globSync } from "node:fs";
import type { Options } from "./options.ts";

/** The image's tests by what they need. All but the first go on from the box that the first start has kept. */
export const IMAGE = {
  /** The made image, not started. */
  tree: "test/image-tree/**/*.test.ts",
  /** One start. */
  start: "test/image/first-start.test.ts",
  /** Its updates and a power cut: with the first start the short form. */
  short: "test/image/update-life.test.ts",
  all: "test/image/**/*.test.ts",
} as const;

const INTEGRATION = "test/integration/**/*.test.ts";
const E2E = "test/e2e/**/*.test.ts";
/** Waits for more than a minute while others work, so it goes first. */
const LONGEST = "test/e2e/scan-is-one-record.test.ts";
const UNIT = "test/unit/**/*.test.ts";
const SOAK = "test/soak/**/*.test.ts";
/** Soak tests that start the image. */
const SOAK_IMAGE = /\/power-cuts\.test\.ts$/;

export type Stage = Step | { readonly kind: "lanes"; readonly lanes: readonly (readonly Step[])[] };

/** `lanes` go side by side, the steps of each one after the other. */
export type Step =
  | { readonly kind: "checks" }
  | { readonly kind: "unit"; readonly files: readonly string[] }
  | { readonly kind: "tools"; readonly image: boolean }
  | { readonly kind: "program" }
  /** `later`: makes a later release too, for updates; "changed": where the image's inputs have changed since its tier last passed. */
  | { readonly kind: "images"; readonly later: boolean | "changed" }
  | {
      readonly kind: "tests";
      readonly name: string;
      readonly files: readonly string[];
      /** Processes at a time. */
      readonly width: number;
      /** Needs the made image. */
      readonly image: boolean;
      /** Asks the first start to keep its box for those after it. */
      readonly keep?: boolean;
      /** Of soak: how long each file goes on. */
      readonly soak?: { readonly minutes: number } | { readonly rounds: number };
      /** Runs only where the tier's inputs have changed since it last passed. */
      readonly changed?: "image" | "soak";
    };

/** Processes at a time of tests that wait for other programs much of their time: two cores are then busy. */
const WAITING = 3;
/** Rounds of each soak test in its short form. */
const ROUNDS = 12;

export function planOf(options: Options, root: string): Stage[] {
  const find = (...patterns: string[]): string[] => globSync(patterns, { cwd: root }).toSorted();
  switch (options.what) {
    case "quick":
      return [{ kind: "checks" }, { kind: "unit", files: find(UNIT) }];
    case "all":
      return [
        ...planOf({ ...options, what: "quick" }, root),
        { kind: "tools", image: true },
        { kind: "program" },
        {
          kind: "lanes",
          lanes: [
            [tests("integration", find(INTEGRATION), WAITING), tests("end-to-end", endToEnd(find), WAITING)],
            [{ kind: "images", later: options.changed && "changed" }, treeStep(find(IMAGE.tree), 1)],
          ],
        },
        startStep(find(IMAGE.start), options.changed),
        ...(options.changed ? shortForms(find) : []),
      ];
    case "image": {
      const rest = find(IMAGE.all).filter((file) => !find(IMAGE.start, IMAGE.short).includes(file));
      return [
        { kind: "tools", image: true },
        { kind: "program" },
        { kind: "images", later: true },
        treeStep(find(IMAGE.tree), 2),
        startStep(find(IMAGE.start), true),
        { ...tests("image: updates", find(IMAGE.short), 1), image: true },
        { ...tests("image: all others", rest, 1), image: true },
      ];
    }
    case "soak": {
      const files = find(SOAK);
      const soak = { minutes: options.minutes / files.length };
      return [
        { kind: "tools", image: true },
        { kind: "program" },
        { kind: "images", later: true },
        { ...tests("soak", files, 1), image: true, soak },
      ];
    }
    case "files":
      return filesPlan(find(...options.files.map((file) => file.replace(/^\.\//, ""))));
    case "slowest":
      return [];
  }
}

function tests(name: string, files: readonly string[], width: number): Extract<Step, { kind: "tests" }> {
  return { kind: "tests", name, files, width, image: false };
}

function endToEnd(find: (...patterns: string[]) => string[]): string[] {
  return find(E2E).toSorted((a, b) => Number(b === LONGEST) - Number(a === LONGEST));
}

function treeStep(files: readonly string[], width: number): Step {
  return { ...tests("image: its tree", files, width), image: true };
}

/** `keep`: its box is for those after it. Alone, for QEMU emulates: what the box has to do in time, it has to do in this computer's time. */
function startStep(files: readonly string[], keep: boolean): Step {
  return { ...tests("image: first start", files, 1), image: true, keep };
}

/** For a change that touched what these tiers test. */
function shortForms(find: (...patterns: string[]) => string[]): Stage[] {
  return [
    { ...tests("image: short form", find(IMAGE.short), 1), image: true, changed: "image" },
    {
      ...tests(
        "soak: short form",
        find(SOAK).filter((file) => !SOAK_IMAGE.test(file)),
        1,
      ),
      soak: { rounds: ROUNDS },
      changed: "soak",
    },
  ];
}

/** All steps, in the order in which a report names them. */
export function stepsOf(stages: readonly Stage[]): Step[] {
  return stages.flatMap((stage) => (stage.kind === "lanes" ? stage.lanes.flat() : [stage]));
}

const isUnit = (file: string): boolean => file.startsWith("test/unit/");
const isImage = (file: string): boolean => /^test\/image(-tree)?\//.test(file) || SOAK_IMAGE.test(file);

/** Files that were named, with all that they need and nothing else. */
function filesPlan(files: readonly string[]): Stage[] {
  const [unit, image] = [files.filter(isUnit), files.filter(isImage)];
  const others = files.filter((file) => !isUnit(file) && !isImage(file));
  const later = image.some((file) => !file.startsWith("test/image-tree/"));
  const started = image.length > 0;
  return [
    ...(unit.length > 0 ? [{ kind: "unit", files: unit } as const] : []),
    ...(others.length > 0 || started
      ? [{ kind: "tools", image: started } as const, { kind: "program" } as const]
      : []),
    ...(others.length > 0 ? [tests("files", others, WAITING)] : []),
    ...(started ? [{ kind: "images", later } as const, { ...tests("image", image, 1), image: true }] : []),
  ];
}
