import { compareParts } from "../../unit/policy/cedar-compared.ts";

// The first two hundred of a thousand snapshots are the unit tests'.
compareParts([2, 3, 4, 5, 6, 7, 8, 9]);
