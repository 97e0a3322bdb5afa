/** The four address spaces (MODBUS Application Protocol V1.1b3, section 4.3). Addresses count from 0. */
export type Table = "coils" | "discreteInputs" | "holdingRegisters" | "inputRegisters";

export const TABLES: readonly Table[] = ["coils", "discreteInputs", "holdingRegisters", "inputRegisters"];
