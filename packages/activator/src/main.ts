import { processEnvironment } from "./config.ts";
import { run } from "./run.ts";

void run({
  environment: processEnvironment(),
  write: (line) => void process.stdout.write(line),
  exit: (code) => process.exit(code),
  onSignal: (end) => {
    process.on("SIGTERM", end);
    process.on("SIGINT", end);
  },
});
