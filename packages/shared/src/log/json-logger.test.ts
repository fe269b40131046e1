import { expect, test } from "vitest";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { JsonLogger } from "./json-logger.ts";
import { parseLogging } from "./logging-config.ts";

function setUp(config = "", level = "") {
  const clock = new VirtualClock();
  const written: string[] = [];
  const log = JsonLogger.create(
    {
      clock,
      write: (line) => written.push(line),
      logging: parseLogging(config, level),
      program: { name: "program", caller: "program/main.cjs" },
    },
    { revision: "ns/rev", "knative.dev/pod": "pod" },
  );
  const lines = () => written.map((line): Record<string, unknown> => JSON.parse(line));
  return { clock, log, lines };
}

test("Q-141: an error has its stack and its fields, an info has not", () => {
  const { log, lines } = setUp();
  log.error("broken", { error: "why" });
  log.with({ port: 1 }).info("fine");
  log.debug("not said");
  expect(lines()).toEqual([
    expect.objectContaining({
      severity: "ERROR",
      message: "broken",
      error: "why",
      stacktrace: expect.any(String),
      "knative.dev/key": "ns/rev",
      "knative.dev/pod": "pod",
    }),
    expect.objectContaining({ severity: "INFO", message: "fine", port: 1 }),
  ]);
  expect(lines()[1]).not.toHaveProperty("stacktrace");
});

test("Q-142: the sample configuration's keys, levels and times", () => {
  const encoderConfig = {
    messageKey: "m",
    levelKey: "l",
    timeKey: "t",
    levelEncoder: "capital",
    timeEncoder: "millis",
  };
  const { clock, log, lines } = setUp(JSON.stringify({ level: "debug", encoderConfig }));
  log.warn("x");
  expect(lines()).toEqual([
    { l: "WARN", t: clock.wall(), m: "x", "knative.dev/key": "ns/rev", "knative.dev/pod": "pod" },
  ]);
});

test("Q-141: of one message a hundred in a second, then every hundredth, and what was dropped is counted (E-24)", () => {
  const { clock, log, lines } = setUp();
  for (let count = 0; count < 350; count++) log.warn("again");
  expect(lines().length).toBe(102);
  expect(lines()[100]).toMatchObject({ dropped: 99 });
  log.warn("another");
  expect(lines().length).toBe(103);
  clock.advance(1_000);
  log.warn("again");
  expect(lines().at(-1)).toMatchObject({ message: "again", dropped: 50 });
});

test("A-51: what is written is changed while it runs, for loggers made before as well", () => {
  const { log, lines } = setUp();
  const child = log.with({ port: 1 });
  child.debug("not said");
  log.configure(parseLogging("", "debug"));
  child.debug("said");
  expect(lines().map(({ message, severity }) => [severity, message])).toEqual([["DEBUG", "said"]]);
});
