import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { RealClock, RealRandom } from "@rouse/shared";
import { Cluster } from "./support/cluster.ts";
import { runTrials, type Trial } from "./support/trials.ts";

/**
 * `pnpm cluster-test [--requests N] [--only TRIAL] [--slices] [--verbs FILE]`: every part of a cluster as a process, each ended in turn under 300
 * requests a second. Writes which verbs of the API each program used to FILE, for the roles to be compared with.
 */
const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    verbs: { type: "string" },
    only: { type: "string" },
    root: { type: "string" },
    slices: { type: "boolean", default: false },
  },
});
const say = ({ name, result, lostMax, moved }: Trial): void => {
  const { sent, ok, failures, retries, msP99, msMax } = result;
  const isGood = sent - ok <= lostMax && (moved === undefined || moved.by <= moved.byMax);
  if (!isGood) process.exitCode = 1;
  const share = `${((100 * ok) / sent).toFixed(3)} % (${lostMax} may be lost)`;
  const waited = `p99 ${msP99.toFixed(0)} ms, longest ${msMax.toFixed(0)} ms`;
  const wanted = moved === undefined ? "" : `, pods wanted moved by ${moved.by} (at most ${moved.byMax})`;
  const why = [...failures].map(([text, count]) => `\n    ${count} × ${text}`).join("");
  process.stdout.write(
    `${isGood ? "good" : "BAD "} ${name}: ${ok} of ${sent}, ${share}, ${retries} sent again, ${waited}${wanted}${why}\n`,
  );
};
await using cluster = await Cluster.start(
  { clock: new RealClock(), random: new RealRandom() },
  { leaving: "5s", hasSlices: values.slices, ...(values.root === undefined ? {} : { root: values.root }) },
);
await runTrials(cluster, {
  perSecond: 300,
  requestsMin: Number(values.requests),
  settleMs: 1_000,
  apiAwayMs: 30_000,
  ...(values.only === undefined ? {} : { only: values.only }),
  say,
});
if (values.verbs !== undefined) {
  const { "the-test": _, "the-cluster": __, ...ours } = cluster.usedVerbs();
  writeFileSync(values.verbs, `${JSON.stringify(ours, undefined, 2)}\n`);
}
