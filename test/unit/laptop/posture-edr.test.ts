import test from "ava";
import { AGENTS, edrAmong, linuxEdr } from "../../../src/laptop/posture-edr.ts";
import { Tree } from "./posture-tree.ts";

/** A computer on which the system runs, and nothing else. */
function computer(t: ConstructorParameters<typeof Tree>[0]): Tree {
  const tree = new Tree(t);
  tree.process(1, "systemd", 0);
  tree.process(812, "sshd", 0);
  return tree;
}

for (const { product, linux } of AGENTS) {
  for (const name of linux) {
    test(`${product} is known on Linux by ${name}, as long as the kernel shows of it`, (t) => {
      const tree = computer(t);
      t.false(linuxEdr(tree.files).value);
      tree.process(900, name.slice(0, 15), 0);
      t.like(linuxEdr(tree.files), { value: true, found: product });
    });
  }
}

test("an agent with a user of its own runs; a person's program of that name does not", (t) => {
  const tree = computer(t);
  tree.process(900, "wazuh-agentd", 1_000);
  t.false(linuxEdr(tree.files).value);
  tree.process(901, "wazuh-agentd", 999);
  t.true(linuxEdr(tree.files).value);
});

test("a name that only begins like an agent's is another program's", (t) => {
  const tree = computer(t);
  tree.process(900, "wdavdaemon2", 0);
  tree.process(901, "falcon", 0);
  const found = linuxEdr(tree.files);
  t.false(found.value);
  t.is(found.found, "none that niac knows");
  t.regex(found.how, /it knows CrowdStrike Falcon, Microsoft Defender/);
});

test("where others' processes are hidden it is not known", (t) => {
  const tree = new Tree(t);
  tree.process(4_000, "bash", 1_000);
  const found = linuxEdr(tree.files);
  t.is(found.value, null);
  t.regex(found.how, /hidepid/);
});

test("two agents are both named, and of each system only its own names count", (t) => {
  t.is(
    edrAmong("windows", ["Sense", "CSFalconService"], "").found,
    "CrowdStrike Falcon, Microsoft Defender for Endpoint",
  );
  t.false(edrAmong("windows", ["wdavdaemon"], "").value);
  t.false(edrAmong("linux", ["osqueryd", "clamd", "auditd"], "").value);
});
