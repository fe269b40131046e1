import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { ConfigMapKind, isKubeError, type KubeClient, labels, PodKind, SeededRandom } from "@rouse/shared";
import { expect, test } from "vitest";
import { up } from "./support/sample.ts";

const TEST_MS = 60_000;

const configMap = (name: string, who = name) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default", labels: { sample: "greeting" } },
  data: { name: who },
});

async function greetingOf(api: KubeClient, name: string): Promise<string | undefined> {
  try {
    const ref = { namespace: "default", name: `${name}-greeting` };
    return (await api.get(ConfigMapKind, ref)).data?.greeting;
  } catch (error) {
    if (isKubeError(error, "NotFound")) return undefined;
    throw error;
  }
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((turn) => setImmediate(turn));
}

/** Whether the world is as the objects say, and has nothing of those that are gone. */
async function isReconciled(api: KubeClient, names: readonly string[]): Promise<boolean> {
  const { items } = await api.list(ConfigMapKind, { namespace: "default", labelSelector: "sample=greeting" });
  const wanted = new Map(items.map(({ metadata, data }) => [metadata.name, `Hello ${data?.name}`]));
  const greetings = await Promise.all(names.map((name) => greetingOf(api, name)));
  return greetings.every((greeting, index) => greeting === wanted.get(names[index] ?? ""));
}

/** Kills the processes that run this program below the folder, at once and by force. */
function killProgram(cwd: string, program: string): number {
  let killed = 0;
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const isOurs =
        readlinkSync(`/proc/${pid}/cwd`).startsWith(cwd) &&
        readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(program);
      if (isOurs) {
        process.kill(Number(pid), "SIGKILL");
        killed++;
      }
    } catch {
      // Gone meanwhile, or somebody else's.
    }
  }
  return killed;
}

test("what happens while the operator sleeps is done when it wakes, and it sleeps again", {
  timeout: TEST_MS,
}, async () => {
  const { home } = await up("operator");
  const { client: api } = home;
  const names = Array.from({ length: 5 }, (_, index) => `g${index}`);
  for (const name of names) await api.create(ConfigMapKind, configMap(name));
  await until(() => isReconciled(api, names));
  const asleep = async (): Promise<boolean> => {
    const { items } = await api.list(PodKind, {
      namespace: "default",
      labelSelector: `${labels.service}=reconciler`,
    });
    return items.length === 0;
  };
  await until(asleep);
  await api.delete(ConfigMapKind, { namespace: "default", name: "g0" });
  await api.update(ConfigMapKind, configMap("g1", "Ada"));
  await until(() => isReconciled(api, names));
  expect([await greetingOf(api, "g0"), await greetingOf(api, "g1")]).toEqual([undefined, "Hello Ada"]);
});

test("no event is lost when operator and source are killed among changes, deletions included", {
  timeout: TEST_MS,
}, async () => {
  const { home, cwd } = await up("operator");
  const { client: api } = home;
  const random = new SeededRandom(11);
  const names = Array.from({ length: 12 }, (_, index) => `g${index}`);
  const there = new Set<string>();
  const change = async (except = ""): Promise<void> => {
    const name = names[random.integer(0, names.length - 1)] ?? "";
    if (name === except) return;
    if (!there.has(name)) await api.create(ConfigMapKind, configMap(name));
    else if (random.chance(0.4)) await api.delete(ConfigMapKind, { namespace: "default", name });
    else {
      await api.update(ConfigMapKind, configMap(name, `version ${random.integer(0, 999)}`));
      return;
    }
    if (!there.delete(name)) there.add(name);
  };
  for (let turn = 0; turn < 20; turn++) await change();
  await until(() => isReconciled(api, names));
  // The operator dies with events on their way.
  for (let turn = 0; turn < 20; turn++) await change();
  await until(async () => killProgram(cwd, "reconciler.mjs") > 0);
  for (let turn = 0; turn < 20; turn++) await change();
  await until(() => isReconciled(api, names));
  // The source dies, and objects go while nobody watches.
  for (let turn = 0; turn < 10; turn++) await change();
  expect(killProgram(cwd, "source.mjs")).toBeGreaterThan(0);
  const [gone = ""] = there; // and stays so: nobody is told of it later by another change
  there.delete(gone);
  await api.delete(ConfigMapKind, { namespace: "default", name: gone });
  for (let turn = 0; turn < 10; turn++) await change(gone);
  await until(() => isReconciled(api, names));
});
