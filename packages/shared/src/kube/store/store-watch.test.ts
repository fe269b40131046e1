import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock/virtual-clock.ts";
import { SeededRandom } from "../../random.ts";
import { isKubeError, type KubeError, type ListQuery, type WatchEvent } from "../client.ts";
import { type ConfigMap, ConfigMapKind, NamespaceKind } from "../kinds/core.ts";
import { type ObjectKey, objectKey, type Stored } from "../object.ts";
import { InProcessKubeClient } from "./in-process-client.ts";
import { ObjectStore } from "./object-store.ts";

const ref = (name: string, namespace = "default") => ({ namespace, name });

const configMap = (
  name: string,
  labels: Record<string, string> = {},
  data: Record<string, string> = {},
): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { ...ref(name), labels },
  data,
});

function setup(changesMax = 10_000) {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) }, { changesMax });
  const client = new InProcessKubeClient({ store, clock });
  const watch = (query: ListQuery & { resourceVersion: string }) => {
    const events: WatchEvent<ConfigMap>[] = [];
    const closed: (KubeError | undefined)[] = [];
    const subscription = client.watch(ConfigMapKind, query, {
      event: (event) => events.push(event),
      closed: (reason) => closed.push(reason),
    });
    const seen = () =>
      events.map((event) => (event.type === "BOOKMARK" ? "" : `${event.type} ${event.object.metadata.name}`));
    return { events, closed, seen, [Symbol.dispose]: () => subscription[Symbol.dispose]() };
  };
  return { clock, store, client, watch };
}

describe("a watch", () => {
  test("hears of every later change, in order, after the code that made it has returned (P-111)", async () => {
    const { clock, store, client, watch } = setup();
    await client.create(ConfigMapKind, configMap("before"));
    using watched = watch({ resourceVersion: store.resourceVersion });
    await client.create(ConfigMapKind, configMap("a"));
    const body = { data: { k: "v" } };
    await client.patch(ConfigMapKind, ref("a"), { kind: "merge", body });
    await client.patch(ConfigMapKind, ref("a"), { kind: "merge", body });
    await client.delete(ConfigMapKind, ref("a"));
    expect(watched.seen()).toEqual([]);
    clock.advance(0);
    expect(watched.seen()).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
    const versions = watched.events.map((event) =>
      Number(event.type === "BOOKMARK" ? 0 : event.object.metadata.resourceVersion),
    );
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(3);
  });

  test("replays what came after the version it starts from", async () => {
    const { clock, client, watch } = setup();
    const first = await client.create(ConfigMapKind, configMap("a"));
    await client.create(ConfigMapKind, configMap("b"));
    using watched = watch({ resourceVersion: first.metadata.resourceVersion });
    clock.advance(0);
    expect(watched.seen()).toEqual(["ADDED b"]);
  });

  test("sees an object that stops matching as deleted, and one that starts as added (P-113)", async () => {
    const { clock, store, client, watch } = setup();
    using watched = watch({ resourceVersion: store.resourceVersion, labelSelector: "on=yes" });
    await client.create(ConfigMapKind, configMap("a", { on: "no" }, { k: "1" }));
    const label = (on: string | null) =>
      client.patch(ConfigMapKind, ref("a"), { kind: "merge", body: { metadata: { labels: { on } } } });
    await label("yes");
    await client.patch(ConfigMapKind, ref("a"), { kind: "merge", body: { data: { k: "2" } } });
    const gone = await label(null);
    await client.patch(ConfigMapKind, ref("a"), { kind: "merge", body: { data: { k: "3" } } });
    await client.delete(ConfigMapKind, ref("a"));
    clock.advance(0);
    expect(watched.seen()).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
    const last = watched.events[2];
    // The state before it stopped matching, with the version of the change.
    expect(last).toMatchObject({
      object: {
        data: { k: "2" },
        metadata: { labels: { on: "yes" }, resourceVersion: gone.metadata.resourceVersion },
      },
    });
  });

  test("of one name, and of one namespace", async () => {
    const { clock, store, client, watch } = setup();
    store.create(NamespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name: "mine" } });
    using byName = watch({ resourceVersion: store.resourceVersion, fieldSelector: "metadata.name=a" });
    using byNamespace = watch({ resourceVersion: store.resourceVersion, namespace: "mine" });
    await client.create(ConfigMapKind, configMap("a"));
    await client.create(ConfigMapKind, { ...configMap(""), metadata: ref("b", "mine") });
    clock.advance(0);
    expect([byName.seen(), byNamespace.seen()]).toEqual([["ADDED a"], ["ADDED b"]]);
  });

  test("from a version that is forgotten ends as expired (P-115)", async () => {
    const { clock, store, client, watch } = setup(3);
    const old = store.resourceVersion;
    for (const name of ["a", "b", "c", "d"]) await client.create(ConfigMapKind, configMap(name));
    using watched = watch({ resourceVersion: old });
    clock.advance(0);
    expect(watched.seen()).toEqual([]);
    expect(watched.closed.map((reason) => isKubeError(reason, "Expired"))).toEqual([true]);
  });

  test("that falls behind the history ends as expired, with no gap before", async () => {
    const { clock, store, client, watch } = setup(3);
    using watched = watch({ resourceVersion: store.resourceVersion });
    for (const name of ["a", "b", "c", "d"]) await client.create(ConfigMapKind, configMap(name));
    clock.advance(0);
    expect(watched.seen()).toEqual([]);
    expect(watched.closed).toHaveLength(1);
  });

  test("disposed hears nothing more, and is told once that it is over", async () => {
    const { clock, store, client, watch } = setup();
    const watched = watch({ resourceVersion: store.resourceVersion });
    await client.create(ConfigMapKind, configMap("a"));
    watched[Symbol.dispose]();
    watched[Symbol.dispose]();
    clock.advance(0);
    expect(watched.seen()).toEqual([]);
    expect(watched.closed).toEqual([undefined]);
  });

  test("disposed by its own sink stops there", async () => {
    const { clock, store, client } = setup();
    let heard = 0;
    const subscription: Disposable = client.watch(
      ConfigMapKind,
      { resourceVersion: store.resourceVersion },
      {
        event: () => {
          heard++;
          subscription[Symbol.dispose]();
        },
        closed: () => {},
      },
    );
    await client.create(ConfigMapKind, configMap("a"));
    await client.create(ConfigMapKind, configMap("b"));
    clock.advance(0);
    expect(heard).toBe(1);
  });

  test("of a malformed selector or version ends with the reason", () => {
    const { clock, store, watch } = setup();
    using bad = watch({ resourceVersion: store.resourceVersion, labelSelector: "a=b=c" });
    using worse = watch({ resourceVersion: "abc" });
    clock.advance(0);
    expect([...bad.closed, ...worse.closed].map((reason) => reason?.reason)).toEqual([
      "BadRequest",
      "BadRequest",
    ]);
  });

  test("a sink may write: what it writes is delivered after what it is hearing of", async () => {
    const { clock, store, client } = setup();
    const heard: string[] = [];
    using _ = client.watch(
      ConfigMapKind,
      { resourceVersion: store.resourceVersion },
      {
        event: (event) => {
          if (event.type === "BOOKMARK") return;
          heard.push(event.object.metadata.name);
          if (event.object.metadata.name === "a") void client.create(ConfigMapKind, configMap("c"));
        },
        closed: () => {},
      },
    );
    await client.create(ConfigMapKind, configMap("a"));
    await client.create(ConfigMapKind, configMap("b"));
    clock.advance(0);
    expect(heard).toEqual(["a", "b", "c"]);
  });
});

describe("a list and the watch from it (P-140, P-145)", () => {
  const name = fc.constantFrom("a", "b", "c");
  const step = fc.oneof(
    fc.record({ kind: fc.constant("put" as const), name, on: fc.boolean(), value: fc.nat(2) }),
    fc.record({ kind: fc.constant("delete" as const), name }),
    fc.record({ kind: fc.constant("deliver" as const) }),
    fc.record({ kind: fc.constant("drop" as const) }),
  );

  test("give the same objects as a later list, whatever happens and however often the watch is dropped", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom("on=true", "on!=true", ""),
        fc.constantFrom(2, 10_000),
        (steps, labelSelector, changesMax) => {
          const { clock, store, client } = setup(changesMax);
          const cache = new Map<ObjectKey, Stored<ConfigMap>>();
          let version = store.resourceVersion;
          let watched: Disposable | undefined;
          const listed = (): Stored<ConfigMap>[] =>
            store
              .list(ConfigMapKind, { labelSelector })
              .map((object) => ({ ...object, metadata: object.metadata }));
          const relist = (): void => {
            cache.clear();
            for (const item of listed()) cache.set(objectKey(item.metadata), item);
            version = store.resourceVersion;
          };
          const follow = (): void => {
            watched?.[Symbol.dispose]();
            watched = client.watch(
              ConfigMapKind,
              { labelSelector, resourceVersion: version },
              {
                event: (event) => {
                  if (event.type === "BOOKMARK") return;
                  const key = objectKey(event.object.metadata);
                  expect(event.type === "ADDED").toBe(!cache.has(key));
                  expect(Number(event.object.metadata.resourceVersion)).toBeGreaterThan(Number(version));
                  version = event.object.metadata.resourceVersion;
                  if (event.type === "DELETED") cache.delete(key);
                  else cache.set(key, event.object);
                },
                closed: (reason) => {
                  if (reason === undefined) return;
                  expect(reason.reason).toBe("Expired");
                  relist();
                  follow();
                },
              },
            );
          };
          relist();
          follow();
          for (const one of steps) {
            if (one.kind === "deliver") clock.advance(0);
            else if (one.kind === "drop") follow();
            else if (one.kind === "delete") {
              if (store.find(ConfigMapKind, ref(one.name)) !== undefined)
                store.delete(ConfigMapKind, ref(one.name));
            } else {
              const object = configMap(one.name, { on: String(one.on) }, { value: String(one.value) });
              if (store.find(ConfigMapKind, ref(one.name)) === undefined) store.create(ConfigMapKind, object);
              else store.update(ConfigMapKind, object);
            }
          }
          clock.advance(0);
          const byName = (a: Stored<ConfigMap>, b: Stored<ConfigMap>) =>
            a.metadata.name < b.metadata.name ? -1 : 1;
          expect([...cache.values()].sort(byName)).toEqual(listed());
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("two writers (P-142)", () => {
  test("with the same version: exactly one wins, and its state stays", async () => {
    const { client } = setup();
    const read = await client.create(ConfigMapKind, configMap("a"));
    const outcomes = await Promise.allSettled(
      ["1", "2"].map((k) => client.update(ConfigMapKind, { ...read, data: { k } })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((await client.get(ConfigMapKind, ref("a"))).data).toEqual({ k: "1" });
  });

  test("patching without a version never conflict", async () => {
    const { client } = setup();
    await client.create(ConfigMapKind, configMap("a"));
    await Promise.all(
      ["x", "y", "z"].map((key) =>
        client.patch(ConfigMapKind, ref("a"), { kind: "merge", body: { data: { [key]: "1" } } }),
      ),
    );
    expect((await client.get(ConfigMapKind, ref("a"))).data).toEqual({ x: "1", y: "1", z: "1" });
  });
});
