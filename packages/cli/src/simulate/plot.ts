import type { SimulationResult, Step } from "@rouse/embedded";

const WIDTH = 960;
const PANEL_HEIGHT = 150;
const LEFT = 56;
const GAP = 46;
const TOP = 40;

interface Panel {
  readonly title: string;
  readonly color: string;
  value(step: Step): number;
  /** Drawn as a line over the area. */
  readonly line?: { readonly title: string; readonly color: string; value(step: Step): number };
}

const panels: readonly Panel[] = [
  { title: "requests per step", color: "#5b8def", value: ({ arrivals }) => arrivals },
  {
    title: "pods ready",
    color: "#53b07c",
    value: ({ readyPods }) => readyPods,
    line: { title: "wanted", color: "#22543d", value: ({ desiredPods }) => desiredPods },
  },
  { title: "requests waiting for a pod", color: "#e08e45", value: ({ waiting }) => waiting },
];

/** One picture of a run, as SVG that needs nothing else: traffic, pods and waiting requests over time. */
export function plot(
  title: string,
  { steps, durationMs }: Pick<SimulationResult, "steps" | "durationMs">,
): string {
  const height = TOP + panels.length * (PANEL_HEIGHT + GAP);
  const drawn = panels.map((panel, index) =>
    drawPanel(panel, steps, durationMs, TOP + index * (PANEL_HEIGHT + GAP)),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="${LEFT}" y="20" font-size="14">${escaped(title)}</text>
${drawn.join("\n")}
</svg>
`;
}

function drawPanel(panel: Panel, steps: readonly Step[], durationMs: number, top: number): string {
  const { line } = panel;
  const values = steps.map((step) => panel.value(step));
  const lineValues = line === undefined ? [] : steps.map((step) => line.value(step));
  const max = Math.max(1, ...values, ...lineValues);
  const x = (atMs: number): string =>
    (LEFT + (atMs / Math.max(1, durationMs)) * (WIDTH - LEFT - 16)).toFixed(1);
  const y = (value: number): string => (top + 16 + (1 - value / max) * (PANEL_HEIGHT - 16)).toFixed(1);
  const points = (of: readonly number[]): string =>
    steps.map(({ atMs }, index) => `${x(atMs)},${y(of[index] ?? 0)}`).join(" ");
  const base = y(0);
  const area = `<polygon points="${x(0)},${base} ${points(values)} ${x(steps.at(-1)?.atMs ?? 0)},${base}" fill="${panel.color}" fill-opacity="0.55"/>`;
  const over =
    line === undefined
      ? ""
      : `<polyline points="${points(lineValues)}" fill="none" stroke="${line.color}" stroke-width="1"/>`;
  const legend = line === undefined ? panel.title : `${panel.title}, ${line.title} as a line`;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text x="${x(durationMs * share)}" y="${top + PANEL_HEIGHT + 14}" text-anchor="middle" fill="#666">${timeText(durationMs * share)}</text>`,
  );
  return [
    `<text x="${LEFT}" y="${top + 8}" fill="#333">${escaped(legend)}</text>`,
    area,
    over,
    `<line x1="${LEFT}" y1="${base}" x2="${WIDTH - 16}" y2="${base}" stroke="#999"/>`,
    `<text x="${LEFT - 6}" y="${top + 22}" text-anchor="end" fill="#666">${max}</text>`,
    `<text x="${LEFT - 6}" y="${base}" text-anchor="end" fill="#666">0</text>`,
    ...ticks,
  ].join("\n");
}

function timeText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 180 ? `${minutes} min` : `${(minutes / 60).toFixed(1).replace(".0", "")} h`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
