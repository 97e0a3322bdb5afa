/** The panel's part of a board's overlay: lamps and contacts, for dtc. The rest of the overlay stands by hand in the board's .dts. Pure. */
import type { Board, BoardContact, BoardLamp } from "./board.ts";

/** GPIO flags (include/dt-bindings/gpio/gpio.h). */
const ACTIVE_LOW = 1;
const PULL = { up: 16, down: 32 } as const;
/** Event types (input-event-codes.h). */
const EVENT_TYPE = { key: 1, switch: 5 } as const;

/** What niac looks for: src/appliance, and NIAC_LEDS and NIAC_PANEL of the settings. */
const BOX = "niac";
const PANEL = "niac-panel";

export function lampLabel({ colour, name }: BoardLamp): string {
  return `${BOX}:${colour}:${name}`;
}

/** Bindings: leds/leds-gpio.yaml, input/gpio-keys.yaml. */
export function panelSource({ controller: { label }, lamps, contacts }: Board): string {
  return `/* Made from pins.yaml by \`scripts/hw make\`: change it there. */
&{/} {
	niac-leds {
		compatible = "gpio-leds";
${lamps.map((lamp) => lampNode(lamp, label)).join("")}	};

	niac-panel {
		compatible = "gpio-keys";
		label = "${PANEL}";
${contacts.map((contact) => contactNode(contact, label)).join("")}	};
};
`;
}

function lampNode(lamp: BoardLamp, controller: string): string {
  return node(`led-${lamp.name}`, [
    `label = "${lampLabel(lamp)}"`,
    `gpios = <&${controller} ${lamp.gpio} 0>`,
    'default-state = "off"',
    ...(lamp.atStart === "blink" ? ['linux,default-trigger = "timer"'] : []),
  ]);
}

function contactNode(contact: BoardContact, controller: string): string {
  const flags = (contact.active === "low" ? ACTIVE_LOW : 0) + PULL[contact.pull];
  return node(contact.name, [
    `label = "${contact.what}"`,
    `linux,input-type = <${EVENT_TYPE[contact.event.type]}>`,
    `linux,code = <${hex(contact.event.code)}>`,
    `gpios = <&${controller} ${contact.gpio} ${hex(flags)}>`,
    `debounce-interval = <${contact.debounce}>`,
  ]);
}

function node(name: string, properties: readonly string[]): string {
  return `\n\t\t${name} {\n${properties.map((property) => `\t\t\t${property};\n`).join("")}\t\t};\n`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
