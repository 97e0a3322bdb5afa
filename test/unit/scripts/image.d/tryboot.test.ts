import test from "ava";
import { kernelOf } from "../../../../scripts/image.d/tryboot.ts";
import { deb } from "./parts-made-up.ts";

const KERNEL = deb("linux-binary-7.3.4+deb13-arm64", { version: "7.3.4-1~bpo13+1" });

test("the module is built for the one kernel of the image", (t) => {
  t.deepEqual(kernelOf([deb("mawk"), KERNEL, deb("linux-modules-7.3.4+deb13-arm64")]), {
    release: "7.3.4+deb13-arm64",
    kernel: "7.3.4-1~bpo13+1",
  });
});

test("no kernel, and two, are refused", (t) => {
  t.throws(() => kernelOf([deb("mawk")]), { message: /no kernel/ });
  t.throws(() => kernelOf([KERNEL, deb("linux-binary-7.4.1+deb13-arm64")]), {
    message: /more than one kernel/,
  });
});
