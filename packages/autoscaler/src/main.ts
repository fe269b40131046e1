import { findServer, HttpKubeClient, RealClock, RealRandom } from "@rouse/shared";
import { parseConfig, processEnvironment } from "./config.ts";
import { JsonLines } from "./log/json-lines.ts";
import { startProgram } from "./program.ts";

const clock = new RealClock();
const log = new JsonLines({ clock, write: (line) => process.stdout.write(line) });
const fail = (reason: string): void => {
  log.error(reason);
  process.exit(1);
};

try {
  const environment = processEnvironment();
  const config = parseConfig(environment);
  const random = new RealRandom();
  const client = new HttpKubeClient({
    clock,
    random,
    server: findServer({ clock }, environment),
    userAgent: "autoscaler",
  });
  const starting = startProgram({ client, clock, random, log, onFatal: fail }, config);
  let isEnding = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(1);
      isEnding = true;
      void starting.then((program) => program[Symbol.asyncDispose]()).then(() => process.exit(0));
    });
  }
  starting.catch((error: unknown) => fail(String(error)));
} catch (error) {
  fail(String(error));
}
