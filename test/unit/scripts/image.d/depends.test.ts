import test from "ava";
import { debianNeeds } from "../../../../scripts/image.d/depends.ts";
import { deb } from "./parts-made-up.ts";

const needs = (depends: string, ...others: ReturnType<typeof deb>[]): readonly string[] | undefined =>
  debianNeeds([deb("it", { depends }), ...others]).get("it");

test("versions, architectures and build profiles are no part of a name", (t) => {
  t.deepEqual(needs("b (>= 2.38), a:any, c", deb("a"), deb("b"), deb("c")), ["a", "b", "c"]);
});

test("of alternatives, the first that is in the image", (t) => {
  t.deepEqual(needs("x | b | a", deb("a"), deb("b")), ["b"]);
  t.deepEqual(needs("x | y", deb("a")), []);
});

test("a name that no package has is found by who provides it", (t) => {
  const bus = deb("dbus-system-bus-common", { provides: "default-bus (= 1.16), bus-data" });
  t.deepEqual(needs("default-bus (>= 1.0) | bus", bus), ["dbus-system-bus-common"]);
  t.deepEqual(needs("bus-data", bus, deb("bus-data")), ["bus-data"], "a real package goes first");
});

test("nothing needs itself, and nothing twice", (t) => {
  t.deepEqual(needs("a, a (>= 1), it, virtual", deb("a", { provides: "virtual" })), ["a"]);
  t.deepEqual(needs("", deb("a")), []);
});
