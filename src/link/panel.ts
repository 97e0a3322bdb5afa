/** What a person at the box says by hand: control hears the panel, the gateway decides by it. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";

const panelSchema = z.strictObject({
  /** Turned on: somebody at the panel allows what is granted `when: { keySwitch: on }`. Null: this box has none, or it is not known now. */
  keySwitch: z.boolean().nullable(),
});
export type PanelState = z.infer<typeof panelSchema>;
export { panelSchema };

/** Of a gateway that was told nothing: what needs the key switch is refused. */
export const NO_PANEL: PanelState = Object.freeze({ keySwitch: null });

/**
 * After every change; what attach answers holds until the first. The gateway judges all live sessions again at once, and answers
 * once it has. `ended`: how many sessions that ended. A gateway that loses control knows nothing of the panel from then on.
 */
export const gatewayPanel = defineCall(
  "gateway.panel",
  z.strictObject({ panel: panelSchema }),
  z.strictObject({ ended: z.int() }),
);
