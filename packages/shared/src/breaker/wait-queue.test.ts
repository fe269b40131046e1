import fc from "fast-check";
import { expect, test } from "vitest";
import { type Waiter, WaitQueue } from "./wait-queue.ts";

test("the list agrees with a plain array", () => {
  const command = fc.record({
    kind: fc.constantFrom("push", "insert", "shift", "remove"),
    at: fc.nat(10),
  });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const queue = new WaitQueue<number>();
      const waiters: Waiter<number>[] = [];
      const plain: number[] = [];
      for (const [value, { kind, at }] of commands.entries()) {
        if (kind === "push") {
          waiters.push(queue.push(value));
          plain.push(value);
        } else if (kind === "insert") {
          waiters.push(queue.insert(value, (other) => other % 7 > at));
          const found = plain.findIndex((other) => other % 7 > at);
          plain.splice(found < 0 ? plain.length : found, 0, value);
        } else if (kind === "shift") {
          expect(queue.shift()).toBe(plain.shift());
        } else {
          const waiter = waiters[at % Math.max(1, waiters.length)];
          if (waiter === undefined) continue;
          const index = plain.indexOf(waiter.value);
          expect(queue.remove(waiter)).toBe(index >= 0);
          if (index >= 0) plain.splice(index, 1);
        }
        expect(queue.size).toBe(plain.length);
        expect(queue.peek()).toBe(plain[0]);
        expect([...queue].map((waiter) => waiter.value)).toEqual(plain);
      }
    }),
  );
});

test("one may be removed while walking over all", () => {
  const queue = new WaitQueue<string>();
  for (const name of ["a", "b", "c"]) queue.push(name);
  for (const waiter of queue) if (waiter.value !== "b") queue.remove(waiter);
  expect([...queue].map((waiter) => waiter.value)).toEqual(["b"]);
});
