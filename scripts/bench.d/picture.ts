/** Results as one SVG: bars beside each other, row by row; narrow and tall, so that a phone can show it. Pure. */
import { formatRatio, formatValue, proxyNames, surroundingLines } from "./report.ts";
import { NIAC, type Comparison, type Results, type Spread } from "./results.ts";

const WIDTH = 480;
const MARGIN = 16;
const NAME_WIDTH = 84;
const VALUE_WIDTH = 84;
const BAR_HEIGHT = 12;
const BAR_STEP = 19;
const LINE_STEP = 18;
/** Characters a line of small text holds. */
const LINE_CHARACTERS = 66;

const DECISIONS = "decisionsPerSecond.rules";

/** What some rows are left to the table for: too much for a picture. */
const NOT_DRAWN =
  /^(roundTrip\.sessions256|roundTrip\.sessions1\.p99|memory\.withIdleSessions|cable\.(flood|modbusRead\.p99|forward\.\w+\.rules(2|10000)$)|trust\.handshake\.\w+\.perSecond)/;

/** Bars on one scale under one heading. */
interface Chart {
  readonly heading: string;
  readonly verdict: string;
  readonly bars: readonly { readonly name: string; readonly own: boolean; readonly value: Spread }[];
}

const STYLE = `
  svg { font-family: system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
  .ground { fill: #ffffff; } .text { fill: #1c2126; } .soft { fill: #59626b; }
  .own { fill: #0a6c9c; } .peer { fill: #b3bac1; } .range { stroke: #1c2126; stroke-width: 1.5; }
  .title { font-size: 19px; font-weight: 650; } .label { font-size: 14px; font-weight: 600; }
  .bar-text { font-size: 13.5px; } .small { font-size: 12.5px; } .right { text-anchor: end; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #15191d; } .text { fill: #e8ebee; } .soft { fill: #a3adb6; }
    .own { fill: #55bdf0; } .peer { fill: #5d6770; } .range { stroke: #e8ebee; }
  }`;

export function picture(results: Results): string {
  const charts = chartsOf(results.comparisons);
  const parts: string[] = [];
  let y = MARGIN + 16;
  const line = (text: string, classes: string, step: number): void => {
    parts.push(textAt(MARGIN, y, classes, text));
    y += step;
  };

  line("niac beside proxies that inspect nothing", "title text", 24);
  for (const text of wrap(
    "niac with policy, inspection and audit on; forwarding: a box in the cable that only forwards. Shorter is better, unless it says otherwise; thin lines span the rounds.",
  )) {
    line(text, "small soft", LINE_STEP);
  }
  for (const chart of charts) {
    y += 20;
    parts.push(drawChart(chart, y));
    y += 10 + BAR_STEP * chart.bars.length;
  }
  y += 20;
  for (const text of surroundingLines(results.surroundings).flatMap(wrap))
    line(text, "small soft", LINE_STEP);
  const height = Math.ceil(y - LINE_STEP + MARGIN);

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">
<title id="t">niac beside proxies that inspect nothing</title>
<desc id="d">${escape(charts.map(inWords).join(" "))}</desc>
<style>${STYLE}
</style>
<rect class="ground" width="${WIDTH}" height="${height}"/>
${parts.join("\n")}
</svg>
`;
}

function chartsOf(comparisons: readonly Comparison[]): Chart[] {
  const compared = comparisons.filter(({ row }) => row.compared && !NOT_DRAWN.test(row.path));
  const names = proxyNames(compared);
  const charts = compared.map(({ row, proxies, ratio, bestPeer }): Chart => {
    const bars = names.flatMap((name) => {
      const value = proxies.get(name);
      return value === undefined ? [] : [{ name, own: name === NIAC, value }];
    });
    // Where there is one peer, its bar names it.
    const which = bars.length > 2 && bestPeer !== null ? ` ${bestPeer}` : "";
    const verdict = ratio === null ? "" : `${formatRatio(ratio.median)}${which}`;
    const unit = row.better === "lower" ? row.unit : `${row.unit}, more is better`;
    // With how many destinations makes no difference to a picture, and has no room in it.
    const label = row.label.replace(/, [\d,]+ destinations$/, "");
    return { heading: `${label} (${unit})`, verdict, bars };
  });
  const decisions = comparisons.flatMap(({ row, proxies }) => {
    const value = proxies.get(NIAC);
    if (value === undefined || !row.path.startsWith(DECISIONS)) return [];
    return [{ name: `${row.path.slice(DECISIONS.length)} rules`, own: true, value }];
  });
  if (decisions.length === 0) return charts;
  return [...charts, { heading: "Decisions per second", verdict: "longer is better", bars: decisions }];
}

function inWords({ heading, verdict, bars }: Chart): string {
  const values = bars.map(({ name, value }) => `${name} ${formatValue(value.median)}`).join(", ");
  return `${heading}: ${values}${verdict === "" ? "" : `; ${verdict}`}.`;
}

function drawChart({ heading, verdict, bars }: Chart, top: number): string {
  const greatest = Math.max(...bars.map(({ value }) => value.max));
  const room = WIDTH - 2 * MARGIN - NAME_WIDTH - VALUE_WIDTH;
  const scale = greatest > 0 ? room / greatest : 0;
  return [
    textAt(MARGIN, top, "label text", heading),
    textAt(WIDTH - MARGIN, top, "label text right", verdict),
    ...bars.map(({ name, own, value }, i) => drawBar(name, own, value, scale, top + 9 + BAR_STEP * i)),
  ].join("\n");
}

function drawBar(name: string, own: boolean, value: Spread, scale: number, top: number): string {
  const left = MARGIN + NAME_WIDTH;
  const middle = top + BAR_HEIGHT / 2;
  const width = Math.max(1, value.median * scale);
  const range =
    value.max > value.min
      ? `<line class="range" x1="${at(left + value.min * scale)}" x2="${at(left + value.max * scale)}" y1="${middle}" y2="${middle}"/>`
      : "";
  return [
    textAt(MARGIN, top + 11, `bar-text ${own ? "text" : "soft"}`, name),
    `<rect class="${own ? "own" : "peer"}" x="${left}" y="${top}" width="${at(width)}" height="${BAR_HEIGHT}" rx="2"/>${range}`,
    textAt(WIDTH - MARGIN, top + 11, "bar-text text right", formatValue(value.median)),
  ].join("\n");
}

function at(coordinate: number): string {
  return coordinate.toFixed(1);
}

function textAt(x: number, y: number, classes: string, text: string): string {
  return `<text x="${x}" y="${y}" class="${classes}">${escape(text)}</text>`;
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= LINE_CHARACTERS)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
