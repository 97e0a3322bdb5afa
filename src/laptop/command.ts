import { Command } from "commander";
import { UsageError } from "../base/index.ts";
import { connectMachines } from "./connect.ts";
import { enroll } from "./enroll.ts";
import { readEnrollOptions, type TypedEnroll } from "./enroll-options.ts";
import { listMachines } from "./machines.ts";
import {
  readOptions,
  readPlace,
  SERVICES_PORT,
  type ProfilePlace,
  type Typed,
  type TypedPlace,
} from "./options.ts";
import { profileName, profilesDirectory } from "./places.ts";
import { postureCommand } from "./posture-command.ts";
import { renewAlways, renewOnce } from "./renew.ts";
import { installTimer } from "./renew-timer.ts";
import { ProfileStore } from "./store.ts";
import { printStunnel } from "./stunnel.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

interface OfProfile {
  readonly profile?: string;
}

/** Everything a laptop runs. */
export function laptopCommands(around: LaptopSurroundings): Command[] {
  return [
    enrollCommand(around),
    renewCommand(around),
    machinesCommand(around),
    connectCommand(around),
    postureCommand(around),
  ];
}

function enrollCommand(around: LaptopSurroundings): Command {
  return new Command("enroll")
    .description("on a laptop: make a key, and get a certificate for it from a box")
    .argument("<box>", "its address for enrolment: https://box.plant-7.example")
    .option("--user <name>", "who you are, as the plant admin gave the one-time code out")
    .option("--code-file <file>", "the one-time code; else NIAC_CODE, or it is asked for")
    .option("--sign-in", "sign in with the plant's identity provider, in your browser")
    .option("--fingerprint <sha256:...>", "of the box's root authority, as `niac authority show` prints it")
    .option("--ca <file>", "or the plant's authority that the box's certificate comes from, PEM")
    .option("--device <name>", "name of this laptop; else the computer's")
    .option("--tier <name>", "managed, byod or contractor; else what the box gives")
    .option("--tenant <name>", "whose authority is asked")
    .option("--algorithm <name>", "of the key: p256 (default), p384, ed25519, ml-dsa-65")
    .option("--pkcs11 <module.so>", "make the key in a token (TPM, smart card), by its PKCS#11 module")
    .option("--token <label>", "which token; else the only one")
    .option("--pin-file <file>", "the token's PIN; else NIAC_PIN, or it is asked for")
    .option("--via <host:port>", `the box's listener for services; else its port ${SERVICES_PORT}`)
    .option("--appliance <name>", "name that the box's certificate carries; else the host of its address")
    .option("--profile <name>", "keep it under this name (NIAC_PROFILE)")
    .option("--again", "replace the profile that is there")
    .action((box: string, typed: TypedEnroll) => enroll(readEnrollOptions(box, typed, around), around));
}

function renewCommand(around: LaptopSurroundings): Command {
  return new Command("renew")
    .description("on a laptop: renew the certificate once two thirds of its life are over")
    .option("--watch", "stay, and renew whenever it is due")
    .option("--now", "renew although it is not due")
    .option("--install", "have this computer renew by itself, without a word")
    .option("--profile <name>", "the profile to renew (NIAC_PROFILE)")
    .action((typed: OfProfile & { watch?: boolean; now?: boolean; install?: boolean }) => {
      const store = storeOf(typed, around);
      if (typed.install === true) return installTimer(store, around);
      return typed.watch === true ? renewAlways(store, around) : renewOnce(store, typed.now ?? false, around);
    });
}

function machinesCommand(around: LaptopSurroundings): Command {
  const command = new Command("machines").description(
    "on a laptop: list the machines your certificate may use",
  );
  return placed(command)
    .option("--json", "as JSON, for programs")
    .action((typed: TypedPlace & OfProfile & { json?: boolean }) =>
      listMachines(readPlace(typed, around.lookup, placeOf(typed, around)), typed.json ?? false, around),
    );
}

function connectCommand(around: LaptopSurroundings): Command {
  const command = new Command("connect")
    .description("on a laptop: open local ports for the machines your certificate may use")
    .argument("<machine...>", "press-4, or one of its services: press-4/modbus; or all");
  return placed(command)
    .option(
      "--port <port>",
      "exactly this local port, for one service; else the machine's own or one near it",
    )
    .option("--listen <address>", "local address, one that only this computer reaches (127.0.0.1)")
    .option(
      "--unsafe-listen <address>",
      "local address that others reach too: they then act with your certificate",
    )
    .option("--print <program>", "print a configuration for another program instead: stunnel")
    .action((machines: string[], typed: Omit<Typed, "machines"> & OfProfile & { print?: string }) => {
      const options = readOptions({ ...typed, machines }, around.lookup, placeOf(typed, around));
      if (typed.print === undefined) return connectMachines(options, around);
      if (typed.print === "stunnel") return printStunnel(options, around);
      throw new UsageError("print", `--print is ${JSON.stringify(typed.print)}; it takes stunnel`);
    });
}

/** The options that say which box, and as whom. */
function placed(command: Command): Command {
  return command
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
    .option("--profile <name>", "what is not said here, as `niac enroll` wrote it down (NIAC_PROFILE)");
}

function storeOf({ profile }: OfProfile, around: LaptopSurroundings): ProfileStore {
  return new ProfileStore(profilesDirectory(around), profileName(profile, around.lookup));
}

/** Null: this laptop has no such profile. One that is asked for by name must be there. */
function placeOf(typed: OfProfile & TypedPlace, around: LaptopSurroundings): ProfilePlace | null {
  const complete = [typed.via, typed.certificate, typed.key, typed.ca].every((each) => each !== undefined);
  if (complete) return null;
  const store = storeOf(typed, around);
  const profile = typed.profile === undefined ? store.read() : store.demand();
  if (profile === null) return null;
  const { via, appliance, token } = profile;
  const files = { certificate: store.identityFile, key: store.identityFile, ca: store.caFile };
  return { via, appliance, files, token };
}
