import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What `scripts/image --board qemu-arm64` made. */
export const IMAGE = fileURLToPath(new URL("../../../build/image/qemu-arm64/", import.meta.url));
/** The whole disk, as it comes. */
export const DISK = join(IMAGE, "niac-qemu-arm64.img");
