import { compareParts } from "./cedar-compared.ts";

// All others are compared with the integration tests: a thousand snapshots together.
compareParts([0, 1]);
