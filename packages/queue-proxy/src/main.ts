import { processEnvironment } from "./config.ts";
import { run } from "./program/run.ts";

void run({
  environment: processEnvironment(),
  exit: (code) => process.exit(code),
  onSignal: (end) => {
    process.on("SIGTERM", end);
    process.on("SIGINT", end);
  },
  onUnhandled: (report) => {
    process.on("unhandledRejection", report);
  },
  loadTelemetry: async (options) => (await import("./otel/telemetry.ts")).startTelemetry(options),
});
