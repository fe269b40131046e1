import { parseArgs } from "node:util";
import { RealClock, RealRandom } from "@rouse/shared";
import { Cluster } from "./support/cluster.ts";
import { createSleepers } from "./support/objects.ts";
import { privateMiB } from "./support/processes.ts";

/**
 * `pnpm cluster-memory [--revisions N]`: what each program keeps for itself while it
 * watches that many revisions, all asleep: beside a cluster of none, and once more after a minute of rest.
 */
const { values } = parseArgs({
  options: { revisions: { type: "string", default: "1000" }, root: { type: "string" } },
});
const count = Number(values.revisions);
const LIMITS_MIB: Readonly<Record<string, number>> = { activator: 120, autoscaler: 150, controller: 150 };
const REST_MS = 60_000;

await using cluster = await Cluster.start(
  { clock: new RealClock(), random: new RealRandom() },
  values.root === undefined ? {} : { root: values.root },
);
const row = (when: string): void => {
  const cells = [...cluster.members.values()]
    .filter(({ name }) => /-[ab]$/.test(name))
    .map(({ name, pid }) => {
      const limit = LIMITS_MIB[name.split("-")[0] ?? ""] ?? 0;
      const mib = privateMiB(pid);
      if (mib > limit) process.exitCode = 1;
      return `${name} ${mib.toFixed(1)} (at most ${limit})`;
    });
  process.stdout.write(`${when}: private MiB: ${cells.join(", ")}\n`);
};
row("no revisions");
await createSleepers(cluster.client, count);
await cluster.until("every revision is known", 300_000, () => cluster.servicesListed >= count);
row(`${count} revisions, just made`);
await cluster.pause(REST_MS);
row(`${count} revisions, after a minute`);
