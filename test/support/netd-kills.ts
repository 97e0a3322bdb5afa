/** netd, killed while it puts one of two documents in force or the other, with traffic all the while that neither of them allows. */
import type { ChildProcess } from "node:child_process";
import type { ExecutionContext } from "ava";
import { HOSTS, Plant, says } from "./plant.ts";
import { cableSite, FORWARDED, Watch } from "./plant-cable.ts";

const MORE = `
  - { name: archive, reason: Values of the year, machines: [hmi, press], how: forward, host: ${HOSTS.scada}, ports: [4005, "5000-5100"] }`;

/**
 * When it is killed: before the document comes; when the kernel has the new ruleset, of which netd may not know yet; when netd has said
 * so; or so many milliseconds after the document was given.
 */
export type Moment = "before" | "in the kernel" | "said" | number;

export class NetdKills {
  readonly #t: ExecutionContext;
  readonly #plant: Plant;
  readonly #documents: readonly [string, string];
  readonly #rulesets: readonly [string, string];
  readonly #watch: Watch;
  readonly #monitor: ChildProcess;
  #marks = 0;
  /** The document that control has last called in force. */
  #current: 0 | 1 = 1;
  /** Rulesets found after a kill: that of before, and the new one. */
  readonly found = { old: 0, new: 0 };

  private constructor(
    t: ExecutionContext,
    plant: Plant,
    watch: Watch,
    monitor: ChildProcess,
    documents: readonly [string, string],
    rulesets: readonly [string, string],
  ) {
    this.#t = t;
    this.#plant = plant;
    this.#documents = documents;
    this.#rulesets = rulesets;
    this.#watch = watch;
    this.#monitor = monitor;
  }

  static async start(t: ExecutionContext): Promise<NetdKills> {
    const plant = Plant.create(t);
    const documents = [cableSite(plant), cableSite(plant, { more: MORE })] as const;
    await plant.startBox(documents[0], { parts: ["control", "netd"] });
    await plant.echo("historian", FORWARDED);
    const first = rulesetOf(plant);
    await plant.apply(documents[1]);
    const second = rulesetOf(plant);
    t.not(first, second);
    const watch = new Watch(
      plant,
      await plant.capture("machines-sw", "br0"),
      await plant.capture("plant-sw", "br0"),
    );
    const monitor = plant.spawn("box", "nft", ["monitor", "rules"]);
    // What no document allows, all the while.
    plant.spawn("hmi", "hping3", ["-q", "-S", "-p", "22", "-i", "u10000", HOSTS.historian]);
    plant.spawn("hmi", "hping3", ["-q", "--udp", "-p", "9", "-i", "u10000", HOSTS.attacker]);
    plant.spawn("attacker", "hping3", ["-q", "-S", "-p", "502", "-i", "u10000", HOSTS.press]);
    plant.spawn("attacker", "hping3", ["-q", "--udp", "-p", "9", "-i", "u10000", HOSTS.hmi]);
    return new NetdKills(t, plant, watch, monitor, documents, [first, second]);
  }

  /** Gives the document that is not in force, kills netd, and starts it again; one of the two rulesets is whole all the while. */
  async kill(moment: Moment): Promise<void> {
    const [t, plant] = [this.#t, this.#plant];
    const { box } = plant;
    const before = this.#current;
    const next = before === 0 ? 1 : 0;
    if (moment === "before") await box.end("netd", "SIGKILL");
    const seen = box.log.length;
    if (moment === "in the kernel") await this.#told();
    const inKernel = moment === "in the kernel" ? says(this.#monitor, "add rule") : null;
    const applying = box.tryApply(this.#documents[next]);
    await inKernel;
    if (moment === "said") await box.logged('"msg":"ruleset in force"', seen);
    if (typeof moment === "number") await new Promise((resolve) => setTimeout(resolve, moment));
    await box.end("netd", "SIGKILL");
    // Where netd died before it had checked the document, that is an error, and the one of before stays.
    if ((await applying).code === 0) this.#current = next;
    const which = this.#rulesets.indexOf(rulesetOf(plant));
    t.true(which >= 0, `killed ${moment}: neither ruleset:\n${rulesetOf(plant)}`);
    this.found[which === next ? "new" : "old"]++;
    if (moment === "before") t.is(which, before, "nobody was there to bring the new one");
    if (moment === "in the kernel" || moment === "said") t.is(which, next, "the new one is whole");
    t.is(await plant.ask("hmi", HOSTS.historian, FORWARDED), `historian ${HOSTS.hmi} hello`, "without netd");
    const again = box.log.length;
    await box.run("netd");
    await box.logged('"msg":"ruleset in force"', again);
    t.is(rulesetOf(plant), this.#rulesets[this.#current], "the last document's");
  }

  /** The monitor has said all that the kernel did until now: a rule of ours was the last. */
  async #told(): Promise<void> {
    const rule = `told ${++this.#marks} times`;
    const said = says(this.#monitor, rule);
    const table = "add table ip told; add chain ip told one;";
    this.#plant.run("box", "nft", `${table} add rule ip told one counter comment "${rule}"`);
    await said;
    this.#plant.run("box", "nft", "delete table ip told");
  }

  /** What neither document allows did not cross, and is refused again at once. */
  async finish(): Promise<void> {
    this.#t.is(await this.#plant.dial("hmi", HOSTS.historian, 22), "reset");
    this.#t.deepEqual(await this.#watch.crossed(), { machines: [], plant: [] });
  }
}

/** As it was applied: without counts, and without what the kernel and netd fill in as packets come. */
export function rulesetOf(plant: Plant): string {
  return plant
    .run("box", "nft", "-s", "list", "ruleset")
    .replaceAll(/^\t(?:set|map) \w+ \{\n(?:(?!\t\}).*\n)*\t\}\n/gm, (set) =>
      /flags .*(?:dynamic|timeout)/.test(set) ? "" : set,
    )
    .replaceAll(/^\t\t(?:elements|\t).*\n/gm, (line) => line.split(", ").toSorted().join(", "));
}
