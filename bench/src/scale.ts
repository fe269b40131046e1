import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark, BenchmarkOptions, Result } from "./benchmark.ts";
import { Platform } from "./cold-start/platform.ts";
import { modes, modesService } from "./scale/modes.ts";
import { restart, restartService } from "./scale/restart.ts";
import { manifestOf, type ServiceOptions, untilReady } from "./scale/scaled-service.ts";
import { step, stepService } from "./scale/step.ts";

type Scenario = (start: () => Promise<Platform>, isQuick: boolean) => Promise<readonly Result[]>;

const scenarios: Readonly<
  Record<string, { readonly service: Omit<ServiceOptions, "program">; readonly run: Scenario }>
> = {
  step: {
    service: stepService,
    run: async (start, isQuick) => {
      await using platform = await start();
      return await step(platform, isQuick ? 20 : 60);
    },
  },
  modes: {
    service: modesService,
    run: async (start, isQuick) => {
      await using platform = await start();
      return await modes(platform, isQuick ? 6 : 20);
    },
  },
  restart: {
    service: restartService,
    run: (start, isQuick) => restart(start, isQuick ? 14 : 40),
  },
};

export const scale: Benchmark = {
  name: "scale",
  question:
    "Does a real platform follow the formula, change its mode unnoticed, and remember its load over a restart?",
  scenarios: Object.keys(scenarios),
  async run({ root, isQuick, scenario, progress }: BenchmarkOptions): Promise<readonly Result[]> {
    const built = spawnSync(process.execPath, ["scripts/build.ts", "cli"], { cwd: root, encoding: "utf8" });
    if (built.status !== 0) throw new Error(`build failed:\n${built.stdout}${built.stderr}`);
    const results: Result[] = [];
    for (const [name, { service, run }] of Object.entries(scenarios)) {
      if (scenario !== undefined && scenario !== name) continue;
      progress(name);
      const folder = mkdtempSync(join(tmpdir(), "rouse-bench-"));
      try {
        const manifest = join(folder, "service.json");
        const program = join(root, "bench/src/scale/worker.mjs");
        writeFileSync(manifest, JSON.stringify(manifestOf({ ...service, program })));
        const start = async (): Promise<Platform> => {
          const platform = await Platform.start({ root, folder, manifest });
          await untilReady(platform);
          return platform;
        };
        results.push(...(await run(start, isQuick)));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    return results;
  },
};
