import { EventKind, type KubeEvent, ObjectStore, SeededRandom } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { EventRetention } from "./event-retention.ts";

function setup() {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) });
  const retention = new EventRetention({ store, clock });
  const tell = (name: string): void => {
    const event: KubeEvent = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace: "default" },
      involvedObject: { namespace: "default", name: "a" },
    };
    store.create(EventKind, event);
  };
  const names = () => {
    clock.advance(0);
    return store.list(EventKind).map(({ metadata }) => metadata.name);
  };
  return { clock, store, retention, tell, names };
}

test("the last thousand events are kept (P-67)", () => {
  const { tell, names } = setup();
  for (let i = 0; i < 1_005; i++) tell(`e${String(i).padStart(4, "0")}`);
  expect(names()).toHaveLength(1_000);
  expect(names()[0]).toBe("e0005");
});

test("events are forgotten an hour after they were last told, when there is a new one", () => {
  const { clock, store, tell, names } = setup();
  tell("old");
  tell("again");
  clock.advance(3_000_000);
  store.patch(EventKind, { namespace: "default", name: "again" }, { kind: "merge", body: { count: 2 } });
  clock.advance(700_000);
  tell("new");
  expect(names()).toEqual(["again", "new"]);
});

test("nothing is forgotten once it is disposed", () => {
  const { clock, retention, tell, names } = setup();
  tell("old");
  clock.advance(4_000_000);
  retention[Symbol.dispose]();
  tell("new");
  expect(names()).toEqual(["new", "old"]);
});
