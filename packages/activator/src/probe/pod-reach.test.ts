import { describe, expect, test } from "vitest";
import { PodReach } from "./pod-reach.ts";

describe("mode auto", () => {
  test("A-58: a pod that answers shows that pods can be reached, for good", () => {
    const reach = new PodReach("auto");
    expect(reach.kind).toBe("unknown");
    expect(reach.answered("ready")).toBe("changed");
    reach.emptied();
    expect([reach.kind, reach.isSettled]).toEqual(["pods", true]);
    expect(reach.answered("unreachable")).toBe("same");
  });

  test("A-58, A-59: a pod that cannot be reached leads to the Service; if that answers, it is the way", () => {
    const reach = new PodReach("auto");
    expect(reach.answered("unreachable")).toBe("ask-service");
    expect(reach.serviceAnswered("unreachable")).toBe(false);
    expect(reach.answered("unreachable")).toBe("ask-service");
    expect(reach.serviceAnswered("ready")).toBe(true);
    expect(reach.kind).toBe("service");
  });

  test("A-58: an answer no mesh would give: the Service is not asked, nor listened to", () => {
    const reach = new PodReach("auto");
    expect(reach.answered("unready")).toBe("same");
    expect(reach.answered("unreachable")).toBe("same");
    expect(reach.serviceAnswered("ready")).toBe(false);
    expect(reach.answered("ready")).toBe("changed");
  });

  test("A-60: the Service is left when a pod answers after all, and forgotten with the last pod", () => {
    const reach = new PodReach("auto");
    reach.answered("unreachable");
    reach.serviceAnswered("ready");
    expect(reach.answered("unreachable")).toBe("same");
    expect(reach.answered("ready")).toBe("changed");
    expect(reach.kind).toBe("pods");
    const other = new PodReach("auto");
    other.answered("unreachable");
    other.serviceAnswered("ready");
    other.emptied();
    expect(other.kind).toBe("unknown");
  });
});

test.each([
  { mesh: "none", kind: "pods" },
  { mesh: "passthrough", kind: "pods" },
  { mesh: "service", kind: "service" },
] as const)("A-61: mode $mesh is not found out: $kind", ({ mesh, kind }) => {
  const reach = new PodReach(mesh);
  reach.answered("unreachable");
  reach.serviceAnswered("ready");
  reach.answered("ready");
  reach.emptied();
  expect([reach.kind, reach.isSettled]).toEqual([kind, true]);
});
