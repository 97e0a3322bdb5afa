import { HOSTS, Plant } from "../support/plant.ts";
import { mbpollFrom, PlantMachine, stunnelOn } from "../support/plant-modbus.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "stunnel4",
  "mbpoll",
  "pymodbus",
  "tcpdump",
  "tshark",
)(
  "an engineer's Modbus-TLS client pointed at the machine's own address works, and the machine does not exist without a certificate",
  async (t) => {
    const plant = await Plant.start(t, (p) =>
      plantSite(p, {
        grant:
          "{ functions: readWrite, read: { holdingRegisters: all }, write: { holdingRegisters: [100-109] } }",
      }),
    );
    const press = await PlantMachine.start(plant, "press");
    const behind = await plant.capture("press");
    const credential = plant.box.root.client({ cn: "alice", ou: ["maintenance"] });
    const port = await stunnelOn(plant, "laptop", { credential, to: `${HOSTS.press}:802` });

    t.is(await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 40, count: 3 }), "40 41 42");
    t.is(await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 105, write: 7 }), "written");
    t.is(await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 105 }), "7");
    t.is(
      await mbpollFrom(plant, "laptop", "127.0.0.1", { port, register: 110, write: 7 }),
      "Illegal function",
      "beside what the grant lists",
    );

    const direct = await mbpollFrom(plant, "laptop", HOSTS.press, { register: 40 });
    t.regex(direct, /refused/i, "at once");
    const bare = await plant.result("laptop", "openssl", [
      "s_client",
      "-connect",
      `${HOSTS.press}:802`,
      "-tls1_3",
      "-verify_ip",
      HOSTS.press,
      "-CAfile",
      plant.box.root.credential.cert,
      "-quiet",
    ]);
    t.is(bare.out, "", "no banner");
    t.regex(bare.err, /unexpected eof/);
    t.notRegex(bare.err, /verify error/, "the appliance's certificate is good for the machine's address");

    await behind.stop();
    t.deepEqual(await press.written(), ["write holdingRegisters 105 [7]"]);
    t.deepEqual(behind.frames(`ip.addr == ${HOSTS.laptop}`), [], "nothing of the laptop's own got there");

    const [session] = await plant.box.recorded(1, "kind=session.start", "user=alice");
    t.like(session, { machine: "press", service: "modbus" });
    const [refused] = await plant.box.recorded(1, "kind=flow.refused", "stage=unknown-port");
    t.regex(refused?.reason ?? "", new RegExp(`^${HOSTS.laptop} tried tcp port 502 of press`));
    const [stranger] = await plant.box.recorded(1, "kind=session.refused", "stage=certificate");
    t.is(stranger?.source?.split(":")[0], HOSTS.laptop);
    const denied = await plant.box.recorded(1, "kind=operation", "user=alice", "decision=denial");
    t.is(denied.length, 1);
  },
);
