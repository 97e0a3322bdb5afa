import test from "ava";
import { readUpdate, type UpdateSettings } from "../../../src/settings/update.ts";

const NAMES = { server: "NIAC_UPDATE_SERVER", usb: "NIAC_UPDATE_USB" };

function read(server: string | null, usb = "install"): { settings: UpdateSettings; problems: string[] } {
  const problems: string[] = [];
  return { settings: readUpdate({ server, ca: null, usb }, NAMES, problems), problems };
}

test("without settings nothing is streamed, and a stick is installed but restarts nothing", (t) => {
  const { settings, problems } = read(null);
  t.deepEqual(settings, { server: null, ca: null, usb: "install" });
  t.deepEqual(problems, []);
});

test("a server is an address and a port, for the ruleset, and the URL below which all bundles are", (t) => {
  t.deepEqual(read("https://10.20.0.9/niac/").settings.server, {
    url: "https://10.20.0.9/niac/",
    address: "10.20.0.9",
    port: 443,
  });
  t.is(read("http://10.20.0.9/").settings.server?.port, 80);
  t.is(read("http://10.20.0.9:8080/").settings.server?.port, 8080);
});

for (const text of [
  "10.20.0.9",
  "https://updates.plant.example/",
  "https://[fd00::1]/",
  "https://10.20.0.9/niac",
  "https://user:secret@10.20.0.9/",
  "https://10.20.0.9/?x=1",
  "ftp://10.20.0.9/",
  "file:///data/",
]) {
  test(`no update server: ${text}`, (t) => {
    const { settings, problems } = read(text);
    t.is(settings.server, null);
    t.regex(problems.join(), /NIAC_UPDATE_SERVER is .*it takes an http or https URL with an IPv4 address/);
  });
}

test("what a stick does is one of three words; a wrong one does nothing", (t) => {
  t.is(read(null, "restart").settings.usb, "restart");
  const { settings, problems } = read(null, "always");
  t.is(settings.usb, "off");
  t.deepEqual(problems, ['NIAC_UPDATE_USB is "always"; it takes off, install, restart']);
});
