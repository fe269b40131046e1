import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Failure } from "../failure.ts";
import { type SimulateRequest, simulate } from "./simulate.ts";
import { quantile } from "./summary.ts";

const SAMPLES = resolve(import.meta.dirname, "../../../../samples/traces");

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "rouse-simulate-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function run(request: Partial<SimulateRequest> & { readonly trace: string; readonly cwd: string }) {
  const lines: string[] = [];
  await simulate(
    { out: (line) => lines.push(line), err: (line) => lines.push(line) },
    {
      annotations: [],
      config: [],
      containerConcurrency: 1,
      startMs: 1_000,
      serviceMs: 100,
      seed: 1,
      plot: undefined,
      isJson: false,
      ...request,
    },
  );
  return lines;
}

test.each(["daily-wave", "bursts", "cron-spikes"])(
  "sample %s: a table, a summary and a picture",
  async (name) => {
    const cwd = folder();
    const lines = await run({ trace: join(SAMPLES, `${name}.csv`), cwd });
    expect(lines[0]).toContain(`${name}.csv, pods start in 1000 ms`);
    expect(lines.find((line) => line.startsWith("waiting"))).toMatch(/p50 [\d,]+ ms, p99 [\d,]+ ms/);
    expect(lines.find((line) => line.startsWith("cold starts"))).toMatch(/ \d+, met by [\d,]+ requests/);
    expect(lines.find((line) => line.startsWith("pod-seconds"))).toBeDefined();
    expect(lines.at(-1)).toBe(`plot         ${name}.svg`);
    const svg = readFileSync(join(cwd, `${name}.svg`), "utf8");
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).not.toMatch(/<script|href|NaN|undefined/);
  },
);

test("annotations change the outcome, and JSON says the same in numbers", async () => {
  const cwd = folder();
  writeFileSync(join(cwd, "t.csv"), "0\n100\n200\n");
  const outcome = async (annotations: readonly string[]) =>
    JSON.parse((await run({ trace: "t.csv", cwd, annotations, isJson: true, plot: false })).join("\n"));
  expect(await outcome([])).toMatchObject({ requests: 3, coldStarts: 3, waitMs: { p50: 1_000 } });
  expect(await outcome(["window=200s"])).toMatchObject({ requests: 3, coldStarts: 1, waitMs: { p50: 0 } });
});

test("a minimum that stays is not simulated for hours, and the older spelling is one", async () => {
  const cwd = folder();
  writeFileSync(join(cwd, "t.csv"), "0\n");
  const given = {
    trace: "t.csv",
    cwd,
    annotations: ["minScale=2", "window=30s"],
    isJson: true,
    plot: false,
  } as const;
  expect(JSON.parse((await run(given)).join("\n"))).toMatchObject({ podsMax: 2, durationSeconds: 76 });
});

test.each([
  { given: { annotations: ["window=1s"] }, want: /autoscaling\.knative\.dev\/window/ },
  { given: { annotations: ["window"] }, want: '--annotation is key=value, not "window"' },
  {
    given: { annotations: ["min-sacle=1"] },
    want: "autoscaling.knative.dev/min-sacle has no part in a simulation",
  },
  {
    given: { annotations: ["rouse.dev/schedule=0 8 * * * for 1h min=1"] },
    want: "rouse.dev/schedule has no part",
  },
  { given: { annotations: ["class=hpa.autoscaling.knative.dev"] }, want: "only revisions of the class kpa" },
  { given: { config: ["stable-windows=60s"] }, want: 'config-autoscaler has no key "stable-windows"' },
  { given: { config: ["stable-window=x"] }, want: /stable-window/ },
  { given: { trace: "none.csv" }, want: "cannot read none.csv: ENOENT" },
])("wrong usage is told: $want", async ({ given, want }) => {
  const cwd = folder();
  writeFileSync(join(cwd, "t.csv"), "0\n");
  const outcome = run({ trace: "t.csv", cwd, plot: false, ...given });
  await expect(outcome).rejects.toThrow(want);
  await expect(outcome).rejects.toBeInstanceOf(Failure);
});

test("quantiles", () => {
  const values = Float64Array.from([1, 2, 3, 4]);
  expect([quantile(values, 0), quantile(values, 0.5), quantile(values, 1)]).toEqual([1, 3, 4]);
  expect(quantile(new Float64Array(), 0.5)).toBe(0);
});
