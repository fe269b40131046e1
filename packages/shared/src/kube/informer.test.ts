import { describe, expect, test } from "vitest";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { SeededRandom } from "../random.ts";
import { type KubeClient, KubeError, type WatchSink } from "./client.ts";
import { Informer } from "./informer.ts";
import { type ConfigMap, ConfigMapKind } from "./kinds/core.ts";
import { objectKey, type Stored } from "./object.ts";
import { InProcessKubeClient } from "./store/in-process-client.ts";
import { ObjectStore } from "./store/object-store.ts";

const ref = (name: string) => ({ namespace: "default", name });
const configMap = (name: string, labels: Record<string, string> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { ...ref(name), labels },
});

/** A store behind a client whose lists and watches a test can break. */
function setup(options: { readonly labelSelector?: string } = {}) {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) }, { changesMax: 5 });
  const real = new InProcessKubeClient({ store, clock });
  const faults = { listFails: 0, lists: 0, closeWatch: (_reason: KubeError): void => {}, isDeaf: false };
  const client: KubeClient = Object.assign(Object.create(real), {
    get: real.get.bind(real),
    list: async (...args: Parameters<KubeClient["list"]>) => {
      faults.lists++;
      if (faults.listFails > 0) {
        faults.listFails--;
        throw new KubeError("ServiceUnavailable", "not now");
      }
      return await real.list(...args);
    },
    watch: (
      kind: typeof ConfigMapKind,
      query: Parameters<KubeClient["watch"]>[1],
      sink: WatchSink<ConfigMap>,
    ) => {
      let isOver = false;
      const subscription = real.watch(kind, query, {
        event: (event) => {
          if (!faults.isDeaf && !isOver) sink.event(event);
        },
        closed: (reason) => {
          if (!isOver) sink.closed(reason);
        },
      });
      faults.closeWatch = (reason) => {
        isOver = true;
        subscription[Symbol.dispose]();
        sink.closed(reason);
      };
      return subscription;
    },
  });
  const heard: string[] = [];
  const informer = new Informer({ client, clock, random: new SeededRandom(2) }, ConfigMapKind, options)
    .indexBy("tier")
    .handle({
      changed: (object, before) =>
        heard.push(`${before === undefined ? "new" : "changed"} ${object.metadata.name}`),
      removed: (last) => heard.push(`removed ${last.metadata.name}`),
    });
  const names = () => [...informer.list()].map(({ metadata }) => metadata.name).sort();
  return { clock, store, client: real, faults, informer, heard, names };
}

const unavailable = new KubeError("ServiceUnavailable", "gone");

describe("an informer", () => {
  test("has the first list before start resolves, and follows from there", async () => {
    const { clock, client, informer, heard, names } = setup();
    await client.create(ConfigMapKind, configMap("a"));
    expect(informer.isSynced).toBe(false);
    await informer.start();
    expect([informer.isSynced, informer.size, names()]).toEqual([true, 1, ["a"]]);
    await client.create(ConfigMapKind, configMap("b"));
    await client.patch(ConfigMapKind, ref("a"), { kind: "merge", body: { data: { k: "v" } } });
    await client.delete(ConfigMapKind, ref("b"));
    await clock.settle();
    expect(heard).toEqual(["new a", "new b", "changed a", "removed b"]);
    expect(informer.get(objectKey(ref("a")))?.data).toEqual({ k: "v" });
    informer[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test("sees only what its selector matches", async () => {
    const { clock, client, informer, heard } = setup({ labelSelector: "tier=web" });
    await informer.start();
    await client.create(ConfigMapKind, configMap("a", { tier: "db" }));
    await client.create(ConfigMapKind, configMap("b", { tier: "web" }));
    await client.patch(ConfigMapKind, ref("b"), {
      kind: "merge",
      body: { metadata: { labels: { tier: "db" } } },
    });
    await clock.settle();
    expect(heard).toEqual(["new b", "removed b"]);
  });

  test("keeps its index as labels come and go", async () => {
    const { clock, client, informer } = setup();
    const inTier = (tier: string) => informer.byLabel("tier", tier).map(({ metadata }) => metadata.name);
    await client.create(ConfigMapKind, configMap("a", { tier: "web" }));
    await informer.start();
    await client.create(ConfigMapKind, configMap("b", { tier: "web" }));
    await clock.settle();
    expect(inTier("web")).toEqual(["a", "b"]);
    await client.patch(ConfigMapKind, ref("a"), {
      kind: "merge",
      body: { metadata: { labels: { tier: "db" } } },
    });
    await client.delete(ConfigMapKind, ref("b"));
    await clock.settle();
    expect([inTier("web"), inTier("db"), informer.byLabel("nope", "x")]).toEqual([[], ["a"], []]);
  });

  test("keeps an index of several values, by whatever finds them", async () => {
    const { clock, client, informer } = setup();
    informer.indexBy("keys", (map) => Object.keys(map.data ?? {}));
    const having = (key: string) => informer.byLabel("keys", key).map(({ metadata }) => metadata.name);
    await client.create(ConfigMapKind, { ...configMap("a"), data: { x: "1", y: "2" } });
    await informer.start();
    await client.create(ConfigMapKind, { ...configMap("b"), data: { y: "3" } });
    await clock.settle();
    expect([having("x"), having("y")]).toEqual([["a"], ["a", "b"]]);
    await client.patch(ConfigMapKind, ref("a"), { kind: "merge", body: { data: { x: null, z: "4" } } });
    await clock.settle();
    expect([having("x"), having("y").sort(), having("z")]).toEqual([[], ["a", "b"], ["a"]]);
  });

  test("lists again when its watch ends, and tells what it missed, deletions first of all", async () => {
    const { clock, client, faults, informer, heard } = setup();
    for (const name of ["gone", "changed", "same"]) await client.create(ConfigMapKind, configMap(name));
    await informer.start();
    heard.length = 0;
    faults.closeWatch(unavailable);
    await client.delete(ConfigMapKind, ref("gone"));
    await client.patch(ConfigMapKind, ref("changed"), { kind: "merge", body: { data: { k: "v" } } });
    await client.create(ConfigMapKind, configMap("new"));
    await clock.advanceAsync(1_000);
    expect([...heard].sort()).toEqual(["changed changed", "new new", "removed gone"]);
    await client.delete(ConfigMapKind, ref("new"));
    await clock.settle();
    expect(heard.at(-1)).toBe("removed new");
  });

  test("tells of a deletion it missed even when the name is taken again", async () => {
    const { clock, client, faults, informer, heard } = setup();
    const first = await client.create(ConfigMapKind, configMap("a"));
    await informer.start();
    faults.closeWatch(unavailable);
    await client.delete(ConfigMapKind, ref("a"));
    const second = await client.create(ConfigMapKind, configMap("a"));
    await clock.advanceAsync(1_000);
    expect(heard).toEqual(["new a", "removed a", "new a"]);
    expect(informer.get(objectKey(ref("a")))?.metadata.uid).toBe(second.metadata.uid);
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
  });

  test("lists again at once when its version is forgotten, and later and later when lists fail", async () => {
    const { clock, client, faults, informer, names } = setup();
    await informer.start();
    faults.closeWatch(new KubeError("Expired", "too old"));
    await clock.advanceAsync(0);
    expect(faults.lists).toBe(2);

    faults.listFails = 4;
    faults.closeWatch(unavailable);
    const listedAt: number[] = [];
    for (let ms = 0, seen = faults.lists; ms < 6_000; ms += 10) {
      await clock.advanceAsync(10);
      if (faults.lists > seen) listedAt.push(clock.now());
      seen = faults.lists;
    }
    const gaps = listedAt.slice(1).map((at, index) => at - (listedAt[index] ?? 0));
    expect(listedAt).toHaveLength(5);
    for (const [index, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(200 * 2 ** index);
      expect(gap).toBeLessThanOrEqual(300 * 2 ** index + 10);
    }
    await client.create(ConfigMapKind, configMap("a"));
    await clock.settle();
    expect(names()).toEqual(["a"]);
  });

  test.each([
    { why: "is refused", error: unavailable },
    { why: "has always expired", error: new KubeError("Expired", "too old") },
  ])("lists less and less often while its watch $why, though every list is answered", async ({ error }) => {
    const { clock, faults, informer } = setup();
    await informer.start();
    faults.closeWatch(error);
    let lists = 0;
    for (let ms = 0; ms < 60_000; ms += 10) {
      await clock.advanceAsync(10);
      if (faults.lists > lists) faults.closeWatch(error);
      lists = faults.lists;
    }
    expect(faults.lists).toBeLessThan(20);
  });

  test("starts when the API comes up later", async () => {
    const { clock, faults, informer } = setup();
    faults.listFails = 3;
    let isStarted = false;
    const started = informer.start().then(() => {
      isStarted = true;
    });
    await clock.settle();
    expect(isStarted).toBe(false);
    await clock.advanceAsync(5_000);
    await started;
    expect(informer.isSynced).toBe(true);
  });

  test("outrun by its watch's history is as current as any", async () => {
    const { clock, client, informer, names } = setup();
    await informer.start();
    const all = Array.from({ length: 20 }, (_, index) => `n${String(index).padStart(2, "0")}`);
    for (const name of all) await client.create(ConfigMapKind, configMap(name));
    await clock.advanceAsync(1_000);
    expect(names()).toEqual(all);
  });

  test("disposed hears nothing more, whatever it was about to do", async () => {
    const { clock, client, faults, informer, heard } = setup();
    const starting = informer.start();
    informer[Symbol.dispose]();
    await starting;
    await client.create(ConfigMapKind, configMap("a"));
    await clock.advanceAsync(60_000);
    expect(heard).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
    const other = setup();
    await other.informer.start();
    other.faults.closeWatch(unavailable);
    other.informer[Symbol.dispose]();
    other.informer[Symbol.dispose]();
    await other.clock.advanceAsync(60_000);
    expect(other.faults.lists).toBe(1);
    expect(faults.lists).toBe(1);
    expect(other.clock.pendingTimers).toBe(0);
  });

  test("hands out what the store has, not a copy", async () => {
    const { client, informer } = setup();
    const created: Stored<ConfigMap> = await client.create(ConfigMapKind, configMap("a"));
    await informer.start();
    expect(informer.get(objectKey(ref("a")))).toBe(created);
  });
});
