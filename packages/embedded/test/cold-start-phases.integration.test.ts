import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { KnativeServiceKind, RealClock, RealRandom, silentLogger } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { startHome } from "../src/wiring.ts";

const DIRECTORY = resolve(import.meta.dirname, "../../../samples/hello");

interface Answer {
  readonly status: number;
  readonly timing: string;
  readonly elapsedMs: number;
}

function call(port: number, clock: RealClock): Promise<Answer> {
  const startedAt = clock.now();
  return new Promise((done, reject) => {
    const headers = { Host: "hello.default.localhost" };
    const sent = request({ host: "127.0.0.1", port, headers, agent: false }, (response) => {
      response.resume();
      const timing = String(response.headers["server-timing"] ?? "");
      done({ status: response.statusCode ?? 0, timing, elapsedMs: clock.now() - startedAt });
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("the answer to a first request says what it waited for, in phases that sum to its wait", async () => {
  const clock = new RealClock();
  const dataDir = mkdtempSync(join(tmpdir(), "rouse-phases-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const home = await startHome(
    { clock, random: new RealRandom(), log: silentLogger },
    { listen: "127.0.0.1", port: 0, dataDir, isEphemeral: true },
  );
  onTestFinished(() => home.close());
  await home.client.create(KnativeServiceKind, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { namespace: "default", name: "hello" },
    spec: {
      template: {
        metadata: {
          annotations: {
            "autoscaling.knative.dev/initial-scale": "0",
            "rouse.dev/directory": DIRECTORY,
            "rouse.dev/server-timing": "enabled",
          },
        },
        spec: { containers: [{ name: "user-container", command: ["node", "server.mjs"] }] },
      },
    },
  });
  let answer = await call(home.gateway.port, clock);
  while (answer.status === 404) answer = await call(home.gateway.port, clock); // its route is not there yet
  expect(answer.status).toBe(200);
  const phases = new Map(
    [...answer.timing.matchAll(/(\w+);dur=([\d.]+)/g)].map(([, name, ms]) => [name, Number(ms)]),
  );
  expect([...phases.keys()]).toEqual([
    "decide",
    "schedule",
    "spawn",
    "listen",
    "ready",
    "release",
    "respond",
    "total",
  ]);
  const total = phases.get("total") ?? 0;
  phases.delete("total");
  expect(Math.abs([...phases.values()].reduce((sum, ms) => sum + ms, 0) - total)).toBeLessThan(1);
  expect(phases.get("listen")).toBeGreaterThan(1); // a program takes its time
  expect(total).toBeLessThanOrEqual(answer.elapsedMs + 0.1);
});
