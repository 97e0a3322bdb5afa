import test from "ava";
import { dialFor, explainTls, originOf } from "../../../src/gateway/dial.ts";
import type { Destination, Machine } from "../../../src/site/index.ts";
import { inCable } from "./cable-site.ts";

const SITE = inCable();

function machine(name: string): Machine {
  const found = SITE.machines.find((each) => each.name === name);
  if (!found) throw new Error(name);
  return found;
}

function destination(name: string): Destination {
  const found = SITE.destinations.find((each) => each.name === name);
  if (!found) throw new Error(name);
  return found;
}

function failure(code: string, message: string): string {
  return explainTls(Object.assign(new Error(message), { code }), "box-2.plant.example");
}

test("a destination sees the machine's stand-in, or the appliance where the site says so", (t) => {
  const hmi = machine("hmi-1");
  t.truthy(hmi.standIn);
  t.is(originOf(hmi, destination("plc-12")), hmi.standIn);
  t.not(originOf(machine("press-4"), destination("plc-12")), hmi.standIn);
  t.is(originOf(hmi, destination("plc-13")), null);
  t.is(originOf(hmi, null), null);
});

test("a serial line is not connected to", (t) => {
  const drive = machine("drive-1");
  const [service] = drive.services;
  t.is(service && dialFor(service, drive, null, () => t.fail()), null);
});

test("what went wrong with TLS is told in words, without OpenSSL's own", (t) => {
  t.is(
    failure(
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "Hostname/IP does not match certificate's altnames: Host: box-2.plant.example. is not in the cert's altnames: DNS:box-9",
    ),
    "the server's certificate is not for box-2.plant.example: DNS:box-9",
  );
  t.is(
    failure("CERT_HAS_EXPIRED", "certificate has expired"),
    "the server's certificate is not trusted: certificate has expired (CERT_HAS_EXPIRED)",
  );
  for (const [code, said] of [
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "the server refused the appliance's certificate: unknown ca"],
    [
      "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
      "the server refused the appliance's certificate: certificate required",
    ],
    [
      "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE",
      "the server refused the appliance's certificate: bad certificate",
    ],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "the server refused the TLS handshake: protocol version"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "the TLS handshake failed: wrong version number"],
  ] as const) {
    t.is(failure(code, "00AB:error:0A000418:SSL routines:x:../deps/openssl/rec_layer_s3.c:918:\n"), said);
  }
  t.is(failure("ECONNREFUSED", "connect ECONNREFUSED 10.9.0.30:8883"), "connect ECONNREFUSED 10.9.0.30:8883");
});
