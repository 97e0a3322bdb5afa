import { following, loadCredentials, loadTokenCredentials, type Credentials } from "./credentials.ts";
import type { Place } from "./options.ts";
import { pinDescriptor, readPin } from "./pin.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

/** Whom to be, asked anew for each connection; a token's PIN is asked for once. Rejects with an error for the reader. */
export async function openCredentials(
  { files, token }: Place,
  around: LaptopSurroundings,
): Promise<() => Credentials> {
  if (token === null) return following(() => loadCredentials(files));
  const { environment } = around;
  const pin = pinDescriptor(
    await readPin(token.pinFile, token.label, around),
    around.lookup("XDG_RUNTIME_DIR"),
  );
  return following(() => loadTokenCredentials(files, { key: token, pin, environment }));
}
