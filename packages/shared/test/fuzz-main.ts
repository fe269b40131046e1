/**
 * `pnpm fuzz http [--minutes N] [--inputs N] [--seed N]`: damaged connections, read by our parser and by Node's, for as
 * long as it may. Prints what we would forward and Node's parser reads otherwise. The same seed gives the same inputs.
 */
import { parseArgs } from "node:util";
import { RealClock } from "../src/clock/real-clock.ts";
import { fuzzHttp } from "../src/http/fuzz/fuzz-http.ts";

const USAGE = "usage: fuzz http [--minutes N] [--inputs N] [--seed N]\n";
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "1" },
    inputs: { type: "string", default: "Infinity" },
    seed: { type: "string", default: "1" },
  },
});
const [minutes, inputsMax, seed] = [Number(values.minutes), Number(values.inputs), Number(values.seed)];

if (positionals[0] !== "http" || !(minutes > 0 && inputsMax > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const clock = new RealClock();
  const startedAtMs = clock.now();
  const { inputs, accepted, disagreements } = await fuzzHttp(clock, { minutes, inputsMax, seed });
  for (const { input, ours, theirs } of disagreements) {
    process.stdout.write(`${JSON.stringify(input.toString("latin1"))}\n`);
    process.stdout.write(`  ours:   ${JSON.stringify(ours)}\n  Node's: ${JSON.stringify(theirs)}\n`);
  }
  const seconds = ((clock.now() - startedAtMs) / 1_000).toFixed(1);
  process.stdout.write(
    `${inputs} inputs in ${seconds} s, seed ${seed}: ${accepted} with something to forward, ` +
      `${disagreements.length} disagreements\n`,
  );
  process.exitCode = disagreements.length === 0 ? 0 : 1;
}
