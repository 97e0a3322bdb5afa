/** scripts/box: the image as a box in a plant, for people and as one check. */
import { ALLOWED, BoxBed, REFUSED } from "../../test/support/box/bed.ts";
import type { Teardown } from "../../test/support/processes.ts";

/** Ctrl-], as with other consoles. */
const LEAVE = "\u001d";

const steps: Array<() => void | Promise<void>> = [];
const around: Teardown = { teardown: (step) => void steps.push(step) };
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const stopped = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
});

try {
  await Promise.race([stopped, process.argv.includes("--check") ? check() : show()]);
} catch (error) {
  say(`scripts/box: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
for (const step of steps.toReversed()) {
  // What one step cannot put away keeps no other from it.
  try {
    await step();
  } catch (error) {
    say(`scripts/box: not put away: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
process.exit();

async function start(): Promise<BoxBed> {
  const began = Date.now();
  const passed = (): string => `${((Date.now() - began) / 1000).toFixed(0)} s`;
  say("The plant, and the box switched on for the first time ...");
  const bed = await BoxBed.assemble(around);
  await bed.box.on();
  await bed.ready();
  say(`  niac is at work after ${passed()}`);
  await bed.enrol();
  await bed.connect();
  say(`  the authority is made, and alice's laptop enrolled, after ${passed()}`);
  return bed;
}

async function check(): Promise<void> {
  const bed = await start();
  let wrong = 0;
  const expect = (what: string, is: string, wanted: string): void => {
    say(is === wanted ? `  ok      ${what}` : `  NOT SO  ${what}: ${is}`);
    if (is !== wanted) wrong++;
  };
  expect("alice reads the press", await bed.read(ALLOWED), String(ALLOWED));
  expect("she writes where the grant lets her", await bed.write(ALLOWED, 77), "written");
  expect("she is refused where no grant allows it", await bed.write(REFUSED, 1), "Illegal function");
  expect(
    "the press saw the one write",
    (await bed.machine.written()).join(),
    `write holdingRegisters ${ALLOWED} [77]`,
  );
  expect("no unit failed", await bed.box.out("systemctl --failed --plain --no-legend"), "");
  if (wrong > 0)
    throw new Error(
      `${wrong} of it was not as it should be; the console's end:\n${bed.box.boot.console.slice(-2_000)}`,
    );
  say("box: all as it should be");
}

async function show(): Promise<void> {
  const bed = await start();
  const laptop = `ip netns exec ${bed.plant.namespace("laptop")}`;
  const mbpoll = `${laptop} mbpoll -m tcp -p 5502 -a 1 -t 4 -0`;
  say(`
In another terminal, as root:

  alice reads register ${ALLOWED}, writes it, and is refused at ${REFUSED}:
     ${mbpoll} -r ${ALLOWED} -c 1 -1 127.0.0.1
     ${mbpoll} -r ${ALLOWED} 127.0.0.1 77
     ${mbpoll} -r ${REFUSED} 127.0.0.1 1

  what the plant sees of the box:
     ip netns exec ${bed.plant.namespace("attacker")} nmap -n -Pn -p 1-9000 10.20.0.100

Below is the box's serial console: a shell as root (niac status, niac audit query, systemctl). Ctrl-] ends all of it.
`);
  const type = bed.box.terminal((text) => process.stdout.write(text));
  type("stty sane; exec bash --noprofile --norc -i\n");
  if (process.stdin.isTTY) process.stdin.setRawMode(true);
  for await (const chunk of process.stdin) {
    const text = String(chunk);
    if (text.includes(LEAVE)) return;
    type(text);
  }
  // Standard input has ended, and nobody types: until a signal comes.
  await stopped;
}
