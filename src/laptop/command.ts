import { Command } from "commander";
import { connectMachines } from "./connect.ts";
import { readOptions, SERVICES_PORT, type Typed } from "./options.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

/** `niac connect`. */
export function connectCommand(around: LaptopSurroundings): Command {
  return new Command("connect")
    .description("on a laptop: open local ports for the machines your certificate may use")
    .argument("<machine...>", "press-4, or one of its services: press-4/modbus; or all")
    .option(
      "--via <host:port>",
      `where the appliance is reached (NIAC_VIA); port ${SERVICES_PORT} if left out`,
    )
    .option(
      "--appliance <name>",
      "name its certificate must carry (NIAC_APPLIANCE); the host of --via if left out",
    )
    .option("--certificate <file>", "your certificate and its chain, PEM (NIAC_CERTIFICATE)")
    .option("--key <file>", "the key of that certificate, PEM (NIAC_KEY)")
    .option("--ca <file>", "authority of the appliance's certificate, PEM (NIAC_CA)")
    .option(
      "--port <port>",
      "exactly this local port, for one service; else the machine's own or one near it",
    )
    .option("--listen <address>", "local address, one that only this computer reaches (127.0.0.1)")
    .option(
      "--unsafe-listen <address>",
      "local address that others reach too: they then act with your certificate",
    )
    .action((machines: string[], typed: Omit<Typed, "machines">) =>
      connectMachines(
        readOptions({ ...typed, machines }, (name) => around.lookup(name)),
        around,
      ),
    );
}
