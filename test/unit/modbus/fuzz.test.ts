import { tryFirstSeeds } from "./fuzz-seeds.ts";

tryFirstSeeds();
