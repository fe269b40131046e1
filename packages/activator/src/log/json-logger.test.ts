import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { JsonLogger } from "./json-logger.ts";

test("A-51: one JSON object per line, with the reference's keys", () => {
  const lines: string[] = [];
  const clock = new VirtualClock();
  const log = new JsonLogger({
    clock,
    write: (line) => lines.push(line),
    podName: "activator-1",
    level: "info",
  });
  log.debug("too little");
  log.with({ component: "throttle" }).warn("pod could not be reached", { revision: "ns/rev", ejectedMs: 50 });
  expect(lines.map((line) => [line.endsWith("}\n"), JSON.parse(line)])).toEqual([
    [
      true,
      {
        severity: "WARNING",
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        logger: "activator",
        caller: "activator/main.cjs",
        message: "pod could not be reached",
        "knative.dev/controller": "activator",
        "knative.dev/pod": "activator-1",
        "knative.dev/key": "ns/rev",
        component: "throttle",
        ejectedMs: 50,
      },
    ],
  ]);
});
