import { createServer } from "node:net";
import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { listenAt } from "../../../src/gateway/place.ts";

test("a descriptor that is no listening socket is named, with how it comes about", async (t) => {
  const error = await t.throwsAsync(listenAt(createServer(), { fd: 9_999 }), {
    instanceOf: UsageError,
  });
  t.regex(error?.message ?? "", /^the gateway cannot listen on the inherited descriptor 9999 \(/);
  t.regex(error?.advice ?? "", /niac up/);
});

test("an address that is taken is named, with the settings that change it", async (t) => {
  const first = createServer();
  t.teardown(() => first.close());
  await listenAt(first, { host: "127.0.0.1", port: 0 });
  const address = first.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const error = await t.throwsAsync(listenAt(createServer(), { host: "127.0.0.1", port }), {
    code: "listen",
  });
  t.is(error?.message, `the gateway cannot listen on 127.0.0.1 port ${port} (EADDRINUSE)`);
});
