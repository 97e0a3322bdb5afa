import { fileURLToPath } from "node:url";
import test from "ava";
import { IMAGE, planOf, stepsOf, type Step } from "../../../../scripts/test.d/plan.ts";
import type { Options } from "../../../../scripts/test.d/options.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const NONE: Options = { what: "all", files: [], changed: false, record: false, minutes: 60 };

function plan(options: Partial<Options>): Step[] {
  return stepsOf(planOf({ ...NONE, ...options }, ROOT));
}

function names(stages: readonly Step[]): string[] {
  return stages.map((stage) => (stage.kind === "tests" ? stage.name : stage.kind));
}

function filesOf(stages: readonly Step[]): string[] {
  return stages.flatMap((stage) => (stage.kind === "tests" || stage.kind === "unit" ? stage.files : []));
}

test("the cheapest comes first, and the whole run starts one image once", (t) => {
  const all = plan({});
  t.deepEqual(names(all), [
    "checks",
    "unit",
    "tools",
    "program",
    "integration",
    "end-to-end",
    "images",
    "image: its tree",
    "image: first start",
  ]);
  t.deepEqual(names(plan({ what: "quick" })), ["checks", "unit"]);
  const started = filesOf(all).filter((file) => file.startsWith("test/image/"));
  t.deepEqual(started, [IMAGE.start]);
  t.true(all.some((stage) => stage.kind === "images" && !stage.later));
});

test("the image is made beside the tests that need none, and is started alone", (t) => {
  const stages = planOf({ ...NONE, changed: true }, ROOT);
  const kinds = ["checks", "unit", "tools", "program", "lanes", "tests", "tests", "tests"];
  t.deepEqual(
    stages.map(({ kind }) => kind),
    kinds,
  );
  const lanes = stages.flatMap((stage) => (stage.kind === "lanes" ? stage.lanes : []));
  t.deepEqual(lanes.map(names), [
    ["integration", "end-to-end"],
    ["images", "image: its tree"],
  ]);
});

test("the later release is made where updates are tested, or may be", (t) => {
  for (const [options, later] of [
    [{}, false],
    [{ changed: true }, "changed"],
    [{ what: "image" }, true],
  ] as const) {
    const images = plan(options).filter((step) => step.kind === "images");
    t.deepEqual(images, [{ kind: "images", later }]);
  }
});

test("what has changed adds the short forms, and keeps the box of the first start for them", (t) => {
  const all = plan({ changed: true });
  t.deepEqual(names(all).slice(-2), ["image: short form", "soak: short form"]);
  t.true(all.some((stage) => stage.kind === "tests" && stage.name === "image: first start" && stage.keep));
  t.false(filesOf(all).some((file) => file.includes("power-cuts")));
});

test("every test file belongs to a tier, and to one of each run", (t) => {
  const [all, image, soak] = (["all", "image", "soak"] as const).map((what) => filesOf(plan({ what })));
  for (const files of [all ?? [], image ?? [], soak ?? []]) t.is(new Set(files).size, files.length);
  const everything = new Set([...(all ?? []), ...(image ?? []), ...(soak ?? [])]);
  const there = filesOf(plan({ what: "files", files: ["test/**/*.test.ts"] }));
  t.deepEqual(
    there.filter((file) => !everything.has(file)),
    [],
  );
  t.true(there.length > 400);
});

test("the image's tier begins with the start that keeps its box", (t) => {
  const [, , , ...tests] = names(plan({ what: "image" }));
  t.deepEqual(tests, ["image: its tree", "image: first start", "image: updates", "image: all others"]);
});

test("soak's minutes are shared among its files", (t) => {
  const [stage] = plan({ what: "soak", minutes: 10 }).filter((one) => one.kind === "tests");
  t.true(stage?.kind === "tests" && stage.soak !== undefined);
  if (stage?.kind === "tests") t.deepEqual(stage.soak, { minutes: 10 / stage.files.length });
});

function of(...files: string[]): string[] {
  return names(plan({ what: "files", files }));
}

test("files that are named bring what they need, and no more", (t) => {
  t.deepEqual(of("test/unit/imports.test.ts"), ["unit"]);
  t.deepEqual(of("./test/e2e/demo.test.ts"), ["tools", "program", "files"]);
  t.deepEqual(of("test/e2e/clean-stop.test.ts"), ["tools", "program", "files"]);
  t.deepEqual(of(IMAGE.start), ["tools", "program", "images", "image"]);
  t.deepEqual(of("test/e2e/no-such.test.ts"), []);
});
