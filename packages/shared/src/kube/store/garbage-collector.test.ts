import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock/virtual-clock.ts";
import { SeededRandom } from "../../random.ts";
import type { DeleteOptions } from "../client.ts";
import { ConfigMapKind, NamespaceKind, PodKind, ServiceKind } from "../kinds/core.ts";
import { controllerOf, type OwnerReference } from "../object.ts";
import { GarbageCollector } from "./garbage-collector.ts";
import { NamespaceCleaner } from "./namespace-cleaner.ts";
import { ObjectStore } from "./object-store.ts";
import type { StoredObject } from "./stored-object.ts";

const ref = (name: string, namespace = "default") => ({ namespace, name });

function setup() {
  const clock = new VirtualClock();
  const store = new ObjectStore(
    { wall: () => clock.wall(), random: new SeededRandom(1) },
    { namespaces: ["mine"] },
  );
  const collector = new GarbageCollector({ store, clock });
  const cleaner = new NamespaceCleaner({ store, clock });
  const make = (name: string, owners: readonly OwnerReference[] = [], finalizers: readonly string[] = []) =>
    store.create(ConfigMapKind, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { ...ref(name), ownerReferences: owners, finalizers },
    });
  /** Names left once everything has come to rest. */
  const left = (): string[] => {
    clock.advance(0);
    return store.list(ConfigMapKind).map(({ metadata }) => metadata.name);
  };
  const remove = (name: string, options: DeleteOptions = {}) =>
    store.delete(ConfigMapKind, ref(name), options);
  return { clock, store, collector, cleaner, make, left, remove };
}

const weakly = (owner: StoredObject): OwnerReference => {
  const { blockOwnerDeletion: _, controller: __, ...reference } = controllerOf(owner);
  return reference;
};

describe("what nobody owns any more (P-84)", () => {
  test("goes with its owner, and what it owned with it", () => {
    const { make, left, remove } = setup();
    const top = make("a-top");
    const middle = make("b-middle", [controllerOf(top)]);
    make("c-bottom", [controllerOf(middle)]);
    make("d-other");
    remove("a-top");
    expect(left()).toEqual(["d-other"]);
  });

  test("stays while one owner is left, and forgets those that are gone", () => {
    const { make, left, remove, store } = setup();
    const [one, two] = [make("one"), make("two")];
    make("child", [weakly(one), weakly(two)]);
    remove("one");
    expect(left()).toEqual(["child", "two"]);
    expect(store.get(ConfigMapKind, ref("child")).metadata.ownerReferences).toEqual([weakly(two)]);
    remove("two");
    expect(left()).toEqual([]);
  });

  test("goes when its owner never was, or is another of that name", () => {
    const { make, left } = setup();
    const owner = make("owner");
    make("orphan", [{ ...controllerOf(owner), name: "never" }]);
    make("stranger", [{ ...controllerOf(owner), uid: "another" }]);
    make("child", [controllerOf(owner)]);
    expect(left()).toEqual(["child", "owner"]);
  });

  test("goes when it is given a dead owner later", () => {
    const { make, left, store } = setup();
    const owner = make("owner");
    make("child");
    const ownerReferences = [{ ...controllerOf(owner), uid: "another" }];
    store.patch(ConfigMapKind, ref("child"), { kind: "merge", body: { metadata: { ownerReferences } } });
    expect(left()).toEqual(["owner"]);
  });

  test("stays when its owner is of a kind that is not known here", () => {
    const { make, left } = setup();
    make("child", [{ apiVersion: "e.com/v1", kind: "Thing", name: "t", uid: "u" }]);
    expect(left()).toEqual(["child"]);
  });

  test("does not own across namespaces", () => {
    const { store, clock, make } = setup();
    const owner = make("owner");
    store.create(ServiceKind, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...ref("child", "mine"), ownerReferences: [controllerOf(owner)] },
    });
    clock.advance(0);
    expect(store.list(ServiceKind)).toEqual([]);
  });

  test("is let go when the owner is deleted with Orphan", () => {
    const { make, left, remove, store } = setup();
    make("child", [controllerOf(make("owner"))]);
    remove("owner", { propagation: "Orphan" });
    expect(left()).toEqual(["child"]);
    expect(store.get(ConfigMapKind, ref("child")).metadata).not.toHaveProperty("ownerReferences");
  });

  test("that is a running pod is deleted gracefully", () => {
    const { make, left, remove, store } = setup();
    const metadata = { ...ref("p"), ownerReferences: [controllerOf(make("owner"))] };
    store.create(PodKind, { apiVersion: "v1", kind: "Pod", metadata, spec: { nodeName: "n" } });
    remove("owner");
    expect(left()).toEqual([]);
    expect(store.get(PodKind, ref("p")).metadata.deletionGracePeriodSeconds).toBe(30);
  });

  test("is found by a collector that starts later", () => {
    const { make, left, remove, store, clock, collector } = setup();
    make("child", [controllerOf(make("owner"))]);
    collector[Symbol.dispose]();
    remove("owner");
    expect(left()).toEqual(["child"]);
    using _ = new GarbageCollector({ store, clock });
    expect(left()).toEqual([]);
  });
});

describe("foreground deletion (P-83, P-84)", () => {
  test("waits for the dependents that block it, and only those", () => {
    const { make, left, remove, store } = setup();
    const owner = make("owner");
    make("blocking", [controllerOf(owner)], ["e.com/hold"]);
    make("other", [weakly(owner)], ["e.com/hold"]);
    expect(remove("owner", { propagation: "Foreground" }).metadata.finalizers).toEqual([
      "foregroundDeletion",
    ]);
    expect(left()).toEqual(["blocking", "other", "owner"]);
    expect(store.get(ConfigMapKind, ref("blocking")).metadata.deletionTimestamp).toBeDefined();
    const letGo = { kind: "merge", body: { metadata: { finalizers: [] } } } as const;
    store.patch(ConfigMapKind, ref("blocking"), letGo);
    expect(left()).toEqual(["other"]);
  });

  test("of an owner without dependents is as good as at once", () => {
    const { make, left, remove } = setup();
    make("owner");
    remove("owner", { propagation: "Foreground" });
    expect(left()).toEqual([]);
  });

  test("goes down the tree, leaves first", () => {
    const { make, left, remove, store } = setup();
    const gone: string[] = [];
    store.observe((_, { type, object }) => {
      if (type === "DELETED") gone.push(object.metadata.name);
    });
    const top = make("top");
    const middle = make("middle", [controllerOf(top)]);
    make("leaf", [controllerOf(middle)]);
    remove("top", { propagation: "Foreground" });
    expect(left()).toEqual([]);
    expect(gone).toEqual(["leaf", "middle", "top"]);
  });

  test("ends where two own each other", () => {
    const { make, left, remove, store } = setup();
    const one = make("one");
    const two = make("two", [controllerOf(one)]);
    const ownerReferences = [controllerOf(two)];
    store.patch(ConfigMapKind, ref("one"), { kind: "merge", body: { metadata: { ownerReferences } } });
    expect(left()).toEqual(["one", "two"]);
    remove("one", { propagation: "Foreground" });
    expect(left()).toEqual([]);
  });
});

describe("a deleted namespace (P-91)", () => {
  test("takes nothing new, is emptied, and goes when nothing holds it", () => {
    const { store, clock } = setup();
    const inMine = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { ...ref("a", "mine"), finalizers: ["e.com/x"] },
    };
    store.create(ConfigMapKind, inMine);
    store.create(ConfigMapKind, { ...inMine, metadata: ref("b", "mine") });
    const mine = { namespace: "", name: "mine" };
    const deleted = store.delete(NamespaceKind, mine);
    expect(deleted).toMatchObject({ status: { phase: "Terminating" } });
    expect(deleted.metadata).not.toHaveProperty("deletionGracePeriodSeconds");
    expect(() => store.create(ConfigMapKind, { ...inMine, metadata: ref("c", "mine") })).toThrow(
      'configmaps "c" is forbidden: unable to create new content in namespace mine because it is being terminated',
    );
    clock.advance(0);
    expect(store.list(ConfigMapKind).map(({ metadata }) => metadata.name)).toEqual(["a"]);
    expect(store.find(NamespaceKind, mine)).toBeDefined();
    store.patch(ConfigMapKind, ref("a", "mine"), { kind: "merge", body: { metadata: { finalizers: null } } });
    clock.advance(0);
    expect(store.find(NamespaceKind, mine)).toBeUndefined();
  });

  test("that is empty goes at once, and its name can be used again", () => {
    const { store, clock } = setup();
    const mine = { namespace: "", name: "mine" };
    store.delete(NamespaceKind, mine);
    clock.advance(0);
    expect(store.find(NamespaceKind, mine)).toBeUndefined();
    store.create(NamespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name: "mine" } });
    clock.advance(0);
    expect(store.find(NamespaceKind, mine)).toBeDefined();
  });
});

describe("at rest (P-144)", () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const name = fc.constantFrom(...names);
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("create" as const),
      name,
      owners: fc.uniqueArray(name, { maxLength: 3 }),
      isBlocking: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant("own" as const),
      name,
      owners: fc.uniqueArray(name, { maxLength: 3 }),
      isBlocking: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant("delete" as const),
      name,
      propagation: fc.constantFrom("Background" as const, "Foreground" as const, "Orphan" as const),
    }),
    fc.record({ kind: fc.constant("rest" as const) }),
  );

  test("no object has only dead owners, nothing waits for ever, and nothing owned by the living was collected", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { store, clock, make } = setup();
        const deleted = new Set<string>();
        const wronged: string[] = [];
        const alive = (uid: string) => store.list(ConfigMapKind).some(({ metadata }) => metadata.uid === uid);
        store.observe((_, { type, object: { metadata } }) => {
          if (type !== "DELETED" || deleted.has(metadata.uid)) return;
          // Collected, not deleted by anybody: then no owner may have been alive and staying.
          const staying = (metadata.ownerReferences ?? []).filter(
            ({ uid }) => alive(uid) && !deleted.has(uid),
          );
          const isEnding = (uid: string) =>
            store
              .list(ConfigMapKind)
              .some(({ metadata: owner }) => owner.uid === uid && owner.deletionTimestamp);
          if (staying.some(({ uid }) => !isEnding(uid))) wronged.push(metadata.name);
        });
        const ownersOf = (list: readonly string[], isBlocking: boolean) =>
          list.flatMap((owner) => {
            const found = store.find(ConfigMapKind, ref(owner));
            if (found === undefined) return [];
            return [{ ...weakly(found), ...(isBlocking ? { blockOwnerDeletion: true } : {}) }];
          });
        for (const one of steps) {
          if (one.kind === "rest") clock.advance(0);
          else {
            const found = store.find(ConfigMapKind, ref(one.name));
            if (one.kind === "create" && found === undefined)
              make(one.name, ownersOf(one.owners, one.isBlocking));
            if (one.kind === "own" && found !== undefined) {
              const body = { metadata: { ownerReferences: ownersOf(one.owners, one.isBlocking) } };
              store.patch(ConfigMapKind, ref(one.name), { kind: "merge", body });
            }
            if (one.kind === "delete" && found !== undefined) {
              deleted.add(found.metadata.uid);
              store.delete(ConfigMapKind, ref(one.name), { propagation: one.propagation });
            }
          }
        }
        clock.advance(0);
        expect(wronged).toEqual([]);
        for (const { metadata } of store.list(ConfigMapKind)) {
          expect(metadata.deletionTimestamp).toBeUndefined();
          const owners = metadata.ownerReferences ?? [];
          if (owners.length > 0) expect(owners.some(({ uid }) => alive(uid))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
