import { findServer, HttpKubeClient, JsonLogger, parseLogging, RealClock, RealRandom } from "@rouse/shared";
import { parseConfig, processEnvironment } from "./config.ts";
import { startProgram } from "./program.ts";

const clock = new RealClock();
const log = JsonLogger.create({
  clock,
  write: (line) => void process.stdout.write(line),
  logging: parseLogging("", ""),
  program: { name: "controller", caller: "controller/main.cjs" },
});

try {
  const environment = processEnvironment();
  const config = parseConfig(environment);
  const random = new RealRandom();
  const server = findServer({ clock }, environment);
  const client = new HttpKubeClient({ clock, random, server, userAgent: "rouse-controller" });
  const starting = startProgram({ client, clock, random, log }, config);
  let isEnding = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(1);
      isEnding = true;
      void starting.then((program) => program[Symbol.asyncDispose]()).then(() => process.exit(0));
    });
  }
  starting.catch((error: unknown) => {
    log.error(`could not start: ${String(error)}`);
    process.exit(1);
  });
} catch (error) {
  log.error(`could not start: ${String(error)}`);
  process.exit(1);
}
