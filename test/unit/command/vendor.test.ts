import test from "ava";
import { macVendors, vendorIn } from "../../../src/command/vendor.ts";

const LIST = {
  "001122": "Maker of PLCs\nStreet 1\nTown",
  "8C1F64": "IEEE Registration Authority\n445 Hoes Lane",
  "8C1F640AB": "Small Maker\nStreet 2",
  "8C1F64C": "Medium Maker",
  "005500": "IEEE Registration Authority",
  "006600": "Evil\u{1b}[31m Maker\nx",
  "007700": "\nno name",
};

test("the smallest block an address lies in is its maker's", (t) => {
  t.is(vendorIn(LIST, "00:11:22:33:44:55"), "Maker of PLCs");
  t.is(vendorIn(LIST, "8c:1f:64:0a:b1:23"), "Small Maker");
  t.is(vendorIn(LIST, "8c:1f:64:c0:00:01"), "Medium Maker");
});

test("an address without a maker says why", (t) => {
  t.is(vendorIn(LIST, "8c:1f:64:99:99:99"), "unknown vendor", "the registry itself makes nothing");
  t.is(vendorIn(LIST, "00:99:99:00:00:00"), "unknown vendor");
  t.is(vendorIn(LIST, "00:77:00:00:00:00"), "unknown vendor");
  t.is(vendorIn(LIST, "02:11:22:33:44:55"), "no vendor (locally administered)");
  t.is(vendorIn(LIST, "01:11:22:33:44:55"), "not a station's address (group)");
  t.is(vendorIn(LIST, "ff:ff:ff:ff:ff:ff"), "not a station's address (group)");
  for (const wrong of ["", "001122", "__proto__", "00:11:22:33:44:5g"])
    t.is(vendorIn(LIST, wrong), "not a MAC address");
});

test("a name is safe for a terminal", (t) => {
  t.is(vendorIn(LIST, "00:66:00:00:00:00"), "Evil\\u{1b}[31m Maker");
});

test("IEEE's own list knows the makers of automation, in blocks of every size", async (t) => {
  const vendors = await macVendors([
    "00:1b:1b:00:00:01",
    "00:80:f4:00:00:01",
    "8c:1f:64:15:90:01",
    "02:00:00:00:00:01",
  ]);
  t.regex(vendors.get("00:1b:1b:00:00:01") ?? "", /Siemens/i);
  t.regex(vendors.get("00:80:f4:00:00:01") ?? "", /Telemecanique|Schneider/i);
  t.regex(vendors.get("8c:1f:64:15:90:01") ?? "", /Mediana/);
  t.is(vendors.get("02:00:00:00:00:01"), "no vendor (locally administered)");
  t.is(vendors.size, 4);
});
