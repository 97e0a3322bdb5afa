import { tryOtherSeeds } from "../../unit/modbus/fuzz-seeds.ts";

tryOtherSeeds();
