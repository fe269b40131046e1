/** `pnpm --filter @rouse/activator simulate [SEEDS] [FIRST]`: holding and releasing under so many seeds. */
import { simulateHoldAndRelease } from "./hold-release.ts";

const [seeds = 10_000, first = 0] = process.argv.slice(2).map(Number);
let answered = 0;
for (let seed = first; seed < first + seeds; seed++) {
  try {
    answered += simulateHoldAndRelease(seed);
  } catch (error) {
    process.stderr.write(`seed ${seed}\n`);
    throw error;
  }
}
process.stdout.write(`${seeds} seeds, ${answered} requests answered, nothing broken\n`);
