/** Which device of a tree has which pin of a GPIO controller: by GPIO reference, by hog, or by the pin functions it selects. Pure. */
import { cells, everyNode, isEnabled, nodeAt, texts, type TreeNode } from "./fdt.ts";

export interface Claim {
  readonly gpio: number;
  /** Path of the device. */
  readonly node: string;
  readonly how: "gpio" | "function";
}

/** Groups of the RP1's by name (drivers/pinctrl/pinctrl-rp1.c), as far as Debian's trees use them. */
const GROUPS: Readonly<Record<string, readonly number[]>> = {
  vbus1: [42, 43],
  i2c4_2: [40, 41],
  i2c6_0: [38, 39],
};

/** Of all devices that are switched on. Throws where the tree says it in a way that is not known here. */
export function claimsOf(root: TreeNode, controllerPath: string): Claim[] {
  const controller = nodeAt(root, controllerPath);
  if (controller === undefined) throw new Error(`the tree has no ${controllerPath}`);
  const phandles = new Map<number, TreeNode>();
  for (const node of everyNode(root)) {
    const [phandle] = cells(node, "phandle");
    if (phandle !== undefined) phandles.set(phandle, node);
  }
  const claims: Claim[] = [];
  for (const node of everyNode(root)) {
    if (!isEnabled(node) || node.path.startsWith("/__")) continue;
    for (const property of node.properties.keys()) {
      if (/^(.+-)?gpios?$/.test(property))
        for (const gpio of gpiosOf(node, property, controller, phandles))
          claims.push({ gpio, node: node.path, how: "gpio" });
      else if (/^pinctrl-\d+$/.test(property))
        for (const gpio of functionsOf(node, property, controller, phandles))
          claims.push({ gpio, node: node.path, how: "function" });
    }
  }
  return claims;
}

/** GPIO numbers that two devices have. */
export function claimedTwice(claims: readonly Claim[]): string[] {
  const owners = new Map<number, Set<string>>();
  for (const { gpio, node } of claims) owners.set(gpio, (owners.get(gpio) ?? new Set()).add(node));
  return [...owners]
    .filter(([, nodes]) => nodes.size > 1)
    .map(([gpio, nodes]) => `GPIO${gpio} is used by ${[...nodes].toSorted().join(" and ")}`);
}

/** A list of references, each a phandle and as many cells as its controller says. */
function gpiosOf(
  node: TreeNode,
  property: string,
  controller: TreeNode,
  phandles: ReadonlyMap<number, TreeNode>,
): number[] {
  const list = cells(node, property);
  if (node.properties.has("gpio-hog")) {
    const [gpio] = list;
    return node.parent === controller && gpio !== undefined ? [gpio] : [];
  }
  const found: number[] = [];
  for (let at = 0; at < list.length;) {
    const phandle = list[at++];
    // A place left empty.
    if (phandle === 0 || phandle === undefined) continue;
    const target = phandles.get(phandle);
    const [size] = target === undefined ? [] : cells(target, "#gpio-cells");
    if (size === undefined) throw new Error(`${node.path} ${property} points to no GPIO controller`);
    const gpio = list[at];
    if (gpio === undefined || at + size > list.length)
      throw new Error(`${node.path} ${property} is cut short`);
    if (target === controller) found.push(gpio);
    at += size;
  }
  return found;
}

function functionsOf(
  node: TreeNode,
  property: string,
  controller: TreeNode,
  phandles: ReadonlyMap<number, TreeNode>,
): number[] {
  return cells(node, property).flatMap((phandle) => {
    const state = phandles.get(phandle);
    if (state === undefined) throw new Error(`${node.path} ${property} points nowhere`);
    return state.path.startsWith(`${controller.path}/`) ? [...everyNode(state)].flatMap(pinsOf) : [];
  });
}

/** `brcm,pins` of Broadcom's binding, `pins` and `groups` of the common one. */
function pinsOf(state: TreeNode): number[] {
  const named = texts(state, "pins").map((name) => {
    const [, gpio] = /^gpio(\d+)$/.exec(name) ?? [];
    if (gpio === undefined) throw new Error(`${state.path} has a pin ${name}`);
    return Number(gpio);
  });
  const grouped = texts(state, "groups").flatMap((name) => {
    const group = GROUPS[name];
    if (group === undefined)
      throw new Error(`${state.path} has a group ${name}, whose pins are not known here`);
    return group;
  });
  return [...cells(state, "brcm,pins"), ...named, ...grouped];
}
