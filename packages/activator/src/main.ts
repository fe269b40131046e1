import { LineWriter } from "@rouse/shared";
import { processEnvironment } from "./config.ts";
import { run } from "./run.ts";

const stdout = new LineWriter(1);

void run({
  environment: processEnvironment(),
  write: (line) => stdout.write(line),
  exit: (code) => {
    stdout.flush();
    process.exit(code);
  },
  onSignal: (end) => {
    process.on("SIGTERM", end);
    process.on("SIGINT", end);
  },
  loadTelemetry: async (options) => (await import("./otel/telemetry.ts")).startTelemetry(options),
});
