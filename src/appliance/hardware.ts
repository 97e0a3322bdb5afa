/** The box's hardware as control holds it: lamps, panel, health. Each by a setting; what is not named is not there. */
import { readHealth, type Health } from "./health.ts";
import { Lamps, type BoxLight } from "./lamps.ts";
import { PanelDevice, type InputAddon } from "./panel-device.ts";
import { UNKNOWN_INPUTS, type PanelEdge } from "./panel-inputs.ts";

export interface BoxHardware {
  show(light: BoxLight): void;
  /** Null: this box is to have no panel. */
  openPanel(changed: (edges: readonly PanelEdge[]) => void): Panel | null;
  health(): Health;
}

/** The panel's device, or why there cannot be one. */
export type Panel = Pick<PanelDevice, "inputs" | "problem" | "look" | "close">;

export interface HardwareOptions {
  /** First part of the LEDs' names. */
  readonly leds: string | null;
  /** Name of the panel's input device. */
  readonly panel: string | null;
  readonly stateDir: string;
  /** In `problem` why there is none. */
  readonly addon: { readonly native: InputAddon } | { readonly problem: string };
  /** Told once of each lamp that is missing. */
  readonly say: (problem: string) => void;
}

export function openHardware({ leds, panel, stateDir, addon, say }: HardwareOptions): BoxHardware {
  const lamps = leds === null ? null : new Lamps(leds, say);
  return {
    show: (light) => lamps?.show(light),
    openPanel(changed) {
      if (panel === null) return null;
      if ("native" in addon) return new PanelDevice(addon.native, panel, changed);
      return { inputs: UNKNOWN_INPUTS, problem: addon.problem, look() {}, close() {} };
    },
    health: () => readHealth(stateDir),
  };
}
