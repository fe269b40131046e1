import type { Container, ProbeTarget } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { watchLiveness } from "./liveness-watch.ts";

const ports = [{ containerPort: 8_080 }];

/** Follows a container whose probes get these answers, one by one, the last one for ever. */
function following(
  container: Pick<Container, "startupProbe" | "livenessProbe">,
  answers: readonly boolean[],
) {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const asked: string[] = [];
  let verdict = "following";
  const ask = async (target: ProbeTarget) => {
    const isGood = answers[Math.min(asked.length, answers.length - 1)] ?? true;
    asked.push(`${clock.now() / 1_000} s ${target.kind} ${target.port}`);
    return isGood ? ({ kind: "ready" } as const) : ({ kind: "not-ready", because: "refused" } as const);
  };
  const done = watchLiveness({ clock, ask }, { ...container, ports }, 20_001, abort.signal).then((reason) => {
    verdict = reason ?? "nothing to say";
  });
  return { clock, abort, asked, done, verdict: () => verdict };
}

test("three failures in a row and the process has to go; failures in between are forgiven", async () => {
  const livenessProbe = { httpGet: { path: "/alive", port: 8_080 }, periodSeconds: 5 };
  const { clock, asked, verdict } = following({ livenessProbe }, [
    true,
    false,
    false,
    true,
    false,
    false,
    false,
  ]);
  await clock.advanceAsync(29_999);
  expect([verdict(), asked[0]]).toEqual(["following", "0 s http 20001"]);
  await clock.advanceAsync(1);
  expect(verdict()).toBe("liveness probe failed: refused");
  expect(clock.pendingTimers).toBe(0);
});

test("liveness waits for the startup probe, which has its own patience", async () => {
  const container = {
    startupProbe: {
      tcpSocket: { port: 9_000 },
      periodSeconds: 1,
      failureThreshold: 30,
      initialDelaySeconds: 2,
    },
    livenessProbe: { tcpSocket: { port: "http" }, periodSeconds: 10 },
  };
  const { clock, abort, asked, done, verdict } = following(container, [false, false, false, false, true]);
  await clock.advanceAsync(20_000);
  expect(asked).toEqual([
    ...[2, 3, 4, 5, 6].map((second) => `${second} s tcp 9000`),
    ...[6, 16].map((second) => `${second} s tcp 20001`),
  ]);
  abort.abort();
  await done;
  expect([verdict(), clock.pendingTimers]).toEqual(["nothing to say", 0]);
});

test("a process that does not start up has to go", async () => {
  const startupProbe = { tcpSocket: {}, periodSeconds: 1, failureThreshold: 4 };
  const { clock, verdict } = following({ startupProbe }, [false]);
  await clock.advanceAsync(3_000);
  expect(verdict()).toBe("startup probe failed: refused");
});

test.each([{}, { livenessProbe: { exec: { command: ["x"] } } }])(
  "nothing to ask in %j",
  async (container) => {
    const { clock, asked, verdict } = following(container, [false]);
    await clock.advanceAsync(100_000);
    expect([asked, verdict()]).toEqual([[], "nothing to say"]);
  },
);
